"""The steps as functions: every outcome, the laws behind them, and that nothing secret shows."""

import json
import pickle
import threading
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from datetime import datetime, timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.core.context import request_context as allauths_context
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages.storage.fallback import FallbackStorage
from django.db import connection, transaction
from django.test import Client, RequestFactory
from django.utils import timezone

from cognito_passwordless import steps
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.local.own_triggers import attach
from cognito_passwordless.models import ChallengeSession, Delivery, FailureCount, JourneyEvent, MigratedUser
from cognito_passwordless.steps import Generated, Identity, StepError

pytestmark = pytest.mark.django_db(transaction=True)
ANN = "ann@example.com"
WRONG = "That code is not right, or no longer valid. Check it, or send a new code."
CANNOT_SEND = "We can't send codes at the moment. Nothing is wrong with your entry. Try again in a minute."


@pytest.fixture
def ann(pool: LocalPool) -> str:
    """Ann in the pool of ``main``; her sub."""
    return pool.add_user(ANN, attributes={"given_name": "Ann", "custom:plan": "gold"})


@pytest.fixture
def connection_per_thread() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("threads share SQLite's memory database badly; the races run on PostgreSQL")


@pytest.fixture
def custom(cognito: LocalCognito, connect: Callable[..., Any]) -> LocalPool:
    """A pool whose sign-in our own triggers define."""
    made = cognito.create_pool("custom")
    attach(cognito, made, {"OTP_SECRET": "a secret of the triggers that is long enough", "OTP_CHANNEL": "email"})
    connect(made, routes=["otp"], otp_flow="CUSTOM_AUTH", own_triggers=True)
    made.add_user(ANN)
    return made


def generated(**more: Any) -> Generated:
    output = steps.generate("main", ANN, **more)
    assert isinstance(output, Generated), output
    return output


def failed(output: object) -> StepError:
    assert isinstance(output, StepError), output
    return output


def known(output: object) -> Identity:
    assert isinstance(output, Identity), output
    return output


def other_than(code: str | None) -> str:
    assert code
    return f"{(int(code) + 1) % 10 ** len(code):0{len(code)}d}"


def timeline() -> list[tuple[str, str, str, str, str]]:
    rows = JourneyEvent.objects.order_by("pk")
    return list(rows.values_list("step", "outcome", "cause", "route", "connection"))


class TestTheRightCode:
    def test_gives_the_claims_the_user_info_and_the_profile(self, cognito: LocalCognito, ann: str) -> None:
        output = generated()
        identity = known(steps.validate(output.handle, cognito.last_code(ANN) or ""))
        assert (identity.connection, identity.method, identity.attempt) == ("main", "cognito_otp", output.attempt)
        assert identity.claims["sub"] == identity.user_info["sub"] == identity.profile.sub == ann
        assert identity.claims["token_use"] == "id"
        assert identity.user_info["email_verified"] is True
        assert identity.profile.attributes["given_name"] == "Ann"
        assert identity.profile.proven == {ANN}
        assert timeline() == [
            ("sent", "ok", "", "cognito_otp", "main"),
            ("answered", "ok", "", "cognito_otp", "main"),
        ]
        # Nobody exists but by `sign_in`.
        assert not MigratedUser.objects.exists()
        assert not get_user_model().objects.exists()

    def test_opens_once(self, cognito: LocalCognito, ann: str) -> None:
        handle, code = generated().handle, cognito.last_code(ANN) or ""
        known(steps.validate(handle, code))
        assert failed(steps.validate(handle, code)).code == "verified"

    def test_is_read_as_people_write_it(self, cognito: LocalCognito, ann: str) -> None:
        handle, code = generated().handle, cognito.last_code(ANN) or ""
        known(steps.validate(handle, f" {code[:4]} {code[4:]} "))

    def test_answers_the_pools_own_challenge(self, cognito: LocalCognito, custom: LocalPool) -> None:
        handle, code = generated().handle, cognito.last_code(ANN) or ""
        wrong = failed(steps.validate(handle, other_than(code)))
        assert (wrong.code, wrong.category) == ("wrong_code", "flow")
        assert known(steps.validate(handle, code)).profile.proven == {ANN}

    def test_by_sms(self, cognito: LocalCognito, pool: LocalPool) -> None:
        pool.add_user(ANN, phone_number="+4915112345678")
        output = steps.generate("main", "0151 12345678")
        assert isinstance(output, Generated)
        assert output.channel == "sms"
        known(steps.validate(output.handle, cognito.last_code("+4915112345678") or ""))


