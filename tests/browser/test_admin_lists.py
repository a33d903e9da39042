"""The lists of the admin that tell of a migration, and the pages of their rows: readable by everybody."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, expect

from cognito_passwordless.flows.events import audit
from cognito_passwordless.flows.lifecycle.cutover import attempt_of
from cognito_passwordless.flows.progress import rollup
from cognito_passwordless.models import ConnectionState, Erasure, ImportProblem, ImportRun, MigratedUser
from example_project.demo import history

from .admin import problems, shot
from .conftest import Look

ADMIN = "/admin/cognito_passwordless"
LISTS = (
    "migrateduser/?status__exact=migrated",
    "conflictcase/",
    "journeyevent/?outcome__exact=ok",
    "challengesession/?reached=verified",
    "sendcount/?scope__exact=sms_per_day",
    "importrun/",
    "importproblem/",
    "connectionstate/",
    "erasure/",
)


@pytest.fixture
def migration(admin: User) -> ImportRun:
    """A migration in its late days: imported, cut over and back, somebody erased."""
    now = timezone.now()
    history.fill(now, "late", people=60, attempts=30)
    rollup.roll_up(now)
    began = now - timedelta(minutes=9)
    run = ImportRun.objects.create(
        connection="main", state="failed", started_at=began, updated_at=now, finished_at=now, position=4_800,
        expected=5_000, seen=4_800, created=4_700, updated=60, unchanged=10, skipped=30, conflicts=4, problems=30,
        last_error="ListUsers failed: throttled (TooManyRequestsException)",
    )  # fmt: skip
    ImportProblem.objects.bulk_create(
        ImportProblem(run=run, position=160 * number, sub=f"sub-{number}", reason=reason, detail="email")
        for number, reason in enumerate(ImportProblem.Reason.values, start=1)
    )
    MigratedUser.objects.filter(status="migrated").update(import_run=run)
    ConnectionState.objects.create(alias="main", retired_at=now, exported_at=now, exported_rows=60)
    for step in ("exported", "retired"):
        audit.write(attempt_of("main"), step, connection="main", now=now, by=str(admin.pk))
    Erasure.objects.create(connection="main", erased_at=now, key_fingerprint="gone", mark="m")
    return run


def every_page(page: Page, run: ImportRun) -> Iterator[str]:
    """Goes through them; yields the name of each when it is there."""
    rows = {
        "importrun": run.pk,
        "importproblem": ImportProblem.objects.values_list("pk", flat=True)[0],
        "connectionstate": ConnectionState.objects.get().pk,
        "erasure": Erasure.objects.get().pk,
        "migrateduser": MigratedUser.objects.filter(status="migrated").values_list("pk", flat=True)[0],
    }
    for each in LISTS:
        page.goto(f"{ADMIN}/{each}")
        expect(page.locator("#result_list tbody tr").first).to_be_visible()
        yield f"list {each.partition('/')[0]}"
    for name, row in rows.items():
        page.goto(f"{ADMIN}/{name}/{row}/change/")
        expect(page.locator(".readonly").first).to_be_visible()
        yield f"row {name}"


@pytest.mark.parametrize(
    "look", [Look(), Look(scheme="dark"), Look("phone"), Look("phone", "dark")], indirect=True, ids=str
)
def test_axe_finds_nothing(page: Page, axe: str, migration: ImportRun, look: Look) -> None:
    found = {}
    for name in every_page(page, migration):
        shot(page, name, look)
        found[name] = problems(page, axe, is_stock=True)
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
