"""The users whose addresses a site vouches for: all, those who joined before a day, or those in a file."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from itertools import islice
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone

from ...identifiers import Identifier, known, looks_like_address
from .written import carriers_of

AT_ONCE: Final = 500  # lines of a file that are looked up together


@dataclass(frozen=True, slots=True)
class Problem:
    """A line of a file that does not name exactly one user."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """The chosen users: a query, or primary ``keys``. ``named``: users whom the site named one by one by primary key;
    an address that another account has written does not count against them."""

    users: "QuerySet[Any] | None" = None
    keys: tuple[Any, ...] = ()
    named: frozenset[Any] = frozenset()
    problems: list[Problem] = field(default_factory=list)

    @property
    def total(self) -> int:
        return len(self.keys) if self.users is None else self.users.count()

    def batches(self, size: int) -> Iterator[list[Any]]:
        """Primary keys in ascending order, which stays the same when rows are written meanwhile."""
        if self.users is None:
            rest = iter(self.keys)
            while batch := list(islice(rest, size)):
                yield batch
            return
        rows = self.users.order_by("pk").values_list("pk", flat=True)
        batch = list(rows[:size])
        while batch:
            yield batch
            batch = list(rows.filter(pk__gt=batch[-1])[:size])


def everybody() -> Chosen:
    return Chosen(get_user_model()._default_manager.all())


def joined_before(day: date) -> Chosen:
    """Users who joined before the day began in the site's time zone. Raises `FieldDoesNotExist` without a
    ``date_joined``."""
    get_user_model()._meta.get_field("date_joined")
    begins = datetime.combine(day, time())
    if settings.USE_TZ:
        begins = timezone.make_aware(begins, timezone.get_default_timezone())
    return Chosen(get_user_model()._default_manager.filter(date_joined__lt=begins))


def of_file(lines: Iterable[str]) -> Chosen:
    """Reads one primary key or address a line; skips empty lines."""
    numbered = ((number, line.strip()) for number, line in enumerate(lines, start=1))
    wanted = ((number, text) for number, text in numbered if text)
    keys: dict[Any, int] = {}
    named, problems = set(), list[Problem]()
    while some := list(islice(wanted, AT_ONCE)):
        found = _Found([text for _, text in some])
        for number, text in some:
            try:
                key = found.user_of(text)
            except ValueError as reason:
                problems.append(Problem(number, str(reason)))
                continue
            keys.setdefault(key, number)
            if not looks_like_address(text):
                named.add(key)
    return Chosen(keys=tuple(keys), named=frozenset(named), problems=problems)


class _Found:
    """The users whom some lines name, with one or two statements for all lines."""

    def __init__(self, texts: Iterable[str]) -> None:
        key_field, self._primary = get_user_model()._meta.pk, dict[str, Any]()
        self._addresses: dict[str, Identifier | None] = {}
        for text in texts:
            if looks_like_address(text):
                self._addresses[text] = known(text)
                continue
            try:
                self._primary[text] = key_field.clean(text, None)
            except ValidationError:
                self._primary[text] = None
        self._carriers = carriers_of([address for address in self._addresses.values() if address])
        wanted = [key for key in self._primary.values() if key is not None]
        users = get_user_model()._default_manager.filter(pk__in=wanted)
        self._there = set(users.values_list("pk", flat=True))

    def user_of(self, text: str) -> Any:
        """The user's primary key. Raises `ValueError` with the reason, which repeats nothing of the line."""
        if not looks_like_address(text):
            key = self._primary[text]
            if key is None:
                raise ValueError("neither a primary key nor an address")
            if key not in self._there:
                raise ValueError("no user has this primary key")
            return key
        address = self._addresses[text]
        if address is None:
            raise ValueError("not readable as an address")
        carriers = self._carriers.get(address.value, set())
        if len(carriers) > 1:
            raise ValueError(f"several users have this address; name one by primary key: {listed(carriers)}")
        if not carriers:
            raise ValueError("no user has this address")
        return next(iter(carriers))


def listed(keys: Iterable[Any]) -> str:
    """Primary keys in one order, whatever their type."""
    return ", ".join(str(key) for key in sorted(keys))
