"""How addresses are shown: masked, unless whoever asks has said otherwise."""

from dataclasses import dataclass
from datetime import UTC, datetime

from ...identifiers import mask


@dataclass(frozen=True, slots=True)
class Show:
    """Gives an address as it may be seen."""

    unmasked: bool = False

    def __call__(self, address: str) -> str:
        return address if self.unmasked else mask(address)


def moment(at: datetime) -> str:
    """A time as everybody reads it the same."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
