"""Recording the steps of a sign-in. An event never holds a code, a session or a token.

What an event records of a step beside its outcome (``EVENT_DATA``): nothing, its input and output, or the site's own
payload. Its law: diagnosis never breaks a sign-in and never gives one away. Whatever a callable of the site's raises
or returns, the event is written; what is written is JSON of a bounded size, and what looks like a code or a token, or
is an address of this sign-in, is taken out of it.
"""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connections as databases
from django.db import router, transaction
from django.utils.module_loading import import_string
from django.views.decorators.debug import sensitive_variables

from ...cognito import CognitoProfile
from ...conf import conf
from ...identifiers import looks_like_address
from ...models import ChallengeSession, JourneyEvent
from ...otp import Code
from ...otp.masking import mask
from ...signals import journey_event
from .redaction import Secrets, without

logger = logging.getLogger(__name__)
Outcome = JourneyEvent.Outcome
# The steps that a sign-in is made of, in their order; `EVENT_DATA` may name each.
STEPS = ("started", "sent", "pool_started", "left", "password", "answered", "migrated", "signed_in", "first_factor")
# The step of a sign-in that still happened in the pool, for the migration's figures.
POOL_SIGN_IN = "pool_sign_in"

MAX_BYTES = 4096  # of one event's data, as JSON in UTF-8
NONE, IO = "none", "io"


@dataclass(frozen=True, slots=True)
class StepEvent:
    """What a callable of `EVENT_DATA` is given: the event that is about to be written. ``input`` and ``output`` are
    those that ``"io"`` records: redacted."""

    attempt: UUID
    at: datetime
    step: str
    outcome: str
    cause: str
    category: str
    connection: str
    route: str
    duration_ms: int | None
    user_id: Any
    input: Mapping[str, Any] = field(repr=False)
    output: Mapping[str, Any] = field(repr=False)


def record(
    challenge: ChallengeSession,
    step: str,
    outcome: JourneyEvent.Outcome,
    *,
    now: datetime,
    cause: str = "",
    category: str = "",
    connection: str = "",
    duration: float | None = None,
    user_id: Any = None,
    data: Mapping[str, Any] | None = None,
    output: Mapping[str, Any] | CognitoProfile | None = None,
    given: Code | None = None,
) -> JourneyEvent:
    """Writes one event and its line in the log. One statement.

    ``connection`` where it is not the challenge's own. ``duration`` in seconds. ``data`` is always kept and has
    nothing of the person; ``output`` is what the step gave, redacted, for sites that want it (`EVENT_DATA`). ``given``
    is what was typed as a code, to be kept out.
    """
    event = JourneyEvent(
        attempt=challenge.pk,
        at=now,
        step=step,
        outcome=outcome,
        cause=cause[:60],
        category=category,
        connection=connection or challenge.connection,
        route=challenge.route,
        duration_ms=None if duration is None else max(0, round(duration * 1000)),
        user_id=user_id,
    )
    described = told_of(output) if isinstance(output, CognitoProfile) else output or {}
    own = payload_of(event, challenge, {**described, **(data or {})}, given)
    event.data = (dict(data) if data else None) if own is None else own
    event.save(force_insert=True)
    level = logging.WARNING if outcome is Outcome.FAILED else logging.INFO
    logger.log(level, "%s %s %s cause=%s route=%s", challenge.pk, step, outcome, cause or "-", challenge.route or "-")
    tell(event)
    return event


def tell(event: JourneyEvent) -> None:
    """Sends `journey_event`, once the event is there to stay. Observers can neither undo a step nor break one: what
    they raise is in Django's log."""
    transaction.on_commit(lambda: journey_event.send_robust(sender=JourneyEvent, event=event), using=event._state.db)


class _NotKept(Exception):
    """The site's payload cannot be written."""


@sensitive_variables()
def payload_of(
    event: JourneyEvent, challenge: ChallengeSession, output: Mapping[str, Any], given: Code | None = None
) -> Any:
    """The data of an event that is about to be written; None for none. ``given``: what was typed as a code, so that it
    is not in it. No statement but those that a callable of the site's makes."""
    try:
        setting = conf.event_data
        rule = setting if isinstance(setting, str) else setting.get(event.step, NONE)
        if rule == NONE:
            return None
        payload: Any = {"input": asked_of(challenge), "output": dict(output)}
        if rule != IO:
            payload = _ask_the_site(import_string(rule), event, payload)
        return None if payload is None else _as_clean_json(payload, Secrets.of(challenge, given))
    except _NotKept as reason:
        logger.error("EVENT_DATA of the step %s is not kept: %s", event.step, reason)
        return {"not_kept": str(reason)}
    except Exception as error:  # noqa: BLE001 - whatever the site's callable does, a person is signing in
        # Its text may hold anything.
        logger.error("EVENT_DATA of the step %s raised %s", event.step, type(error).__name__)
        return {"not_kept": "raised"}


def _ask_the_site(callback: Callable[[StepEvent], Any], event: JourneyEvent, data: Mapping[str, Any]) -> Any:
    names = ("attempt", "at", "step", "cause", "category", "connection", "duration_ms", "user_id")
    fields = {name: getattr(event, name) for name in names}
    step = StepEvent(**fields, outcome=str(event.outcome), route=str(event.route), **data)
    database = router.db_for_write(JourneyEvent)
    if not databases[database].in_atomic_block:
        return callback(step)
    # An error of the database would end the transaction that holds the proof of a right code.
    with transaction.atomic(using=database):
        return callback(step)


def _as_clean_json(payload: Any, secrets: Secrets) -> Any:
    """Plain JSON, without what must not be in it. Raises `_NotKept`."""
    try:
        # What a class of the site's turns into is looked at, and not the class. No NaN and no lone surrogates:
        # PostgreSQL takes neither.
        text = json.dumps(payload, allow_nan=False, ensure_ascii=False)
        if len(text) > MAX_BYTES:
            raise _NotKept("too_large")
        clean = without(json.loads(text), secrets)
        size = len(json.dumps(clean, allow_nan=False, ensure_ascii=False).encode())
    except (TypeError, ValueError, RecursionError):  # UnicodeEncodeError is a ValueError
        raise _NotKept("not_json") from None
    if size > MAX_BYTES:
        raise _NotKept("too_large")
    return clean


def asked_of(challenge: ChallengeSession) -> dict[str, Any]:
    """What the step was given, as far as the row of the sign-in knows."""
    asked = {
        "identifier": mask(challenge.identifier) if challenge.identifier else "",
        "channel": challenge.channel,
        "language": challenge.language,
        "purpose": challenge.purpose,
        "known_browser": bool(challenge.known_browser),
        "sends": challenge.sends,
        "attempts": challenge.attempts,
    }
    return {name: value for name, value in asked.items() if value not in ("", False)}


def told_of(profile: CognitoProfile) -> dict[str, Any]:
    """A person, redacted: addresses are masked, of attributes the names are told and not the values, and nothing by
    which an erased person could be known again."""
    told = {
        "username": hidden(profile.username),
        "email": hidden(profile.email),
        "email_verified": profile.email_verified,
        "phone_number": hidden(profile.phone_number),
        "phone_number_verified": profile.phone_number_verified,
        "groups": len(profile.groups),
        "attributes": sorted(profile.attributes),
        "proven": len(profile.proven),
    }
    return {name: value for name, value in told.items() if value}


def hidden(name: str) -> str:
    """A user name may be an address, or a person's own name."""
    if looks_like_address(name):
        return mask(name)
    return f"{name[:1]}•••" if name else ""
