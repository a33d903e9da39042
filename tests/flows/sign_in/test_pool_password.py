"""Pools that want the password before their code: the form is everybody's, the password is kept nowhere."""

import io
import json
import logging
import pickle
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import django
import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.log import AdminEmailHandler

from cognito_passwordless import connections, steps
from cognito_passwordless.cognito import Cause, CognitoError, Password, start_with_password
from cognito_passwordless.flows.sign_in.background import Background
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.local.own_triggers import attach
from cognito_passwordless.models import (
    ChallengeSession,
    ConnectionState,
    Delivery,
    FailureCount,
    JourneyEvent,
    MigratedUser,
)

from ...gunicorn_site import Database, Site
from ...http_browser import Browser
from .held import Held

pytestmark = pytest.mark.django_db(transaction=True)
EMAIL = "ann@example.com"
TYPED, WRONG = "Correct horse-battery staple 9!", "Wrong horse-battery staple 9!"
TRIGGERS = {
    "OTP_SECRET": "a secret of the triggers that is long enough",
    "OTP_CHANNEL": "email",
    "OTP_FIRST_FACTOR": "password",
}
CUSTOM = {"routes": ["otp"], "otp_flow": "CUSTOM_AUTH", "own_triggers": True, "first_factor": "password"}
PASSWORD, CODE = "/login/code/password/", "/login/code/"
THEN = f"{CODE}?password"


def add(cognito: LocalCognito, pool: LocalPool, email: str = EMAIL, password: str = TYPED) -> str:
    sub = pool.add_user(email)
    pool._backend.admin_set_user_password(pool.id, sub, password, True)
    return sub


@pytest.fixture
def custom(cognito: LocalCognito, connect: Callable[..., Any]) -> Callable[..., LocalPool]:
    """A pool that wants Ann's password before its code."""

    def make(triggers: dict[str, str] | None = None, **chosen: Any) -> LocalPool:
        pool = cognito.create_pool("custom")
        attach(cognito, pool, TRIGGERS | (triggers or {}))
        connect(pool, **(CUSTOM | chosen))
        add(cognito, pool)
        return pool

    return make


def start(client: Client, identifier: str = EMAIL) -> ChallengeSession:
    assert client.post("/login/", {"identifier": identifier}).headers["Location"] == CODE
    return ChallengeSession.objects.latest("created_at")


def give(client: Client, password: str = TYPED) -> None:
    assert client.post(PASSWORD, {"password": password}).headers["Location"] == THEN


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def causes(step: str = "password") -> list[str]:
    return list(JourneyEvent.objects.filter(step=step).order_by("pk").values_list("cause", flat=True))


def other_than(code: str | None) -> str:
    assert code
    return f"{(int(code) + 1) % 10 ** len(code):0{len(code)}d}"


