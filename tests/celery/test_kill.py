"""`kill -9` of the worker at random moments of sending. ``KILLS=50`` for the long run; docs/celery.md says how."""

import os
import random
import secrets
import time
from pathlib import Path

from .. import services
from ..http_browser import Browser
from .stage import code_in, eventually, stage

KILLS = int(os.environ.get("KILLS", "8"))
DELAY = 0.3  # seconds that the mail server takes for its last word, so that kills fall into the middle of it
OLD = "2020-01-01 00:00:00+00:00"


def test_every_challenge_ends_delivered_or_visibly_failed_with_one_code(tmp_path: Path) -> None:
    try:
        services.redis_binary()
    except services.Unavailable as error:
        services.missing(str(error))
    seed = int(os.environ.get("SEED", secrets.randbits(32)))
    print(f"SEED={seed}")
    moments = random.Random(seed)
    people = [f"{number}-{secrets.token_hex(4)}@example.com" for number in range(KILLS)]
    with stage(tmp_path, delay=DELAY) as running:
        for person in people:
            worker = running.worker()
            worker.wait_until_ready()
            Browser(running.site.port).start(person)
            time.sleep(moments.uniform(0, 1.5 * DELAY))
            worker.kill()
        database = running.site.database
        # Two minutes later: leases and the time that is left to the queue are over.
        database.rows(f"UPDATE cognito_passwordless_delivery SET started_at = '{OLD}' WHERE status = 'sending'")
        ago = f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(time.time() - 120))}.000000"
        database.rows(
            f"UPDATE cognito_passwordless_challengesession SET last_sent_at = '{ago}' WHERE sending = 'queued'"
        )
        left = database.value("SELECT count(*) FROM cognito_passwordless_challengesession WHERE sending = 'queued'")
        last = running.worker()
        last.wait_until_ready()
        running.site.shell(
            "from django.utils import timezone; from cognito_passwordless.flows.sending.recovery import recover_sends;"
            "recover_sends(timezone.now())"
        )
        eventually(running.finished, "the end of every challenge")
        print(f"{left} of {KILLS} challenges were left unfinished by the kills")
        rows = database.rows(
            "SELECT identifier, status, copies FROM cognito_passwordless_challengesession AS c"
            " LEFT JOIN cognito_passwordless_delivery AS d ON d.challenge_id = c.id"
        )
        assert {person for person, _, _ in rows} == set(people)
        for person, status, copies in rows:
            codes = [code_in(text) for text in running.emails(person)]
            assert status in {"sent", "unknown", "failed"}, (person, status)
            assert len(codes) <= copies <= 2
            assert len(set(codes)) <= 1
            assert codes or status != "sent"
