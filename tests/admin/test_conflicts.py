"""The queue: both sides, a preview, a confirmation, and what is written down of it."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cognito_passwordless.models import JourneyEvent, MigratedUser

from .conftest import EMAIL, url

pytestmark = pytest.mark.django_db

EVIL = "<img src=x onerror=alert(1)>"
QUEUE = "conflictcase"


@pytest.fixture
def resolver(staff: Callable[..., Client]) -> Client:
    """Somebody who may decide, and may not see addresses."""
    return staff("resolve_conflicts")


@pytest.fixture
def case(make_user: Callable[..., User]) -> MigratedUser:
    """A pool user whose address Django knows."""
    make_user(EMAIL)
    return MigratedUser.objects.create(
        connection="main", pool="i", sub="the-sub-1", username=EVIL, email=EMAIL, status="conflict",
        last_error="address_not_proven", attributes={"email_verified": "true"},
    )  # fmt: skip


def page(case: MigratedUser) -> str:
    return url(QUEUE, case.pk, "change")


def link_to(user: User) -> str:
    return f"link:{user.pk}"


def ann() -> User:
    return User.objects.get(email=EMAIL)


class TestWhoMay:
    @pytest.mark.parametrize("permissions", [(), ("view_addresses",), ("undo_migrations", "erase_people")])
    def test_nobody_else_sees_or_decides_anything(
        self, staff: Callable[..., Client], case: MigratedUser, permissions: tuple[str, ...]
    ) -> None:
        client = staff(*permissions)
        assert client.get(url(QUEUE)).status_code == 403
        assert client.get(page(case)).status_code == 403
        decided = {"choice": "exclude", "confirmed": "yes"}
        assert client.post(page(case), decided).status_code == 403
        assert client.post(page(case), {"withdraw": "yes"}).status_code == 403
        case.refresh_from_db()
        assert case.status == "conflict"
        assert "Conflicts" not in client.get("/admin/").content.decode()

    def test_nobody_adds_or_deletes_here(self, admin_client: Client, case: MigratedUser) -> None:
        assert admin_client.get(url(QUEUE, "add")).status_code == 403
        assert admin_client.post(url(QUEUE, case.pk, "delete"), {"post": "yes"}).status_code == 403


class TestTheList:
    def test_has_those_who_wait_with_the_reason_in_words(self, resolver: Client, case: MigratedUser) -> None:
        MigratedUser.objects.create(connection="main", pool="i", sub="decided", decision={"choice": "separate"})
        MigratedUser.objects.create(connection="main", pool="i", sub="pending")
        shown = resolver.get(url(QUEUE))
        assert shown.context["cl"].result_count == 1
        assert "A Django user has this address" in shown.content.decode()
        decided = resolver.get(url(QUEUE), {"decided": "yes"})
        assert [row.sub for row in decided.context["cl"].result_list] == ["decided"]
        assert "Keep separate" in decided.content.decode()

    def test_costs_the_same_for_one_and_for_fifty(self, resolver: Client) -> None:
        def statements() -> int:
            with CaptureQueriesContext(connection) as captured:
                assert resolver.get(url(QUEUE)).status_code == 200
            return len(captured)

        statements()
        for number in range(50):
            MigratedUser.objects.create(connection="main", pool="i", sub=str(number), status="conflict")
            if not number:
                one = statements()
        assert statements() == one


class TestTheCase:
    def test_shows_both_sides(self, resolver: Client, case: MigratedUser) -> None:
        shown = resolver.get(page(case)).content.decode()
        assert "a•••@e•••.com (verified)" in shown
        assert f"({ann().pk})" in shown
        assert f'value="{link_to(ann())}"' in shown
        assert "Every address of this pool user has been verified by a Django user." in shown

    def test_masks_addresses_without_the_permission(
        self, resolver: Client, admin_client: Client, case: MigratedUser
    ) -> None:
        for choice in ("", link_to(ann())):
            assert EMAIL not in resolver.post(page(case), {"choice": choice}).content.decode()
            assert EMAIL in admin_client.post(page(case), {"choice": choice}).content.decode()

    def test_a_name_is_no_markup(self, admin_client: Client, case: MigratedUser) -> None:
        User.objects.filter(email=EMAIL).update(username=EVIL)
        MigratedUser.objects.create(connection="main", pool="i", sub=EVIL, email=EMAIL, status="conflict")
        for where in (url(QUEUE), page(case), url("migrateduser"), url("migrateduser", case.pk, "change")):
            shown = admin_client.get(where).content.decode()
            assert "<img src=x" not in shown
            assert "&lt;img src" in shown
        preview = admin_client.post(page(case), {"choice": link_to(ann())}).content.decode()
        assert "<img src=x" not in preview

    @pytest.mark.parametrize("key", ["999999", "x", "1; drop", "²"])
    def test_nobody_is_404(self, resolver: Client, key: str) -> None:
        assert resolver.get(url(QUEUE, key, "change")).status_code == 404

    def test_somebody_who_is_settled_has_nothing_to_decide(self, resolver: Client, case: MigratedUser) -> None:
        MigratedUser.objects.update(status="migrated", user=ann(), last_error="")
        shown = resolver.get(page(case)).content.decode()
        assert "This pool user needs no decision" in shown
        assert 'name="choice"' not in shown
        resolver.post(page(case), {"choice": "exclude", "confirmed": "yes"})
        case.refresh_from_db()
        assert case.status == "migrated"


class TestDeciding:
    def test_is_previewed_confirmed_and_written_down(self, resolver: Client, case: MigratedUser) -> None:
        preview = resolver.post(page(case), {"choice": link_to(ann())}).content.decode()
        assert "Nothing is linked now." in preview
        case.refresh_from_db()
        assert case.decision is None
        assert not LogEntry.objects.exists()
        answer = resolver.post(page(case), {"choice": link_to(ann()), "confirmed": "yes"}, follow=True)
        assert answer.redirect_chain == [(url(QUEUE), 302)]
        assert "Link to this Django user, after proof" in answer.content.decode()
        case.refresh_from_db()
        staff_user = User.objects.get(username="staff")
        assert case.decision
        assert (case.status, case.user, case.decision["user"]) == ("pending", None, str(ann().pk))
        assert case.decision["by"] == str(staff_user.pk)
        entry = LogEntry.objects.get()
        assert (entry.user, entry.change_message) == (staff_user, f"Decided: {link_to(ann())}.")
        assert EMAIL not in entry.object_repr
        event = JourneyEvent.objects.get()
        assert (event.step, event.cause) == ("decided", "link")
        assert "decided" in resolver.get(page(case)).content.decode()
        assert "decided" in resolver.get(url("migrateduser", case.pk, "change")).content.decode()

    def test_what_is_not_open_is_not_done(self, resolver: Client, case: MigratedUser) -> None:
        User.objects.filter(pk=ann().pk).update(is_staff=True)
        for data in ({"choice": link_to(ann())}, {"choice": link_to(ann()), "confirmed": "yes"}, {"confirmed": "yes"}):
            shown = resolver.post(page(case), data, follow=True).content.decode()
            assert "This choice is no longer open" in shown
        case.refresh_from_db()
        assert (case.status, case.decision) == ("conflict", None)
        assert not LogEntry.objects.exists()

    def test_can_be_withdrawn(self, resolver: Client, case: MigratedUser) -> None:
        resolver.post(page(case), {"choice": link_to(ann()), "confirmed": "yes"})
        assert "Withdraw the decision" in resolver.get(page(case)).content.decode()
        assert (
            "An earlier decision was withdrawn."
            in resolver.post(page(case), {"withdraw": "yes"}, follow=True).content.decode()
        )
        case.refresh_from_db()
        assert (case.status, case.decision) == ("conflict", None)

    def test_twins_are_shown_and_linked_to(self, resolver: Client, case: MigratedUser) -> None:
        EmailAddress.objects.all().delete()
        User.objects.filter(email=EMAIL).delete()
        twin = MigratedUser.objects.create(connection="main", pool="i", sub="google-1", email=EMAIL)
        shown = resolver.get(page(case)).content.decode()
        assert page(twin) in shown
        resolver.post(page(case), {"choice": "merge", "confirmed": "yes"})
        twin.refresh_from_db()
        assert (twin.status, twin.last_error) == ("excluded", "twin_of_another")


def test_a_get_changes_nothing(resolver: Client, case: MigratedUser) -> None:
    before: Any = MigratedUser.objects.values().get()
    resolver.get(page(case), {"choice": "exclude", "confirmed": "yes"})
    assert MigratedUser.objects.values().get() == before