class TestScope:
    def test_says_how_much_of_the_person_is_told(self, cognito: LocalCognito, ann: str) -> None:
        handle = generated(scope=["openid", "email"]).handle
        identity = known(steps.validate(handle, cognito.last_code(ANN) or ""))
        assert identity.profile.email == ANN
        assert identity.profile.attributes == {}
        assert identity.profile.username == ""
        assert set(identity.user_info) == {"sub", "email", "email_verified"}
        assert {"given_name", "custom:plan", "cognito:username"}.isdisjoint(identity.claims)

    def test_openid_alone_tells_the_sub(self, cognito: LocalCognito, ann: str) -> None:
        handle = generated(scope=[]).handle
        identity = known(steps.validate(handle, cognito.last_code(ANN) or ""))
        assert dict(identity.user_info) == {"sub": ann}
        names = {"iss", "sub", "aud", "exp", "iat", "auth_time", "token_use", "jti", "origin_jti"}
        assert set(identity.claims) <= names
        assert ANN not in json.dumps(identity.as_json()["claims"])

    @pytest.mark.parametrize("scope", [["openid", "phone"], "email", ["admin"]])
    def test_is_never_wider_than_the_connections(self, ann: str, scope: Any) -> None:
        error = failed(steps.generate("main", ANN, scope=scope))
        assert (error.code, error.category) == ("scope_not_allowed", "configuration")
        assert not ChallengeSession.objects.exists()


class TestAWrongAnswer:
    def test_wrong(self, cognito: LocalCognito, ann: str) -> None:
        handle, code = generated().handle, cognito.last_code(ANN) or ""
        error = failed(steps.validate(handle, other_than(code)))
        assert (error.code, error.category, error.message) == ("wrong_code", "flow", WRONG)
        known(steps.validate(handle, code))

    def test_expired(self, cognito: LocalCognito, ann: str) -> None:
        handle = generated().handle
        later = timezone.now() + timedelta(seconds=601)
        error = failed(steps.validate(handle, cognito.last_code(ANN) or "", now=later))
        assert (error.code, error.message) == ("expired", WRONG)

    def test_locked_after_the_last_attempt_and_the_pool_is_not_asked_again(
        self, cognito: LocalCognito, ann: str
    ) -> None:
        handle, code = generated().handle, cognito.last_code(ANN) or ""
        for _ in range(3):
            assert failed(steps.validate(handle, other_than(code))).code == "wrong_code"
        calls = len(cognito.calls)
        error = failed(steps.validate(handle, code))
        assert (error.code, error.message) == ("locked", WRONG)
        assert len(cognito.calls) == calls
        assert set(FailureCount.objects.values_list("count", flat=True)) == {3}

    def test_the_identifiers_count_outlives_the_step(self, cognito: LocalCognito, ann: str, settings: Any) -> None:
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "LIMITS": {"failures": "2"}}
        handle, code = generated().handle, cognito.last_code(ANN) or ""
        for _ in range(2):
            failed(steps.validate(handle, other_than(code)))
        assert failed(steps.validate(handle, code)).code == "over_limit"
        calls = len(cognito.calls)
        error = failed(steps.generate("main", ANN))
        assert (error.code, error.category) == ("over_limit", "flow")
        assert error.alike
        assert len(cognito.calls) == calls

    @pytest.mark.parametrize("handle", ["", "no-handle-of-ours"])
    def test_without_a_step(self, ann: str, handle: str) -> None:
        assert failed(steps.validate(handle, "123456")).code == "no_step"

    def test_what_is_no_code_spends_no_attempt(self, ann: str) -> None:
        assert failed(steps.validate(generated().handle, "hello")).code == "no_code"
        assert ChallengeSession.objects.get().attempts == 0

    @pytest.mark.parametrize(
        ("error", "code", "category"),
        [
            ("throttle", "throttled", "system"),
            ("500", "unavailable", "system"),
            ("bad_json", "unavailable", "system"),
            ("ExpiredCodeException", "session_expired", "flow"),
            ("ResourceNotFoundException", "misconfigured", "configuration"),
            ("UserNotConfirmedException", "unconfirmed", "flow"),
            ("UnexpectedLambdaException", "lambda_failed", "configuration"),
        ],
    )
    def test_a_pool_that_fails_spends_the_attempt_and_says_no_more_than_a_wrong_code(
        self, cognito: LocalCognito, pool: LocalPool, ann: str, error: str, code: str, category: str
    ) -> None:
        handle, right = generated().handle, cognito.last_code(ANN) or ""
        cognito.fail("RespondToAuthChallenge", error, pool_id=pool.id)
        told = failed(steps.validate(handle, right))
        assert (told.code, told.category, told.message) == (code, category, WRONG)
        assert ChallengeSession.objects.get().attempts == 1
        assert timeline()[-1] == ("answered", "refused" if category == "flow" else "failed", code, *timeline()[-1][3:])


