"""Sign-in by the hosted login, from the first page to the last, against the local Cognito."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.test import Client

from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import ChallengeSession, JourneyEvent, MigratedUser

from .conftest import CALLBACK, Trip

pytestmark = pytest.mark.django_db(transaction=True)

Hosted = Callable[..., LocalPool]
MakeTrip = Callable[[LocalPool], Trip]


def timeline() -> list[tuple[str, str, str, str]]:
    return list(JourneyEvent.objects.order_by("pk").values_list("step", "outcome", "cause", "route"))


def test_a_pool_user_signs_in_at_the_hosted_login_and_is_migrated(hosted: Hosted, trip: MakeTrip) -> None:
    going = trip(hosted())
    response = going.sign_in()
    assert (response.status_code, response.headers["Location"]) == (302, "/")
    record = MigratedUser.objects.get()
    assert (record.status, record.method, record.connection) == ("migrated", "cognito_oidc", "main")
    assert going.user_id == str(record.user_id)
    account = SocialAccount.objects.get()
    assert (account.provider, account.uid, account.user_id) == ("main", record.sub, record.user_id)
    assert set(account.extra_data) == {"pool", "sub"}
    # Nothing was proven to us, whatever the pool says of the address.
    assert EmailAddress.objects.get().verified is False
    assert timeline() == [
        ("left", "ok", "", "cognito_oidc"),
        ("answered", "ok", "", "cognito_oidc"),
        ("migrated", "ok", "", "cognito_oidc"),
        ("signed_in", "ok", "", "cognito_oidc"),
    ]
    challenge = ChallengeSession.objects.get()
    assert (challenge.outcome, challenge.pool_session) == ("verified", "")
    assert going.client.cookies["cognito_passwordless"].value == ""


def test_the_next_time_it_is_the_same_user(hosted: Hosted, trip: MakeTrip) -> None:
    pool = hosted()
    trip(pool).sign_in()
    again = trip(pool)
    again.sign_in()
    assert again.user_id == str(get_user_model().objects.get().pk)
    assert SocialAccount.objects.count() == MigratedUser.objects.count() == 1


def test_the_request_asks_for_what_the_connection_says_and_nothing_a_query_adds(hosted: Hosted) -> None:
    hosted(
        acr_values=["urn:cognito:loa:2"],
        claims={"id_token": {"auth_time": {"essential": True}}},
        response_mode="form_post",
        authorize_params={"prompt": "login", "identity_provider": "Google", "max_age": "600", "resource": "x"},
        scope=["openid", "email"],
    )
    url = Client().get("/login/cognito/main/?redirect_uri=https://evil.example/&scope=admin&prompt=none&state=mine")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url.headers["Location"]).query).items()}
    state, nonce, challenge = asked.pop("state"), asked.pop("nonce"), asked.pop("code_challenge")
    assert min(len(state), len(nonce), len(challenge)) >= 43
    assert len({state, nonce, challenge}) == 3
    pool_client = asked.pop("client_id")
    assert pool_client
    assert asked == {
        "response_type": "code",
        "redirect_uri": f"https://www.example.com{CALLBACK}",
        "scope": "openid email",
        "code_challenge_method": "S256",
        "response_mode": "form_post",
        "acr_values": "urn:cognito:loa:2",
        "claims": '{"id_token": {"auth_time": {"essential": true}}}',
        "prompt": "login",
        "identity_provider": "Google",
        "max_age": "600",
        "resource": "x",
        "lang": "en",
    }


def test_one_http_call_when_everything_is_warm(hosted: Hosted, trip: MakeTrip, cognito: LocalCognito) -> None:
    pool = hosted()
    trip(pool).sign_in()
    again = trip(pool)
    answer = again.prove(again.leave())
    before = len(cognito.visits)
    again.arrive(answer)
    assert cognito.visits[before:] == ["POST /oauth2/token"]
    assert again.user_id


def test_a_domain_stands_for_its_endpoints_without_discovery(
    hosted: Hosted, trip: MakeTrip, cognito: LocalCognito
) -> None:
    going = trip(hosted(domain=cognito.url))
    before = len(cognito.visits)
    going.sign_in()
    assert going.user_id
    assert not [visit for visit in cognito.visits[before:] if "openid-configuration" in visit]


@pytest.mark.parametrize("samesite", ["Lax", "Strict"])
def test_a_cross_site_answer_without_cookies_waits_for_the_browser_that_asked(
    hosted: Hosted, trip: MakeTrip, settings: Any, samesite: str
) -> None:
    settings.SESSION_COOKIE_SAMESITE = samesite
    going = trip(hosted(response_mode="form_post"))
    answer = going.prove(going.leave())
    assert going.client.cookies["cognito_passwordless"]["samesite"] == samesite
    arrived = Client(enforce_csrf_checks=True).post(CALLBACK, answer)
    assert (arrived.status_code, arrived.headers["Location"]) == (303, f"{CALLBACK}?wait")
    assert answer["code"] not in ChallengeSession.objects.get().pool_session
    page = Client().get(f"{CALLBACK}?wait")
    assert f'<meta http-equiv="refresh" content="0; url={CALLBACK}?done">' in page.content.decode()
    assert "<script" not in page.content.decode()
    done = going.client.get(f"{CALLBACK}?done")
    assert done.headers["Location"] == "/"
    assert going.user_id
    assert ChallengeSession.objects.get().pool_session == ""


def test_under_strict_an_answer_in_the_query_takes_the_same_way(hosted: Hosted, trip: MakeTrip, settings: Any) -> None:
    settings.SESSION_COOKIE_SAMESITE = "Strict"
    going = trip(hosted())
    answer = going.prove(going.leave())
    arrived = going.arrive(answer)  # even if the browser did send the cookie
    assert arrived.headers["Location"] == f"{CALLBACK}?wait"
    assert arrived.headers["Referrer-Policy"] == "no-referrer"
    assert going.user_id is None
    going.client.get(f"{CALLBACK}?done")
    assert going.user_id


def test_the_page_to_go_to_survives(hosted: Hosted, trip: MakeTrip) -> None:
    going = trip(hosted())
    response = going.sign_in(url="/login/cognito/main/?next=/inbox/")
    assert response.headers["Location"] == "/inbox/"


@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_the_page_to_go_to_stays_on_the_site(hosted: Hosted, trip: MakeTrip, url: str) -> None:
    going = trip(hosted())
    page = going.browser.request(going.client.get("/login/cognito/main/", {"next": url}).headers["Location"])
    answer = going.prove(page)
    assert going.arrive({**answer, "next": url}).headers["Location"] == "/"


def test_people_with_pool_mfa_are_asked_for_it_there(hosted: Hosted, trip: MakeTrip, cognito: LocalCognito) -> None:
    pool = hosted(people=False)
    pool.add_user("max@example.com", phone_number="+491510000001", mfa=True)
    going = trip(pool)
    page = going.browser.prove(going.leave(), "max@example.com")
    page = going.browser.submit(page, code=cognito.last_code("+491510000001") or "")
    going.arrive(page.answer)
    assert going.user_id


def test_a_federated_person_signs_in(hosted: Hosted, trip: MakeTrip) -> None:
    pool = hosted(people=False, authorize_params={"identity_provider": "Google"})
    sub = pool.add_federated_user("Google", "1234", "gil@example.com")
    going = trip(pool)
    page = going.browser.submit(going.leave(), provider="Google", external="1234")
    going.arrive(page.answer)
    assert going.user_id == str(MigratedUser.objects.get(sub=sub).user_id)


def test_two_connections_at_once(hosted: Hosted, trip: MakeTrip) -> None:
    one, two = hosted("main"), hosted("other", people=False)
    two.add_user("ann@other.example")
    trip(one).sign_in()
    going = trip(two)
    page = going.leave("/login/cognito/other/")
    answer = going.prove(page, "ann@other.example")
    going.client.get("/login/cognito/other/callback/", answer)
    assert going.user_id
    assert MigratedUser.objects.filter(connection="other").exists()


def test_a_pool_person_is_not_linked_by_an_address_that_was_not_proven(
    hosted: Hosted, trip: MakeTrip, make_user: Callable[..., User]
) -> None:
    make_user("ann@example.com")
    going = trip(hosted())
    response = going.sign_in()
    assert response.headers["Location"] == "/login/code/join/"
    assert going.user_id is None
    assert not MigratedUser.objects.exists()


def test_the_email_form_sends_people_to_the_hosted_login_where_that_is_the_first_route(
    hosted: Hosted, trip: MakeTrip
) -> None:
    going = trip(hosted(routes=["oidc", "otp"]))
    response = going.client.post("/login/", {"identifier": "ann@example.com", "next": "/inbox/"})
    assert (response.status_code, response.headers["Location"]) == (302, "/login/cognito/main/")
    away = going.client.get("/login/cognito/main/").headers["Location"]
    assert parse_qs(urlsplit(away).query)["login_hint"] == ["ann@example.com"]
    assert ChallengeSession.objects.count() == 1
    assert going.arrive(going.prove(going.browser.request(away))).headers["Location"] == "/inbox/"


def test_a_browser_gets_a_page_between_for_its_form_may_not_lead_elsewhere(hosted: Hosted) -> None:
    hosted()
    client = Client(headers={"Sec-Fetch-Dest": "document"})
    response = client.post("/login/", {"identifier": "ann@example.com"})
    assert response.status_code == 200
    assert b'content="0; url=/login/cognito/main/"' in response.content
    assert b"ann@example.com" not in response.content


def test_home_realm_discovery_is_by_domain_alone(hosted: Hosted) -> None:
    hosted("main", domains=["one.example"])
    hosted("other", routes=["otp"])
    client = Client()
    for name in ("anybody", "nobody"):
        response = client.post("/login/", {"identifier": f"{name}@one.example"})
        assert response.headers["Location"] == "/login/cognito/main/"
    assert client.post("/login/", {"identifier": "x@two.example"}).headers["Location"] == "/login/code/"


def test_a_code_may_be_asked_for_instead(
    hosted: Hosted, make_user: Callable[..., User], sent_code: Callable[[], str]
) -> None:
    hosted()
    make_user("bob@example.com")
    client = Client()
    assert b'name="by" value="code"' in client.get("/login/").content
    response = client.post("/login/", {"identifier": "bob@example.com", "by": "code"})
    assert response.headers["Location"] == "/login/code/"
    assert b'href="/login/cognito/main/"' in client.get("/login/code/").content
    client.post("/login/code/", {"code": sent_code()})
    assert "_auth_user_id" in client.session


def test_from_the_code_page_to_the_hosted_login_nothing_has_to_be_typed_again(hosted: Hosted, trip: MakeTrip) -> None:
    going = trip(hosted(routes=["otp", "oidc"]))
    going.client.post("/login/", {"identifier": "ann@example.com", "next": "/inbox/"})
    away = going.client.get("/login/cognito/main/").headers["Location"]
    assert parse_qs(urlsplit(away).query)["login_hint"] == ["ann@example.com"]
    assert going.arrive(going.prove(going.browser.request(away))).headers["Location"] == "/inbox/"


def test_what_was_typed_is_not_what_was_proven(hosted: Hosted, trip: MakeTrip, make_user: Callable[..., User]) -> None:
    """Whoever types Bob's address and then signs in as herself is herself, here and in Bob's counts."""
    make_user("bob@example.com")
    going = trip(hosted())
    going.client.post("/login/", {"identifier": "bob@example.com"})
    going.sign_in()
    assert going.user_id == str(MigratedUser.objects.get().user_id)
    assert "cognito_passwordless_browser" not in going.client.cookies


def test_somebody_who_is_signed_in_stays_who_they_are(
    hosted: Hosted, trip: MakeTrip, make_user: Callable[..., User]
) -> None:
    going = trip(hosted())
    answer = going.prove(going.leave())
    bob = make_user("bob@example.com")
    going.client.force_login(bob)
    assert going.client.get("/login/cognito/main/").headers["Location"] == "/"
    assert going.client.get("/login/cognito/main/?process=connect").status_code == 403
    assert going.arrive(answer).status_code == 403
    assert going.user_id == str(bob.pk)
    assert not MigratedUser.objects.exists()
    assert timeline()[-1][:3] == ("answered", "refused", "signed_in_already")


@pytest.mark.parametrize("chosen", [{"enabled": False}, {"retired": True}, {"routes": ["otp"]}])
def test_a_connection_without_hosted_login_has_no_page(hosted: Hosted, chosen: dict[str, Any]) -> None:
    hosted(**chosen)
    client = Client()
    assert client.get("/login/cognito/main/").status_code == 404
    for page in (client.get(CALLBACK, {"code": "c", "state": "s"}), client.get("/login/cognito/unknown/")):
        assert page.status_code == 404
        assert b'href="/login/' in page.content  # and the other way on
    assert b"/login/cognito/" not in client.get("/login/").content


def test_the_starts_of_a_network_are_limited(hosted: Hosted, settings: Any) -> None:
    hosted()
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "LIMITS": {"starts_per_ip": "2/1h"}}
    client = Client()
    assert [client.get("/login/cognito/main/", {"next": "/"}).status_code for _ in range(3)] == [302, 302, 429]


def test_a_provider_that_cannot_be_reached_is_said_to_be_so(hosted: Hosted, cognito: LocalCognito) -> None:
    pool = hosted()
    cognito.fail(f"GET /{pool.id}/.well-known/openid-configuration", "500", times=5)
    response = Client().get("/login/cognito/main/")
    assert response.status_code == 503
    assert b"be reached at the moment" in response.content
    assert timeline() == [("left", "failed", "unavailable", "cognito_oidc")]
    cognito.faults.clear()


@pytest.mark.parametrize(
    ("fault", "cause", "status"),
    [("500", "unavailable", 503), ("bad_json", "unavailable", 503), ("throttle", "not_authorized", 403)],
)
def test_a_token_endpoint_that_fails_signs_nobody_in(
    hosted: Hosted, trip: MakeTrip, cognito: LocalCognito, fault: str, cause: str, status: int
) -> None:
    going = trip(hosted())
    answer = going.prove(going.leave())
    cognito.fail("POST /oauth2/token", fault)
    assert going.arrive(answer).status_code == status
    assert timeline()[-1][2] == cause
    assert going.user_id is None


def test_no_secret_is_left_anywhere(hosted: Hosted, trip: MakeTrip, caplog: Any) -> None:
    from ..test_no_code_at_rest import rows

    caplog.set_level(0)
    going = trip(hosted(response_mode="form_post"))
    page = going.leave()
    state = ChallengeSession.objects.get().pk.hex
    answer = going.prove(page)
    Client().post(CALLBACK, answer)
    before = rows()
    going.client.get(f"{CALLBACK}?done")
    assert going.user_id
    assert answer["state"].startswith(state)
    secrets = [answer["code"], answer["state"], answer["state"].partition(".")[2], "eyJ"]
    for place in (before, rows(), caplog.text, repr(dict(going.client.session))):
        for secret in secrets:
            assert secret not in place
