"""Every budget, in one place.

They are held in the database: one conditional statement decides, so they hold for any number of processes, survive a
restart, and do not depend on a cache that may be cleared or down (law 10). Where the database is down, nothing is sent
anyway; so there is no second place that would have to be right as well.

A budget is counted in windows that begin with the first use. A provider's quota, which is about the shape of a second,
is a queue instead: `reserve_slot`.
"""

import ipaddress
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import phonenumbers
from django.db import connections, router, transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.utils.crypto import salted_hmac

from ...conf import Limit, conf
from ...identifiers import MAX_LENGTH
from ...identity import Channel
from ...models import SendCount
from ...signals import budget_nearly_spent

logger = logging.getLogger(__name__)

# The last digits of a number that its prefix leaves out. Ranges of ten thousand numbers are what is handed to one
# operator, and what a fraudster rents.
PREFIX_LEAVES_OUT = 4
NEARLY = 0.8
# Budgets of many people together: their owner wants to know before they are spent.
SHARED = frozenset({"sms_per_prefix", "sms_per_country", "sms_per_day", "emails_per_day", "unknown_messages_per_day"})
QUOTA = "quota"
# Part of stored keys: it stays when the module moves.
_SALT = "cognito_passwordless.flows.limits.budgets"
NO_COUNTRY = "sms_country"  # not a budget: the list of `SMS_COUNTRIES`, which no waiting changes
LONGEST_WAIT = timedelta(seconds=2)

# One statement for each count, in SQL of our own: Django's ``update_conflicts`` takes no expression, and this is what
# every request waits for: the same in Django's expressions takes ten times as long to build as to run. SQLite and
# PostgreSQL both lock the row by it and look at its newest state, so any number of processes agree, on the first count
# as well.
# To follow an INSERT of 1; ``kept`` is the row that is there already.
ADD_ONE = """
DO UPDATE SET
    "count" = CASE WHEN kept.window_started_at <= %(over)s THEN 1 ELSE kept."count" + 1 END,
    window_started_at = CASE WHEN kept.window_started_at <= %(over)s THEN %(now)s ELSE kept.window_started_at END
"""
IF_BELOW = """WHERE kept.window_started_at <= %(over)s OR kept."count" < %(most)s"""

# Only the name of a table is put into it.
_SPEND = f"""
INSERT INTO {SendCount._meta.db_table} AS kept (scope, "key", "count", window_started_at)
VALUES (%(scope)s, %(key)s, 1, %(now)s)
ON CONFLICT (scope, "key") {ADD_ONE} {IF_BELOW}
"""  # noqa: S608


def count_in_window(database: str, sql: str, limit: Limit, now: datetime, parameters: Mapping[str, Any]) -> bool:
    """Runs a statement that ends in `ADD_ONE`; ``over``, ``now`` and ``most`` come from here. True when it counted."""
    connection = connections[database]
    moment = connection.ops.adapt_datetimefield_value
    over = now - timedelta(seconds=limit.window)
    known = {"now": moment(now), "over": moment(over), "most": limit.count}
    with connection.cursor() as cursor:
        cursor.execute(sql, known | dict(parameters))
        return bool(cursor.rowcount)


class OverLimit(Exception):
    """A budget is used up: ``name`` is its key in `LIMITS`, ``key`` whose it is."""

    def __init__(self, name: str, key: str = "") -> None:
        super().__init__(name)
        self.name = name
        self.key = key

    @property
    def cause(self) -> str:
        """The word for it in events and on `Delivery` rows."""
        return f"limit_{self.name}"


def spend(name: str, key: str, now: datetime) -> None:
    """Takes one from the budget ``name`` (a key of ``LIMITS``) of ``key``. One statement; two for a budget that many
    people share. Raises `OverLimit` when it is used up."""
    limit, key = conf.limit(name), _fitting(key)
    database = router.db_for_write(SendCount)
    if name not in SHARED:
        if not count_in_window(database, _SPEND, limit, now, {"scope": name, "key": key}):
            raise OverLimit(name, key)
        return
    # Inside the transaction the row is still locked: of all counts, exactly one process sees each.
    with transaction.atomic(using=database):
        taken = count_in_window(database, _SPEND, limit, now, {"scope": name, "key": key})
        used = _rows(name, key).values_list("count", flat=True).get()
    if not taken:
        raise OverLimit(name, key)
    if used in {max(1, int(limit.count * NEARLY)), limit.count}:
        level = logging.ERROR if used >= limit.count else logging.WARNING
        owner = f" of {key}" if key else ""
        logger.log(level, "The budget %s%s has %d of %d used", name, owner, used, limit.count)
        budget_nearly_spent.send(
            sender=SendCount, name=name, key=key, used=used, limit=limit.count, window=limit.window
        )