class TestWay:
    """The password, then the code."""

    def test_the_right_password_and_the_right_code_migrate_the_person(
        self, client: Client, cognito: LocalCognito, custom: Callable[..., LocalPool]
    ) -> None:
        custom()
        before = len(cognito.calls)
        challenge = start(client)
        assert (challenge.route, challenge.pool_session, challenge.sending) == ("cognito_otp", "", "done")
        assert [call.operation for call in cognito.calls[before:]] == []
        assert Delivery.objects.get().status == "skipped"
        give(client)
        assert ChallengeSession.objects.get().pool_session not in {"", None}
        client.post(CODE, {"code": cognito.last_code(EMAIL)})
        record = MigratedUser.objects.get()
        assert (record.status, record.method) == ("migrated", "cognito_otp")
        assert client.session["_auth_user_id"] == str(record.user_id)
        assert list(JourneyEvent.objects.order_by("pk").values_list("step", "outcome", "cause"))[:3] == [
            ("sent", "ok", "password_first"),
            ("password", "ok", ""),
            ("answered", "ok", ""),
        ]

    def test_a_wrong_password_and_then_the_right_one(
        self, client: Client, cognito: LocalCognito, custom: Callable[..., LocalPool]
    ) -> None:
        custom()
        earlier = cognito.last_code(EMAIL)
        start(client)
        give(client, WRONG)
        assert cognito.last_code(EMAIL) == earlier
        give(client)
        client.post(CODE, {"code": cognito.last_code(EMAIL)})
        assert signed_in(client)
        assert causes() == ["wrong_password", ""]

    def test_a_wrong_code_after_it_and_then_the_right_one(
        self, client: Client, cognito: LocalCognito, custom: Callable[..., LocalPool]
    ) -> None:
        custom()
        start(client)
        give(client)
        code = cognito.last_code(EMAIL)
        client.post(CODE, {"code": other_than(code)})
        assert not signed_in(client)
        client.post(CODE, {"code": code})
        assert signed_in(client)

    @pytest.mark.parametrize("password", [" Leading and trailing 9! ", "Pässwörd-Ω 9!", "Aa9!" * 24])
    def test_a_password_is_taken_as_it_is_typed(
        self, client: Client, cognito: LocalCognito, custom: Callable[..., LocalPool], password: str
    ) -> None:
        add(cognito, custom(), "bob@example.com", password)
        start(client, "bob@example.com")
        give(client, password)
        assert causes() == [""]

    def test_another_message_is_asked_for_within_the_same_sign_in(
        self, client: Client, cognito: LocalCognito, custom: Callable[..., LocalPool]
    ) -> None:
        custom()
        start(client)
        give(client)
        cognito.advance(31)
        later()
        before = len(cognito.calls)
        client.post("/login/code/resend/")
        assert [call.operation for call in cognito.calls[before:]] == ["RespondToAuthChallenge"]
        client.post(CODE, {"code": cognito.last_code(EMAIL)})
        assert signed_in(client)

    def test_a_session_that_is_over_needs_the_password_again(
        self, client: Client, cognito: LocalCognito, custom: Callable[..., LocalPool]
    ) -> None:
        custom()
        start(client)
        give(client)
        old = cognito.last_code(EMAIL)
        cognito.advance(200)
        later()
        client.post("/login/code/resend/")
        assert cognito.last_code(EMAIL) == old
        assert ChallengeSession.objects.get().pool_session == ""
        give(client)
        client.post(CODE, {"code": cognito.last_code(EMAIL)})
        assert signed_in(client)

    def test_other_peoples_triggers_keep_their_code_when_another_is_asked_for(
        self, client: Client, cognito: LocalCognito, custom: Callable[..., LocalPool]
    ) -> None:
        custom(own_triggers=False)
        start(client)
        give(client)
        later()
        client.post("/login/code/resend/")
        client.post(CODE, {"code": cognito.last_code(EMAIL)})
        assert signed_in(client)


def later(seconds: int = 31) -> None:
    ChallengeSession.objects.update(last_sent_at=F("last_sent_at") - timedelta(seconds=seconds))