def test_of_many_answers_at_once_no_more_than_the_policy_allows_reach_the_pool(
    cognito: LocalCognito, ann: str, connection_per_thread: None
) -> None:
    handle, code = generated().handle, cognito.last_code(ANN) or ""
    before, told = len(cognito.calls), list[str]()

    def guess() -> None:
        try:
            told.append(failed(steps.validate(handle, other_than(code))).code)
        finally:
            connection.close()

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["locked"] * 9 + ["wrong_code"] * 3
    assert len(cognito.calls) - before == 3


def test_of_many_right_answers_at_once_one_opens(cognito: LocalCognito, ann: str, connection_per_thread: None) -> None:
    handle, code = generated().handle, cognito.last_code(ANN) or ""
    outputs: list[object] = []

    def answer() -> None:
        try:
            outputs.append(steps.validate(handle, code))
        finally:
            connection.close()

    threads = [threading.Thread(target=answer) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outputs) == 8
    assert len([output for output in outputs if isinstance(output, Identity)]) == 1


def begin_outage(cognito: LocalCognito, pool: LocalPool, error: str) -> None:
    """Two people have no code; what befalls a third is no longer about one person."""
    cognito.fail("InitiateAuth", error, times=15, pool_id=pool.id)
    for address in ("bob@example.com", "carl@example.com"):
        assert failed(steps.generate("main", address)).alike


