"""What an event records of a step beside its outcome: nothing, its input and output, or the site's own payload
(``EVENT_DATA``).

Its law: diagnosis never breaks a sign-in and never gives one away. Whatever a callable of the site's raises or
returns, the event is written; what is written is JSON of a bounded size, and what looks like a code or a token, or is
an address of this sign-in, is taken out of it.
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
from ...models import ChallengeSession, JourneyEvent
from ...otp import Code
from ...otp.masking import mask
from .redaction import Secrets, without

logger = logging.getLogger(__name__)
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


@sensitive_variables()
def of(event: JourneyEvent, challenge: ChallengeSession, output: Mapping[str, Any], given: Code | None = None) -> Any:
    """The data of an event that is about to be written; None for none. ``given``: what was typed as a code, so that it
    is not in it. No statement but those that a callable of the site's makes."""
    try:
        rule = _rule(event.step)
        if rule == NONE:
            return None
        asked = asked_of(challenge)
        told: Any = {"input": asked, "output": dict(output)}
        if rule != IO:
            told = _ask_the_site(rule, StepEvent(**_fields(event), input=asked, output=dict(output)), event)
        return None if told is None else _kept(told, Secrets.of(challenge, given))
    except _NotKept as reason:
        logger.error("EVENT_DATA of the step %s is not kept: %s", event.step, reason)
        return {"not_kept": str(reason)}
    except Exception as error:  # noqa: BLE001 - whatever the site's callable does, somebody is signing in
        # Its text may hold anything.
        logger.error("EVENT_DATA of the step %s raised %s", event.step, type(error).__name__)
        return {"not_kept": "raised"}


class _NotKept(Exception):
    pass


def _rule(step: str) -> str:
    chosen = conf.event_data
    return chosen if isinstance(chosen, str) else chosen.get(step, NONE)


def _fields(event: JourneyEvent) -> dict[str, Any]:
    names = ("attempt", "at", "step", "cause", "category", "connection", "route", "duration_ms", "user_id")
    return {name: getattr(event, name) for name in names} | {"outcome": str(event.outcome), "route": str(event.route)}


def _ask_the_site(path: str, step: StepEvent, event: JourneyEvent) -> Any:
    payload: Callable[[StepEvent], Any] = import_string(path)
    database = router.db_for_write(JourneyEvent)
    if not databases[database].in_atomic_block:
        return payload(step)
    # An error of the database would end the transaction that holds the proof of a right code.
    with transaction.atomic(using=database):
        return payload(step)


def _kept(told: Any, secrets: Secrets) -> Any:
    """Plain JSON, without what must not be in it. Raises `_NotKept`."""
    try:
        # What a class of the site's turns into is looked at, and not the class.
        text = _as_json(told)
        if len(text) > MAX_BYTES:
            raise _NotKept("too_large")
        clean = without(json.loads(text), secrets)
        text = _as_json(clean)
    except (TypeError, ValueError, RecursionError):  # UnicodeEncodeError is a ValueError
        raise _NotKept("not_json") from None
    if len(text.encode()) > MAX_BYTES:
        raise _NotKept("too_large")
    return clean


def _as_json(value: Any) -> str:
    # No NaN and no lone surrogates: PostgreSQL takes neither.
    text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    text.encode()
    return text


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
    which somebody who has been erased could be known again."""
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
    """A user name may be an address, or somebody's own name."""
    if "@" in name or name.startswith("+"):
        return mask(name)
    return f"{name[:1]}•••" if name else ""
