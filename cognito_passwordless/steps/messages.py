"""What a person reads when a step comes to nothing: the words of the package's own pages, the same for everybody."""

from collections.abc import Callable, Mapping

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .outputs import Generated, StepError


def _cannot_send() -> str:
    return _("We can't send codes at the moment. Nothing is wrong with your entry. Try again in a minute.")


# By code; everything else is trouble, which passes or which the site has to mend.
_WORDS: Mapping[str, Callable[[], str]] = {
    "invalid_identifier": lambda: _(
        "That is neither an e-mail address nor a phone number. Check it for a typing mistake."
    ),
    "not_served": lambda: _("We can't send codes to phone numbers of this country. Use your e-mail address instead."),
    "no_code": lambda: _("Enter the digits of the code from the message."),
    "signed_in_already": lambda: _("Sign out first if you want to sign in as somebody else."),
    "no_step": lambda: _("Your sign-in was not finished, or took too long. Please start again."),
}


def error(code: str, category: str = "flow", *, attempt: str = "") -> StepError:
    return StepError(code, category, _WORDS.get(code, _cannot_send)(), attempt=attempt)


def private(code: str, category: str, alike: Generated) -> StepError:
    """About one person: they read what everybody does who waits for a code."""
    if alike.channel == "sms":
        message = _("It can take a minute to arrive.")
    else:
        message = _("It can take a minute to arrive. Look in the spam folder too.")
    return StepError(code, category, message, attempt=alike.attempt, alike=alike)


def wrong(code: str, category: str, *, attempt: str) -> StepError:
    message = _("That code is not right, or no longer valid. Check it, or send a new code.")
    return StepError(code, category, message, attempt=attempt)


def too_many(seconds: int) -> StepError:
    minutes = max(1, seconds // 60)
    message = ngettext(
        "Too many sign-ins were started from your network. Try again in %(minutes)d minute.",
        "Too many sign-ins were started from your network. Try again in %(minutes)d minutes.",
        minutes,
    ) % {"minutes": minutes}
    return StepError("limit_starts_per_ip", "flow", message, retry_after=seconds)


def too_soon(seconds: int) -> StepError:
    message = ngettext(
        "You can ask for another code in %(seconds)d second.",
        "You can ask for another code in %(seconds)d seconds.",
        seconds,
    ) % {"seconds": seconds}
    return StepError("too_soon", "flow", message, retry_after=seconds)


def hosted(code: str, category: str, name: str, *, unavailable: bool) -> StepError:
    if unavailable:
        message = _("%(connection)s can't be reached at the moment. Try again in a minute.") % {"connection": name}
    else:
        message = _("Your sign-in was not finished, or took too long. Please start again.")
    return StepError(code, category, message)


def refused(code: str, category: str, *, attempt: str) -> StepError:
    """Somebody who has proven themselves and may not come in."""
    message = _("Your code was right, but our team needs to look at your account first. Please contact support.")
    return StepError(code, category, message, attempt=attempt)
