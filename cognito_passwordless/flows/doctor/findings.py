"""What a diagnosis says: one finding for each thing that was looked at."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from django.core.exceptions import ImproperlyConfigured
from django.db.utils import DatabaseError

from ...otp.masking import mask


class State(StrEnum):
    """How a thing was found. ``unknown`` where it could not be asked about: no rights, no answer."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """``text`` says what was found, ``mend`` what to do about it (empty where there is nothing to do). Neither holds a
    secret, nor an address that is not masked."""

    area: str
    name: str
    state: State
    text: str
    mend: str = ""


class Verdict(NamedTuple):
    """A finding before it is known where it belongs: what a check gives."""

    state: State
    text: str
    mend: str = ""

    def on(self, area: str, name: str) -> Finding:
        return Finding(area, name, self.state, self.text, self.mend)


def ok(text: str) -> Verdict:
    return Verdict(State.OK, text)


def warning(text: str, mend: str) -> Verdict:
    """It works, and somebody would want to know."""
    return Verdict(State.WARNING, text, mend)


def problem(text: str, mend: str) -> Verdict:
    """People do not get in by it, or a door is open."""
    return Verdict(State.PROBLEM, text, mend)


def unknown(text: str, mend: str) -> Verdict:
    """It could not be asked about."""
    return Verdict(State.UNKNOWN, text, mend)


def looked_at(check: Callable[..., Verdict | None], *about: Any) -> Verdict | None:
    """The verdict of a check; settings that cannot be read and a database that fails are verdicts too."""
    try:
        return check(*about)
    except ImproperlyConfigured as reason:
        return unknown(str(reason), "Mend the settings first; `manage.py check` tells where.")
    except DatabaseError as error:
        return unknown(f"the database fails: {type(error).__name__}", "Look at it, and run `manage.py migrate`.")


def has_problem(findings: Iterable[Finding]) -> bool:
    return any(finding.state is State.PROBLEM for finding in findings)


@dataclass(frozen=True, slots=True)
class Show:
    """Gives an address as it may be seen."""

    unmasked: bool = False

    def __call__(self, address: str) -> str:
        return address if self.unmasked else mask(address)


def moment(at: datetime) -> str:
    """A time as everybody reads it the same."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
