"""Every step's event: what it says, when observers hear of it, and that none can break a sign-in."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.utils import timezone

import cognito_passwordless
from cognito_passwordless.flows.events import journey
from cognito_passwordless.flows.events.journey import STEPS
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import ChallengeSession, JourneyEvent
from cognito_passwordless.signals import journey_event

from ..people import SignIn

pytestmark = pytest.mark.django_db(transaction=True)
ANN = "ann@example.com"
ROOT = Path(cognito_passwordless.__file__).parent
PAGE = ROOT.parent / "docs" / "events.md"


@pytest.fixture
def observe() -> Iterator[Callable[[Callable[..., Any]], None]]:
    receivers: list[Callable[..., Any]] = []

    def connect(receiver: Callable[..., Any]) -> None:
        receivers.append(receiver)
        journey_event.connect(receiver, weak=False)

    yield connect
    for receiver in receivers:
        journey_event.disconnect(receiver)


def test_each_step_says_which_pool_and_how_long(sign_in: SignIn, pool: LocalPool) -> None:
    pool.add_user(ANN)
    sign_in.at_pool(ANN)
    events = list(JourneyEvent.objects.order_by("pk"))
    assert [event.step for event in events] == ["sent", "answered", "migrated", "signed_in"]
    assert {event.connection for event in events} == {"main"}
    assert all(event.duration_ms is not None for event in events)
    assert len({event.attempt for event in events}) == 1
    assert [bool(event.user_id) for event in events] == [False, False, True, True]


def test_somebody_nobody_knows_has_a_timeline_too(client: Client, pool: LocalPool) -> None:
    client.post("/login/", {"identifier": "nobody@example.com"})
    client.post("/login/code/", {"code": "000000"})
    attempt = ChallengeSession.objects.get().pk
    events = JourneyEvent.objects.filter(attempt=attempt, user=None, duration_ms__isnull=False)
    assert set(events.values_list("step", flat=True)) == {"sent", "answered"}


def test_a_pool_that_would_not_send_is_timed(client: Client, cognito: LocalCognito, pool: LocalPool) -> None:
    cognito.fail("InitiateAuth", "UserNotConfirmedException", pool_id=pool.id)
    client.post("/login/", {"identifier": ANN})
    event = JourneyEvent.objects.get(step="pool_started")
    assert (event.cause, event.connection) == ("unconfirmed", "main")
    assert event.duration_ms is not None


def test_a_pool_user_who_signs_in_by_our_code_is_counted_for_their_pool(
    sign_in: SignIn, pool: LocalPool, make_user: Callable[..., User]
) -> None:
    from cognito_passwordless.models import MigratedUser

    make_user(ANN)
    sub = pool.add_user(ANN)
    MigratedUser.objects.create(
        connection="main", pool=pool.id, sub=sub, email=ANN, attributes={"email_verified": "true"}
    )
    sign_in.by_our_code(ANN)
    assert JourneyEvent.objects.get(step="migrated").connection == "main"


def test_observers_hear_of_what_is_there_to_stay(observe: Callable[..., None]) -> None:
    heard: list[str] = []
    observe(lambda event, **kwargs: heard.append(event.step))
    challenge = ChallengeSession(id=uuid4())
    with transaction.atomic():
        journey.record(challenge, "sent", journey.Outcome.OK, now=timezone.now())
        assert heard == []
    assert heard == ["sent"]
    with transaction.atomic():
        journey.record(challenge, "answered", journey.Outcome.OK, now=timezone.now())
        transaction.set_rollback(True)
    assert heard == ["sent"]


def test_an_observer_that_raises_breaks_no_sign_in_and_hides_from_no_other(
    sign_in: SignIn, pool: LocalPool, observe: Callable[..., None]
) -> None:
    heard: list[str] = []

    def broken(event: JourneyEvent, **kwargs: Any) -> None:
        raise RuntimeError(event.step)

    observe(broken)
    observe(lambda event, **kwargs: heard.append(event.step))
    pool.add_user(ANN)
    sign_in.at_pool(ANN)
    assert heard == ["sent", "answered", "migrated", "signed_in"]


def written() -> set[str]:
    """The steps that the code writes: the words after a challenge, a record or an attempt."""
    text = "".join(path.read_text() for path in (ROOT / "flows").rglob("*.py"))
    calls = re.findall(r"(?:journey\.record|audit\.(?:record|write)|_record)\(\s*[\w.()]+,\s*\"(\w+)\"", text)
    return {*calls, *re.findall(r"\brecord\(\"(\w+)\"", text), "pool_sign_in", *STEPS}


def test_the_page_names_every_step() -> None:
    page = PAGE.read_text()
    assert {"left", "erased", "retired", "undone", "migrated"} <= written()
    assert {step for step in written() if f"`{step}`" not in page} == set()


def test_the_page_ships_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sign_in: SignIn, pool: LocalPool
) -> None:
    """Its receiver, its task and its collector, word for word."""
    import importlib
    import json
    import sys
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    got: list[dict[str, Any]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    for name, text in re.findall(r"^```python\n# (\S+)\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.split(".")[0] == "mysite"]:
        del sys.modules[name]
    server = HTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("COLLECTOR_URL", f"http://127.0.0.1:{server.server_port}/")
    shipping = importlib.import_module("mysite.shipping")
    monkeypatch.setattr(shipping.ship, "delay", shipping.ship)
    try:
        pool.add_user(ANN)
        sign_in.at_pool(ANN)
    finally:
        journey_event.disconnect(shipping.hand_over)
        server.shutdown()
        server.server_close()
    assert [event["step"] for event in got] == ["sent", "answered", "migrated", "signed_in"]
    assert {event["connection"] for event in got} == {"main"}
    assert ANN not in json.dumps(got)
    assert importlib.import_module("mysite.analytics").payload(type("Step", (), {"output": {"created": True}})) == {
        "experiment": "b",
        "first_time": True,
    }