def give_back(name: str, key: str) -> None:
    """Undoes a `spend` that came to nothing. One statement."""
    _rows(name, _fitting(key)).filter(count__gt=0).update(count=F("count") - 1)


def is_first_refusal(over: OverLimit) -> bool:
    """True once in a window, so that a flood of refusals is written down once. One past the limit marks it. One
    statement, and not in the transaction that was refused."""
    limit = conf.limit(over.name)
    return bool(_rows(over.name, over.key).filter(count=limit.count).update(count=limit.count + 1))


@dataclass(frozen=True, slots=True)
class Used:
    """How far a budget is spent; ``seconds`` until its window ends, 0 where nothing is counted."""

    name: str
    count: int
    limit: Limit
    seconds: int

    @property
    def spent(self) -> bool:
        return self.count >= self.limit.count


def used(name: str, key: str, now: datetime) -> Used:
    """Looks at a budget without taking from it. One statement."""
    limit = conf.limit(name)
    row = _rows(name, _fitting(key)).values_list("count", "window_started_at").first()
    left = (row[1] + timedelta(seconds=limit.window) - now).total_seconds() if row else 0
    if row is None or left <= 0:
        return Used(name, 0, limit, 0)
    return Used(name, min(row[0], limit.count), limit, max(1, round(left)))


def retry_after(over: OverLimit, now: datetime) -> int:
    """Seconds until the budget is there again. One statement."""
    window = conf.limit(over.name).window
    began = _rows(over.name, over.key).values_list("window_started_at", flat=True).first() or now
    left = (began + timedelta(seconds=window) - now).total_seconds()
    return max(1, min(window, round(left)))


def _rows(name: str, key: str) -> QuerySet[SendCount]:
    return SendCount.objects.using(router.db_for_write(SendCount)).filter(scope=name, key=key)


def _fitting(key: str) -> str:
    return key if len(key) <= MAX_LENGTH else salted_hmac(_SALT, key, algorithm="sha256").hexdigest()


def spend_for_message(channel: str, recipient: str, now: datetime) -> None:
    """What one message costs beside its identifier's own budget, from the narrowest to the widest, so that one block
    of numbers runs dry before the day does. ``recipient`` is empty where only the pool knows it.

    Raises `OverLimit`; `NO_COUNTRY` where the country is not on the list.
    """
    if recipient:
        spend("sends_per_recipient", recipient, now)
    if channel == Channel.EMAIL:
        spend("emails_per_day", "", now)
        return
    if recipient:
        country = country_of(recipient)
        if not serves(recipient):
            raise OverLimit(NO_COUNTRY, country)
        spend("sms_per_prefix", recipient[:-PREFIX_LEAVES_OUT], now)
        spend("sms_per_country", country, now)
    elif not conf.sms_countries:
        raise OverLimit(NO_COUNTRY)
    spend("sms_per_day", "", now)


def serves(number: str) -> bool:
    """Whether SMS go to the country of a number. No statement."""
    return country_of(number) in conf.sms_countries


def country_of(number: str) -> str:
    """The country of a number in E.164 as ISO 3166 writes it; empty where none can be told. Numbers of satellites and
    such belong to ``001``."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number)) or ""
    except phonenumbers.NumberParseException:
        return ""


@dataclass(frozen=True, slots=True)
class Slot:
    """Whether there is a place in the queue, and in how many seconds it comes."""

    granted: bool
    wait: float


def reserve_slot(key: str, quota: Limit, now: datetime) -> Slot:
    """A place in the queue of a provider, whose quota all workers share: evenly, ``quota.count`` in ``quota.window``
    seconds. None is granted that would be longer than `LONGEST_WAIT` away. Two statements, one more once per key.

    The row holds when the next place is free (the generic cell rate algorithm, with no burst).
    """
    step = timedelta(seconds=quota.window / quota.count)
    key = _fitting(key)
    rows = _rows(QUOTA, key)
    with transaction.atomic(using=rows.db):
        idle = Q(window_started_at__lt=now)
        granted = rows.filter(window_started_at__lte=now + LONGEST_WAIT).update(
            window_started_at=Case(When(idle, then=Value(now + step)), default=F("window_started_at") + step)
        )
        following = rows.values_list("window_started_at", flat=True).first()
    if following is None:
        rows.bulk_create([SendCount(scope=QUOTA, key=key, window_started_at=now)], ignore_conflicts=True)
        return reserve_slot(key, quota, now)
    if not granted and following <= now + LONGEST_WAIT:
        # There was no row to update, and now there is: another worker has just made it.
        return reserve_slot(key, quota, now)
    mine = following - step if granted else following
    return Slot(bool(granted), max(0.0, (mine - now).total_seconds()))


def network_of(address: str) -> str:
    """Whose budget an IP address draws on: its own for IPv4, its /64 for IPv6, which one customer has to itself."""
    if not address:
        return "unknown"
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)
