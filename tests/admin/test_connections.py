"""The page with the figures of each connection."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cognito_passwordless.flows.progress.rollup import roll_up
from cognito_passwordless.models import JourneyEvent

from .conftest import url

PAGE = "/admin/cognito_passwordless/journeyevent/connections/"
JSON = "/admin/cognito_passwordless/journeyevent/connections.json"


def happen(count: int, alias: str = "main") -> None:
    now = timezone.now()
    for number in range(count):
        JourneyEvent.objects.create(
            attempt=uuid4(),
            at=now - timedelta(seconds=number),
            step="answered",
            outcome="ok" if number % 2 else "failed",
            category="" if number % 2 else "system",
            connection=alias,
            duration_ms=200,
        )
    roll_up(now)


def test_the_list_of_events_leads_there_and_its_numbers_lead_back(looking: Client) -> None:
    happen(4)
    assert PAGE in looking.get(url("journeyevent")).content.decode()
    page = looking.get(PAGE)
    shown = page.content.decode()
    assert "200 ms" in shown
    assert "50" in shown
    (failed,) = [
        part.split('"')[0].replace("&amp;", "&")
        for part in shown.split('href="')[1:]
        if "step__exact=answered" in part and "outcome__exact=failed" in part.split('"')[0]
    ]
    assert looking.get(failed).context["cl"].result_count == 2


def test_it_costs_the_same_for_one_event_and_for_many(admin_client: Client) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert admin_client.get(PAGE).status_code == 200
        return len(captured)

    admin_client.get(PAGE)
    happen(1)
    one = statements()
    happen(40, "other")
    assert statements() == one


def test_the_same_as_json(looking: Client) -> None:
    happen(4)
    told = looking.get(JSON).json()
    (main,) = told["connections"]
    assert (main["name"], main["invocations"]["failed_percent"], main["invocations"]["mean_ms"]) == ("main", 50.0, 200)


def test_before_anything_is_counted_it_says_so(looking: Client) -> None:
    assert "Nothing has been counted yet" in looking.get(PAGE).content.decode()


@pytest.mark.parametrize("page", [PAGE, JSON])
def test_it_is_for_those_who_may_see_events(staff: Callable[..., Client], client: Client, page: str, db: Any) -> None:
    assert client.get(page).status_code == 302
    looking = staff()
    User.objects.get(username="staff").user_permissions.remove(Permission.objects.get(codename="view_journeyevent"))
    assert looking.get(page).status_code == 403
    assert looking.post(page).status_code == 403


def test_a_name_is_text(looking: Client, settings: Any) -> None:
    pool = {"region": "eu-west-1", "user_pool_id": "eu-west-1_Main"}
    app = {"provider_id": "main", "name": "<script>alert(1)</script>", "client_id": "client", "settings": pool}
    settings.SOCIALACCOUNT_PROVIDERS = {"cognito": {"APPS": [app]}}
    happen(1)
    shown = looking.get(PAGE).content.decode()
    assert "<script>alert(1)" not in shown
    assert "&lt;script&gt;alert(1)" in shown
