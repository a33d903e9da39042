"""The round trip by the hosted login in a real browser, across two sites, with the cookies as strict as they come."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from cognito_passwordless.delivery.memory import MemorySender
from cognito_passwordless.local import LocalCognito
from cognito_passwordless.models import ChallengeSession, MigratedUser

from ..hosted.provider import Provider
from .axe import violations
from .conftest import BOTH, Complaints, Look
from .person import enter, expect_signed_in

pytestmark = pytest.mark.django_db(transaction=True)
EMAIL = "ann@example.com"


@pytest.fixture
def origin(site: str, settings: Any) -> str:
    """The site by another name than Cognito's: a different port alone would be the same site to a cookie."""
    elsewhere = site.replace("127.0.0.1", "localhost")
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "PUBLIC_URL": elsewhere}
    return elsewhere


@pytest.fixture
def sign_in_there(page: Page, cognito: LocalCognito, look: Look) -> Callable[[str], None]:
    """What a person does on Cognito's pages."""

    def act(response_mode: str) -> None:
        page.wait_for_url(f"{cognito.url}/oauth2/authorize**")
        page.get_by_label("E-mail address or phone number").fill(EMAIL)
        page.get_by_role("button", name="Next").click()
        page.get_by_label("Code").wait_for()
        page.get_by_label("Code").fill(cognito.last_code(EMAIL) or "")
        page.get_by_role("button", name="Sign in").click()
        if response_mode == "form_post" and not look.javascript:
            page.get_by_role("button", name="Continue").click()

    return act


@pytest.mark.parametrize("look", BOTH, indirect=True, ids=str)
@pytest.mark.parametrize("samesite", ["Lax", "Strict"])
@pytest.mark.parametrize("response_mode", ["query", "form_post"])
def test_the_round_trip(
    page: Page,
    origin: str,
    cognito: LocalCognito,
    connect: Callable[..., Any],
    sign_in_there: Callable[[str], None],
    settings: Any,
    samesite: str,
    response_mode: str,
) -> None:
    settings.SESSION_COOKIE_SAMESITE = settings.CSRF_COOKIE_SAMESITE = samesite
    pool = cognito.create_pool("round trip", callback_urls=[f"{origin}/login/cognito/main/callback/"])
    connect(pool, routes=["oidc"], response_mode=response_mode)
    pool.add_user(EMAIL)
    page.goto(f"{origin}/login/")
    page.get_by_label("E-mail address or phone number").fill(EMAIL)
    page.get_by_role("button", name="Continue", exact=True).click()
    sign_in_there(response_mode)
    page.wait_for_url(f"{origin}/")
    expect_signed_in(page)
    assert MigratedUser.objects.get().method == "cognito_oidc"
    assert ChallengeSession.objects.get().outcome == "verified"
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies(origin)}
    assert "cognito_passwordless" not in cookies
    assert cookies[settings.SESSION_COOKIE_NAME]["sameSite"] == samesite


def test_from_the_login_page_by_the_link_and_back_to_the_page_that_was_wanted(
    page: Page, origin: str, cognito: LocalCognito, connect: Callable[..., Any], sign_in_there: Callable[[str], None]
) -> None:
    pool = cognito.create_pool("link", callback_urls=[f"{origin}/login/cognito/main/callback/"])
    connect(pool)
    pool.add_user(EMAIL)
    page.goto(f"{origin}/login/")
    page.get_by_role("link", name="Sign in with Cognito").click()
    sign_in_there("query")
    page.wait_for_url(f"{origin}/")
    expect_signed_in(page)


@pytest.mark.parametrize(
    "look", [Look("phone", javascript=False), Look(), Look(scheme="dark")], indirect=True, ids=str
)
def test_a_hosted_login_that_is_set_up_wrongly_leaves_a_code_one_press_away(
    page: Page,
    origin: str,
    cognito: LocalCognito,
    connect: Callable[..., Any],
    make_user: Callable[..., User],
    sent_code: Callable[[], str],
    look: Look,
    axe: str,
    complaints: Complaints,
) -> None:
    complaints.expect("503")
    make_user(EMAIL)
    with Provider(discovery={"issuer": "https://somebody.else.example"}) as provider:
        pool = cognito.create_pool("wrong")
        provider.pool = pool.id
        connect(pool, routes=["oidc", "local"], issuer=provider.issuer)
        page.goto(f"{origin}/login/")
        page.get_by_label("E-mail address or phone number").fill(EMAIL)
        page.get_by_role("button", name="Continue", exact=True).click()
        expect(page.get_by_role("alert")).to_have_text(
            "Cognito can't be reached at the moment. We can send you a code instead."
        )
        assert MemorySender.outbox == []
        if look.javascript:
            assert violations(page, axe) == []
        expect(page.get_by_label("E-mail address or phone number")).to_have_value(EMAIL)
        page.get_by_role("button", name="Send code").press("Enter")
    page.wait_for_url(f"{origin}/login/code/")
    enter(page, sent_code())
    expect_signed_in(page)


@pytest.mark.parametrize("look", [*BOTH, Look("phone", "dark")], indirect=True, ids=str)
def test_an_account_that_is_there_is_joined_by_a_code(
    page: Page,
    origin: str,
    cognito: LocalCognito,
    connect: Callable[..., Any],
    make_user: Callable[..., User],
    sign_in_there: Callable[[str], None],
    sent_code: Callable[[], str],
    axe: str,
    look: Look,
) -> None:
    pool = cognito.create_pool("join", callback_urls=[f"{origin}/login/cognito/main/callback/"])
    connect(pool, routes=["oidc"])
    pool.add_user(EMAIL)
    user = make_user(EMAIL)
    page.goto(f"{origin}/login/")
    page.get_by_label("E-mail address or phone number").fill(EMAIL)
    page.get_by_role("button", name="Continue", exact=True).click()
    sign_in_there("query")
    page.wait_for_url(f"{origin}/login/code/join/")
    expect(page.get_by_role("heading", name="Is this your account?")).to_be_visible()
    if look.javascript:
        assert violations(page, axe) == []
    assert not look.javascript or violations(page, axe) == []
    page.get_by_role("button", name="Send me a code").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{origin}/login/code/")
    enter(page, sent_code())
    page.wait_for_url(f"{origin}/")
    expect_signed_in(page)
    assert MigratedUser.objects.get().user == user