class TestACodeThatIsNotSent:
    @pytest.mark.parametrize(
        ("error", "code", "category"),
        [
            ("throttle", "throttled", "system"),
            ("500", "unavailable", "system"),
            ("ForbiddenException", "unavailable", "system"),
            ("ResourceNotFoundException", "misconfigured", "configuration"),
            ("InvalidParameterException", "misconfigured", "configuration"),
            ("InvalidLambdaResponseException", "lambda_failed", "configuration"),
        ],
    )
    def test_because_of_what_is_so_for_everybody(
        self, cognito: LocalCognito, pool: LocalPool, ann: str, error: str, code: str, category: str
    ) -> None:
        begin_outage(cognito, pool, error)
        told = failed(steps.generate("main", ANN))
        cognito.faults.clear()
        assert (told.code, told.category, told.message) == (code, category, CANNOT_SEND)
        assert told.alike is None
        assert timeline()[-1] == ("sent", "failed", code, "cognito_otp", "main")

    def test_because_the_pool_does_not_answer(
        self,
        cognito: LocalCognito,
        pool: LocalPool,
        ann: str,
        monkeypatch: pytest.MonkeyPatch,
        new_clients: Callable[[], object],
    ) -> None:
        from botocore.config import Config

        from cognito_passwordless.cognito import client

        quick = client.CONFIGS["start"].merge(Config(read_timeout=0.2))
        monkeypatch.setattr(client, "CONFIGS", {**client.CONFIGS, "start": quick})
        new_clients()
        cognito.fail("InitiateAuth", "timeout", times=5, pool_id=pool.id)
        told = failed(steps.generate("main", ANN))
        cognito.faults.clear()
        assert (told.code, told.category) == ("timeout", "system")
        assert Delivery.objects.get().status == "unknown"

    @pytest.mark.parametrize(
        ("error", "code"),
        [
            ("UserNotFoundException", "unknown_user"),
            ("UserNotConfirmedException", "unconfirmed"),
            ("PasswordResetRequiredException", "reset_required"),
            ("NotAuthorizedException", "not_authorized"),
            ("UserLambdaValidationException", "lambda_refused"),
            ("LimitExceededException", "limit_exceeded"),
        ],
    )
    def test_because_of_the_person_looks_like_one_that_is(
        self, cognito: LocalCognito, pool: LocalPool, ann: str, error: str, code: str
    ) -> None:
        cognito.fail("InitiateAuth", error, times=5, pool_id=pool.id)  # botocore asks again after some of them
        told = failed(steps.generate("main", ANN))
        cognito.faults.clear()
        assert (told.code, told.category) == (code, "flow")
        assert told.alike is not None
        sent = generated()
        assert told.alike.as_json().keys() == sent.as_json().keys()
        assert len(told.alike.handle) == len(sent.handle)
        # Its handle is good for nothing, as often as any other.
        errors = [failed(steps.validate(told.alike.handle, "12345678")) for _ in range(4)]
        assert [error.message for error in errors] == [WRONG] * 4
        assert errors[-1].code == "locked"

    def test_because_the_person_is_disabled(self, cognito: LocalCognito, connect: Callable[..., Any]) -> None:
        made = cognito.create_pool("open", prevent_user_existence_errors=False)
        connect(made)
        made.add_user(ANN, enabled=False)
        told = failed(steps.generate("main", ANN))
        assert (told.code, told.category, bool(told.alike)) == ("disabled", "flow", True)
        assert ("sent", "refused", "disabled", "cognito_otp", "main") in timeline()

    @pytest.mark.parametrize(
        ("fields", "code"), [({"status": "excluded"}, "excluded"), ({"pool_enabled": False}, "disabled")]
    )
    def test_because_of_their_record_and_then_the_pool_is_not_asked(
        self, cognito: LocalCognito, pool: LocalPool, ann: str, fields: dict[str, Any], code: str
    ) -> None:
        MigratedUser.objects.create(connection="main", pool=pool.id, sub=ann, email=ANN, **fields)
        calls = len(cognito.calls)
        told = failed(steps.generate("main", ANN))
        assert (told.code, bool(told.alike)) == (code, True)
        assert len(cognito.calls) == calls

    def test_in_an_outage_nobody_can_be_told_apart(self, cognito: LocalCognito, pool: LocalPool, ann: str) -> None:
        """Those whom nothing is sent to do not learn of the outage by themselves."""
        begin_outage(cognito, pool, "500")
        everybody = failed(steps.generate("main", ANN))
        cognito.faults.clear()
        MigratedUser.objects.create(
            connection="main", pool=pool.id, sub="x", email="zoe@example.com", status="excluded"
        )
        excluded = failed(steps.generate("main", "zoe@example.com"))
        assert (excluded.code, excluded.alike) == ("excluded", None)
        assert excluded.for_page() == everybody.for_page()

    def test_because_nobody_has_been_imported(self, cognito: LocalCognito, connect: Callable[..., Any]) -> None:
        made = cognito.create_pool("imported")
        connect(made, lookup="imported")
        made.add_user(ANN)
        assert failed(steps.generate("main", ANN)).code == "unknown"

    def test_never_becomes_a_code_of_ours(
        self, cognito: LocalCognito, connect: Callable[..., Any], aws_identity: None, outbox: list[Any], settings: Any
    ) -> None:
        """Where a sign-in goes on to the next route, or signs up, a step ends: it was asked for this pool's word."""
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "SIGNUP": True}
        made = cognito.create_pool("local")
        connect(made, routes=["otp", "local"])
        sub = made.add_user(ANN, status="RESET_REQUIRED")
        MigratedUser.objects.create(connection="main", pool=made.id, sub=sub, username=sub, email=ANN)
        told = failed(steps.generate("main", ANN))
        assert (told.code, bool(told.alike)) == ("reset_required", True)
        cognito.fail("InitiateAuth", "UserNotFoundException", pool_id=made.id)
        assert failed(steps.generate("main", "zoe@example.com")).code == "unknown_user"
        assert outbox == []


