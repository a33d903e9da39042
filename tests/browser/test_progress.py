"""The progress of the migration, as people see it who look at it every morning."""

import re
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, expect

from cognito_passwordless.flows.progress import rollup
from cognito_passwordless.models import (
    ChallengeSession,
    DailyFigure,
    JourneyEvent,
    MigratedUser,
    PeopleFigure,
    Progress,
    SendCount,
)
from example_project.demo import history

from .admin import shot
from .axe import violations
from .conftest import Look

PAGE = "/admin/cognito_passwordless/progress/"
STATES = ("not counted", "empty", *history.AGES)
# The rest of the page is Django's.
OURS = "#content-main"


@pytest.fixture
def looking(admin: User, page: Page) -> Page:
    """Somebody who may see everything."""
    return page


def fill(state: str) -> None:
    for model in (MigratedUser, JourneyEvent, ChallengeSession, SendCount, DailyFigure, PeopleFigure, Progress):
        model.objects.all().delete()
    if state in history.AGES:
        history.fill(timezone.now(), state, people=200, attempts=100)
    if state != "not counted":
        rollup.roll_up(timezone.now())


def every_state(page: Page) -> Iterator[str]:
    """Goes through them; yields the name of each when it is there."""
    for state in STATES:
        fill(state)
        page.goto(PAGE)
        expect(page.get_by_role("heading", name="Migration progress")).to_be_visible()
        for summary in page.locator(f"{OURS} summary").all():
            summary.click()
        yield state


@pytest.mark.parametrize(
    "look", [Look(), Look("phone", "dark"), Look(scheme="dark"), Look(forced_colors="active")], indirect=True, ids=str
)
def test_axe_finds_nothing(looking: Page, axe: str, look: Look) -> None:
    found = {}
    for state in every_state(looking):
        shot(looking, f"progress {state}", look)
        found[state] = violations(looking, axe, OURS)
    assert {state: problems for state, problems in found.items() if problems} == {}


@pytest.mark.parametrize("look", [Look("narrow")], indirect=True, ids=str)
def test_the_page_itself_is_not_scrolled_sideways(looking: Page) -> None:
    """Wide tables and the chart are, each for itself."""
    for state in every_state(looking):
        assert looking.evaluate("document.scrollingElement.scrollWidth - innerWidth") <= 0, state


@pytest.mark.parametrize("look", [Look("phone"), Look("phone", locale="ar")], indirect=True, ids=["ltr", "rtl"])
def test_on_a_phone_the_chart_begins_with_the_newest_days(looking: Page) -> None:
    fill("late")
    looking.goto(PAGE)
    assert looking.evaluate(
        """([newest, chart]) => {
            const shown = document.querySelector(chart).getBoundingClientRect();
            const bars = document.querySelectorAll(newest);
            const last = bars[bars.length - 1].getBoundingClientRect();
            return shown.left <= last.left && last.right <= shown.right;
        }""",
        [".cpwp-day", ".cpwp-newest"],
    )


def test_everything_on_it_comes_from_the_site_itself(looking: Page, site: str) -> None:
    asked: list[str] = []
    looking.on("request", lambda request: asked.append(request.url))
    fill("late")
    looking.goto(PAGE)
    assert {url for url in asked if not url.startswith(site)} == set()


def test_a_number_leads_to_the_rows_behind_it(looking: Page) -> None:
    fill("late")
    looking.goto(PAGE)
    looking.get_by_role("region", name="Needs review").get_by_role("link").first.click()
    expect(looking).to_have_url(re.compile("last_error__exact="))
    expect(looking.locator("#result_list tbody tr").first).to_be_visible()
