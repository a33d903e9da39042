"""Law 1: after a sign-in, the code is in no table, queue, log, session, cookie, `repr` or error report."""

import gc
import io
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import django
import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils.log import AdminEmailHandler
from django.views.debug import ExceptionReporter
from kombu import Connection

from cognito_passwordless import delivery, steps, tasks
from cognito_passwordless.cognito import OtpChallenge, Tokens
from cognito_passwordless.delivery.memory import MemorySender
from cognito_passwordless.flows.sending import dispatch, send_code
from cognito_passwordless.flows.sign_in import verification
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import ChallengeSession
from cognito_passwordless.otp import Code

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def everything_logged() -> Iterator[io.StringIO]:
    """All loggers at DEBUG, with the arguments of each record."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s %(args)r"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    others = [logging.getLogger(name) for name in ("botocore", "urllib3", "django", "celery", "cognito_passwordless")]
    levels = [(logger, logger.level) for logger in others]
    for logger in others:
        logger.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)
    for logger, before in levels:
        logger.setLevel(before)


def rows() -> str:
    """Every value of every table."""
    text = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            text.append(repr(cursor.fetchall()))
    return "\n".join(text)


def reprs() -> str:
    """The `repr` of every living object of this package."""
    kinds = (Code, OtpChallenge, Tokens, delivery.Message, verification.Proven, ChallengeSession)
    return "\n".join(repr(thing) for thing in gc.get_objects() if isinstance(thing, kinds))


def test_our_code_is_nowhere_but_in_the_message(
    client: Client, make_user: Callable[..., User], sent_code: Callable[[], str], everything_logged: io.StringIO
) -> None:
    make_user("bob@example.com")
    client.post("/login/", {"identifier": "bob@example.com"})
    code = sent_code()
    handle = client.cookies["cognito_passwordless"].value
    page = client.get("/login/code/")
    client.post("/login/code/", {"code": "000000" if code != "000000" else "111111"})
    before = rows()
    client.post("/login/code/", {"code": code})
    assert "_auth_user_id" in client.session
    for place in (before, rows(), everything_logged.getvalue(), reprs(), page.content.decode()):
        assert code not in place
        assert handle not in place
    for cookie in client.cookies.values():
        assert code not in cookie.value
    assert code not in repr(dict(client.session))


def test_cognitos_code_session_and_tokens_are_nowhere(
    client: Client, pool: LocalPool, cognito: LocalCognito, everything_logged: io.StringIO
) -> None:
    pool.add_user("ann@example.com")
    client.post("/login/", {"identifier": "ann@example.com"})
    code = cognito.last_code("ann@example.com")
    assert code
    stored = rows()
    client.post("/login/code/", {"code": "00000000" if code != "00000000" else "11111111"})
    client.post("/login/code/", {"code": code})
    assert "_auth_user_id" in client.session
    logged = everything_logged.getvalue()
    for place in (stored, rows(), logged, reprs(), repr(dict(client.session))):
        assert code not in place
        assert "eyJ" not in place.replace("eyJpZCI6", "").replace(".eyJ", "")  # a token's first letters
    assert "RespondToAuthChallenge" not in logged
    assert ChallengeSession.objects.get().pool_session == ""


def test_nor_are_those_of_a_step(
    pool: LocalPool, cognito: LocalCognito, everything_logged: io.StringIO, settings: Any
) -> None:
    """With everything recorded that can be."""
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "EVENT_DATA": "io"}
    pool.add_user("ann@example.com")
    output = steps.generate("main", "ann@example.com")
    assert isinstance(output, steps.Generated)
    code = cognito.last_code("ann@example.com")
    assert code
    stored = rows()
    wrong = steps.validate(output.handle, "00000000" if code != "00000000" else "11111111")
    identity = steps.validate(output.handle, code)
    assert isinstance(identity, steps.Identity)
    for place in (stored, rows(), everything_logged.getvalue(), reprs(), repr((output, wrong, identity))):
        assert code not in place
        assert output.handle not in place
        assert "eyJ" not in place
    assert ChallengeSession.objects.get().pool_session == ""


class Stopped(BaseException):
    """What ends a process in the middle of its work, and is caught by nobody."""


class Broken:
    """A sender that ends in a way nobody thought of, with the message in its frame and in what it raises."""

    ends_by: type[BaseException] = Stopped

    def send(self, message: delivery.Message) -> str:
        held = message.text
        raise self.ends_by(f"broken with {len(held)} characters")


class Talkative(Broken):
    """Another one, which tells the whole message in its error, as some libraries do."""

    def send(self, message: delivery.Message) -> str:
        raise RuntimeError(message.text)


def report_of(call: Callable[[], Any]) -> str:
    with pytest.raises(Stopped) as caught:
        call()
    return str(ExceptionReporter(None, caught.type, caught.value, caught.tb).get_traceback_html())


def test_an_error_report_of_the_worker_shows_no_code(
    client: Client, make_user: Callable[..., User], settings: Any, sent_code: Callable[[], str]
) -> None:
    make_user("bob@example.com")
    client.post("/login/", {"identifier": "bob@example.com"})
    code = sent_code()
    challenge = ChallengeSession.objects.get()
    ChallengeSession.objects.update(sends=2)
    settings.COGNITO_PASSWORDLESS = {
        **settings.COGNITO_PASSWORDLESS,
        "SENDERS": {"email": [{"BACKEND": "tests.test_no_code_at_rest.Broken"}]},
    }
    report = report_of(lambda: dispatch.dispatch_inline(str(challenge.pk), 1, "email"))
    assert "Broken" in report
    assert code not in report


def test_what_a_sender_raises_is_not_repeated(
    client: Client, make_user: Callable[..., User], settings: Any, everything_logged: io.StringIO
) -> None:
    make_user("bob@example.com")
    settings.COGNITO_PASSWORDLESS = {
        **settings.COGNITO_PASSWORDLESS,
        "SENDERS": {
            "email": [
                {"BACKEND": "tests.test_no_code_at_rest.Talkative"},
                {"BACKEND": "cognito_passwordless.delivery.memory.MemorySender"},
            ]
        },
    }
    client.post("/login/", {"identifier": "bob@example.com"})
    code = re.search(r"\d{6}", MemorySender.outbox[-1].text)
    assert code
    assert "Talkative raised RuntimeError" in everything_logged.getvalue()
    for place in (rows(), everything_logged.getvalue()):
        assert code.group() not in place


def test_an_error_report_of_the_request_shows_no_code(
    client: Client, make_user: Callable[..., User], sent_code: Callable[[], str], settings: Any, monkeypatch: Any
) -> None:
    """The whole e-mail that Django sends to the admins, with the request, its POST and every frame's variables."""
    make_user("bob@example.com")
    # A list of pairs until Django 6.0, of addresses since.
    settings.ADMINS = [("Admin", "admin@example.com")] if django.VERSION < (6, 0) else ["admin@example.com"]
    settings.DEBUG = False
    client.post("/login/", {"identifier": "bob@example.com"})
    code = sent_code()

    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("after the comparison")

    monkeypatch.setattr("cognito_passwordless.flows.sign_in.login.attempts.accept", fail)
    reporter = logging.getLogger("django.request")
    admin = AdminEmailHandler(include_html=True)
    reporter.addHandler(admin)
    client.raise_request_exception = False
    try:
        response = client.post("/login/code/", {"code": code})
    finally:
        reporter.removeHandler(admin)
    assert response.status_code == 500
    report = mail.outbox[-1]
    shown = report.body + str(report.alternatives)
    assert "after the comparison" in shown
    assert code not in shown