class TestConfiguration:
    @pytest.mark.parametrize("chosen", [{"enabled": False}, {"retired": True}])
    def test_a_connection_that_may_not_be_used(
        self, cognito: LocalCognito, connect: Callable[..., Any], chosen: dict[str, bool]
    ) -> None:
        connect(cognito.create_pool("off"), **chosen)
        error = failed(steps.generate("main", ANN))
        assert (error.code, error.category, error.message) == ("no_connection", "configuration", CANNOT_SEND)

    def test_no_connection_of_that_name(self, pool: LocalPool) -> None:
        assert failed(steps.generate("other", ANN)).code == "no_connection"
        callback = "https://www.example.com/back"
        assert failed(steps.authenticate_url("other", redirect_uri=callback)).code == "no_connection"
        assert failed(steps.authenticate_callback("other", "", {}, redirect_uri=callback)).code == "no_connection"

    def test_a_route_that_the_connection_does_not_offer(
        self, cognito: LocalCognito, connect: Callable[..., Any]
    ) -> None:
        connect(cognito.create_pool("oidc"), routes=["oidc"])
        assert failed(steps.generate("main", ANN)).code == "route_not_offered"

    def test_a_client_that_the_pool_does_not_know(self, cognito: LocalCognito, settings: Any, pool: LocalPool) -> None:
        settings.SOCIALACCOUNT_PROVIDERS["cognito"]["APPS"][0]["client_id"] = "nobodysclient"
        error = failed(steps.generate("main", ANN))
        assert (error.code, error.category) == ("misconfigured", "configuration")


