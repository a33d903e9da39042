"""A site's own question before a message is sent: a captcha, a proof of work, a look at a reputation.

The answer may depend on the request alone, never on whether somebody exists (law 4).
"""

from django.http import HttpRequest
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from ..conf import conf


class NotPassed(Exception):
    """The site's own check says no."""


def passed(request: HttpRequest, step: str) -> bool:
    """Asks the callable of `CAPTCHA`; ``step`` is ``"start"``, ``"resend"`` or ``"retry"``. Only True is a yes."""
    path = conf.captcha
    return path is None or import_string(path)(request, step) is True


def require(request: HttpRequest, step: str) -> None:
    """Raises `NotPassed`."""
    if not passed(request, step):
        raise NotPassed


def refusal() -> str:
    """What the person reads."""
    return _("Please confirm that you are not a robot, and try again.")
