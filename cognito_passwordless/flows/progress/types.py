"""Value types of the progress report. Each number carries the filter of the rows it counts, so that the page can link
to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, datetime
from typing import Any

from .forecast import Forecast


@dataclass(frozen=True, slots=True)
class Number:
    """A count. ``rows`` is people, events, attempts or budgets; ``where`` filters them (`lookup.total`)."""

    value: int
    rows: str
    where: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole."""

    part: Number
    whole: Number

    @property
    def percent(self) -> float:
        return percent(self.part.value, self.whole.value)


def percent(part: int, whole: int) -> float:
    """0 to 100, to one place; 100 only for the whole, and 0 only for nothing."""
    if whole <= 0 or part <= 0:
        return 0.0
    if part >= whole:
        return 100.0
    return min(99.9, max(0.1, round(100 * part / whole, 1)))


@dataclass(frozen=True, slots=True)
class Group:
    """People of one connection or cohort. ``name`` is the connection's alias or the cohort's month; ``label`` is the
    connection's name."""

    name: str
    label: str
    migrated: Share
    pending: Number
    conflicts: Number
    failed: Number


@dataclass(frozen=True, slots=True)
class Named:
    """One of several numbers of a kind."""

    name: str
    number: Number


@dataclass(frozen=True, slots=True)
class Day:
    """``rate``: people a day in the seven days up to this one. ``so_far``: all people migrated by its end."""

    day: date
    migrated: Number
    rate: float
    so_far: int


@dataclass(frozen=True, slots=True)
class Stage:
    """How many attempts came at least this far, in per cent of those that were started."""

    name: str
    attempts: Number
    percent: float


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a step went no further, and how often."""

    step: str
    outcome: str
    cause: str
    events: Number


@dataclass(frozen=True, slots=True)
class Pool:
    """How a pool answers: half of the calls took at most ``median_ms``, 95 of 100 at most ``p95_ms`` (the ends of
    buckets; None where nothing was timed). ``still_there``: sign-ins that the pool finished by itself."""

    name: str
    label: str
    calls: Number
    errors: Number
    error_percent: float
    median_ms: int | None
    p95_ms: int | None
    still_there: Number


@dataclass(frozen=True, slots=True)
class Budget:
    """``name`` is a key of ``LIMITS``, ``key`` whose it is (a country; empty for all)."""

    name: str
    key: str
    used: Number
    limit: int
    window: int
    percent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The report as of a moment, on one connection if ``connection`` is named. ``recent_days``: the days of attempts,
    failures and pools, with today. ``deleted``: migrated people whose Django user was deleted later."""

    as_of: datetime | None
    connection: str
    stale: bool
    recent_days: int
    migrated: Share
    active: Share
    active_days: int
    statuses: Sequence[Named]
    deleted: Number
    methods: Sequence[Named]
    reasons: Sequence[Named]
    connections: Sequence[Group]
    cohorts: Sequence[Group]
    rate: float
    days: Sequence[Day]
    funnel: Sequence[Stage]
    failures: Sequence[Failure]
    pools: Sequence[Pool]
    budgets: Sequence[Budget]
    forecast: Forecast

    @property
    def known(self) -> bool:
        """Whether there is any count of the chosen connection."""
        return not self.connection or bool(self.connections) or any(pool.calls.value for pool in self.pools)

    def as_json(self) -> dict[str, Any]:
        data: dict[str, Any] = plain(self)
        return data


def plain(value: Any) -> Any:
    """The value in JSON's types: a number with its filter, a share with its percentage, times as ISO 8601."""
    if isinstance(value, Forecast):
        return value.as_json()
    if is_dataclass(value):
        data = {each.name: plain(getattr(value, each.name)) for each in fields(value)}
        return data | {"percent": value.percent} if isinstance(value, Share) else data
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value