class TestWhoAsks:
    @pytest.mark.parametrize(
        ("identifier", "channel", "code"),
        [
            ("nobody", None, "invalid_identifier"),
            ("+33612345678", None, "not_served"),
            (ANN, "post", "unknown_channel"),
        ],
    )
    def test_what_cannot_be_asked_for(self, pool: LocalPool, identifier: str, channel: str | None, code: str) -> None:
        error = failed(steps.generate("main", identifier, channel))
        assert (error.code, error.category, error.alike) == (code, "flow", None)
        assert not ChallengeSession.objects.exists()

    def test_a_network_has_a_budget(self, ann: str, settings: Any) -> None:
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "LIMITS": {"starts_per_ip": "1/1h"}}
        request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.1")
        generated(request=request)
        error = failed(steps.generate("main", "zoe@example.com", request=request))
        assert error.code == "limit_starts_per_ip"
        assert error.retry_after
        generated(request=RequestFactory().get("/", REMOTE_ADDR="192.0.2.2"))

    def test_an_identifier_has_a_budget_and_it_shows_to_the_site_alone(self, ann: str, settings: Any) -> None:
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "LIMITS": {"sends": "1/1h"}}
        generated()
        error = failed(steps.generate("main", ANN))
        assert (error.code, bool(error.alike)) == ("limit_sends", True)

    def test_another_code_waits_for_the_cool_down_and_replaces_the_one_before(
        self, cognito: LocalCognito, ann: str
    ) -> None:
        now = timezone.now()
        first = generated(now=now)
        error = failed(steps.generate("main", ANN, handle=first.handle, now=now + timedelta(seconds=10)))
        assert (error.code, error.retry_after) == ("too_soon", 20)
        code = cognito.last_code(ANN) or ""
        second = generated(handle=first.handle, now=now + timedelta(seconds=31))
        assert failed(steps.validate(first.handle, code)).code == "superseded"
        known(steps.validate(second.handle, cognito.last_code(ANN) or ""))

    def test_a_step_is_nothing_to_the_packages_pages(self, client: Client, cognito: LocalCognito, ann: str) -> None:
        client.cookies["cognito_passwordless"] = generated().handle
        response = client.post("/login/code/", {"code": cognito.last_code(ANN)})
        assert response.headers["Location"] == "/login/?again"  # type: ignore[attr-defined]
        assert ChallengeSession.objects.get().attempts == 0

    def test_nor_are_the_pages_sign_ins_to_the_steps(self, client: Client, cognito: LocalCognito, ann: str) -> None:
        client.post("/login/", {"identifier": ANN})
        handle = client.cookies["cognito_passwordless"].value
        assert failed(steps.validate(handle, cognito.last_code(ANN) or "")).code == "no_step"
        assert ChallengeSession.objects.get().attempts == 0

    def test_inside_a_transaction_nothing_is_begun(self, cognito: LocalCognito, ann: str) -> None:
        handle, calls = generated().handle, len(cognito.calls)
        with transaction.atomic(), pytest.raises(RuntimeError):
            steps.generate("main", ANN)
        with transaction.atomic(), pytest.raises(RuntimeError):
            steps.validate(handle, "12345678")
        assert len(cognito.calls) == calls


class TestTime:
    """Asking a pool and asking nobody take the same time, and only right answers are not held back."""

    @pytest.fixture(autouse=True)
    def _floor(self, settings: Any) -> None:
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "REFUSAL_FLOOR": 5}

    def test_of_a_code_that_is_sent_and_of_one_that_is_not(
        self, cognito: LocalCognito, pool: LocalPool, ann: str
    ) -> None:
        waits: list[float] = []
        generated(pause=waits.append)
        cognito.fail("InitiateAuth", "UserNotConfirmedException", pool_id=pool.id)
        failed(steps.generate("main", "zoe@example.com", pause=waits.append))
        assert len(waits) == 2
        assert all(3 < wait < 5 for wait in waits)

    def test_of_answers(self, cognito: LocalCognito, ann: str) -> None:
        handle, code = generated(pause=lambda _: None).handle, cognito.last_code(ANN) or ""
        waits: list[float] = []
        steps.validate(handle, other_than(code), pause=waits.append)
        assert len(waits) == 1
        known(steps.validate(handle, code, pause=waits.append))
        assert len(waits) == 1


