"""What the pages say. Everything here is the same for everybody (law 4): it comes from what the person typed, from the
clock and from the configuration, never from what is known about them."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .. import connections, texts
from ..conf import conf
from ..flows.challenges.status import status as status_of
from ..identity import Channel
from ..models import ChallengeSession
from .forms import CodeForm, IdentifierForm, PasswordForm

# Rather "10 minutes" at 9:56 than "9 minutes" as soon as the page is there. `code.js` rounds in the same way.
FEW_SECONDS = 5


def login_context(form: IdentifierForm, *, next_url: str, start_again: bool, instead_of: str = "") -> dict[str, Any]:
    """For ``login.html``. ``instead_of`` as `flows.hosted_login.fallback` attests it."""
    active = connections.active()
    return {
        "form": form,
        "next": next_url,
        "instead_of": instead_of,
        "start_again": start_again,
        "app_name": conf.app_name,
        "hosted_logins": [connection for connection in active if "oidc" in connection.routes],
        # Where an entry may lead to a hosted login first, a code can be asked for all the same.
        "password_first": any(connection.needs_password for connection in active),
        "code_instead": any(connection.routes[0] == "oidc" for connection in active),
    }


def code_context(
    challenge: ChallengeSession, form: CodeForm, *, notice: str = "", password_form: PasswordForm | None = None
) -> dict[str, Any]:
    """For ``code.html``. ``notice`` says why no message went out, or that a password was taken."""
    if password_form is not None and password_form.errors:
        form.fields["code"].widget.attrs.pop("autofocus", None)
        password_form.fields["password"].widget.attrs["autofocus"] = True
    answered = form.is_bound  # and a person who has typed a code has their message
    status = status_of(challenge, now=timezone.now(), answered=answered)
    by_state = _texts(challenge.channel) | ({"sending": "", "sent": ""} if answered else {})
    state = status.state if status.seconds_left else "over"
    shows_state = answered or state in {"over", "trouble"}
    return {
        "form": form,
        "password_form": (password_form or PasswordForm()) if challenge.password_offered else None,
        "notice": notice,
        "next": challenge.next_url,
        "identifier": challenge.identifier,
        "channel": challenge.channel,
        "other_channel": other_channel(challenge.channel),
        "hosted_login": challenge.hosted_login,
        "hosted_login_name": connections.name_of(challenge.hosted_login),
        "status": status,
        "state": state,
        "texts": by_state,  # for `code.js`, which says each when its time comes
        "status_text": by_state[state] if shows_state else texts.patience(challenge.channel),
        "left_text": _left(status.seconds_left),
        "wait_text": "" if notice else texts.wait(status.seconds_to_resend),
        "app_name": conf.app_name,
    }


def other_channel(channel: str) -> str:
    """By which a code may be asked for instead; empty where there is none."""
    other = Channel.EMAIL if channel == Channel.SMS else Channel.SMS
    return other if conf.offers(other) else ""


def password_taken() -> str:
    """What everybody reads who has typed one, whether there was one or not."""
    return _("If that was right, a code is on its way.")


def _left(seconds: int) -> str:
    minutes = (seconds + FEW_SECONDS) // 60
    if minutes:
        words = ngettext("Enter it within %(minutes)d minute.", "Enter it within %(minutes)d minutes.", minutes)
        return words % {"minutes": minutes}
    if seconds:
        words = ngettext("Enter it within %(seconds)d second.", "Enter it within %(seconds)d seconds.", seconds)
        return words % {"seconds": seconds}
    return ""


def _texts(channel: str) -> dict[str, str]:
    """By what `code.js` calls them. ``{time}`` is filled in there, in words of the page's language."""
    by_channel = {
        Channel.EMAIL: {
            # "Sent" would be a lie for an address that nothing was sent to, and for a slow provider.
            "sent": _("Now look in your inbox, and in the spam folder."),
            "trouble": _(
                "We have trouble sending e-mail at the moment. Choose SMS, or send a new code in a few minutes."
            )
            if conf.offers_sms
            else _("We have trouble sending e-mail at the moment. Send a new code in a few minutes."),
        },
        Channel.SMS: {
            "sent": _("Now look at the messages on your phone."),
            "trouble": _(
                "We have trouble sending SMS at the moment. Choose e-mail, or send a new code in a few minutes."
            )
            if conf.offers_email
            else _("We have trouble sending SMS at the moment. Send a new code in a few minutes."),
        },
    }
    return by_channel[Channel(channel)] | {
        "sending": _("Sending…"),
        "over": _("This code can no longer be used. Send a new one."),
        "ended": _("This sign-in has ended. Use the link below to start again."),
        "left": _("Enter it within {time}."),
        "wait": _("You can ask for another code in {time}."),
    }