def test_the_queue_holds_ids_only(monkeypatch: Any, make_user: Callable[..., User], settings: Any) -> None:
    """The message as the broker gets it, body and headers."""
    make_user("bob@example.com")
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "DISPATCH": "celery"}
    app = tasks.send_code.app
    with Connection("memory://") as broker:
        monkeypatch.setattr(app, "connection_for_write", lambda *a, **k: broker)
        monkeypatch.setattr(app.conf, "broker_url", "memory://")
        Client().post("/login/", {"identifier": "bob@example.com"})
        queue = broker.SimpleQueue("cognito_email")
        message = queue.get(timeout=1)
        queue.close()
    challenge = ChallengeSession.objects.get()
    shown = repr((message.payload, message.headers, message.properties))
    assert str(challenge.pk) in shown
    assert "bob@example.com" not in shown
    send_code.send(challenge.pk, 1, now=challenge.created_at, final=True)


def test_no_model_has_a_field_for_a_code() -> None:
    for model in apps.get_app_config("cognito_passwordless").get_models():
        if model._meta.concrete_model._meta.app_label != "cognito_passwordless":
            continue  # allauth's table of apps, with the secrets of clients
        names = {field.name for field in model._meta.get_fields()}
        assert not names & {"code", "otp", "token", "secret", "password", "handle"}