class TestNoWayRound:
    """Whoever leaves the password out, or has it wrong, gets no further and no easier way."""

    def test_a_code_without_the_password_is_never_right(
        self, client: Client, cognito: LocalCognito, custom: Callable[..., LocalPool]
    ) -> None:
        custom()
        start(client)
        before = len(cognito.calls)
        assert client.post(CODE, {"code": "123456"}).status_code == 200
        assert (causes("answered"), len(cognito.calls)) == (["no_pool_session"], before)

    @pytest.mark.parametrize("routes", [["otp", "local"], ["otp", "oidc", "local"]])
    def test_a_wrong_password_sends_no_code_of_ours(
        self, client: Client, outbox: list[Any], custom: Callable[..., LocalPool], routes: list[str]
    ) -> None:
        pool = custom(routes=routes)
        known = {"connection": "main", "pool": pool.id, "email": EMAIL, "attributes": {"email_verified": "true"}}
        MigratedUser.objects.create(**known, sub="s", username=EMAIL)
        start(client)
        give(client, WRONG)
        later()
        client.post("/login/code/resend/")
        challenge = ChallengeSession.objects.get()
        assert (challenge.route, outbox) == ("cognito_otp", [])

    def test_no_more_passwords_than_the_policy_allows_reach_the_pool(
        self, client: Client, cognito: LocalCognito, custom: Callable[..., LocalPool]
    ) -> None:
        custom()
        earlier = cognito.last_code(EMAIL)
        start(client)
        for _ in range(5):
            give(client, WRONG)
        give(client)
        assert causes() == ["wrong_password"] * 3
        assert set(FailureCount.objects.values_list("count", flat=True)) == {3}
        assert cognito.last_code(EMAIL) == earlier

    def test_over_the_limit_nothing_is_asked(
        self, client: Client, cognito: LocalCognito, custom: Callable[..., LocalPool]
    ) -> None:
        custom()
        start(client)
        FailureCount.objects.create(identifier=EMAIL, count=1000)
        before = len(cognito.calls)
        give(client)
        assert (causes(), len(cognito.calls)) == (["over_limit"], before)

    def test_a_pool_that_does_not_ask_is_not_believed(
        self, client: Client, cognito: LocalCognito, custom: Callable[..., LocalPool]
    ) -> None:
        """Its code alone would be less than the connection says. It takes `SRP_A` for a dialect."""
        custom({"OTP_FIRST_FACTOR": "none"})
        start(client)
        give(client)
        assert causes() == ["misconfigured"]
        assert ChallengeSession.objects.get().pool_session == ""

    def test_a_retired_pool_is_not_asked(
        self, client: Client, cognito: LocalCognito, custom: Callable[..., LocalPool]
    ) -> None:
        custom()
        start(client)
        ConnectionState.objects.create(alias="main", retired_at=timezone.now())
        before = len(cognito.calls)
        give(client)
        assert (causes(), len(cognito.calls)) == (["no_connection"], before)

    def test_a_pool_that_does_not_answer_has_taken_the_attempt(
        self, client: Client, cognito: LocalCognito, custom: Callable[..., LocalPool]
    ) -> None:
        custom()
        start(client)
        cognito.fail("InitiateAuth", "TooManyRequestsException")
        give(client)
        event = JourneyEvent.objects.get(step="password")
        assert (event.cause, event.outcome, ChallengeSession.objects.get().attempts) == ("throttled", "failed", 1)
        give(client)
        assert causes() == ["throttled", ""]

    def test_an_sms_is_paid_for_when_the_pool_may_send_it(
        self, client: Client, cognito: LocalCognito, custom: Callable[..., LocalPool], settings: Any
    ) -> None:
        limits = {"LIMITS": {"sms_per_day": "1/24h"}}
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, **limits}
        pool = custom({"OTP_CHANNEL": "sms"})
        number = "+4915112345678"
        sub = pool.add_user("bob@example.com", phone_number=number)
        pool._backend.admin_set_user_password(pool.id, sub, TYPED, True)
        for _ in range(3):
            start(client, number)
        before = len(cognito.calls)
        give(client, WRONG)
        assert len(cognito.calls) > before
        before = len(cognito.calls)
        give(client)
        assert (causes()[-1], len(cognito.calls)) == ("limit_sms_per_day", before)

    def test_the_steps_for_a_sites_own_views_do_not_begin(self, custom: Callable[..., LocalPool]) -> None:
        custom()
        answer = steps.generate("main", EMAIL)
        assert isinstance(answer, steps.StepError)
        assert answer.code == "route_not_offered"

    def test_without_the_extra_it_is_named(
        self, custom: Callable[..., LocalPool], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        custom()
        (found,) = connections.every()
        monkeypatch.setattr("cognito_passwordless.cognito.sign_in.password.AWSSRP", None)
        with pytest.raises(CognitoError, match=r"\[srp\]") as raised:
            start_with_password(found, EMAIL, Password(TYPED), now=timezone.now())
        assert raised.value.cause is Cause.misconfigured


def unknown(pool: LocalPool, make_user: Any) -> None:
    """Nobody has heard of them."""


def local(pool: LocalPool, make_user: Any) -> None:
    make_user("somebody@example.com")


def staff(pool: LocalPool, make_user: Any) -> None:
    make_user("somebody@example.com", is_staff=True)


def in_the_pool(pool: LocalPool, make_user: Any) -> None:
    pool.add_user("somebody@example.com")


def disabled(pool: LocalPool, make_user: Any) -> None:
    pool.add_user("somebody@example.com", enabled=False)


def pending(pool: LocalPool, make_user: Any) -> None:
    known = {"connection": "main", "pool": pool.id, "email": "somebody@example.com"}
    MigratedUser.objects.create(**known, sub="s", username=pool.add_user("somebody@example.com"))


def excluded(pool: LocalPool, make_user: Any) -> None:
    pending(pool, make_user)
    MigratedUser.objects.update(status="excluded")


def plain(response: Any, address: str) -> tuple[Any, ...]:
    body = response.content.decode().replace(address, "ADDRESS")
    body = re.sub(r'(name="csrfmiddlewaretoken" value=)"\w+"', r"\1TOKEN", body)
    body = re.sub(r"\b\d+ second", "N second", body)
    body = re.sub(r'((?:data-[\w-]*seconds[\w-]*=)"|"seconds_\w+": )\d+', r"\1N", body)
    headers = {name: value for name, value in response.items() if name not in {"Retry-After", "Expires"}}
    return response.status_code, headers, sorted(response.cookies), body


def answers(address: str) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """What somebody sees who types this address, and passwords."""
    client = Client()
    yield "start", plain(client.post("/login/", {"identifier": address}), address)
    yield "page", plain(client.get(CODE), address)
    yield "password", plain(client.post(PASSWORD, {"password": WRONG}), address)
    yield "after it", plain(client.get(THEN), address)
    yield "status", plain(client.get("/login/code/status/"), address)
    yield "nothing typed", plain(client.post(PASSWORD, {"password": ""}), address)
    yield "code", plain(client.post(CODE, {"code": "00000000"}), address)
    later()
    yield "resend", plain(client.post("/login/code/resend/"), address)
    yield "again", plain(client.post(PASSWORD, {"password": WRONG}), address)
    yield "none left", plain(client.post(PASSWORD, {"password": WRONG}), address)
    yield "page at the end", plain(client.get(THEN), address)


@pytest.mark.parametrize("person", [local, staff, in_the_pool, disabled, pending, excluded])
def test_every_answer_is_the_one_that_nobody_gets(
    person: Callable[..., None], custom: Callable[..., LocalPool], make_user: Callable[..., User]
) -> None:
    pool = custom()
    person(pool, make_user)
    nobodys = dict(answers("stranger@example.com"))
    for step, theirs in answers("somebody@example.com"):
        assert theirs == nobodys[step], step
    assert "Did you have a password here?" in nobodys["page"][-1]
    assert "If that was right, a code is on its way." in nobodys["after it"][-1]


class TestPage:
    """The form, and when it is there."""

    def test_where_no_pool_wants_one_there_is_none(self, client: Client, pool: LocalPool) -> None:
        start(client)
        assert PASSWORD not in client.get(CODE).content.decode()
        assert client.post(PASSWORD, {"password": TYPED}).headers["Location"] == "/login/?again"
        assert ChallengeSession.objects.get().attempts == 0

    def test_without_a_challenge_one_starts_again(self, client: Client) -> None:
        assert client.post(PASSWORD, {"password": TYPED}).headers["Location"] == "/login/?again"
        assert client.get(PASSWORD).status_code == 405

    @pytest.mark.parametrize("typed", ["", "x" * 257])
    def test_what_cannot_be_one_spends_no_attempt_and_is_not_shown_again(
        self, client: Client, custom: Callable[..., LocalPool], typed: str
    ) -> None:
        custom()
        start(client)
        response = client.post(PASSWORD, {"password": typed})
        assert response.status_code == 200
        assert ChallengeSession.objects.get().attempts == 0
        assert "errorlist" in response.content.decode()
        assert "x" * 257 not in response.content.decode()

    def test_no_answer_waits_for_the_pool(
        self, client: Client, custom: Callable[..., LocalPool], settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Right or wrong, it would tell that there was a pool to ask."""
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "REFUSAL_FLOOR": 5}
        later = Held()
        monkeypatch.setattr("cognito_passwordless.flows.sign_in.pool_password.background", Background(lambda: later))
        custom()
        start(client)
        for password in (WRONG, TYPED):
            give(client, password)
            assert ChallengeSession.objects.get().pool_challenge == "PASSWORD_VERIFIER"
        assert later.work() == 2
        assert ChallengeSession.objects.get().pool_challenge != "PASSWORD_VERIFIER"

    def test_the_code_page_asks_the_database_nothing_more(
        self, client: Client, custom: Callable[..., LocalPool]
    ) -> None:
        custom()
        start(client)
        with CaptureQueriesContext(connection) as with_it:
            client.get(CODE)
        ChallengeSession.objects.update(password_offered=False)
        with CaptureQueriesContext(connection) as without:
            client.get(CODE)
        assert len(with_it) == len(without)


@pytest.fixture
def everything_logged() -> Iterator[io.StringIO]:
    """All loggers at DEBUG, with the arguments of each record."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s %(args)r"))
    loggers = [logging.getLogger(name) for name in ("", "botocore", "urllib3", "django", "cognito_passwordless")]
    levels = [logger.level for logger in loggers]
    loggers[0].addHandler(handler)
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    yield stream
    loggers[0].removeHandler(handler)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


