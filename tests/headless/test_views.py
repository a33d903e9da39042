"""The sign-in as JSON, by a browser and by an app that knows no cookie: what opens, and what does not."""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.test import Client

from cognito_passwordless.delivery import Message
from cognito_passwordless.flows.challenges.attempts import handle_hash
from cognito_passwordless.headless import views
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import ChallengeSession, FailureCount, MigratedUser, PhoneNumber

from .clients import ApiClient, codes, newest, pending

pytestmark = pytest.mark.django_db(transaction=True)
ANN = "ann@example.com"
WRONG = "00000000"


@pytest.fixture
def ann(make_user: Callable[..., User]) -> User:
    return make_user(ANN)


def robot(request: HttpRequest, step: str) -> bool:
    return False


def cooled_down() -> None:
    """Half an hour passes in the cool-down of every challenge."""
    for challenge in ChallengeSession.objects.all():
        challenge.last_sent_at -= timedelta(minutes=30)
        challenge.save()


def test_a_local_user_signs_in(api: ApiClient, ann: User, sent_code: Callable[[], str]) -> None:
    asked = api.post("auth/code/request", email=ANN)
    assert (asked["status"], asked["meta"]["is_authenticated"]) == (401, False)
    assert pending(asked) == ["login_by_code"]
    assert pending(api.get("auth/session")) == ["login_by_code"]
    assert api.get("config")["status"] == 200
    done = api.post("auth/code/confirm", code=sent_code())
    assert done["status"] == 200
    assert done["meta"]["is_authenticated"] is True
    assert done["data"]["user"]["id"] == ann.pk
    assert done["data"]["methods"][0] | {"at": 0} == {"method": "code", "email": ANN, "at": 0}
    assert api.get("auth/session")["data"]["user"]["email"] == ANN
    assert api.post("auth/code/request", email=ANN)["status"] == 409
    assert api.call("DELETE", "auth/session")["status"] == 401


def test_a_person_of_the_pool_signs_in_with_the_pools_code_and_is_migrated(
    api: ApiClient, pool: LocalPool, cognito: LocalCognito
) -> None:
    sub = pool.add_user(ANN)
    api.post("auth/code/request", email=ANN)
    assert api.post("auth/code/confirm", code=cognito.last_code(ANN))["status"] == 200
    record = MigratedUser.objects.get()
    assert (record.sub, record.status, record.method) == (sub, "migrated", "cognito_otp")


def test_a_number_gets_its_code_by_sms(
    api: ApiClient, ann: User, outbox: list[Message], sent_code: Callable[[], str]
) -> None:
    PhoneNumber.objects.create(user=ann, number="+4915112345678", verified=True)
    assert pending(api.post("auth/code/request", phone="+49 151 12345678")) == ["login_by_code"]
    assert (outbox[-1].channel, outbox[-1].recipient) == ("sms", "+4915112345678")
    assert api.post("auth/code/confirm", code=sent_code())["status"] == 200


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, ("required", "email")),
        ({"email": "nonsense"}, ("invalid", "email")),
        ({"email": "+4915112345678"}, ("invalid", "email")),
        ({"phone": ANN}, ("invalid", "phone")),
        ({"phone": "+12025550123"}, ("not_served", "phone")),
        ({"email": ANN, "channel": "pigeon"}, ("invalid_choice", "channel")),
    ],
)
def test_what_cannot_be_sent_to_is_said_with_a_stable_code(
    api: ApiClient, data: dict[str, str], expected: tuple[str, str]
) -> None:
    answer = api.post("auth/code/request", **data)
    assert (answer["status"], codes(answer)) == (400, [expected])
    assert not ChallengeSession.objects.exists()


def test_what_is_no_json_is_told_so_in_json(api: ApiClient) -> None:
    path = f"/_allauth/{api.kind}/v1/auth/code/request"
    for body in (b"{", b"[]", b"\xff"):
        response = api.http.post(path, body, content_type="application/json")
        assert (response.status_code, codes(response.json())) == (400, [("invalid_json", "")])


def test_wrong_expired_and_used_up_are_one_answer(api: ApiClient, ann: User, sent_code: Callable[[], str]) -> None:
    api.post("auth/code/request", email=ANN)
    right = sent_code()
    answers = [api.post("auth/code/confirm", code=WRONG) for _ in range(4)]
    answers.append(api.post("auth/code/confirm", code=right))
    challenge = newest()
    challenge.attempts, challenge.expires_at = 0, challenge.created_at - timedelta(hours=1)
    challenge.save()
    answers.append(api.post("auth/code/confirm", code=right))
    assert {(answer["status"], *codes(answer)) for answer in answers} == {(400, ("incorrect_code", "code"))}
    assert {row.count for row in FailureCount.objects.all()} == {3}


