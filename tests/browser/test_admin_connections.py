"""The connections in a browser: the list, the form and the test, with and without JavaScript."""

import pytest
from allauth.socialaccount.models import SocialApp
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from cognito_passwordless.local import LocalCognito, LocalPool

from .admin import problems, shot
from .conftest import BOTH, Look

LIST = "/admin/cognito_passwordless/poolconnection/"


@pytest.mark.parametrize("look", BOTH, indirect=True, ids=str)
def test_a_connection_is_written_and_tried(
    page: Page,
    admin: User,
    cognito: LocalCognito,
    aws_identity: None,
    look: Look,
) -> None:
    pool = cognito.create_pool("demo", auth_session_validity=15)
    page.goto(LIST)
    expect(page.get_by_text("No connections yet")).to_be_visible()
    page.get_by_role("link", name="Add a connection").click()
    typed = {
        "Alias": "main",
        "Name": "Customers",
        "Region": cognito.region,
        "User pool": pool.id,
        "App client": pool.client_id,
        "Secret": pool.client_secret or "",
        "Address of the pool's API": cognito.url,
        "Issuer": pool.issuer,
    }
    for label, text in typed.items():
        page.get_by_label(f"{label}:", exact=True).fill(text)
    page.get_by_label("Routes:", exact=True).fill("sms")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("a list of otp, oidc, local").first).to_be_visible()
    expect(page.get_by_label("Secret:", exact=True)).to_have_value("")
    page.get_by_label("Secret:", exact=True).fill(pool.client_secret or "")
    page.get_by_label("Routes:", exact=True).fill("otp")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("region", name="Connections").get_by_role("link", name="main").click()
    expect(page.get_by_label("Secret:", exact=True)).to_have_value("")
    page.get_by_role("button", name="Test").click()
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="client secret"))
    expect(row).to_contain_text("works")
    assert SocialApp.objects.get().secret == pool.client_secret


@pytest.mark.parametrize("look", [Look(), Look("phone", "dark")], indirect=True, ids=str)
def test_the_pages_can_be_used_by_everybody(
    page: Page,
    admin: User,
    pool: LocalPool,
    axe: str,
    look: Look,
) -> None:
    found: dict[str, list[str]] = {}

    def look_at(name: str) -> None:
        shot(page, name, look)
        found[name] = problems(page, axe, is_stock=True)

    page.goto(LIST)
    look_at("connections")
    page.get_by_role("link", name="main", exact=True).click()
    expect(page.get_by_text("It can be changed only there")).to_be_visible()
    look_at("connection")
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Connection test")
    look_at("connection test")
    page.goto(f"{LIST}add/")
    look_at("connection form")
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
