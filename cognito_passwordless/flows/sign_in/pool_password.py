"""A password first, for the pools that want one before their code.

Its laws are those of a code: an attempt is claimed before anything is asked, on the same counts, and the answer tells
nothing. The password is used in the request that brings it and is kept nowhere; there is no way round it, for a person
who leaves it out or has it wrong is sent nothing.
"""

import logging
import time
from datetime import datetime

from django.views.decorators.debug import sensitive_variables

from ... import connections
from ...cognito import CognitoError, Password
from ...conf import conf
from ...identity import Channel
from ...models import ChallengeSession, Route
from ..challenges import attempts
from ..events import journey
from ..events.journey import Outcome
from ..limits import budgets
from ..sending import pool_codes
from ..sending.routing import identifier_of
from .background import background
from .context import Visitor
from .errors import NoChallenge, NotProven

logger = logging.getLogger(__name__)
NOT_ASKED = "password_not_asked"


@sensitive_variables()
def give(visitor: Visitor, password: Password, *, now: datetime) -> None:
    """Claims an attempt, and has the password given to the pool that waits for it: right, wrong and not asked for end
    alike, and at once where refusals are held back (`REFUSAL_FLOOR`). Raises `NoChallenge`."""
    attempt = attempts.claim(visitor.handle, now)
    if attempt is None:
        raise NoChallenge
    floor = attempt.challenge.refusal_floor
    if attempt.refusal in attempts.OVER:
        # No event: a browser that repeats this would write without end.
        logger.info("%s password refused: %s", attempt.challenge.pk, attempt.refusal)
    elif not floor:
        _give(attempt, password, now)
    elif not background.hand_over(lambda in_time: _give(attempt, password, now) if in_time else None, floor=floor):
        logger.warning("%s password not given: too many at once", attempt.challenge.pk)


@sensitive_variables()
def _give(attempt: attempts.Attempt, password: Password, now: datetime) -> None:
    challenge, began = attempt.challenge, time.monotonic()
    cause, category = attempt.refusal, "flow" if attempt.refusal else ""
    if attempt.claimed:
        try:
            _prove(challenge, password, now)
        except NotProven as error:
            cause, category = error.cause, error.category
        except budgets.OverLimit as over:
            cause, category = over.cause, "flow"
        except CognitoError as failure:
            cause, category = str(failure.cause), failure.cause.category
    outcome = {"": Outcome.OK, "flow": Outcome.REFUSED}.get(category, Outcome.FAILED)
    took = time.monotonic() - began
    journey.record(challenge, "password", outcome, now=now, cause=cause, category=category, duration=took)


@sensitive_variables()
def _prove(challenge: ChallengeSession, password: Password, now: datetime) -> None:
    """Raises `NotProven`, `OverLimit` and `CognitoError`; otherwise the row has the session of the code that is on its
    way."""
    if challenge.route != Route.COGNITO_OTP:
        raise NotProven(challenge.decoy_reason or NOT_ASKED)
    connection = connections.find(challenge.connection)
    if connection is None or not connection.active:
        raise NotProven("no_connection", "configuration")
    if not connection.needs_password:
        raise NotProven(NOT_ASKED)
    # What a code of the pool's costs. The identifier's own budget of messages was asked when the sign-in began.
    slot = budgets.reserve_slot(f"cognito {connection.region}", conf.limit("cognito_starts"), now)
    if not slot.granted:
        raise NotProven("quota", "system")
    time.sleep(slot.wait)
    if challenge.channel == Channel.SMS:  # for e-mail the pool has a quota of its own
        number, known = identifier_of(challenge).number, challenge.known_browser
        budgets.spend_for_message(challenge.channel, number, now, known_browser=known)
    pool_codes.keep(challenge, connection, pool_codes.prove_password(connection, challenge, password, now=now))
