"""Leaving a pool, coming back, and who signs in how."""

import csv
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount, SocialApp
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from cognito_passwordless import connections
from cognito_passwordless.cognito import Connection
from cognito_passwordless.flows.accounts import tombstones
from cognito_passwordless.flows.lifecycle import cutover, export
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import (
    ChallengeSession,
    ConnectionState,
    Delivery,
    Erasure,
    ImportRun,
    JourneyEvent,
    MigratedUser,
)

from ..people import ANN, SignIn

pytestmark = pytest.mark.django_db(transaction=True)

BEA = "bea@example.com"
HOSTILE = '=HYPERLINK("https://evil.example","x")'


def main() -> Connection:
    found = connections.find("main")
    assert found
    return found


def retire() -> int:
    return cutover.retire(main(), now=timezone.now(), by="command")


def known(pool: LocalPool, email: str = ANN, **fields: Any) -> MigratedUser:
    """An imported pool user, with the address verified there."""
    fields = {"attributes": {"email_verified": "true"}, **fields}
    sub = fields.pop("sub", "") or pool.add_user(email)
    return MigratedUser.objects.create(connection="main", pool=pool.id, sub=sub, username=sub, email=email, **fields)


class TestTheRoundTrip:
    def test_nobody_calls_the_pool_until_it_is_back(
        self, pool: LocalPool, cognito: LocalCognito, sign_in: SignIn
    ) -> None:
        for email in (ANN, BEA, "cay@example.com"):
            known(pool, email)
        sign_in.at_pool(ANN)
        first = User.objects.get()
        retire()
        calls = len(cognito.calls)
        sign_in.by_our_code(BEA)  # who was enabled at the last import
        sign_in.by_our_code(ANN)
        assert Client().get("/login/").status_code == 200
        assert Client().get("/login/cognito/main/").status_code == 404
        assert sign_in.start("stranger@example.com")[1].decoy_reason == "unknown"
        assert len(cognito.calls) == calls
        assert MigratedUser.objects.get(email=BEA).method == "local_otp"
        cutover.unretire(main(), now=timezone.now(), by="command")
        sign_in.at_pool("cay@example.com")
        sign_in.by_our_code(BEA)
        assert User.objects.count() == SocialAccount.objects.count() == MigratedUser.objects.count() == 3
        assert set(MigratedUser.objects.values_list("status", flat=True)) == {"migrated"}
        assert MigratedUser.objects.get(email=ANN).user == first
        steps = JourneyEvent.objects.filter(step__contains="retired").order_by("pk")
        assert list(steps.values_list("step", "connection")) == [("retired", "main"), ("unretired", "main")]

    def test_open_challenges_end_and_their_people_start_again(
        self, pool: LocalPool, cognito: LocalCognito, sign_in: SignIn
    ) -> None:
        known(pool)
        client, challenge = sign_in.start(ANN)
        assert challenge.route == "cognito_otp"
        assert retire() == 1
        calls = len(cognito.calls)
        assert sign_in.answer(client, cognito.last_code(ANN) or "").status_code == 200
        assert client.post("/login/code/resend/").status_code in {302, 404}
        assert len(cognito.calls) == calls
        challenge.refresh_from_db()
        assert (challenge.outcome, challenge.pool_session) == ("superseded", "")
        sign_in.by_our_code(ANN)

    def test_a_code_that_was_under_way_meanwhile_opens_nothing(
        self, pool: LocalPool, cognito: LocalCognito, sign_in: SignIn, monkeypatch: Any
    ) -> None:
        """The worker asked before the cut-over, and wrote it down after."""
        from cognito_passwordless.flows.sending import execute, pool_codes

        known(pool)
        start = pool_codes.start

        def slowly(*arguments: Any) -> Any:
            kept = start(*arguments)
            assert retire() == 0
            return kept

        monkeypatch.setattr(execute.pool_codes, "start", slowly)
        client, challenge = sign_in.start(ANN)
        assert (challenge.outcome, challenge.pool_session) == ("superseded", "")
        calls = len(cognito.calls)
        assert sign_in.answer(client, cognito.last_code(ANN) or "").status_code == 200
        assert len(cognito.calls) == calls

    @pytest.mark.parametrize("fields", [{"pool_enabled": False}, {"attributes": {"email_verified": "false"}}, {}])
    def test_who_was_disabled_stays_out_and_who_was_never_verified_is_another(
        self, pool: LocalPool, sign_in: SignIn, fields: dict[str, Any]
    ) -> None:
        record = known(pool, **fields)
        retire()
        if not record.pool_enabled:
            assert sign_in.start(ANN)[1].decoy_reason == "disabled"
            return
        sign_in.by_our_code(ANN)
        record.refresh_from_db()
        # Whoever proves an address that the pool never verified comes in, and not as this pool user.
        assert record.status == ("pending" if fields else "migrated")

    def test_it_holds_for_a_connection_of_the_admin_too(
        self, cognito: LocalCognito, sign_in: SignIn, django_assert_num_queries: Any
    ) -> None:
        pool = cognito.create_pool("in the table")
        settings = {"region": cognito.region, "user_pool_id": pool.id, "endpoint_url": cognito.url}
        SocialApp.objects.create(
            provider="cognito",
            provider_id="main",
            client_id=pool.client_id,
            settings={**settings, "issuer": pool.issuer},
        )
        known(pool)
        assert main().active
        retire()
        assert not main().active
        with django_assert_num_queries(1):
            assert [connection.retired for connection in connections.every()] == [True]
        with django_assert_num_queries(1):
            assert main().retired
        sign_in.by_our_code(ANN)

    def test_twice_is_as_good_as_once(self, pool: LocalPool) -> None:
        retire()
        at = ConnectionState.objects.get().retired_at
        assert retire() == 0
        assert ConnectionState.objects.get().retired_at == at
        assert cutover.unretire(main(), now=timezone.now())
        assert not cutover.unretire(main(), now=timezone.now())
        assert list(JourneyEvent.objects.values_list("step", flat=True).order_by("pk")) == ["retired", "unretired"]

    def test_another_connection_goes_on(
        self, pool: LocalPool, cognito: LocalCognito, connect: Callable[..., Any]
    ) -> None:
        connect(cognito.create_pool("second"), "second")
        retire()
        assert [connection.alias for connection in connections.active()] == ["second"]


