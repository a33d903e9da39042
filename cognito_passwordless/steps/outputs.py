"""What a step gives back: an output or an error. Plain values, ready for JSON; no token and no code is in any."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..cognito import CognitoProfile
from ..cognito.values import FrozenMapping


@dataclass(frozen=True, slots=True)
class Generated:
    """A code is on its way, as far as the browser may know.

    ``handle`` is what the site keeps for `steps.validate`, in a cookie of this browser's that no script can read; it
    is in no ``repr`` and in no JSON. ``attempt`` ties the events of this step together.
    """

    handle: str = field(repr=False)
    attempt: str
    connection: str
    channel: str
    expires_at: datetime
    seconds_to_resend: int

    def as_json(self) -> dict[str, Any]:
        return {
            "attempt": self.attempt,
            "connection": self.connection,
            "channel": self.channel,
            "expires_at": self.expires_at.isoformat(),
            "seconds_to_resend": self.seconds_to_resend,
        }


@dataclass(frozen=True, slots=True)
class Departure:
    """Where the browser goes to sign in. ``handle``: as with `Generated`, for `steps.authenticate_callback`."""

    handle: str = field(repr=False)
    url: str = field(repr=False)
    attempt: str
    connection: str
    expires_at: datetime

    def as_json(self) -> dict[str, Any]:
        return {
            "attempt": self.attempt,
            "connection": self.connection,
            "expires_at": self.expires_at.isoformat(),
            "url": self.url,
        }


@dataclass(frozen=True, slots=True)
class Identity:
    """Who has proven themselves, as far as the step's scope goes.

    ``claims`` are those of the verified ID token, ``user_info`` is what they say of the person as OpenID's userInfo
    has it (booleans are booleans), ``profile`` the same for Python, and what was proven. ``method`` is ``cognito_otp``
    or ``cognito_oidc``. ``repr`` masks the addresses.
    """

    attempt: str
    connection: str
    method: str
    claims: FrozenMapping[Any]
    user_info: FrozenMapping[Any]
    profile: CognitoProfile

    def as_json(self) -> dict[str, Any]:
        """Everything, unmasked: for the site, not for its log."""
        return {
            "attempt": self.attempt,
            "connection": self.connection,
            "method": self.method,
            "claims": dict(self.claims),
            "user_info": dict(self.user_info),
            "profile": self.profile.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class StepError:
    """Why a step came to nothing.

    ``code`` is a short word and ``category`` whose business it is (``flow``, ``configuration``, ``system``): both are
    for the site and its log. ``message`` is for the person: it says nothing that is not the same for everybody.
    ``alike``: this is about one person, and their page must go on as if it were this output; a page that says
    "unknown" or "disabled" tells an attacker. ``retry_after`` in seconds, where waiting helps.
    """

    code: str
    category: str
    message: str
    retry_after: int | None = None
    attempt: str = ""
    alike: Generated | None = None

    def as_json(self) -> dict[str, Any]:
        """For the site. What goes to the person is `for_page`."""
        told = {"code": self.code, "category": self.category, "message": self.message}
        return told | {
            name: value for name, value in (("retry_after", self.retry_after), ("attempt", self.attempt)) if value
        }

    def for_page(self) -> dict[str, Any]:
        """What may be shown in the browser that asked."""
        told: dict[str, Any] = {"message": self.message}
        return told | ({"retry_after": self.retry_after} if self.retry_after else {})
