"""What a person reads when a step comes to nothing: the words of the package's own pages, the same for everybody."""

from collections.abc import Callable, Mapping

from django.utils.translation import gettext as _

from .. import texts
from .outputs import Generated, StepError

# By code; everything else is trouble, which passes or which the site has to fix.
_TEXTS: Mapping[str, Callable[[], str]] = {
    "invalid_identifier": texts.no_identifier,
    "not_served": texts.not_served,
    "no_code": texts.no_code,
    "signed_in_already": lambda: _("Sign out first if you want to sign in as somebody else."),
    "no_step": lambda: _("Your sign-in was not finished, or took too long. Please start again."),
}


def error(code: str, category: str = "flow", *, attempt: str = "") -> StepError:
    return StepError(code, category, _TEXTS.get(code, texts.cannot_send)(), attempt=attempt)


def private(code: str, category: str, alike: Generated) -> StepError:
    """About one person: they read what everybody does who waits for a code."""
    return StepError(code, category, texts.patience(alike.channel), attempt=alike.attempt, alike=alike)


def wrong(code: str, category: str, *, attempt: str) -> StepError:
    return StepError(code, category, texts.wrong_code(), attempt=attempt)


def too_many(seconds: int) -> StepError:
    return StepError("limit_starts_per_ip", "flow", texts.too_many(seconds), retry_after=seconds)


def too_soon(seconds: int) -> StepError:
    return StepError("too_soon", "flow", texts.wait(seconds), retry_after=seconds)


def hosted(code: str, category: str, name: str, *, unavailable: bool) -> StepError:
    if unavailable:
        message = _("%(connection)s can't be reached at the moment. Try again in a minute.") % {"connection": name}
    else:
        message = _TEXTS["no_step"]()
    return StepError(code, category, message)


def refused(code: str, category: str, *, attempt: str) -> StepError:
    """A person who has proven themselves and may not come in."""
    return StepError(code, category, texts.refused(), attempt=attempt)