class TestTheChecklist:
    def failed(self, coverage: float = 0.95) -> set[str]:
        items = cutover.checklist(main(), now=timezone.now(), coverage=coverage)
        assert all(item.fix for item in items)
        return {item.name for item in items if not item.passed}

    def test_nothing_is_ready_at_first(self, pool: LocalPool) -> None:
        assert self.failed() == {"import", "coverage", "senders", "backup"}

    def test_everything_passes_in_the_end(self, pool: LocalPool, sign_in: SignIn, tmp_path: Path) -> None:
        now = timezone.now()
        known(pool)
        run = ImportRun.objects.create(
            connection="main", started_at=now, updated_at=now, finished_at=now, state="done"
        )
        sign_in.at_pool(ANN)
        assert self.failed() == {"senders", "backup"}
        sign_in.by_our_code(ANN)
        Delivery.objects.filter(sender="memory").update(finished_at=now)
        assert self.failed() == {"backup"}
        cutover.export_mapping(main(), tmp_path / "mapping.csv", now=now)
        assert self.failed() == set()
        known(pool, BEA)
        assert self.failed() == {"coverage"}
        assert self.failed(0.5) == set()
        MigratedUser.objects.filter(email=BEA).update(status="conflict", last_error="several_users")
        assert self.failed(0.5) == {"conflicts"}
        for out in ("excluded", "gone"):
            MigratedUser.objects.filter(email=BEA).update(status=out)
            assert self.failed() == set()
            assert not cutover.not_migrated(main()).filter(email=BEA).exists()
        ImportRun.objects.filter(pk=run.pk).update(finished_at=now - timedelta(days=2))
        ConnectionState.objects.update(exported_at=now - timedelta(days=2))
        Delivery.objects.update(finished_at=now - timedelta(days=2))
        assert self.failed() == {"import", "backup", "senders"}

    def test_who_is_left_by_phone_needs_sms(
        self, pool: LocalPool, sign_in: SignIn, make_user: Callable[..., User]
    ) -> None:
        make_user(ANN)
        sign_in.by_our_code(ANN)
        assert "senders" not in self.failed()
        known(pool, "", sub="p", phone_number="+4915112345678")
        (item,) = (item for item in cutover.checklist(main(), now=timezone.now()) if item.name == "senders")
        assert not item.passed
        assert "sms" in item.found

    def test_people_who_wait_for_the_pools_code_are_a_note(self, pool: LocalPool, sign_in: SignIn) -> None:
        known(pool)
        sign_in.start(ANN)
        (item,) = (item for item in cutover.checklist(main(), now=timezone.now()) if item.name == "challenges")
        assert (item.passed, item.must) == (False, False)
        ChallengeSession.objects.update(expires_at=timezone.now())
        assert "challenges" not in self.failed()

    def test_tombstones_without_their_key_are_told(self, pool: LocalPool) -> None:
        tombstones.create("i", "s", connection="main", now=timezone.now())
        assert "erasures" not in self.failed()
        Erasure.objects.update(key_fingerprint="0" * 16)
        assert "erasures" in self.failed()


