"""A fixed code for reviewers of app stores, who cannot receive one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from ..otp import Code


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
