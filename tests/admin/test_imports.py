"""The pages of imports and of the rows that could not be used."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cognito_passwordless.models import ImportProblem, ImportRun

from .conftest import url

pytestmark = pytest.mark.django_db
NASTY = "<img src=x onerror=alert(1)>"


def made(problems: int = 2, alias: str = "main", sub: str = "sub") -> ImportRun:
    now = timezone.now()
    run = ImportRun.objects.create(
        connection=alias, state="done", started_at=now, updated_at=now, seen=9, created=7, skipped=2, problems=problems
    )
    ImportProblem.objects.bulk_create(
        ImportProblem(run=run, position=number, sub=f"{sub}{number}", reason="too_long", detail=NASTY)
        for number in range(1, problems + 1)
    )
    return run


def test_a_run_leads_to_its_own_problems(looking: Client) -> None:
    run, other = made(2), made(1, alias="other")
    page = looking.get(url("importrun")).content.decode()
    link = f"{url('importproblem')}?run__id__exact={run.pk}"
    assert link in page
    shown = looking.get(link)
    assert shown.status_code == 200
    assert {problem.run_id for problem in shown.context["cl"].result_list} == {run.pk}
    assert looking.get(url("importrun"), {"connection": "other"}).context["cl"].result_count == 1
    assert str(other.pk) in looking.get(url("importrun", other.pk, "change")).content.decode()


@pytest.mark.parametrize("page", ["importrun", "importproblem"])
def test_history_is_read_only(admin_client: Client, page: str) -> None:
    run = made()
    row = run if page == "importrun" else run.problem_rows.first()
    assert row
    assert admin_client.get(url(page, "add")).status_code == 403
    assert admin_client.post(url(page, row.pk, "change"), {}).status_code == 403
    assert admin_client.post(url(page, row.pk, "delete"), {"post": "yes"}).status_code == 403
    assert "delete_selected" not in admin_client.get(url(page)).content.decode()


def test_what_a_pool_wrote_is_inert(admin_client: Client) -> None:
    run = made(sub='=HYPERLINK("http://evil")', alias=NASTY)
    pages = [url("importrun"), url("importrun", run.pk, "change"), url("importproblem")]
    problem = run.problem_rows.first()
    assert problem
    for page in [*pages, url("importproblem", problem.pk, "change")]:
        shown = admin_client.get(page).content.decode()
        assert "<img src=x" not in shown
        assert 'HYPERLINK("http' not in shown


def test_a_sub_that_is_an_address_is_masked(admin_client: Client) -> None:
    made(1, sub="ann@example.com")
    assert "ann@example.com" not in admin_client.get(url("importproblem")).content.decode()


@pytest.mark.parametrize("page", ["importrun", "importproblem"])
def test_a_list_costs_the_same_for_one_row_and_for_fifty(admin_client: Client, page: str) -> None:
    admin_client.get(url(page))

    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert admin_client.get(url(page)).status_code == 200
        return len(captured)

    made(1)
    one = statements()
    for _ in range(30):
        made(50)
    assert statements() == one


def test_without_the_permission_there_is_nothing(staff: Callable[..., Client]) -> None:
    run = made()
    client = staff()
    User.objects.get(username="staff").user_permissions.clear()
    for page in (url("importrun"), url("importrun", run.pk, "change"), url("importproblem")):
        assert client.get(page).status_code == 403
