"""The words of a message, from templates that a site overrides the Django way, in the person's language."""

from collections.abc import Mapping
from typing import Any

from django.template.loader import render_to_string
from django.utils import translation
from django.views.decorators.debug import sensitive_variables

from ..conf import conf
from ..identity import Channel
from ..otp import Code
from .base import Message

TEMPLATES = "cognito_passwordless/messages"


@sensitive_variables()
def code_message(
    *, channel: str, recipient: str, code: Code, seconds_left: float, language: str, reference: str
) -> Message:
    """The message that carries a code. ``seconds_left`` is how long the code can still be used."""
    context = {
        **_context(),
        "code": code.reveal(),
        # Rather "10 minutes" than "9 minutes" because a worker took a moment; the code page rounds in the same way.
        "minutes": max(0, int(seconds_left + 5) // 60),
        "code_in_subject": conf.code_in_subject,
    }
    with translation.override(language or None):
        if channel == Channel.EMAIL:
            message = _email("code", recipient, context)
        else:
            text = render_to_string(f"{TEMPLATES}/code_{channel}.txt", context).strip()
            message = {"channel": channel, "recipient": recipient, "text": text}
    return Message(**message, reference=reference, valid_for=max(1, int(seconds_left)))


@sensitive_variables()
def link_message(channel: str, recipient: str, *, url: str, language: str, reference: str) -> Message:
    """Carries a link that makes a browser known, where strangers have used up the codes of its owner."""
    context = {**_context(), "url": url}
    with translation.override(language or None):
        if channel == Channel.EMAIL:
            return Message(**_email("link", recipient, context), reference=reference)
        text = render_to_string(f"{TEMPLATES}/link_sms.txt", context).strip()
        return Message(channel=channel, recipient=recipient, text=text, reference=reference)


def unknown_address_message(*, recipient: str, language: str, reference: str) -> Message:
    """Tells an e-mail address that it has no account here, so that a forgetful owner need not wait for a code."""
    with translation.override(language or None):
        return Message(**_email("unknown_address", recipient, _context()), reference=reference)


def owner_message(notice: str, *, recipient: str, facts: Mapping[str, Any], language: str, reference: str) -> Message:
    """Tells the owner of an account what has become of it; ``notice`` names the templates, which show ``facts``."""
    with translation.override(language or None):
        return Message(**_email(notice, recipient, {**_context(), **facts}), reference=reference)


def _context() -> dict[str, Any]:
    # In one line: a name with a line break could put a line of its own under the code of an SMS.
    return {"app_name": " ".join(conf.app_name.split()), "site_url": conf.public_url, "host": conf.public_host}


@sensitive_variables()
def _email(name: str, recipient: str, context: dict[str, Any]) -> dict[str, Any]:
    return {
        "channel": "email",
        "recipient": recipient,
        # One line: a header takes no line break.
        "subject": " ".join(render_to_string(f"{TEMPLATES}/{name}_subject.txt", context).split()),
        "text": render_to_string(f"{TEMPLATES}/{name}_email.txt", context).strip() + "\n",
        "html": render_to_string(f"{TEMPLATES}/{name}_email.html", context),
    }
