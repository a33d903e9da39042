"""Undoing and erasing from the list, and letting somebody come back."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from cognito_passwordless.admin import people_actions
from cognito_passwordless.flows.accounts import tombstones
from cognito_passwordless.models import Erasure, JourneyEvent, MigratedUser

from .conftest import EMAIL, url

pytestmark = pytest.mark.django_db

LIST = url("migrateduser")


@pytest.fixture
def person(db: None) -> MigratedUser:
    user = User.objects.create_user("ann", EMAIL)
    return MigratedUser.objects.create(
        connection="main", pool="i", sub="the-whole-sub-of-ann", email=EMAIL, status="migrated", user=user,
        migrated_at=timezone.now(), changes={"user": True},
    )  # fmt: skip


def act(client: Client, action: str, *rows: MigratedUser, **more: str) -> HttpResponse:
    data: dict[str, Any] = {"action": action, "_selected_action": [row.pk for row in rows], **more}
    return client.post(LIST, data)  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("action", "other"), [("undo_migrations", "erase_people"), ("erase_people", "undo_migrations")]
)
def test_each_needs_its_own_permission(
    staff: Callable[..., Client], person: MigratedUser, action: str, other: str
) -> None:
    client = staff(other, "resolve_conflicts", "view_addresses")
    assert f'value="{action}"' not in client.get(LIST).content.decode()
    act(client, action, person, choice="remove")
    person.refresh_from_db()
    assert person.status == "migrated"
    assert not Erasure.objects.exists()


@pytest.mark.parametrize("page", ["migrateduser", "erasure", "conflictcase"])
def test_who_may_look_at_nothing_gets_403_everywhere_by_post_too(
    staff: Callable[..., Client], person: MigratedUser, page: str
) -> None:
    client = staff("erase_people", "undo_migrations")
    User.objects.get(username="staff").user_permissions.clear()
    tombstone = tombstones.create("i", "sub", connection="main", now=timezone.now())
    key = tombstone.pk if page == "erasure" else person.pk
    for where in (url(page), url(page, key, "change"), url(page, key, "delete"), url(page, "add")):
        assert client.get(where).status_code == 403
        for action in ("undo_migrations", "erase_people", "lift", ""):
            data: dict[str, Any] = {
                "action": action,
                "_selected_action": [key],
                "choice": "remove",
                "confirmed": "yes",
            }
            assert client.post(where, data).status_code == 403
    assert MigratedUser.objects.get().status == "migrated"
    assert Erasure.objects.exists()


@pytest.mark.parametrize("action", ["undo_migrations", "erase_people"])
def test_a_preview_comes_first(staff: Callable[..., Client], person: MigratedUser, action: str) -> None:
    client = staff(action)
    user = person.user
    assert user
    user.set_password("theirs")
    user.save()
    shown = act(client, action, person).content.decode()
    assert "1 password" in shown
    assert "the Django user is kept" in shown
    assert EMAIL not in shown
    assert person.sub not in shown
    person.refresh_from_db()
    assert person.status == "migrated"
    assert act(client, action, person, choice="something else").status_code == 200
    assert MigratedUser.objects.get().status == "migrated"


def test_an_undo_is_done_and_written_down(staff: Callable[..., Client], person: MigratedUser) -> None:
    client = staff("undo_migrations")
    assert act(client, "undo_migrations", person, choice="default").status_code == 302
    person.refresh_from_db()
    assert (person.status, person.user) == ("pending", None)
    assert not User.objects.filter(username="ann").exists()
    entry = LogEntry.objects.get()
    assert (entry.user.username, entry.change_message) == ("staff", "Undone: user_removed.")
    assert "undone" in client.get(url("migrateduser", person.pk, "change")).content.decode()


def test_an_erasure_is_done_and_nobody_can_tell_whose(staff: Callable[..., Client], person: MigratedUser) -> None:
    client = staff("undo_migrations", "erase_people")
    act(client, "undo_migrations", person, choice="keep")
    act(client, "erase_people", person, choice="remove")
    assert not MigratedUser.objects.exists()
    tombstone = Erasure.objects.get()
    shown = (
        client.get(url("erasure", tombstone.pk, "change")).content.decode() + client.get("/admin/").content.decode()
    )
    log = "".join(f"{entry.object_repr} {entry.change_message}" for entry in LogEntry.objects.all())
    for secret in (EMAIL, "the-whole-sub-of-ann"):
        assert secret not in shown + log
    assert "Erased; user removed." in log
    assert "erased" in shown


def test_staff_are_left_alone(staff: Callable[..., Client], person: MigratedUser) -> None:
    client = staff("undo_migrations", "erase_people")
    User.objects.filter(username="ann").update(is_staff=True)
    for action in ("undo_migrations", "erase_people"):
        assert "Unchanged: The Django user is staff" in act(client, action, person).content.decode()
        act(client, action, person, choice="remove")
    assert MigratedUser.objects.get().status == "migrated"
    assert not LogEntry.objects.exists()


def test_people_of_one_account_are_erased_together(staff: Callable[..., Client], person: MigratedUser) -> None:
    twin = MigratedUser.objects.create(connection="main", pool="i", sub="twin", user=person.user, status="migrated")
    client = staff("erase_people")
    act(client, "erase_people", person, twin, choice="default")
    assert Erasure.objects.count() == 2
    assert not MigratedUser.objects.exists()


def test_only_so_many_at_a_time(staff: Callable[..., Client], person: MigratedUser, monkeypatch: Any) -> None:
    monkeypatch.setattr(people_actions, "MOST", 1)
    other = MigratedUser.objects.create(connection="main", pool="i", sub="other", status="migrated")
    assert act(staff("undo_migrations"), "undo_migrations", person, other, choice="remove").status_code == 302
    assert set(MigratedUser.objects.values_list("status", flat=True)) == {"migrated"}


def test_a_tombstone_is_lifted_by_whoever_may_erase(staff: Callable[..., Client]) -> None:
    tombstone = tombstones.create("i", "sub", connection="main", now=timezone.now())
    chosen = {"action": "lift", "_selected_action": [str(tombstone.pk)]}
    client = staff("erase_people")
    assert client.get(url("erasure")).status_code == 200
    assert client.post(url("erasure"), chosen).status_code == 302
    assert not Erasure.objects.exists()
    assert LogEntry.objects.get().change_message == "Lifted."
    assert JourneyEvent.objects.get(step="erasure_lifted").attempt == tombstone.pk


def test_a_tombstone_is_lifted_by_nobody_else(looking: Client) -> None:
    tombstone = tombstones.create("i", "sub", connection="main", now=timezone.now())
    looking.post(url("erasure"), {"action": "lift", "_selected_action": [str(tombstone.pk)]})
    assert Erasure.objects.exists()
    assert 'value="lift"' not in looking.get(url("erasure")).content.decode()


def test_whoever_is_gone_is_let_in_by_whoever_decides_conflicts(
    staff: Callable[..., Client], person: MigratedUser
) -> None:
    gone = MigratedUser.objects.create(connection="main", pool="i", sub="gone-from-the-pool", status="gone")
    client = staff("undo_migrations", "erase_people", "view_addresses")
    assert 'value="let_in"' not in client.get(LIST).content.decode()
    act(client, "let_in", gone)
    assert MigratedUser.objects.get(pk=gone.pk).status == "gone"
    User.objects.get(username="staff").user_permissions.add(Permission.objects.get(codename="resolve_conflicts"))
    assert 'value="let_in"' in client.get(LIST, {"status__exact": "gone"}).content.decode()
    shown = client.post(LIST, {"action": "let_in", "_selected_action": [gone.pk, person.pk]}, follow=True)
    told = [str(message) for message in shown.context["messages"]]
    assert told == ["the-whol: They are not gone from the pool.", "1 person: done."]
    gone.refresh_from_db()
    person.refresh_from_db()
    assert (gone.status, gone.last_error, person.status) == ("pending", "let_in", "migrated")
    assert LogEntry.objects.get().change_message == "Gone from the pool; may sign in anyway."
