"""What goes wrong with a hosted login, by `on_failure`: what people see, what the timeline says, where it goes on.

The person is known (imported), the directory can be read, and our own code is the next route, so that "branch" has
somebody whom it could carry on.
"""

import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth import get_user_model
from django.core import signing
from django.http import HttpResponse
from django.test import Client

from cognito_passwordless.causes import LOGIN_ERRORS, explain
from cognito_passwordless.cognito.caches import reset_documents
from cognito_passwordless.cognito.oidc import http
from cognito_passwordless.flows.hosted_login import fallback
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import ChallengeSession, JourneyEvent, MigratedUser

from .conftest import CALLBACK, Trip
from .provider import ACCESS, Provider

pytestmark = pytest.mark.django_db(transaction=True)
ANN = "ann@example.com"
NOT_FINISHED = "was not finished, or took too long"
TRY_AGAIN = "be reached at the moment. Try again in a minute."
A_CODE_INSTEAD = "be reached at the moment. We can send you a code instead."


@pytest.fixture(autouse=True)
def _nothing_is_known_yet() -> None:
    reset_documents()


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


@pytest.fixture
def broken(
    provider: Provider, cognito: LocalCognito, connect: Callable[..., Any], aws_identity: None
) -> Callable[..., LocalPool]:
    """A pool whose hosted login is ``provider``, with Ann in its directory and among the imported people."""

    def make(on_failure: str, *, routes: tuple[str, ...] = ("oidc", "local"), **person: Any) -> LocalPool:
        pool = cognito.create_pool("hosted", mfa="OPTIONAL")
        provider.pool, provider.claims = pool.id, {"aud": pool.client_id}
        connect(pool, issuer=provider.issuer, routes=list(routes), on_failure=on_failure)
        imported(pool, **person)
        return pool

    return make


def imported(pool: LocalPool, **person: Any) -> MigratedUser:
    sub = pool.add_user(ANN, **person)
    return MigratedUser.objects.create(
        connection="main", pool=pool.id, sub=sub, username=sub, email=ANN, attributes={"email_verified": "true"}
    )


class Person:
    """Somebody who has typed their address and been sent to the hosted login."""

    def __init__(self, provider: Provider) -> None:
        self.client = Client()
        assert self.client.post("/login/", {"identifier": ANN, "next": "/inbox/"}).status_code == 302
        self.left = self.client.get("/login/cognito/main/")
        self.state = ""
        if self.left.status_code == 302:
            query = parse_qs(urlsplit(self.left.headers["Location"]).query)
            self.state = query["state"][0]
            provider.expect(query["nonce"][0])

    def arrive(self, **answer: str) -> HttpResponse:
        return self.client.get(CALLBACK, {"state": self.state, **(answer or {"code": "code-1"})})  # type: ignore[return-value]

    def press(self, page: HttpResponse) -> HttpResponse:
        """The button of the page."""
        return self.client.post("/login/", fields_of(page))  # type: ignore[return-value]


def fields_of(page: HttpResponse) -> dict[str, str]:
    inputs = re.findall(r"<input [^>]*>", page.content.decode())
    named = [(re.search(r' name="([^"]*)"', one), re.search(r' value="([^"]*)"', one)) for one in inputs]
    return {name[1]: unescape(value[1]) for name, value in named if name and value}


def told() -> list[tuple[str, str, str, str]]:
    return list(JourneyEvent.objects.order_by("pk").values_list("step", "outcome", "cause", "category"))


def nobody_is_in(person: Person, outbox: list[Any]) -> None:
    assert "_auth_user_id" not in person.client.session
    assert not get_user_model().objects.exists()
    assert outbox == []


def no_door_has_opened(person: Person, page: HttpResponse, outbox: list[Any]) -> None:
    """Neither the page nor a wish for a code leads to another route."""
    assert "instead_of" not in fields_of(page)
    person.client.post("/login/", {"identifier": ANN, "by": "code"})
    challenge = ChallengeSession.objects.latest("created_at")
    assert (challenge.route, challenge.decoy_reason) == ("", "hosted_login_only")
    nobody_is_in(person, outbox)


