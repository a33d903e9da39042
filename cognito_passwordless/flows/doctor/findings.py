"""The findings of a diagnosis, one for each thing that was checked."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from django.core.exceptions import ImproperlyConfigured
from django.db.utils import DatabaseError

from ...otp.masking import mask


class State(StrEnum):
    """``unknown``: it could not be checked, without rights or an answer."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """``text`` says what was found, ``fix`` what to do about it (empty where there is nothing to do). Neither holds a
    secret, nor an address that is not masked."""

    area: str
    name: str
    state: State
    text: str
    fix: str = ""


class Verdict(NamedTuple):
    """What a check returns: a finding without its area and name."""

    state: State
    text: str
    fix: str = ""

    def on(self, area: str, name: str) -> Finding:
        return Finding(area, name, self.state, self.text, self.fix)


def ok(text: str) -> Verdict:
    return Verdict(State.OK, text)


def warning(text: str, fix: str) -> Verdict:
    """It works, and an operator should know."""
    return Verdict(State.WARNING, text, fix)


def problem(text: str, fix: str) -> Verdict:
    """It stops sign-ins, or is a security hole."""
    return Verdict(State.PROBLEM, text, fix)


def unknown(text: str, fix: str) -> Verdict:
    """It could not be checked."""
    return Verdict(State.UNKNOWN, text, fix)


def looked_at(check: Callable[..., Verdict | None], *about: Any) -> Verdict | None:
    """The verdict of a check; settings that cannot be read and a database that fails are verdicts too."""
    try:
        return check(*about)
    except ImproperlyConfigured as reason:
        return unknown(str(reason), "Fix the settings first; `manage.py check` tells where.")
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
    """A time in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
