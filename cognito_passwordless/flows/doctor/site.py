"""What the site runs on: its system checks, tables, cache, broker, workers, keys, and what became of late messages."""

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from django.conf import settings
from django.core import checks
from django.core.cache import cache as default_cache
from django.db import connections as databases
from django.db import router
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import DatabaseError

from ... import keys
from ...conf import conf
from ...identity import Channel
from ...models import ChallengeSession, Delivery
from ..adopting import ADOPT, count_at_risk
from ..challenges import status
from ..limits import budgets
from ..sending import workers
from .findings import Finding, State, Verdict, looked_at, ok, problem, warning
from .probes import Unanswered, ask

TAG: Final = "cognito_passwordless"  # our system checks carry it, and so do our migrations
BROKER_SECONDS: Final = 6.0
_DATABASE_CACHE: Final = "django.core.cache.backends.db.DatabaseCache"
_COUNTED: Final = "W243"  # has a finding of its own
_OPEN = ChallengeSession.Outcome.OPEN


def diagnose_site(*, now: datetime) -> list[Finding]:
    """What is right and wrong with this site, whatever pool it has. Only reads, but for one key in the cache."""
    found = system_checks()
    try:
        executor = MigrationExecutor(databases[router.db_for_write(ChallengeSession)])
        plan = executor.migration_plan([node for node in executor.loader.graph.leaf_nodes() if node[0] == TAG])
        tables = ok("all migrations are applied")
        if plan:
            tables = problem(f"{len(plan)} migrations are not applied", "Run `manage.py migrate`.")
    except DatabaseError as error:
        tables = problem(f"the database does not answer: {type(error).__name__}", "Start it, and check DATABASES.")
    found.append(tables.on("site", "tables"))
    checks_ = {**_RUNNING, **(_STORED if tables.state is State.OK else {})}
    for name, check in checks_.items():
        verdict = looked_at(check, now)
        if verdict:
            found.append(verdict.on("site", name))
    return found


def system_checks() -> list[Finding]:
    """Django's own `check`, our ids alone, as in production and with the tables; silenced ones left out."""
    messages = checks.run_checks(tags=[TAG], include_deployment_checks=not settings.DEBUG, databases=list(databases))
    ours = [message for message in messages if str(message.id).startswith(TAG) and not message.is_silenced()]
    ours = [message for message in ours if message.id != f"{TAG}.{_COUNTED}"]
    found = [
        Finding(
            "checks",
            str(message.id).rpartition(".")[2],
            State.PROBLEM if message.level >= checks.ERROR else State.WARNING,
            message.msg,
            message.hint or "",
        )
        for message in ours
    ]
    return found or [ok("the system checks of this package find nothing").on("checks", "all")]


def _cache(now: datetime) -> Verdict:
    del now
    if settings.CACHES.get("default", {}).get("BACKEND") == _DATABASE_CACHE:
        return ok("the cache is a table of the database; not written to here")

    def write_and_read() -> bool:
        key, value = f"{TAG}.doctor.{secrets.token_hex(8)}", secrets.token_hex(8)
        default_cache.set(key, value, 30)
        read = default_cache.get(key)
        default_cache.delete(key)
        return bool(read == value)

    answer = ask({"cache": write_and_read}, seconds=3.0)["cache"]
    if isinstance(answer, Unanswered):
        return problem(
            f"the cache fails: {answer.reason}", "Start it: allauth's rate limits and sessions may need it."
        )
    if answer:
        return ok("the cache returns what is written to it")
    return problem("the cache does not return what is written to it", "Check CACHES and the cache's own log.")


