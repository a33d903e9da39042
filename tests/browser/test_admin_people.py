"""Deciding, undoing and erasing in a browser: from the list to the confirmation, with and without JavaScript."""

from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, expect

from cognito_passwordless.models import Erasure, MigratedUser

from .admin import problems, shot
from .conftest import BOTH, Look

ADMIN = "/admin/cognito_passwordless"
ANN = "ann@example.com"
EVIL = "<img src=x onerror=alert(1)>"
LOOKS = [Look(), Look(scheme="dark"), Look("phone"), Look("phone", "dark")]


@pytest.fixture
def case(admin: User, make_user: Callable[..., User]) -> MigratedUser:
    """Ann's address is Django's already, her number is nobody's, and somebody else in the pool has her address too."""
    make_user(ANN, pk=100_000, last_login=timezone.now())  # a number long enough to be read as text around a link
    known = {"connection": "main", "pool": "i", "email": ANN, "shares_address": True}
    verified = {"email_verified": "true", "phone_number_verified": "true"}
    MigratedUser.objects.create(
        **known, sub="google-sub", username="google_1", pool_status="EXTERNAL_PROVIDER", attributes=verified
    )
    return MigratedUser.objects.create(
        **known, sub="a-long-sub-1", username=EVIL, phone_number="+4915112345678", status="conflict",
        last_error="address_not_proven", pool_status="CONFIRMED", attributes=verified,
    )  # fmt: skip


@pytest.fixture
def migrated(admin: User) -> MigratedUser:
    user = User.objects.create_user("cay", "cay@example.com", password="theirs")
    EmailAddress.objects.create(user=user, email="cay@example.com", verified=True)
    return MigratedUser.objects.create(
        connection="main", pool="i", sub="c-long-sub-1", email="cay@example.com", status="migrated", user=user,
        method="cognito_otp", migrated_at=timezone.now(), changes={"user": True},
    )  # fmt: skip


def open_case(page: Page, case: MigratedUser) -> None:
    page.goto(f"{ADMIN}/conflictcase/")
    page.get_by_role("link", name=case.sub[:8]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Conflict")


def choose_action(page: Page, label: str) -> None:
    page.locator("select[name=action]").select_option(label=label)
    page.locator(".actions button, .actions input[type=submit]").first.click()


@pytest.mark.parametrize("look", BOTH, indirect=True, ids=str)
@pytest.mark.parametrize(
    ("label", "status", "choice"),
    [
        ("Link to this Django user, after proof", "pending", "link"),
        ("Keep separate: a Django user of their own, after proof", "pending", "separate"),
        ("Same person: one Django user, after proof", "pending", "merge"),
        ("Exclude", "excluded", None),
    ],
)
def test_every_choice_from_the_list_to_the_confirmation(
    page: Page, case: MigratedUser, label: str, status: str, choice: str | None
) -> None:
    open_case(page, case)
    page.get_by_label(label).check()
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", level=2, name=label)).to_be_visible()
    case.refresh_from_db()
    assert case.status == "conflict"
    page.get_by_role("button", name="Confirm the decision").click()
    expect(page.get_by_text(f"Decided: {label}")).to_be_visible()
    case.refresh_from_db()
    assert (case.status, (case.decision or {}).get("choice")) == (status, choice)


def test_with_the_keyboard_alone(page: Page, case: MigratedUser) -> None:
    open_case(page, case)
    first = page.locator("input[name=choice]").first
    for _ in range(60):
        page.keyboard.press("Tab")
        if first.evaluate("node => node === document.activeElement"):
            break
    expect(first).to_be_focused()
    page.keyboard.press("ArrowUp")  # around, to the last one
    expect(page.get_by_label("Exclude")).to_be_checked()
    page.keyboard.press("Enter")
    confirm = page.get_by_role("button", name="Confirm the decision")
    expect(confirm).to_be_visible()
    for _ in range(60):
        page.keyboard.press("Tab")
        if confirm.evaluate("node => node === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_text("Decided: Exclude")).to_be_visible()


@pytest.mark.parametrize("look", BOTH, indirect=True, ids=str)
@pytest.mark.parametrize("action", ["Undo the selected migrations", "Erase the selected people"])
def test_undo_and_erase_from_the_list_to_the_confirmation(
    page: Page, migrated: MigratedUser, look: Look, action: str
) -> None:
    page.goto(f"{ADMIN}/migrateduser/")
    page.locator("input.action-select").check()
    choose_action(page, action)
    expect(page.get_by_text("1 password")).to_be_visible()
    assert MigratedUser.objects.get().status == "migrated"
    page.get_by_role("button", name="Yes, I’m sure").click()
    expect(page.get_by_text("1 person: done.")).to_be_visible()
    assert User.objects.filter(username="cay").exists()  # who has gained something is kept
    if "Erase" in action:
        assert Erasure.objects.exists()
        assert not MigratedUser.objects.exists()
    else:
        assert MigratedUser.objects.get().status == "pending"


@pytest.mark.parametrize("look", LOOKS, indirect=True, ids=str)
def test_axe_finds_nothing(page: Page, axe: str, case: MigratedUser, migrated: MigratedUser, look: Look) -> None:
    found: dict[str, list[str]] = {}

    def look_at(name: str) -> None:
        shot(page, name, look)
        found[name] = problems(page, axe, is_stock=name == "queue")

    page.goto(f"{ADMIN}/conflictcase/")
    look_at("queue")
    open_case(page, case)
    look_at("case")
    page.get_by_label("Same person").check()
    page.get_by_role("button", name="Preview").click()
    look_at("preview")
    page.get_by_role("button", name="Confirm the decision").click()
    page.goto(f"{ADMIN}/conflictcase/{case.pk}/change/")
    look_at("decided")
    for name, action in (("undo", "Undo the selected migrations"), ("erase", "Erase the selected people")):
        page.goto(f"{ADMIN}/migrateduser/")
        page.locator(f"input.action-select[value='{migrated.pk}']").check()
        choose_action(page, action)
        look_at(name)
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