def rows() -> str:
    """Every value of every table."""
    text = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            text.append(repr(cursor.fetchall()))
    return "\n".join(text)


queued: list[tuple[Any, ...]] = []


def remember(*message: Any) -> None:
    queued.append(message)


class TestNowhere:
    """The password is in no table, log, event, session, cookie, message or error report."""

    def test_it_is_nowhere(
        self,
        client: Client,
        cognito: LocalCognito,
        custom: Callable[..., LocalPool],
        everything_logged: io.StringIO,
        settings: Any,
    ) -> None:
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "EVENT_DATA": "io"}
        custom()
        start(client)
        pages = []
        for password in (WRONG, TYPED):
            before = rows()
            pages.append(client.post(PASSWORD, {"password": password}, follow=True).content.decode())
            for place in (before, rows(), repr(dict(client.session)), str(client.cookies), *pages):
                assert password not in place
        client.post(CODE, {"code": cognito.last_code(EMAIL)})
        assert signed_in(client)
        for place in (rows(), everything_logged.getvalue(), repr(dict(client.session)), str(client.cookies)):
            assert WRONG not in place
            assert TYPED not in place
            assert "SRP_A" not in place
            assert "PASSWORD_CLAIM" not in place
        assert JourneyEvent.objects.filter(step="password", data__isnull=False).count() == 2

    def test_no_worker_is_told(self, client: Client, custom: Callable[..., LocalPool], settings: Any) -> None:
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "DISPATCH": f"{__name__}.remember"}
        custom()
        queued.clear()
        start(client)
        told = len(queued)
        give(client)
        assert (told, len(queued)) == (1, 1)
        assert TYPED not in repr(queued)

    @pytest.mark.parametrize(
        "place", ["flows.sign_in.pool_password.pool_codes.keep", "cognito.sign_in.password.next_round"]
    )
    def test_an_error_report_has_none(
        self,
        client: Client,
        custom: Callable[..., LocalPool],
        settings: Any,
        monkeypatch: pytest.MonkeyPatch,
        place: str,
    ) -> None:
        """The whole e-mail that Django sends to the admins, with the request, its POST and every frame's variables."""
        # A list of pairs until Django 6.0, of addresses since.
        settings.ADMINS = [("Admin", "admin@example.com")] if django.VERSION < (6, 0) else ["admin@example.com"]
        custom()
        start(client)

        def fail(*args: object, **kwargs: object) -> None:
            raise RuntimeError("after the proof")

        monkeypatch.setattr(f"cognito_passwordless.{place}", fail)
        reporter, handler = logging.getLogger("django.request"), AdminEmailHandler(include_html=True)
        reporter.addHandler(handler)
        client.raise_request_exception = False
        try:
            response = client.post(PASSWORD, {"password": TYPED})
        finally:
            reporter.removeHandler(handler)
        assert response.status_code == 500
        shown = mail.outbox[-1].body + str(mail.outbox[-1].alternatives)
        assert "after the proof" in shown
        assert TYPED not in shown

    def test_it_shows_itself_nowhere(self) -> None:
        assert TYPED not in f"{Password(TYPED)!r} {Password(TYPED)}"
        with pytest.raises(TypeError, match="must not be pickled"):
            pickle.dumps(Password(TYPED))


