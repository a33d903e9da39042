"""The command: whom it reaches, what it leaves to an operator, and that it may be interrupted and repeated."""

import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection

from cognito_passwordless.flows.adopting import recording
from cognito_passwordless.models import MigratedUser

pytestmark = pytest.mark.django_db

EMPTY_RUN = "  0 addresses were recorded as verified\n"


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("cognito_adopt", *arguments, stdout=out, stderr=io.StringIO(), no_color=True)
    return out.getvalue()


def user(name: str, email: str | None = None, **fields: Any) -> User:
    return User.objects.create_user(name, f"{name}@example.com" if email is None else email, **fields)


def adopted() -> list[str]:
    rows = EmailAddress.objects.filter(verified=True).order_by("email")
    return list(rows.values_list("email", flat=True))


class TestWhom:
    def test_a_dry_run_writes_nothing(self) -> None:
        user("ann")
        assert run("--all") == (
            "A dry run, nothing was written. With --yes:\n  1 addresses would be recorded as verified\n"
        )
        assert not EmailAddress.objects.exists()

    def test_all(self) -> None:
        user("ann")
        user("bob", "Bob@Example.com")
        assert run("--all", "--yes") == "Done.\n  2 addresses were recorded as verified\n"
        rows = EmailAddress.objects.order_by("email").values_list("email", "verified", "primary")
        assert list(rows) == [("ann@example.com", True, True), ("bob@example.com", True, True)]

    def test_joined_before_a_day_in_the_sites_time_zone(self, settings: Any) -> None:
        settings.TIME_ZONE = "America/New_York"
        for name, hour in (("ann", 4), ("bob", 5)):  # midnight there is 5 o'clock UTC
            user(name, date_joined=datetime(2026, 1, 31, hour, 0, 0, tzinfo=UTC))
        run("--joined-before", "2026-01-31", "--yes")
        assert adopted() == ["ann@example.com"]

    def test_by_a_file(self, tmp_path: Path) -> None:
        ann, bob = user("ann"), user("bob", "Bob@Example.com")
        user("eve")
        path = tmp_path / "users"
        path.write_text(f"{ann.pk}\n\n  bob@EXAMPLE.com \n{bob.pk}\n")
        assert "2 addresses were" in run("--file", str(path), "--yes")
        assert adopted() == ["ann@example.com", "bob@example.com"]

    def test_a_file_with_mistakes_names_their_lines(self, tmp_path: Path) -> None:
        ann, other = user("ann"), user("ann2", "ANN@example.com")
        user("bob")
        path = tmp_path / "users"
        path.write_text(f"ann\n{10**30}\n{other.pk + 99}\nnobody@example.com\nann@example.com\n@\nbob@example.com\n")
        told = run("--file", str(path), "--yes").splitlines()
        assert told == [
            "line 1: neither a primary key nor an address",
            "line 2: neither a primary key nor an address",
            "line 3: no user has this primary key",
            "line 4: no user has this address",
            f"line 5: several users have this address; name one by primary key: {ann.pk}, {other.pk}",
            "line 6: not readable as an address",
            "Done.",
            "  1 addresses were recorded as verified",
            "  6 lines of the file left out",
        ]
        assert adopted() == ["bob@example.com"]

    @pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
    def test_a_file_that_cannot_be_read(self, tmp_path: Path, content: bytes | None) -> None:
        path = tmp_path / "users"
        if content:
            path.write_bytes(content)
        with pytest.raises(CommandError, match="cannot be read"):
            run("--file", str(path))

    @pytest.mark.parametrize(
        "arguments",
        [[], ["--all", "--joined-before", "2026-01-31"], ["--joined-before", "31.1."], ["--all", "--batch", "0"]],
    )
    def test_exactly_one_choice(self, arguments: list[str]) -> None:
        with pytest.raises(CommandError):
            run(*arguments)