def our_code_takes_its_place(
    person: Person, page: HttpResponse, outbox: list[Any], sent_code: Callable[[], str]
) -> None:
    """The page sends nothing by itself; its button does, and the code signs in and migrates."""
    text = page.content.decode()
    assert A_CODE_INSTEAD in unescape(text)
    assert TRY_AGAIN not in unescape(text)
    nobody_is_in(person, outbox)
    assert fields_of(page)["identifier"] == ANN
    assert person.press(page).headers["Location"] == "/login/code/"
    assert told()[-1] == ("sent", "ok", "", "")
    assert ChallengeSession.objects.latest("created_at").route == "local"
    assert not get_user_model().objects.exists()
    assert person.client.post("/login/code/", {"code": sent_code()}).headers["Location"] == "/inbox/"
    record = MigratedUser.objects.get()
    assert (record.status, record.method) == ("migrated", "local_otp")
    assert person.client.session["_auth_user_id"] == str(record.user_id)


def test_without_any_fault_the_person_comes_in(provider: Provider, broken: Callable[..., LocalPool]) -> None:
    broken("branch")
    person = Person(provider)
    assert person.arrive().headers["Location"] == "/inbox/"
    assert "_auth_user_id" in person.client.session


@pytest.mark.parametrize("on_failure", ["abort", "branch"])
@pytest.mark.parametrize("error", [*sorted(LOGIN_ERRORS), "invalid_client", "something_new"])
def test_an_error_that_a_browser_brings_changes_no_route(
    provider: Provider, broken: Callable[..., LocalPool], outbox: list[Any], error: str, on_failure: str
) -> None:
    """Whoever brings it may have written it, the setup's own errors too."""
    broken(on_failure)
    person = Person(provider)
    page = person.arrive(error=error, error_description="mis<b>configured")
    category = explain(error if error in LOGIN_ERRORS else "login_error").category
    assert page.status_code == (503 if category == "system" else 403)
    text = unescape(page.content.decode())
    assert (TRY_AGAIN if category == "system" else NOT_FINISHED) in text
    assert error not in text
    assert "configured" not in text
    known = error if error in LOGIN_ERRORS else "login_error"
    assert told()[-1] == ("answered", "refused" if category == "flow" else "failed", known, category)
    assert "POST /token" not in provider.paths()
    no_door_has_opened(person, page, outbox)


# What the token endpoint does, the cause, the page's status, and whether "branch" goes on.
EXCHANGES: list[tuple[int, dict[str, str], int | bytes | str, str, int, bool]] = [
    (400, {"error": "invalid_grant"}, "", "session_expired", 403, False),
    (400, {"error": "invalid_request"}, "", "not_authorized", 403, False),
    (400, {"error": "invalid_scope"}, "", "not_authorized", 403, False),
    (400, {"error": "something_new"}, "", "not_authorized", 403, False),
    (401, {"error": "invalid_client"}, "", "misconfigured", 503, True),
    (400, {"error": "invalid_client"}, "", "misconfigured", 503, True),
    # Some providers say so of a code that is somebody else's, which whoever hands it in can bring about.
    (400, {"error": "unauthorized_client"}, "", "misconfigured", 503, False),
    (400, {"error": "unsupported_grant_type"}, "", "misconfigured", 503, False),
    (400, {"error": "temporarily_unavailable"}, "", "unavailable", 503, False),
    (400, {"error": "server_error"}, "", "unavailable", 503, False),
    (429, {"error": "invalid_client"}, "", "throttled", 503, False),
    (500, {"error": "invalid_client"}, "", "unavailable", 503, False),
    (503, {}, "", "unavailable", 503, False),
    (302, {}, "", "unavailable", 503, False),
    (200, {}, b'{"id_token": "x', "unavailable", 503, False),
    (200, {}, b"<html>invalid_client</html>", "unavailable", 503, False),
    (200, {}, "hang", "timeout", 503, False),
    (200, {"error": "invalid_client"}, "", "token_invalid", 403, False),
    (200, {"access_token": ACCESS}, "", "token_invalid", 403, False),
]