class TestExports:
    def test_the_mapping_says_who_became_whom_and_nothing_else(
        self, pool: LocalPool, sign_in: SignIn, tmp_path: Path
    ) -> None:
        known(pool)
        sign_in.at_pool(ANN)
        path = tmp_path / "mapping.jsonl"
        written = cutover.export_mapping(main(), path, now=timezone.now())
        (row,) = map(json.loads, path.read_text().splitlines())
        record = MigratedUser.objects.get()
        assert row == {
            "connection": "main",
            "pool": pool.id,
            "sub": record.sub,
            "status": "migrated",
            "user": record.user_id,
            "method": "cognito_otp",
            "migrated_at": record.migrated_at.isoformat() if record.migrated_at else "",
        }
        assert path.stat().st_mode & 0o777 == 0o600
        state = ConnectionState.objects.get()
        assert (state.exported_rows, state.exported_digest) == (1, written.digest)

    def test_who_is_left_and_how_they_come_in(self, pool: LocalPool, tmp_path: Path) -> None:
        known(pool, ANN)
        known(pool, BEA, pool_enabled=False)
        known(pool, "cay@example.com", attributes={})
        known(pool, "dee@example.com", status="conflict", last_error="several_users")
        known(pool, "eve@example.com", attributes={}, decision={"choice": "separate", "address": "eve@example.com"})
        known(pool, "gone@example.com", status="migrated", user=User.objects.create_user("x"))
        known(pool, "", sub="nobody")
        path = tmp_path / "left.csv"
        assert cutover.export_not_migrated(main(), path).rows == 6
        with path.open(newline="") as file:
            found = {row["email"]: row["comes_in_by"] for row in csv.DictReader(file)}
        assert found == {
            ANN: "email",
            BEA: "no: disabled in the pool",
            "cay@example.com": "no: no address verified in the pool",
            "dee@example.com": "no: waits for a decision",
            "eve@example.com": "email",
            "": "no: no address",
        }
        assert cutover.count_not_migrated(main()) == {"enabled": 5, "disabled": 1}

    @pytest.mark.parametrize(
        "name", [HOSTILE, "+cmd|' /C calc'!A0", "-1+1", "@SUM(A1)", "\t=1", " =1", "\r=1", "\n=1"]
    )
    def test_a_formula_is_a_text(self, pool: LocalPool, tmp_path: Path, name: str) -> None:
        MigratedUser.objects.create(connection="main", pool=pool.id, sub=name, username=name)
        for path in (tmp_path / "mapping.csv", tmp_path / "left.csv"):
            if path.stem == "left":
                cutover.export_not_migrated(main(), path)
            else:
                cutover.export_mapping(main(), path, now=timezone.now())
            with path.open(newline="") as file:
                (row,) = csv.DictReader(file)
            assert row["sub"] == f"'{name}"

    def test_a_failure_leaves_the_file_that_was_there(self, pool: LocalPool, tmp_path: Path, monkeypatch: Any) -> None:
        path = tmp_path / "mapping.csv"
        path.write_text("before")
        known(pool)

        written = []

        def broken(value: object) -> str:
            written.append(value)
            if len(written) > 1:
                raise RuntimeError("died")
            return str(value)

        monkeypatch.setattr(export, "inert", broken)
        with pytest.raises(RuntimeError, match="died"):
            cutover.export_mapping(main(), path, now=timezone.now())
        assert path.read_text() == "before"
        assert list(tmp_path.iterdir()) == [path]
        assert not ConnectionState.objects.exists()