class TestLeftAsTheyAre:
    def test_each_with_its_reason(self) -> None:
        user("inactive", is_active=False)
        user("none", "")
        unreadable = user("unreadable", "not an address")
        already = user("already")
        EmailAddress.objects.create(user=already, email="already@example.com", verified=True)
        moved = user("moved")
        EmailAddress.objects.create(user=moved, email="new@example.com", verified=True)
        before = adopted()
        assert run("--all", "--yes").splitlines() == [
            f"user {unreadable.pk}: not readable as an address",
            "Done.",
            "  0 addresses were recorded as verified",
            "  1 left as they are: verified already",
            "  1 left as they are: of users who are not active",
            "  1 left as they are: users without an address",
            "  1 left as they are: not readable as an address",
            "  1 left as they are: of users who have verified another address",
        ]
        assert adopted() == before

    def test_what_only_a_pool_has_said_is_nobodys_proof(self) -> None:
        MigratedUser.objects.create(connection="main", pool="p", sub="1", user=user("ann"), status="migrated")
        assert "of users who came out of a pool" in run("--all", "--yes")
        assert adopted() == []

    def test_an_address_that_two_have_written(self) -> None:
        ann, other = user("ann"), user("other", "ANN@Example.COM", is_active=False)
        user("bob")
        assert f"user {ann.pk}: another user has the same address" in run("--all", "--yes")
        assert f"({other.pk})" in run("--all")
        assert adopted() == ["bob@example.com"]

    def test_another_spelling_is_the_same_address(self) -> None:
        one, two = user("one", "ann@bücher.example"), user("two", "ann@xn--bcher-kva.example")
        told = run("--all", "--yes")
        assert {f"user {one.pk}: another", f"user {two.pk}: another"} <= {
            line.partition(" user has")[0] for line in told.splitlines()
        }

    @pytest.mark.parametrize("look_alike", ["kırk@example.com", "\u212airk@example.com"])
    def test_a_look_alike_is_another_address(self, look_alike: str) -> None:
        """Some databases fold a dotless i, or the sign of the kelvin, to a letter."""
        user("one", "kirk@example.com")
        user("two", look_alike)
        run("--all", "--yes")
        assert adopted() == ["kirk@example.com"]

    @pytest.mark.parametrize(("verified", "told"), [(True, "verified by another user"), (False, "another user has")])
    def test_an_address_that_another_has_listed(self, verified: bool, told: str) -> None:
        ann, other = user("ann"), user("other", "")
        EmailAddress.objects.create(user=other, email="ann@example.com", verified=verified)
        assert f"user {ann.pk}: {told}" in run("--all", "--yes")
        assert not EmailAddress.objects.filter(user=ann).exists()

    def test_whom_the_site_names_by_primary_key_comes_first_of_those_who_wrote_it(self, tmp_path: Path) -> None:
        ann, other = user("ann"), user("other", "ann@example.com")
        path = tmp_path / "users"
        path.write_text(f"{ann.pk}\n{other.pk}\n")
        run("--file", str(path), "--yes")
        assert adopted() == [], "both are named"
        path.write_text(str(ann.pk))
        run("--file", str(path), "--yes")
        assert EmailAddress.objects.get().user == ann

    def test_but_not_of_those_who_verified_it(self, tmp_path: Path) -> None:
        ann, other = user("ann"), user("other", "")
        EmailAddress.objects.create(user=other, email="ann@example.com", verified=True)
        path = tmp_path / "users"
        path.write_text(str(ann.pk))
        assert "verified by another user" in run("--file", str(path), "--yes")
        assert not EmailAddress.objects.filter(user=ann).exists()


class TestWhatIsRecorded:
    def test_staff_and_unconfirmed_ones_are_told_of(self) -> None:
        user("boss", is_staff=True)
        EmailAddress.objects.create(user=user("ann"), email="ann@example.com", primary=True)
        told = run("--all", "--yes")
        assert "1 of them of staff" in told
        assert "1 of them known to allauth as not confirmed" in told
        assert adopted() == ["ann@example.com", "boss@example.com"]
        assert EmailAddress.objects.filter(primary=True).count() == 2

    def test_a_primary_address_stays(self) -> None:
        ann = user("ann")
        EmailAddress.objects.create(user=ann, email="other@example.com", primary=True)
        run("--all", "--yes")
        rows = EmailAddress.objects.order_by("email").values_list("email", "verified", "primary")
        assert list(rows) == [("ann@example.com", True, False), ("other@example.com", False, True)]

    def test_a_row_that_was_there_becomes_primary_where_there_is_none(self) -> None:
        EmailAddress.objects.create(user=user("ann"), email="ann@example.com")
        run("--all", "--yes")
        assert EmailAddress.objects.get().primary


class TestRepeated:
    def test_a_second_time_there_is_nothing_to_do(self) -> None:
        user("ann")
        run("--all", "--yes")
        assert EMPTY_RUN in run("--all", "--yes")
        assert EmailAddress.objects.count() == 1

    def test_interrupted_it_goes_on_where_it_was(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for number in range(5):
            user(f"user{number}")
        write: Callable[[Any], None] = recording._Facts.write
        written: list[Any] = []

        def interrupted(facts: Any) -> None:
            write(facts)
            written.append(facts)
            if len(written) == 2:
                raise KeyboardInterrupt

        monkeypatch.setattr(recording._Facts, "write", interrupted)
        with pytest.raises(CommandError, match="Begin it again") as told:
            run("--all", "--yes", "--batch", "2")
        assert told.value.returncode == 130
        assert adopted() == ["user0@example.com", "user1@example.com"]
        told_now = run("--all", "--yes", "--batch", "2")
        assert "3 addresses were" in told_now
        assert "2 left as they are: verified already" in told_now

    def test_somebody_who_proves_an_address_meanwhile_stops_nobody_else(self, monkeypatch: pytest.MonkeyPatch) -> None:
        ann = user("ann")
        user("bob")
        write: Callable[[Any], None] = recording._Facts.write

        def late(facts: Any) -> None:
            """Ann's row cannot be written, whatever has been read before."""
            if any(adopted.pk == ann.pk for adopted, _ in facts._adopted):
                raise IntegrityError
            write(facts)

        monkeypatch.setattr(recording._Facts, "write", late)
        told = run("--all", "--yes")
        assert f"user {ann.pk}: verified by another user" in told
        assert "1 addresses were" in told
        assert adopted() == ["bob@example.com"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets nobody write meanwhile")
def test_somebody_really_proves_an_address_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    ann, other = user("ann"), user("other", "")
    user("bob")
    write: Callable[[Any], None] = recording._Facts.write

    def prove() -> None:
        EmailAddress.objects.get_or_create(user=other, email="ann@example.com", defaults={"verified": True})
        connection.close()

    def late(facts: Any) -> None:
        thread = Thread(target=prove)
        thread.start()
        thread.join()
        write(facts)

    monkeypatch.setattr(recording._Facts, "write", late)
    assert f"user {ann.pk}: verified by another user ({other.pk})" in run("--all", "--yes")
    assert list(EmailAddress.objects.order_by("email").values_list("email", "user__username")) == [
        ("ann@example.com", "other"),
        ("bob@example.com", "bob"),
    ]
