"""The example page in Chromium."""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cognito_passwordless.lambda_triggers.challenge import delivery, limits
from cognito_passwordless.local import LocalCognito

from .web import WEB, modules

ANN = "ann@example.com"
pytestmark = pytest.mark.browser


@pytest.fixture
def address(cognito: LocalCognito, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.syspath_prepend(WEB)
    import serve

    delivery._experience[:] = [(0.0, False)]
    limits._begun.clear()
    serve.build(tmp_path / "main.js", modules())
    server = serve.site(cognito, serve.example_pool(cognito), 0, tmp_path / "main.js")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()
    sys.modules.pop("serve")


def test_sign_up_then_sign_in(address: str, cognito: LocalCognito, chromium: Path) -> None:
    from playwright.sync_api import expect, sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(address)
        status = page.get_by_role("status")
        page.fill("#email", ANN)
        page.click("#sign-up")
        expect(status).to_have_text("We have sent a code to prove your address.", timeout=20_000)
        page.fill("#code", cognito.last_code(ANN) or "")
        page.press("#code", "Enter")
        expect(status).to_have_text("Your address is proven. Now sign in.")
        page.click("#sign-in")
        expect(status).to_have_text("We have sent a code to a***@e***.")
        code = cognito.last_code(ANN) or ""
        page.fill("#code", f"{(int(code) + 1) % 10**6:06d}")
        page.press("#code", "Enter")
        expect(status).to_have_text("That was not the code we sent to a***@e***. 2 tries left.")
        cognito.advance(31)
        page.click("#resend")
        expect(status).to_have_text("We have sent a code again to a***@e***.")
        page.fill("#code", cognito.last_code(ANN) or "")
        page.press("#code", "Enter")
        expect(status).to_have_text(f"Signed in as {ANN}.")
        browser.close()