def test_a_refusal_is_held_back_until_the_floor(
    api: ApiClient, ann: User, sent_code: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[float] = []
    monkeypatch.setattr(views, "time", SimpleNamespace(monotonic=lambda: 5.0, sleep=held.append))
    api.post("auth/code/request", email=ANN)
    ChallengeSession.objects.update(refusal_floor=2)
    api.post("auth/code/confirm", code=WRONG)
    assert held == [2.0]


def test_what_is_no_code_spends_no_attempt(api: ApiClient) -> None:
    api.post("auth/code/request", email=ANN)
    for code in ("", "abc", None):
        assert codes(api.post("auth/code/confirm", code=code))[0][1] == "code"
    assert newest().attempts == 0


@pytest.mark.parametrize("address", ["auth/code/confirm", "auth/code/resend"])
def test_without_a_challenge_there_is_a_conflict(api: ApiClient, address: str) -> None:
    for code in (WRONG, ""):
        assert api.post(address, code=code)["status"] == 409
    assert api.get("auth/code/status")["status"] == 409
    if api.kind == "app":
        api.token = "code.never-given"
        assert api.post(address, code=WRONG)["status"] == 409


def test_a_code_is_sent_again_after_the_cool_down(api: ApiClient, ann: User, outbox: list[Message]) -> None:
    api.post("auth/code/request", email=ANN)
    early = api.post("auth/code/resend")
    assert (early["status"], codes(early)) == (429, [("too_soon", "")])
    assert 0 < int(api.last["Retry-After"]) <= 30
    cooled_down()
    assert api.post("auth/code/resend")["status"] == 200
    assert len(outbox) == 2


def test_a_code_that_is_over_gives_way_to_a_fresh_one(api: ApiClient, ann: User, sent_code: Callable[[], str]) -> None:
    api.post("auth/code/request", email=ANN)
    for _ in range(3):
        api.post("auth/code/confirm", code=WRONG)
    cooled_down()
    before = api.token
    assert api.post("auth/code/resend")["status"] == 200
    assert api.kind == "browser" or api.token != before
    assert api.post("auth/code/confirm", code=sent_code())["status"] == 200


def test_the_status_is_the_one_of_the_code_page(api: ApiClient, ann: User) -> None:
    api.post("auth/code/request", email=ANN)
    data = api.get("auth/code/status")["data"]
    assert data["state"] == "sent"
    assert data["can_resend"] is True
    assert 0 < data["seconds_to_resend"] <= 30 < data["seconds_left"] <= 600


def test_the_right_code_opens_one_session(api: ApiClient, ann: User, sent_code: Callable[[], str]) -> None:
    api.post("auth/code/request", email=ANN)
    token, cookies = api.token, api.http.cookies.copy()
    assert api.post("auth/code/confirm", code=sent_code())["status"] == 200
    assert "cognito_passwordless_api" not in {k for k, v in api.http.cookies.items() if v.value}
    again = ApiClient(api.kind)
    again.token = token
    again.http.cookies.update({k: v for k, v in cookies.items() if k == "cognito_passwordless_api"})
    assert again.post("auth/code/confirm", code=sent_code())["status"] == 400
    assert not again.get("auth/session")["meta"]["is_authenticated"]


class TestBinding:
    def test_what_the_client_holds_is_in_no_table(self, api: ApiClient, ann: User) -> None:
        api.post("auth/code/request", email=ANN)
        held = api.token.removeprefix("code.") or api.http.cookies["cognito_passwordless_api"].value
        assert len(held) >= 43
        row = ChallengeSession.objects.values().get()
        assert row["handle_hash"] == handle_hash(held)
        assert held not in str(row)
        assert not Session.objects.exists()

    def test_the_cookie_is_for_no_script(self, ann: User) -> None:
        api = ApiClient("browser")
        api.post("auth/code/request", email=ANN)
        cookie = api.http.cookies["cognito_passwordless_api"]
        assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")

    def test_another_client_cannot_use_the_code(self, api: ApiClient, ann: User, sent_code: Callable[[], str]) -> None:
        api.post("auth/code/request", email=ANN)
        other = ApiClient(api.kind)
        assert other.post("auth/code/confirm", code=sent_code())["status"] == 409

    def test_a_challenge_of_one_entrance_opens_nothing_at_another(
        self, client: Client, ann: User, sent_code: Callable[[], str]
    ) -> None:
        """The handles are put where the others look for theirs."""
        app, browser = ApiClient("app"), ApiClient("browser")
        app.post("auth/code/request", email=ANN)
        browser.post("auth/code/request", email=ANN)
        client.post("/login/", {"identifier": ANN})
        held = {
            "app": app.token.removeprefix("code."),
            "browser": browser.http.cookies["cognito_passwordless_api"].value,
            "page": client.cookies["cognito_passwordless"].value,
        }
        for name, handle in held.items():
            challenge = ChallengeSession.objects.get(handle_hash=handle_hash(handle))
            assert challenge.purpose == {"page": "sign_in"}.get(name, name)
        code = sent_code()
        for foreign in (held["browser"], held["page"]):
            app.token = f"code.{foreign}"
            assert app.post("auth/code/confirm", code=code)["status"] == 409
            assert app.post("auth/code/resend")["status"] == 409
        for foreign in (held["app"], held["page"]):
            browser.http.cookies["cognito_passwordless_api"] = foreign
            assert browser.post("auth/code/confirm", code=code)["status"] == 409
        for foreign in (held["app"], held["browser"]):
            client.cookies["cognito_passwordless"] = foreign
            assert client.post("/login/code/", {"code": code})["Location"] == "/login/?again"
        assert not ChallengeSession.objects.filter(attempts__gt=0).exists()

    def test_a_cross_site_form_starts_nothing_in_a_browser(self, ann: User) -> None:
        http = Client(enforce_csrf_checks=True)
        path = "/_allauth/{}/v1/auth/code/request"
        assert http.post(path.format("browser"), {"email": ANN}, content_type="application/json").status_code == 403
        assert http.post(path.format("app"), {"email": ANN}, content_type="application/json").status_code == 401

    def test_a_session_that_is_over_is_gone(self) -> None:
        api = ApiClient("app")
        api.token = "x" * 32
        assert api.post("auth/code/request", email=ANN)["status"] == 410

    def test_signing_out_ends_what_was_asked_for(
        self, api: ApiClient, ann: User, sent_code: Callable[[], str]
    ) -> None:
        api.post("auth/code/request", email=ANN)
        assert api.call("DELETE", "auth/session")["status"] == 401
        assert api.post("auth/code/confirm", code=sent_code())["status"] == 400


def test_known_and_unknown_are_told_apart_by_nothing(
    api: ApiClient, client_kind: str, ann: User, pool: LocalPool
) -> None:
    pool.add_user("pool@example.com")

    def seen(address: str) -> list[Any]:
        client, found = ApiClient(client_kind), []
        for method, path, data in (
            ("POST", "request", {"email": address}),
            ("GET", "status", None),
            ("POST", "resend", {}),
            ("POST", "confirm", {"code": WRONG}),
            ("GET", "../session", None),
        ):
            answer = client.call(method, f"auth/code/{path}".replace("code/../", ""), data)
            if "session_token" in answer.get("meta", {}):
                answer["meta"]["session_token"] = len(answer["meta"]["session_token"])
            headers = {name: value for name, value in client.last.headers.items() if name != "Expires"}
            cookies = [(name, len(morsel.value)) for name, morsel in client.last.cookies.items()]
            found.append((answer, headers, cookies))
        return found

    first = seen(ANN)
    assert seen("nobody@example.com") == first
    assert seen("pool@example.com") == first


def test_pages_and_api_share_one_budget(api: ApiClient, client: Client, settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "LIMITS": {"starts_per_ip": "3/1h"}}
    client.post("/login/", {"identifier": ANN})
    for _ in range(2):
        assert api.post("auth/code/request", email=ANN)["status"] == 401
    answer = api.post("auth/code/request", email=ANN)
    assert (answer["status"], codes(answer)) == (429, [("too_many", "")])
    assert client.post("/login/", {"identifier": ANN}).status_code == 429


def test_a_broker_that_is_down_is_told_to_everybody(api: ApiClient, settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "DISPATCH": "tests.test_views.broken_dispatch"}
    answer = api.post("auth/code/request", email=ANN)
    assert (answer["status"], codes(answer)) == (503, [("cannot_send", "")])


def test_a_captcha_is_asked(api: ApiClient, settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "CAPTCHA": f"{__name__}.robot"}
    assert codes(api.post("auth/code/request", email=ANN)) == [("captcha", "")]


def test_a_person_who_may_not_come_in_is_told_so_after_the_proof(
    api: ApiClient, pool: LocalPool, cognito: LocalCognito
) -> None:
    sub = pool.add_user(ANN)
    api.post("auth/code/request", email=ANN)
    MigratedUser.objects.create(connection="main", pool=pool.id, sub=sub, username=sub, status="excluded")
    answer = api.post("auth/code/confirm", code=cognito.last_code(ANN))
    assert (answer["status"], codes(answer)) == (400, [("refused", "")])


def test_a_domain_of_a_hosted_login_is_led_there(
    api: ApiClient, pool: LocalPool, connect: Callable[..., Any], settings: Any
) -> None:
    settings.SOCIALACCOUNT_PROVIDERS = {"cognito": {"APPS": []}}
    connect(pool, routes=["oidc", "otp"], domains=["example.com"], domain="https://login.example.com")
    answer = api.post("auth/code/request", email=ANN)
    assert pending(answer) == ["provider_redirect"]
    (flow,) = [flow for flow in answer["data"]["flows"] if flow["id"] == "provider_redirect"]
    assert flow["providers"] == ["main"]
    assert pending(api.post("auth/code/request", email=ANN, by="code")) == ["login_by_code"]
