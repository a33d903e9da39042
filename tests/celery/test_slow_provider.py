"""A mail provider that takes five seconds holds up its worker, and nobody who waits for a page."""

import time
from pathlib import Path

from .. import services
from ..http_browser import OTP, Browser
from .stage import code_in, eventually, stage

PROVIDER_TAKES = 5.0  # seconds


def test_pages_do_not_wait_for_the_provider(tmp_path: Path) -> None:
    try:
        services.redis_binary()
    except services.Unavailable as error:
        services.missing(str(error))
    with stage(tmp_path, delay=PROVIDER_TAKES) as running:
        running.worker().wait_until_ready()
        browser = Browser(running.site.port)
        for _ in range(8):  # gunicorn's workers load at their first request
            browser.get("/login/")
        asked = time.monotonic()
        browser.start("ann@example.com")
        started = time.monotonic() - asked
        page = browser.get(OTP)
        answered = time.monotonic() - asked
        assert page.status == 200
        assert running.emails("ann@example.com") == []
        assert '"state": "sending"' in browser.get("/login/code/status/").body
        (text,) = eventually(lambda: running.emails("ann@example.com"), "the e-mail")
        took = [round(seconds * 1000) for seconds in (started, answered - started)]
        print(f"start {took[0]} ms, code page {took[1]} ms, message {time.monotonic() - asked:.1f} s")
        assert answered < PROVIDER_TAKES / 2
        assert browser.post(OTP, code=code_in(text)).signed_in