def test_of_eight_wrong_passwords_at_once_no_more_than_the_policy_allows_are_compared(
    cognito: LocalCognito, postgres_url: str, tmp_path: Path
) -> None:
    pool = cognito.create_pool("races")
    attach(cognito, pool, TRIGGERS)
    add(cognito, pool)
    environment = {
        "COGNITO_PASSWORDLESS_JSON": json.dumps({"DISPATCH": "inline", "REFUSAL_FLOOR": 0}),
        "COGNITO_REGION": cognito.region,
        "COGNITO_USER_POOL_ID": pool.id,
        "COGNITO_CLIENT_ID": pool.client_id,
        "COGNITO_CLIENT_SECRET": pool.client_secret or "",
        "COGNITO_ENDPOINT_URL": cognito.url,
        "COGNITO_ISSUER": pool.issuer,
        "COGNITO_CONNECTION_JSON": json.dumps(CUSTOM),
    }
    with Database(tmp_path, postgres_url) as database, Site(database, tmp_path, **environment) as site:
        browser = Browser(site.port)
        browser.start(EMAIL)
        before = len(cognito.calls)
        replies = browser.at_once(PASSWORD, [{"password": f"{WRONG}{number}"} for number in range(8)])
        compared = [call.operation for call in cognito.calls[before:]].count("RespondToAuthChallenge")
        (claimed,) = database.rows("SELECT attempts FROM cognito_passwordless_challengesession")
    assert {(reply.status, reply.location) for reply in replies} == {(302, THEN)}
    assert (compared, claimed) == (3, (3,))
