"""What Cognito's own messages say, by occasion and language; ``MESSAGES`` in the environment goes over it.

``{code}``, ``{link}``, ``{username}`` and ``{app}`` stand for what belongs there. An occasion is the part of the
trigger's source after the underscore. Lambda has neither Django nor gettext, so the languages of the app's catalogues
are written out here and in `messages`.
"""

from ..core.environment import Settings
from ..core.events import mapping, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

PARTS = ("sms", "subject", "email")
# Cognito's own occasions.
OCCASIONS = (
    "SignUp",
    "AdminCreateUser",
    "ResendCode",
    "ForgotPassword",
    "UpdateUserAttribute",
    "VerifyUserAttribute",
    "Authentication",
    "AccountTakeOverNotification",
)
_INVITATION, _NOTICE, _CODE = "AdminCreateUser", "AccountTakeOverNotification", "Code"
WORDS = {
    "en": {
        _CODE: {
            "sms": "{code} is your code for {app}.",
            "subject": "Your code for {app}",
            "email": "Your code for {app}: {code}\n\nIf you did not ask for it, ignore this message.",
        },
        _INVITATION: {
            "sms": "{app}: your user name is {username}, your first password {code}",
            "subject": "Your account at {app}",
            "email": "Your user name for {app} is {username}, and your first password {code}",
        },
        _NOTICE: {
            "sms": "{app}: somebody tried to sign in to your account.",
            "subject": "Somebody tried to sign in to your account at {app}",
            "email": "Somebody tried to sign in to your account at {app}. If it was not you, change your password.",
        },
    },
    "de": {
        _CODE: {
            "sms": "{code} ist Ihr Code für {app}.",
            "subject": "Ihr Code für {app}",
            "email": "Ihr Code für {app}: {code}\n\nWenn Sie ihn nicht angefordert haben, beachten Sie ihn nicht.",
        },
        _INVITATION: {
            "sms": "{app}: Ihr Benutzername ist {username}, Ihr erstes Passwort {code}",
            "subject": "Ihr Konto bei {app}",
            "email": "Ihr Benutzername für {app} ist {username}, Ihr erstes Passwort {code}",
        },
        _NOTICE: {
            "sms": "{app}: Jemand wollte sich bei Ihrem Konto anmelden.",
            "subject": "Jemand wollte sich bei Ihrem Konto bei {app} anmelden",
            "email": "Jemand wollte sich bei Ihrem Konto bei {app} anmelden. "
            "Waren Sie es nicht, ändern Sie Ihr Passwort.",
        },
    },
    "fr": {
        _CODE: {
            "sms": "{code} est votre code pour {app}.",
            "subject": "Votre code pour {app}",
            "email": "Votre code pour {app} : {code}\n\nSi vous ne l'avez pas demandé, ignorez ce message.",
        },
        _INVITATION: {
            "sms": "{app} : votre nom d'utilisateur est {username}, votre premier mot de passe {code}",
            "subject": "Votre compte {app}",
            "email": "Votre nom d'utilisateur pour {app} est {username}, votre premier mot de passe {code}",
        },
        _NOTICE: {
            "sms": "{app} : quelqu'un a essayé de se connecter à votre compte.",
            "subject": "Quelqu'un a essayé de se connecter à votre compte {app}",
            "email": "Quelqu'un a essayé de se connecter à votre compte {app}. "
            "Si ce n'était pas vous, changez votre mot de passe.",
        },
    },
    "es": {
        _CODE: {
            "sms": "{code} es su código para {app}.",
            "subject": "Su código para {app}",
            "email": "Su código para {app}: {code}\n\nSi no lo ha pedido, ignore este mensaje.",
        },
        _INVITATION: {
            "sms": "{app}: su nombre de usuario es {username}, su primera contraseña {code}",
            "subject": "Su cuenta de {app}",
            "email": "Su nombre de usuario para {app} es {username}, y su primera contraseña, {code}",
        },
        _NOTICE: {
            "sms": "{app}: alguien ha intentado entrar en su cuenta.",
            "subject": "Alguien ha intentado entrar en su cuenta de {app}",
            "email": "Alguien ha intentado entrar en su cuenta de {app}. Si no ha sido usted, cambie su contraseña.",
        },
    },
    "ar": {
        _CODE: {
            "sms": "{code} هو رمزك للدخول إلى {app}.",
            "subject": "رمزك للدخول إلى {app}",
            "email": "رمزك للدخول إلى {app}: {code}\n\nإذا لم تطلبه فتجاهل هذه الرسالة.",
        },
        _INVITATION: {
            "sms": "{app}: اسم المستخدم {username}، وكلمة المرور الأولى {code}",
            "subject": "حسابك في {app}",
            "email": "اسم المستخدم الخاص بك في {app} هو {username}، وكلمة المرور الأولى هي {code}",
        },
        _NOTICE: {
            "sms": "{app}: حاول شخص ما الدخول إلى حسابك.",
            "subject": "حاول شخص ما الدخول إلى حسابك في {app}",
            "email": "حاول شخص ما الدخول إلى حسابك في {app}. إذا لم تكن أنت فغيّر كلمة المرور.",
        },
    },
}


def words_for(occasion: str, settings: Settings, locale: str = "") -> "Mapping[str, str]":
    """The templates of one occasion: ``sms``, ``subject`` and ``email``, in the person's language where there is one.

    ``MESSAGES`` may have an occasion in a language: ``SignUp.de``.
    """
    spoken = locale.replace("_", "-").partition("-")[0].lower()
    language = WORDS.get(spoken) or WORDS.get(settings.language.partition("-")[0].lower(), WORDS["en"])
    table = settings.table("MESSAGES")
    own = mapping(table.get(f"{occasion}.{spoken}")) or mapping(table.get(occasion))
    ours = language.get(occasion, language[_CODE])
    return {part: text(own.get(part)) or ours[part] for part in PARTS}


def filled(template: str, values: "Mapping[str, str]") -> str:
    """The template with its places filled in one pass: what is filled in is not looked at again."""
    pieces = []
    rest = template
    while True:
        before, brace, after = rest.partition("{")
        pieces.append(before)
        if not brace:
            return "".join(pieces)
        name, end, following = after.partition("}")
        if end and name in values:
            pieces.append(values[name])
            rest = following
        else:
            pieces.append(brace)
            rest = after
