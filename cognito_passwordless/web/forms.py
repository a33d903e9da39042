"""What people type. The forms look up no person: the same entry gives the same answer."""

from typing import Any

from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from .. import identifiers, texts
from ..cognito import Password
from ..conf import conf
from ..exceptions import InvalidIdentifier
from ..models import CHANNEL_CHOICES
from ..otp import Code, read_code


def what_to_type() -> tuple[str, str]:
    """The label of the field where a person says who they are, and what it says when it is empty."""
    if not (conf.offers_email or conf.usernames):
        return gettext("Phone number"), gettext("Enter your phone number.")
    if not (conf.offers_sms or conf.usernames):
        return gettext("E-mail address"), gettext("Enter your e-mail address.")
    if not conf.usernames:
        return gettext("E-mail address or phone number"), gettext("Enter your e-mail address or phone number.")
    if not conf.offers_email:
        return gettext("User name or phone number"), gettext("Enter your user name or phone number.")
    if not conf.offers_sms:
        return gettext("User name or e-mail address"), gettext("Enter your user name or e-mail address.")
    required = gettext("Enter your user name, e-mail address or phone number.")
    return gettext("User name, e-mail address or phone number"), required


class IdentifierForm(forms.Form):
    """Who is signing in."""

    identifier = forms.CharField(
        max_length=320,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "username",
                # Letters, digits and an @ at hand. Which of the two is typed decides how the code comes.
                "inputmode": "email",
                "enterkeyhint": "send",
                "dir": "auto",
                "autocapitalize": "none",
                "autocorrect": "off",
                "spellcheck": "false",
                "autofocus": True,
            }
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["identifier"]
        field.label, field.error_messages["required"] = what_to_type()
        if not conf.usernames and not (conf.offers_email and conf.offers_sms):
            alone = {"autocomplete": "email"} if conf.offers_email else {"autocomplete": "tel", "inputmode": "tel"}
            field.widget.attrs.update(alone)

    def clean_identifier(self) -> identifiers.Identifier:
        """What the site does not send to has one answer, whatever it is and however it is written."""
        text = self.cleaned_data["identifier"]
        try:
            identifier = identifiers.typed(text)
        except InvalidIdentifier:
            if conf.offers_sms or not identifiers.looks_like_number(text):
                raise forms.ValidationError(texts.no_identifier(), code="invalid") from None
        else:
            if conf.offers(identifier.channel):
                return identifier
        raise forms.ValidationError(texts.not_served(), code="not_served")


class CodeInput(forms.TextInput):
    """Puts no code back into a page. Without a template of its own: every wrong guess draws this page."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        del value, renderer
        return format_html("<input{}>", flatatt({"type": "text", "name": name, **self.build_attrs(self.attrs, attrs)}))


class CodeForm(forms.Form):
    """The code. ``cleaned_data["code"]`` is a `Code`, which does not show itself."""

    code = forms.CharField(
        label=pgettext_lazy("one-time code", "Code"),
        max_length=2000,
        error_messages={"required": _("Enter the code from the message.")},
        widget=CodeInput(
            attrs={
                "autocomplete": "one-time-code",
                "inputmode": "numeric",
                "enterkeyhint": "go",
                "dir": "ltr",
                "autocapitalize": "none",
                "spellcheck": "false",
                "autofocus": True,
            }
        ),
    )

    def clean_code(self) -> Code:
        code = read_code(self.cleaned_data["code"])
        if code is None:
            raise forms.ValidationError(texts.no_code(), code="invalid")
        return code


class PasswordForm(forms.Form):
    """The password of a pool that wants one first. ``cleaned_data["password"]`` does not show itself."""

    password = forms.CharField(
        label=_("Password"),
        max_length=256,  # Cognito takes no longer ones
        strip=False,
        error_messages={"required": _("Enter your password.")},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "enterkeyhint": "go", "dir": "ltr"}),
    )

    def clean_password(self) -> Password:
        return Password(self.cleaned_data["password"])


class ChannelForm(forms.Form):
    """How the next code should come; the present way if nothing is chosen."""

    channel = forms.ChoiceField(choices=CHANNEL_CHOICES, required=False)
