"""Finding what fell out of the queue: a broker that was emptied, a worker that died with a message in its hands."""

import logging
from datetime import datetime, timedelta

from ...exceptions import DispatchFailed
from ...models import ChallengeSession
from . import dispatch, send_code

logger = logging.getLogger(__name__)

# Longer than all retries of a message take, so that a healthy queue is left alone.
STALLED = timedelta(seconds=90)
# Asked once or twice by a beat of one minute: a queue that is merely long does not grow by it.
ASKED_FOR = timedelta(seconds=120)
AT_ONCE = 500


def recover_sends(now: datetime) -> dict[str, int]:
    """Asks again for messages that no worker has finished, and ends those whose time is over. May run at any time."""
    waiting = ChallengeSession.objects.filter(
        outcome=ChallengeSession.Outcome.OPEN, sending=ChallengeSession.Sending.QUEUED
    )
    asked = ended = 0
    stalled = (now - STALLED - ASKED_FOR, now - STALLED)
    for challenge in waiting.filter(expires_at__gt=now, last_sent_at__range=stalled)[:AT_ONCE]:
        try:
            dispatch.dispatch(challenge)
        except DispatchFailed:
            break
        asked += 1
    if asked:
        logger.warning("%d messages had not been finished by any worker and were asked for again", asked)
    for challenge in waiting.filter(expires_at__lte=now, expires_at__gt=now - timedelta(days=1))[:AT_ONCE]:
        send_code.send(challenge.pk, challenge.generation, now=now, final=True)
        ended += 1
    return {"asked again": asked, "expired": ended}
