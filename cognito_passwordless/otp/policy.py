"""How a code may be used. A policy is valid from birth: a wrong one cannot be built, so it cannot open a door."""

from .records import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    OnResend = Literal["reuse", "rotate"]

ON_RESEND = ("reuse", "rotate")

# NIST SP 800-63B-4, section 3.1.3.2: an out-of-band secret has at least six decimal digits and is valid for
# at most ten minutes.
BOUNDS = {
    "length": (6, 10),
    "ttl": (30, 600),
    "max_attempts": (1, 10),
    "max_sends": (1, 10),
    "resend_cooldown": (1, 600),
}


class PolicyError(ValueError):
    """A policy that cannot be used; the message names the field and what is allowed."""


@record(frozen=True, slots=True, kw_only=True)
class Policy:
    """The rules of one challenge.

    ``length`` in digits, ``ttl`` and ``resend_cooldown`` in seconds, ``max_attempts`` in answers over all
    generations of a challenge, ``max_sends`` in messages including the first. ``on_resend`` says whether a
    resent message carries the same code (``reuse``) or a new one (``rotate``).

    Raises `PolicyError` for a value outside the bounds of NIST SP 800-63B-4, and for anything that is not a
    whole number: a limit of zero, ``None`` or ``"3"`` is a mistake, never "no limit".
    """

    length: int = 6
    ttl: int = 600
    max_attempts: int = 3
    max_sends: int = 5
    resend_cooldown: int = 30
    on_resend: "OnResend" = "reuse"

    def __post_init__(self) -> None:
        for field, (least, most) in BOUNDS.items():
            value = getattr(self, field)
            if type(value) is not int or not least <= value <= most:
                raise PolicyError(f"{field} must be a whole number from {least} to {most}, not {value!r}")
        if self.on_resend not in ON_RESEND:
            raise PolicyError(f"on_resend must be 'reuse' or 'rotate', not {self.on_resend!r}")