class TestNothingSecretShows:
    def test_of_a_code(self, cognito: LocalCognito, ann: str) -> None:
        output = generated()
        code = cognito.last_code(ANN) or ""
        error = failed(steps.validate(output.handle, other_than(code)))
        identity = known(steps.validate(output.handle, code))
        session = ChallengeSession.objects.get()
        assert session.pool_session == ""
        for shown in (repr(output), json.dumps(output.as_json())):
            assert output.handle not in shown
        for thing in (output, error, identity):
            for shown in (repr(thing), json.dumps(thing.as_json()), repr(pickle.dumps(thing))):
                assert code not in shown
                assert other_than(code) not in shown
                assert "eyJ" not in shown
            assert ANN not in repr(thing)
            assert pickle.loads(pickle.dumps(thing)) == thing
        assert "nonce" not in identity.claims

    def test_of_a_token_in_a_claim(self, cognito: LocalCognito, ann: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """A pool's own trigger may put one there."""
        from cognito_passwordless.flows.sign_in import verification

        real = verification.verify_id_token
        token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln"
        told = {"partner": token, "deep": {"header": [f"Bearer {token}"]}, "nonce": "the-nonce"}
        monkeypatch.setattr(verification, "verify_id_token", lambda *a, **k: {**real(*a, **k), **told})
        handle = generated().handle
        identity = known(steps.validate(handle, cognito.last_code(ANN) or ""))
        assert "eyJ" not in json.dumps(identity.as_json())
        assert "the-nonce" not in json.dumps(identity.as_json())

    def test_outputs_cannot_be_changed(self, ann: str) -> None:
        with pytest.raises(FrozenInstanceError):
            generated().handle = "another"  # type: ignore[misc]

    def test_to_the_person(self, pool: LocalPool, cognito: LocalCognito) -> None:
        cognito.fail("InitiateAuth", "UserNotFoundException", pool_id=pool.id)
        error = failed(steps.generate("main", ANN))
        assert error.for_page() == {"message": "It can take a minute to arrive. Look in the spam folder too."}
        assert error.as_json() == {
            "code": "unknown_user",
            "category": "flow",
            "message": error.message,
            "attempt": str(ChallengeSession.objects.get().pk),
        }


def request_of(client: Client) -> Any:
    """A request with the client's session, as a view has it."""
    from django.contrib.auth.models import AnonymousUser
    from django.contrib.messages.storage.fallback import FallbackStorage

    request = RequestFactory().post("/")
    request.session = client.session
    request.user = AnonymousUser()
    request._messages = FallbackStorage(request)
    return request


class TestSignIn:
    def identity(self, cognito: LocalCognito) -> Identity:
        return known(steps.validate(generated().handle, cognito.last_code(ANN) or ""))

    def sign_in(self, identity: Identity, **more: Any) -> Any:
        from allauth.core import context

        request = request_of(Client())
        with context.request_context(request):
            return steps.sign_in(request, identity, **more)

    def test_migrates_the_person(self, cognito: LocalCognito, ann: str) -> None:
        response = self.sign_in(self.identity(cognito), next_url="/accounts/email/")
        assert (response.status_code, response.headers["Location"]) == (302, "/accounts/email/")
        record = MigratedUser.objects.get()
        assert (record.sub, record.status, record.method) == (ann, "migrated", "cognito_otp")
        assert [event[0] for event in timeline()] == ["sent", "answered", "migrated", "signed_in"]

    def test_once(self, cognito: LocalCognito, ann: str) -> None:
        identity = self.identity(cognito)
        self.sign_in(identity)
        assert failed(self.sign_in(identity)).code == "no_step"

    def test_not_over_somebody_who_is_signed_in(self, cognito: LocalCognito, ann: str) -> None:
        identity = self.identity(cognito)
        request = request_of(Client())
        request.user = get_user_model().objects.create_user("bob")
        assert failed(steps.sign_in(request, identity)).code == "signed_in_already"
        assert self.sign_in(identity).status_code == 302

    def test_never_as_staff(self, cognito: LocalCognito, ann: str) -> None:
        staff = get_user_model().objects.create_user("ann", email=ANN, is_staff=True)
        EmailAddress.objects.create(user=staff, email=ANN, verified=True)
        error = failed(self.sign_in(self.identity(cognito)))
        assert error.message.startswith("Your code was right, but our team")
        assert MigratedUser.objects.get().status == "conflict"

    def test_soon(self, cognito: LocalCognito, ann: str) -> None:
        later: datetime = timezone.now() + timedelta(hours=1, minutes=1)
        assert failed(self.sign_in(self.identity(cognito), now=later)).code == "no_step"
        assert not MigratedUser.objects.exists()

    def test_never_goes_to_another_host(self, cognito: LocalCognito, ann: str) -> None:
        assert self.sign_in(self.identity(cognito), next_url="https://evil.example/").headers["Location"] == "/"

    def test_not_whoever_may_not_come_in(self, cognito: LocalCognito, pool: LocalPool, ann: str) -> None:
        identity = self.identity(cognito)
        MigratedUser.objects.create(connection="main", pool=pool.id, sub=ann, email=ANN, status="excluded")
        error = failed(self.sign_in(identity))
        assert (error.code, error.category) == ("excluded", "flow")
        assert timeline()[-1][:3] == ("migrated", "refused", "excluded")


class TestRoutedAsThePagesDo:
    """`start` and `answer` name no pool."""

    def test_a_local_user_is_signed_in(
        self, make_user: Callable[..., Any], sent_code: Callable[[], str], rf: RequestFactory, client: Client
    ) -> None:
        user = make_user(ANN)
        started = steps.start(ANN)
        assert isinstance(started, Generated)
        assert (started.channel, started.connection) == ("email", "")
        identity = steps.answer(started.handle, sent_code())
        assert isinstance(identity, Identity)
        assert (identity.method, identity.profile.proven) == ("local_otp", {ANN})
        request = rf.get("/")
        request.session, request.user = client.session, AnonymousUser()
        request._messages = FallbackStorage(request)
        with allauths_context(request):
            response = steps.sign_in(request, pickle.loads(pickle.dumps(identity)))
            assert failed(steps.sign_in(request, identity)).code in {"signed_in_already", "no_step"}
        assert (getattr(response, "status_code", response), request.user) == (302, user)

    def test_a_person_of_the_pool_is_proven_by_the_pools_code(self, ann: str, cognito: LocalCognito) -> None:
        started = steps.start(ANN)
        assert isinstance(started, Generated)
        identity = steps.answer(started.handle, cognito.last_code(ANN) or "")
        assert isinstance(identity, Identity)
        assert (identity.method, identity.claims["sub"]) == ("cognito_otp", ann)
        assert (identity.profile.email, identity.profile.proven) == (ANN, {ANN})

    def test_the_handles_of_pages_and_of_named_pools_open_nothing(self, ann: str, client: Client) -> None:
        client.post("/login/", {"identifier": ANN})
        for handle in (generated().handle, client.cookies["cognito_passwordless"].value, ""):
            assert failed(steps.answer(handle, "000000")).code == "no_step"

    def test_wrong_codes_have_one_message(self, ann: str) -> None:
        started = steps.start(ANN)
        assert isinstance(started, Generated)
        assert failed(steps.answer(started.handle, "00000000")).message == WRONG
        assert failed(steps.start(ANN, handle=started.handle)).code == "too_soon"

    @pytest.mark.parametrize(
        ("identifier", "channel", "code"),
        [
            ("nonsense", None, "invalid_identifier"),
            (ANN, "pigeon", "unknown_channel"),
            ("+12025550123", None, "not_served"),
        ],
    )
    def test_what_cannot_be_sent_to(self, identifier: str, channel: str | None, code: str) -> None:
        assert failed(steps.start(identifier, channel)).code == code

    def test_a_network_has_its_budget_and_a_broker_its_message(self, settings: Any) -> None:
        settings.COGNITO_PASSWORDLESS = {
            **settings.COGNITO_PASSWORDLESS,
            "DISPATCH": "tests.test_views.broken_dispatch",
            "LIMITS": {"starts_per_ip": "1/1h"},
        }
        assert failed(steps.start(ANN)).category == "system"
        assert failed(steps.start(ANN)).code in {"limit_starts_per_ip", "dispatch_failed"}

    def test_a_domain_of_a_hosted_login_is_led_there(self, pool: LocalPool, connect: Any, settings: Any) -> None:
        settings.SOCIALACCOUNT_PROVIDERS = {"cognito": {"APPS": []}}
        connect(pool, routes=["oidc", "otp"], domains=["example.com"], domain="https://login.example.com")
        assert isinstance(steps.start(ANN), Generated)
        left = steps.start(ANN, redirect_uri="https://www.example.com/back/")
        assert isinstance(left, steps.Departure) or left.category == "system"
