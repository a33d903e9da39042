"""The entrances: cookies, redirects, and what a browser without a challenge is told."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from cognito_passwordless.delivery import Message
from cognito_passwordless.models import ChallengeSession

pytestmark = pytest.mark.django_db(transaction=True)
HANDLE = "cognito_passwordless"


@pytest.fixture
def bob(make_user: Callable[..., User]) -> User:
    return make_user("bob@example.com")


def start(client: Client, **data: str) -> None:
    assert client.post("/login/", {"identifier": "bob@example.com", **data}).status_code == 302


def let_the_cooldown_pass() -> None:
    for challenge in ChallengeSession.objects.all():
        challenge.last_sent_at -= timedelta(seconds=31)
        challenge.save()


def test_the_handle_is_the_browsers_alone(client: Client, bob: User) -> None:
    start(client)
    cookie = client.cookies[HANDLE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert not cookie["domain"]
    assert len(cookie.value) >= 43  # 256 bits
    assert cookie.value not in str(ChallengeSession.objects.values())


def test_the_handle_is_secure_where_the_session_is(client: Client, bob: User, settings: Any) -> None:
    settings.SESSION_COOKIE_SECURE = True
    start(client)
    assert client.cookies[HANDLE]["secure"]


def test_another_browser_cannot_use_the_code(client: Client, bob: User, sent_code: Callable[[], str]) -> None:
    start(client)
    thief = Client()
    response = thief.post("/login/code/", {"code": sent_code()})
    assert response.headers["Location"] == "/login/?again"
    assert ChallengeSession.objects.get().attempts == 0


def test_the_handle_is_gone_at_success_and_the_code_opens_nothing_more(
    client: Client, bob: User, sent_code: Callable[[], str]
) -> None:
    start(client)
    handle = client.cookies[HANDLE].value
    client.post("/login/code/", {"code": sent_code()})
    assert client.cookies[HANDLE].value == ""
    replay = Client()
    replay.cookies[HANDLE] = handle
    assert replay.post("/login/code/", {"code": sent_code()}).status_code == 200
    assert "_auth_user_id" not in replay.session


def test_the_session_is_rotated(client: Client, bob: User, sent_code: Callable[[], str]) -> None:
    session = client.session
    session["cart"] = "kept"
    session.save()
    before = session.session_key
    start(client)
    client.post("/login/code/", {"code": sent_code()})
    assert client.session.session_key != before
    assert client.session["cart"] == "kept"


@pytest.mark.parametrize("path", ["/login/code/", "/login/code/resend/", "/login/code/retry/"])
def test_without_a_challenge_one_starts_again(client: Client, path: str) -> None:
    response = client.post(path, {"code": "123456"})
    assert response.headers["Location"] == "/login/?again"
    assert b"start again" in client.get("/login/?again").content


def test_the_status_of_no_challenge_is_none(client: Client) -> None:
    response = client.get("/login/code/status/")
    assert (response.status_code, response.json()) == (404, {"state": "none"})


def test_people_go_on_to_where_they_wanted_to_go(client: Client, bob: User, sent_code: Callable[[], str]) -> None:
    page = client.get("/login/", {"next": "/inbox/"})
    assert b'name="next" value="/inbox/"' in page.content
    start(client, next="/inbox/")
    assert client.post("/login/code/", {"code": sent_code()}).headers["Location"] == "/inbox/"


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "http:///evil.example",
        "\x08//evil.example",
    ],
)
def test_nobody_is_sent_elsewhere(client: Client, bob: User, sent_code: Callable[[], str], url: str) -> None:
    start(client, next=url)
    assert client.post("/login/code/", {"code": sent_code()}).headers["Location"] == "/"


def test_somebody_signed_in_is_not_asked_again(client: Client, bob: User) -> None:
    client.force_login(bob, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get("/login/").headers["Location"] == "/"


def test_every_post_needs_the_csrf_token(bob: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    for path in ("/login/", "/login/code/", "/login/code/resend/", "/login/code/retry/"):
        assert strict.post(path, {"identifier": "bob@example.com"}).status_code == 403


@pytest.mark.parametrize("path", ["/login/", "/login/code/status/"])
def test_no_answer_is_cached(client: Client, path: str) -> None:
    assert "no-store" in client.get(path).headers["Cache-Control"]


def test_a_resend_waits_and_says_how_long(client: Client, bob: User, outbox: list[Message]) -> None:
    start(client)
    response = client.post("/login/code/resend/")
    assert response.status_code == 429
    assert 25 <= int(response.headers["Retry-After"]) <= 30
    assert b"You can ask for another code in" in response.content
    assert len(outbox) == 1
    let_the_cooldown_pass()
    assert client.post("/login/code/resend/").status_code == 302
    assert len(outbox) == 2
    assert outbox[0].text == outbox[1].text


def test_rotating_sends_a_new_code_and_the_old_one_is_over(
    client: Client, bob: User, sent_code: Callable[[], str], settings: Any
) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "OTP": {"ON_RESEND": "rotate"}}
    start(client)
    first = sent_code()
    let_the_cooldown_pass()
    client.post("/login/code/resend/")
    assert sent_code() != first
    client.post("/login/code/", {"code": first})
    assert "_auth_user_id" not in client.session
    client.post("/login/code/", {"code": sent_code()})
    assert "_auth_user_id" in client.session


def test_a_resend_of_a_used_up_challenge_starts_a_fresh_one(
    client: Client, bob: User, outbox: list[Message], sent_code: Callable[[], str]
) -> None:
    start(client)
    wrong = "000000" if sent_code() != "000000" else "111111"
    for _ in range(3):
        client.post("/login/code/", {"code": wrong})
    let_the_cooldown_pass()
    assert client.post("/login/code/resend/").headers["Location"] == "/login/code/"
    assert len(outbox) == 2
    client.post("/login/code/", {"code": sent_code()})
    assert "_auth_user_id" in client.session


def test_an_expired_code_says_the_same_as_a_wrong_one(client: Client, bob: User, sent_code: Callable[[], str]) -> None:
    start(client)
    wrong = client.post("/login/code/", {"code": "000000" if sent_code() != "000000" else "111111"})
    ChallengeSession.objects.update(expires_at=timezone.now())
    expired = client.post("/login/code/", {"code": sent_code()})
    assert wrong.context["form"].errors == expired.context["form"].errors
    assert wrong.status_code == expired.status_code == 200
    assert "_auth_user_id" not in client.session


def test_an_entry_that_cannot_be_a_code_costs_no_attempt(client: Client, bob: User) -> None:
    start(client)
    response = client.post("/login/code/", {"code": "12"})
    assert response.status_code == 200
    assert ChallengeSession.objects.get().attempts == 0


def test_no_page_gives_a_typed_code_back(client: Client, bob: User) -> None:
    start(client)
    assert b"424242" not in client.post("/login/code/", {"code": "424242"}).content


def test_a_new_start_ends_this_browsers_challenge_and_nobody_elses(client: Client, bob: User) -> None:
    other = Client()
    start(other)
    start(client)
    start(client)
    outcomes = list(ChallengeSession.objects.order_by("created_at").values_list("outcome", flat=True))
    assert outcomes == ["open", "superseded", "open"]


def broken_dispatch(challenge_id: str, generation: int, channel: str) -> None:
    from cognito_passwordless.exceptions import DispatchFailed

    raise DispatchFailed("broker")


def test_when_no_worker_can_be_told_people_learn_it_and_nothing_is_half_done(
    client: Client, bob: User, settings: Any
) -> None:
    start(client)
    before = ChallengeSession.objects.values().get()
    settings.COGNITO_PASSWORDLESS = {
        **settings.COGNITO_PASSWORDLESS,
        "DISPATCH": "tests.test_views.broken_dispatch",
    }
    response = client.post("/login/", {"identifier": "bob@example.com"})
    assert response.status_code == 503
    assert b"send codes at the moment" in response.content
    assert ChallengeSession.objects.values().get() == before
    let_the_cooldown_pass()
    before = ChallengeSession.objects.values().get()
    for path in ("/login/code/resend/", "/login/code/retry/"):
        assert client.post(path).status_code == 503
        assert ChallengeSession.objects.values().get() == before


def test_a_network_that_starts_too_many_is_told_to_wait(client: Client, bob: User, settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "LIMITS": {"starts_per_ip": "2/1h"}}
    start(client)
    start(client)
    response = client.post("/login/", {"identifier": "anybody@example.com"})
    assert response.status_code == 429
    assert 3590 <= int(response.headers["Retry-After"]) <= 3600  # the window began with the first of them


def test_a_known_browser_still_gets_in_when_strangers_have_used_up_the_count(
    client: Client, bob: User, sent_code: Callable[[], str], settings: Any
) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "LIMITS": {"failures": "2"}}
    start(client)
    client.post("/login/code/", {"code": sent_code()})
    assert "_auth_user_id" in client.session
    client.post("/accounts/logout/")

    stranger = Client()
    start(stranger)
    for _ in range(3):
        stranger.post("/login/code/", {"code": "000000" if sent_code() != "000000" else "111111"})
    another = Client()
    start(another)
    assert ChallengeSession.objects.latest("created_at").decoy_reason == "link_sent"

    start(client)
    client.post("/login/code/", {"code": sent_code()})
    assert "_auth_user_id" in client.session


def test_a_request_that_came_past_the_proxies_is_answered(client: Client, bob: User, settings: Any) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 2
    start(client)
