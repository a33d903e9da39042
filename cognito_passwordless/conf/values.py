"""Values of settings: a limit, and a fixed code for reviewers of app stores, who cannot receive one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from ..otp import Code

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class ReviewCode:
    """A fixed code for one identifier, valid until the end of a day (UTC)."""

    identifier: str
    code: Code
    until: date

    @classmethod
    def parse(cls, entry: object) -> "ReviewCode":
        """Reads ``{"identifier": …, "code": "123456", "until": "2026-12-31"}``. Raises `ValueError`, without showing
        the code."""
        if not isinstance(entry, Mapping) or entry.keys() != {"identifier", "code", "until"}:
            raise ValueError("each entry has 'identifier', 'code' and 'until', and nothing else")
        identifier, code, until = entry["identifier"], entry["code"], entry["until"]
        if not isinstance(identifier, str) or not identifier:
            raise ValueError("'identifier' must be an e-mail address or a phone number")
        if not isinstance(code, str) or not re.fullmatch(r"[0-9]{6,10}", code):
            raise ValueError("'code' must be a string of 6 to 10 digits")
        if not isinstance(until, str):
            raise ValueError("'until' must be a date such as '2026-12-31'")  # noqa: TRY004  (one kind for all mistakes)
        return cls(identifier, Code(code), date.fromisoformat(until))

    def is_valid(self, now: datetime) -> bool:
        return now.astimezone(UTC).date() <= self.until


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``count`` in ``window`` seconds."""

    count: int
    window: int

    @classmethod
    def parse(cls, text: object) -> "Limit":
        """Reads ``"10/1h"``. Raises `ValueError` for anything else, zero included (law 10)."""
        found = re.fullmatch(r"([1-9]\d{0,8})/([1-9]\d{0,4})?([smhd])", text) if isinstance(text, str) else None
        if found is None:
            raise ValueError(f"{text!r} is not a limit such as '10/1h'")
        count, number, unit = found.groups()
        return cls(int(count), int(number or 1) * SECONDS[unit])