@pytest.mark.parametrize("on_failure", ["abort", "branch"])
@pytest.mark.parametrize(("status", "answer", "fault", "cause", "shown", "goes_on"), EXCHANGES)
def test_a_token_endpoint_that_fails(
    provider: Provider,
    broken: Callable[..., LocalPool],
    outbox: list[Any],
    sent_code: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    answer: dict[str, str],
    fault: int | bytes | str,
    cause: str,
    shown: int,
    goes_on: bool,
    on_failure: str,
) -> None:
    monkeypatch.setattr(http, "TIMEOUT", 1.0)
    broken(on_failure)
    person = Person(provider)
    provider.status, provider.tokens = status, answer
    if fault:
        provider.faults["token"] = fault
    page = person.arrive()
    assert page.status_code == shown
    text = unescape(page.content.decode())
    assert cause not in text
    assert answer.get("error", "-error-") not in text
    step, outcome, said, category = told()[-1]
    assert (step, said) == ("answered", cause)
    assert outcome == ("refused" if category == "flow" else "failed")
    assert provider.paths().count("POST /token") == 1
    if goes_on and on_failure == "branch":
        our_code_takes_its_place(person, page, outbox, sent_code)
    else:
        assert (TRY_AGAIN if shown == 503 else NOT_FINISHED) in text
        no_door_has_opened(person, page, outbox)


@pytest.mark.parametrize("on_failure", ["abort", "branch"])
@pytest.mark.parametrize(
    ("path", "fault", "cause"),
    [
        ("jwks", 500, "unavailable"),
        ("jwks", b"<html>", "unavailable"),
        ("jwks", b'{"keys": "none"}', "unavailable"),
        ("jwks", "hang", "timeout"),
        ("me", 429, "throttled"),
        ("me", 503, "unavailable"),
        ("me", b"<html>", "unavailable"),
        ("me", "hang", "timeout"),
    ],
)
def test_keys_or_user_info_that_cannot_be_had(
    provider: Provider,
    broken: Callable[..., LocalPool],
    settings: Any,
    outbox: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    fault: int | bytes | str,
    cause: str,
    on_failure: str,
) -> None:
    monkeypatch.setattr(http, "TIMEOUT", 1.0)
    broken(on_failure)
    settings.SOCIALACCOUNT_PROVIDERS["cognito"]["APPS"][-1]["settings"]["claims"] = {"userinfo": {"email": None}}
    person = Person(provider)
    provider.faults[path] = fault
    page = person.arrive()
    assert page.status_code == 503
    assert TRY_AGAIN in unescape(page.content.decode())
    assert told()[-1] == ("answered", "failed", cause, "system")
    no_door_has_opened(person, page, outbox)


@pytest.mark.parametrize("on_failure", ["abort", "branch"])
@pytest.mark.parametrize(
    ("document", "fault", "cause", "goes_on"),
    [
        ({"issuer": "https://somebody.else.example"}, "", "misconfigured", True),
        ({"token_endpoint": "file:///etc/passwd"}, "", "misconfigured", True),
        ({"jwks_uri": None}, "", "misconfigured", True),
        ({}, b"[]", "misconfigured", True),
        ({}, 404, "unavailable", False),
        ({}, 429, "unavailable", False),
        ({}, 500, "unavailable", False),
        ({}, b"<html>", "unavailable", False),
        ({}, "hang", "timeout", False),
    ],
)
def test_a_hosted_login_that_nobody_can_be_sent_to(
    provider: Provider,
    broken: Callable[..., LocalPool],
    outbox: list[Any],
    sent_code: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
    document: dict[str, Any],
    fault: int | bytes | str,
    cause: str,
    goes_on: bool,
    on_failure: str,
) -> None:
    monkeypatch.setattr(http, "TIMEOUT", 1.0)
    broken(on_failure)
    provider.discovery = document
    if fault:
        provider.faults["openid-configuration"] = fault
    person = Person(provider)
    page = person.left
    assert page.status_code == 503
    assert cause not in page.content.decode()
    assert told()[-1] == ("left", "failed", cause, "configuration" if goes_on else "system")
    if goes_on and on_failure == "branch":
        our_code_takes_its_place(person, page, outbox, sent_code)
    else:
        assert TRY_AGAIN in unescape(page.content.decode())
        no_door_has_opened(person, page, outbox)


@pytest.mark.parametrize("samesite", ["Lax", "Strict"])
def test_the_same_holds_for_answers_that_come_without_a_cookie(
    provider: Provider,
    broken: Callable[..., LocalPool],
    settings: Any,
    outbox: list[Any],
    sent_code: Callable[[], str],
    samesite: str,
) -> None:
    settings.SESSION_COOKIE_SAMESITE = samesite
    broken("branch")
    settings.SOCIALACCOUNT_PROVIDERS["cognito"]["APPS"][-1]["settings"]["response_mode"] = "form_post"
    person = Person(provider)
    assert Client().post(CALLBACK, {"error": "invalid_client", "state": person.state}).status_code == 303
    page: Any = person.client.get(f"{CALLBACK}?done")
    assert (page.status_code, told()[-1][2]) == (403, "login_error")
    no_door_has_opened(person, page, outbox)

    person = Person(provider)
    provider.status, provider.tokens = 401, {"error": "invalid_client"}
    assert Client().post(CALLBACK, {"code": "code-1", "state": person.state}).status_code == 303
    page = person.client.get(f"{CALLBACK}?done")
    assert (page.status_code, told()[-1][2]) == (503, "misconfigured")
    our_code_takes_its_place(person, page, outbox, sent_code)