def _workers(now: datetime) -> Verdict:
    del now
    if conf.dispatch != "celery":
        return ok(f"messages are sent by {conf.dispatch!r}, without workers of ours")
    answer = ask({"workers": lambda: workers.find_running(2.0)}, seconds=BROKER_SECONDS)["workers"]
    if isinstance(answer, Unanswered):
        return problem(
            f"the broker cannot be asked: {answer.reason}",
            "Start the broker, and look at CELERY_BROKER_URL. Without it no code is sent.",
        )
    if wrong := workers.problems(answer):
        return problem(
            "; ".join(wrong),
            "Start a worker for cognito_email and cognito_sms, with the site's SECRET_KEY (docs/celery.md).",
        )
    return ok(f"{len(answer)} workers answer, with the site's keys")


def _waiting(now: datetime) -> Verdict:
    late = ChallengeSession.objects.filter(
        outcome=_OPEN,
        sending=ChallengeSession.Sending.QUEUED,
        expires_at__gt=now,
        last_sent_at__lt=now - timedelta(seconds=status.STALLED_AFTER),
    ).count()
    if late:
        return problem(
            f"{late} messages wait for a worker for more than {status.STALLED_AFTER} seconds",
            "Look whether workers run, and at their logs; run cognito_workers.",
        )
    return ok("no message waits for a worker")


def _keys_in_use(now: datetime) -> Verdict:
    """Every process derives codes; one with another SECRET_KEY shows in the challenges that it starts."""
    others = (
        ChallengeSession.objects.filter(outcome=_OPEN, expires_at__gt=now)
        .exclude(key_fingerprint__in=workers.fingerprints())
        .count()
    )
    if others:
        return problem(
            f"{others} open sign-ins were begun with a key that this process does not have",
            "Give every process the same SECRET_KEY, and the one of before in SECRET_KEY_FALLBACKS.",
        )
    return ok(f"open sign-ins use keys of this process; the current one is {keys.keyring().current.fingerprint}")


def _latest(channel: str, now: datetime) -> Verdict:
    day = now - timedelta(days=1)
    rows = list(
        Delivery.objects.filter(channel=channel, finished_at__gt=day)
        .exclude(status=Delivery.Status.SKIPPED)
        .order_by("-finished_at")[:20]
    )
    failed = [row for row in rows if row.status in {Delivery.Status.FAILED, Delivery.Status.UNKNOWN}]
    if not rows:
        return ok("nothing was sent in the last 24 hours")
    text = f"{len(failed)} of the latest {len(rows)} failed"
    if not failed:
        return ok(f"the latest {len(rows)} were sent")
    causes = ", ".join(sorted({row.cause or "no cause" for row in failed}))
    fix = f"Causes: {causes}. docs/senders.md tells what they mean."
    everybody = failed[0] is rows[0] and failed[0].provider_down
    return problem(f"{text}, the last of them for everybody", fix) if everybody else warning(text, fix)


def _budget(name: str, now: datetime) -> Verdict:
    used = budgets.used(name, "", now)
    text = f"{used.count} of {used.limit.count} used"
    fix = f"It is free again in {-(-used.seconds // 60)} minutes; look who sends, then at LIMITS[{name!r}]."
    if used.spent:
        return problem(text, fix)
    return warning(text, fix) if used.count >= budgets.NEARLY * used.limit.count else ok(text)


def _existing_users(now: datetime) -> Verdict:
    """The same count as W243's, which a site may have silenced: it has been weighed then."""
    del now
    found = count_at_risk()
    if not found.people:
        return ok("no user would lose a password or a social link at their first code")
    is_weighed = f"{TAG}.{_COUNTED}" in settings.SILENCED_SYSTEM_CHECKS
    return ok(str(found)) if is_weighed else warning(str(found), ADOPT)


_Check = Callable[[datetime], Verdict]
_RUNNING: Final[Mapping[str, _Check]] = {"cache": _cache, "workers": _workers}
# What the tables tell, one statement or two each.
_STORED: Final[Mapping[str, _Check]] = {
    "existing users": _existing_users,
    "messages waiting": _waiting,
    "keys in use": _keys_in_use,
    **{f"latest messages, {channel}": partial(_latest, channel) for channel in Channel},
    **{name: partial(_budget, name) for name in ("emails_per_day", "sms_per_day")},
}
