"""Redis is stopped in the middle of a day, and comes back."""

import time
from pathlib import Path

from .. import services
from ..http_browser import LOGIN, OTP, Browser
from .stage import code_in, eventually, stage


def test_redis_goes_and_comes_back(tmp_path: Path) -> None:
    try:
        services.redis_binary()
    except services.Unavailable as error:
        services.missing(str(error))
    with stage(tmp_path) as running:
        worker = running.worker()
        worker.wait_until_ready()
        waiting = Browser(running.site.port)
        waiting.start("ann@example.com")
        (text,) = eventually(lambda: running.emails("ann@example.com"), "the e-mail")

        running.redis.stop()
        for _ in range(3):
            browser = Browser(running.site.port, may_fail=True)
            browser.get(LOGIN)
            began = time.monotonic()
            reply = browser.post(LOGIN, identifier="bob@example.com")
            assert time.monotonic() - began < 5
            assert reply.status == 503
            assert "send codes at the moment" in reply.body
        count = "SELECT count(*) FROM cognito_passwordless_challengesession WHERE identifier = ?"
        assert running.site.database.value(count, "bob@example.com") == 0
        spent = "SELECT sum(\"count\") FROM cognito_passwordless_sendcount WHERE scope = 'starts_per_ip'"
        assert running.site.database.value(spent) == 4, "the limits count by the database"

        assert waiting.post(OTP, code=code_in(text)).signed_in, "who has a code needs no broker"
        # Two gunicorn processes, each of which says it once.
        assert 1 <= running.site_log().count("The broker takes no messages") <= 2

        running.redis.start()

        def starts_again() -> bool:
            browser = Browser(running.site.port, may_fail=True)
            browser.get(LOGIN)
            return browser.post(LOGIN, identifier="cid@example.com").status == 302

        assert starts_again(), "the very first start after the outage"
        assert eventually(lambda: running.emails("cid@example.com"), "an e-mail after the outage")