@pytest.mark.parametrize(
    ("person", "cause"),
    [
        ({"mfa": True}, "mfa_required"),
        ({"enabled": False}, "disabled"),
        ({"status": "ARCHIVED"}, "archived"),
        ({"status": "UNCONFIRMED"}, "unconfirmed"),
        # What their own provider asks of them is not known here: it may be a second factor.
        ({"status": "EXTERNAL_PROVIDER"}, "otp_unavailable"),
        ({"status": "UNKNOWN"}, "not_authorized"),
    ],
)
def test_our_code_takes_the_place_only_where_the_directory_confirms_that_no_factor_is_lost(
    provider: Provider, broken: Callable[..., LocalPool], outbox: list[Any], person: dict[str, Any], cause: str
) -> None:
    broken("branch", **person)
    provider.discovery = {"issuer": "https://somebody.else.example"}
    ann = Person(provider)
    ann.press(ann.left)
    challenge = ChallengeSession.objects.latest("created_at")
    assert (challenge.route, challenge.decoy_reason) == ("", cause)
    assert told()[-1] == ("sent", "refused", cause, "flow")
    nobody_is_in(ann, outbox)


def test_a_directory_that_cannot_be_asked_confirms_nothing(
    provider: Provider, broken: Callable[..., LocalPool], outbox: list[Any], cognito: LocalCognito
) -> None:
    pool = broken("branch")
    cognito.fail("AdminGetUser", "AccessDeniedException", times=50, pool_id=pool.id)
    provider.discovery = {"issuer": "https://somebody.else.example"}
    ann = Person(provider)
    ann.press(ann.left)
    assert told()[-1] == ("sent", "refused", "not_authorized", "flow")
    nobody_is_in(ann, outbox)


@pytest.mark.parametrize("routes", [("oidc",), ("local", "oidc"), ("otp", "oidc")])
def test_where_no_code_is_the_next_route_branch_is_the_same_as_abort(
    provider: Provider, broken: Callable[..., LocalPool], outbox: list[Any], routes: tuple[str, ...]
) -> None:
    broken("branch", routes=routes)
    provider.discovery = {"issuer": "https://somebody.else.example"}
    page = Client().get("/login/cognito/main/")
    assert page.status_code == 503
    assert TRY_AGAIN in unescape(page.content.decode())
    assert "instead_of" not in fields_of(page)  # type: ignore[arg-type]


def test_the_pools_own_code_takes_the_place_where_it_is_the_next_route(
    provider: Provider,
    hosted: Callable[..., LocalPool],
    trip: Callable[[LocalPool], Trip],
    cognito: LocalCognito,
    outbox: list[Any],
) -> None:
    pool = hosted(routes=["oidc", "otp", "local"], endpoints={"token_endpoint": f"{provider.url}/token"})
    provider.status, provider.tokens = 401, {"error": "invalid_client"}
    going = trip(pool)
    going.client.post("/login/", {"identifier": ANN})
    page = going.sign_in()
    assert page.status_code == 503
    sent = len(cognito.inbox)
    assert going.client.post("/login/", fields_of(page)).headers["Location"] == "/login/code/"
    assert ChallengeSession.objects.latest("created_at").route == "cognito_otp"
    assert (len(cognito.inbox), outbox) == (sent + 1, [])
    going.client.post("/login/code/", {"code": cognito.last_code(ANN)})
    assert going.user_id == str(MigratedUser.objects.get(method="cognito_otp").user_id)


