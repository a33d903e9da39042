"""The words of a message, in the language of ``OTP_LANGUAGE`` or from the templates in the environment.

``OTP_TEMPLATE_SMS``, ``OTP_TEMPLATE_EMAIL`` and ``OTP_TEMPLATE_SUBJECT`` may hold ``{code}``, ``{app}`` and
``{minutes}``.
"""

from ...otp.codes import Code
from ..core.environment import Settings
from ..errors import Misconfigured
from .senders import Message

WORDS = {
    "en": {
        "sms": "{code} is your code for {app}. It is valid for {minutes} minutes.",
        "subject": "Your code for {app}",
        "email": "Your code for {app}:\n\n{code}\n\nIt is valid for {minutes} minutes. If you did not ask for it, "
        "ignore this message and tell the code to nobody.",
    },
    "de": {
        "sms": "{code} ist Ihr Code für {app}. Er gilt {minutes} Minuten.",
        "subject": "Ihr Code für {app}",
        "email": "Ihr Code für {app}:\n\n{code}\n\nEr gilt {minutes} Minuten. Wenn Sie ihn nicht angefordert haben, "
        "beachten Sie diese Nachricht nicht und geben Sie den Code niemandem weiter.",
    },
    "fr": {
        "sms": "{code} est votre code pour {app}. Il est valable {minutes} minutes.",
        "subject": "Votre code pour {app}",
        "email": "Votre code pour {app} :\n\n{code}\n\nIl est valable {minutes} minutes. Si vous ne l'avez pas "
        "demandé, ignorez ce message et ne communiquez le code à personne.",
    },
    "es": {
        "sms": "{code} es su código para {app}. Es válido durante {minutes} minutos.",
        "subject": "Su código para {app}",
        "email": "Su código para {app}:\n\n{code}\n\nEs válido durante {minutes} minutos. Si no lo ha pedido, "
        "ignore este mensaje y no le dé el código a nadie.",
    },
    "ar": {
        "sms": "{code} هو رمزك للدخول إلى {app}. صالح لمدة {minutes} دقيقة.",
        "subject": "رمزك للدخول إلى {app}",
        "email": "رمزك للدخول إلى {app}:\n\n{code}\n\nصالح لمدة {minutes} دقيقة. إذا لم تطلبه فتجاهل هذه الرسالة "
        "ولا تعطِ الرمز لأحد.",
    },
}


def code_message(code: Code, recipient: str, *, seconds_left: float, settings: Settings) -> Message:
    """The message that carries a code; ``seconds_left`` is how long it can still be used."""
    values = {
        "code": code.reveal(),
        "app": settings.app_name,
        "minutes": str(max(1, round(seconds_left / 60))),
    }
    if settings.channel == "sms":
        text = _filled("sms", values, settings)
        if settings.origin:
            # Origin-bound one-time codes (WICG): the last line, for browsers that fill it in.
            text += f"\n\n@{settings.origin} #{values['code']}"
        return Message(channel="sms", recipient=recipient, text=text)
    subject = " ".join(_filled("subject", values, settings).split())
    return Message(
        channel="email", recipient=recipient, text=_filled("email", values, settings) + "\n", subject=subject
    )


def _filled(part: str, values: dict[str, str], settings: Settings) -> str:
    words = WORDS.get(settings.language.partition("-")[0].lower(), WORDS["en"])
    template = settings.text(f"OTP_TEMPLATE_{part.upper()}").replace("\\n", "\n")
    if template and part != "subject" and "{code}" not in template:
        raise Misconfigured(f"OTP_TEMPLATE_{part.upper()} must hold {{code}}")
    text = template or words[part]
    # Not str.format: a template may hold braces of its own, and must not reach into the values.
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text
