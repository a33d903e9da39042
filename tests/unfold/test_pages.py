"""Our own pages of the admin, in unfold's frame: they look like it, and axe finds nothing in what is ours."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from cognito_passwordless.models import MigratedUser

from ..browser.admin import shot
from ..browser.axe import violations
from ..browser.conftest import Look
from ..browser.test_progress import fill

ADMIN = "/admin/cognito_passwordless"
OURS = "#content-main"
LOOKS = [Look(), Look(scheme="dark"), Look("phone"), Look("phone", "dark")]


def look_at(page: Page, axe: str, name: str, look: Look) -> list[str]:
    expect(page.locator(OURS)).to_be_visible()
    shot(page, f"unfold {name}", look)
    wide = page.evaluate("document.scrollingElement.scrollWidth - innerWidth")
    return [*violations(page, axe, OURS), *([f"{wide} pixels sideways"] if wide > 0 else [])]


@pytest.mark.parametrize("look", LOOKS, indirect=True, ids=str)
def test_the_progress_page(page: Page, admin: User, axe: str, look: Look) -> None:
    found = {}
    for state in ("not counted", "empty", "late"):
        fill(state)
        page.goto(f"{ADMIN}/progress/")
        found[state] = look_at(page, axe, f"progress {state}", look)
        assert page.evaluate("document.documentElement.classList.contains('dark')") == (look.scheme == "dark")
    assert {state: wrong for state, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize("look", LOOKS, indirect=True, ids=str)
def test_conflicts_undo_and_erase(page: Page, admin: User, axe: str, look: Look) -> None:
    user = User.objects.create_user("cay", "cay@example.com", password="theirs")
    known = {"connection": "main", "pool": "i", "attributes": {"email_verified": "true"}}
    case = MigratedUser.objects.create(
        **known, sub="case-1", email="cay@example.com", status="conflict", last_error="address_not_proven"
    )
    migrated = MigratedUser.objects.create(**known, sub="done-1", status="migrated", user=user, changes={"user": True})
    found = {}
    page.goto(f"{ADMIN}/conflictcase/{case.pk}/change/")
    found["case"] = look_at(page, axe, "case", look)
    page.get_by_label("Exclude").check()
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("button", name="Confirm the decision")).to_be_visible()
    found["preview"] = look_at(page, axe, "preview", look)
    for action in ("undo_migrations", "erase_people"):
        page.goto(f"{ADMIN}/migrateduser/")
        # Unfold's list is another one than Django's; what it posts is the same.
        page.evaluate(
            """([action, key]) => {
                const form = document.querySelector("#changelist-form");
                const put = (name, value) => {
                    const field = document.createElement("input");
                    Object.assign(field, { type: "hidden", name, value });
                    form.append(field);
                };
                form.querySelectorAll("[name=action]").forEach((field) => field.remove());
                put("action", action);
                put("_selected_action", key);
                HTMLFormElement.prototype.submit.call(form);
            }""",
            [action, str(migrated.pk)],
        )
        expect(page.get_by_role("button", name="Yes, I’m sure")).to_be_visible()
        found[action] = look_at(page, axe, action, look)
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_every_list_is_there(page: Page, admin: User) -> None:
    for name in ("migrateduser", "conflictcase", "importrun", "journeyevent", "connectionstate", "erasure"):
        answer = page.goto(f"{ADMIN}/{name}/")
        assert answer
        assert answer.status == 200, name