def test_the_next_code_of_a_sign_in_that_went_on_is_ours_too(
    provider: Provider, broken: Callable[..., LocalPool], outbox: list[Any], sent_code: Callable[[], str]
) -> None:
    broken("branch")
    provider.discovery = {"issuer": "https://somebody.else.example"}
    ann = Person(provider)
    ann.press(ann.left)
    ChallengeSession.objects.update(last_sent_at="2026-01-01T00:00:00Z")
    assert ann.client.post("/login/code/retry/").headers["Location"] == "/login/code/"
    assert (ChallengeSession.objects.latest("created_at").route, len(outbox)) == ("local", 2)
    ann.client.post("/login/code/", {"code": sent_code()})
    assert "_auth_user_id" in ann.client.session


@pytest.mark.parametrize("forged", ["main", "signed for something else", "old"])
def test_whoever_says_so_themselves_opens_nothing(
    provider: Provider,
    broken: Callable[..., LocalPool],
    outbox: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    forged: str,
) -> None:
    broken("branch")
    token = forged if forged == "main" else signing.dumps("main")
    if forged == "old":
        token = fallback.attest("main")
        monkeypatch.setattr(fallback, "MAX_AGE", -1)
    person = Person(provider)
    person.client.post("/login/", {"identifier": ANN, "by": "code", "instead_of": token})
    assert ChallengeSession.objects.latest("created_at").decoy_reason == "hosted_login_only"
    nobody_is_in(person, outbox)


@pytest.mark.parametrize(
    ("on_failure", "routes", "alias"),
    [
        ("branch", ("oidc", "local"), "other"),
        # The configuration has changed since the page was there.
        ("abort", ("oidc", "local"), "main"),
        ("branch", ("oidc",), "main"),
    ],
)
def test_what_was_found_holds_for_that_hosted_login_and_as_it_is_configured_now(
    provider: Provider,
    broken: Callable[..., LocalPool],
    outbox: list[Any],
    on_failure: str,
    routes: tuple[str, ...],
    alias: str,
) -> None:
    broken(on_failure, routes=routes)
    person = Person(provider)
    person.client.post("/login/", {"identifier": ANN, "by": "code", "instead_of": fallback.attest(alias)})
    assert ChallengeSession.objects.latest("created_at").decoy_reason == "hosted_login_only"
    nobody_is_in(person, outbox)


def test_the_page_after_signing_in_stays_on_the_site(provider: Provider, broken: Callable[..., LocalPool]) -> None:
    broken("branch")
    provider.discovery = {"issuer": "https://somebody.else.example"}
    for url in ("https://evil.example/", "//evil.example", "javascript:alert(1)"):
        page = Client().get("/login/cognito/main/", {"next": url})
        assert "next" not in fields_of(page)  # type: ignore[arg-type]
        assert "evil" not in page.content.decode()


def test_a_page_with_a_typing_mistake_still_goes_on(
    provider: Provider, broken: Callable[..., LocalPool], outbox: list[Any]
) -> None:
    broken("branch")
    provider.discovery = {"issuer": "https://somebody.else.example"}
    ann = Person(provider)
    again = ann.client.post("/login/", {**fields_of(ann.left), "identifier": "ann@"})
    assert again.status_code == 200
    given = {**fields_of(again), "identifier": ANN, "by": "code"}  # type: ignore[arg-type]
    ann.client.post("/login/", given)
    assert ChallengeSession.objects.latest("created_at").route == "local"


def test_somebody_who_has_typed_nothing_is_asked_who_they_are(
    provider: Provider, broken: Callable[..., LocalPool], outbox: list[Any]
) -> None:
    broken("branch")
    provider.discovery = {"issuer": "https://somebody.else.example"}
    client = Client()
    page = client.get("/login/cognito/main/", {"next": "/inbox/"})
    fields = fields_of(page)  # type: ignore[arg-type]
    assert fields["next"] == "/inbox/"
    assert "identifier" not in fields
    client.post("/login/", {**fields, "identifier": ANN})
    assert len(outbox) == 1


def test_the_button_is_bound_by_the_sites_captcha_and_its_form_token(
    provider: Provider, broken: Callable[..., LocalPool], outbox: list[Any], settings: Any
) -> None:
    broken("branch")
    provider.discovery = {"issuer": "https://somebody.else.example"}
    page = Person(provider).left
    assert Client(enforce_csrf_checks=True).post("/login/", {"identifier": ANN, "by": "code"}).status_code == 403
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "CAPTCHA": f"{__name__}.nobody_passes"}
    assert Client().post("/login/", fields_of(page)).status_code == 200
    assert outbox == []


def nobody_passes(request: object, step: str) -> bool:
    return False
