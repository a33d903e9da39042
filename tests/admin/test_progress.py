"""The page that shows how far the migration is: what it says, what it costs, and who may see it."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cognito_passwordless.admin import lists
from cognito_passwordless.admin.charts import nice
from cognito_passwordless.admin.export import inert
from cognito_passwordless.flows.progress import report, rollup
from cognito_passwordless.models import DailyFigure, JourneyEvent, MigratedUser, PeopleFigure, Progress, SendCount
from example_project.demo import history

pytestmark = pytest.mark.django_db

PAGE = "/admin/cognito_passwordless/progress/"
EXPORTS = (f"{PAGE}figures.json", f"{PAGE}figures.csv")
HOSTILE = ("<img src=x onerror=alert(1)>", "=HYPERLINK(1)", "@SUM(1)", "+1", "-1", "\t=1", '"><script>x</script>')


def pools(settings: Any, **names: str) -> None:
    pool = {"region": "eu-west-1", "user_pool_id": "eu-west-1_Main"}
    settings.SOCIALACCOUNT_PROVIDERS = {
        "cognito": {
            "APPS": [
                {"provider_id": alias, "name": name, "client_id": "client", "settings": pool}
                for alias, name in names.items()
            ]
        }
    }


def fill(age: str = "late", people: int = 120) -> datetime:
    now = timezone.now()
    history.fill(now, age, people=people, attempts=people)
    rollup.roll_up(now)
    return now


def links(html: str) -> list[tuple[str, int]]:
    """The links of numbers to lists, and the numbers."""
    found = re.findall(r'href="(/admin/cognito_passwordless/\w+/\?[^"]*)">([\d,]+)</a>', html)
    return [(unescape(url), int(number.replace(",", ""))) for url, number in found]


def kinds(found: list[tuple[str, int]], of_each: int) -> list[tuple[str, int]]:
    """Some links of each kind: sixty days are alike."""
    seen: Counter[object] = Counter()
    kept = []
    for url, number in found:
        kind = re.sub(r"days=[^&]*", "days", url)
        seen[kind] += 1
        if seen[kind] <= of_each:
            kept.append((url, number))
    return kept


class TestNumbers:
    @pytest.mark.parametrize("page", ["", "?connection=partners"])
    def test_every_number_leads_to_as_many_rows(self, admin_client: Client, settings: Any, page: str) -> None:
        pools(settings, main="Customers")
        fill()
        found = links(admin_client.get(f"{PAGE}{page}").content.decode())
        assert len(found) > 80
        wrong = []
        for url, number in kinds([each for each in found if "/sendcount/" not in each[0]], 3):
            response = admin_client.get(url)
            assert response.status_code == 200, url
            if response.context["cl"].result_count != number:
                wrong.append((url, number, response.context["cl"].result_count))
        assert wrong == []

    def test_the_roll_up_knows_the_length_of_every_list(self, admin_client: Client, settings: Any) -> None:
        pools(settings, main="Customers")
        fill()
        for url, number in links(admin_client.get(PAGE).content.decode()):
            rows = {"migrateduser": "people", "journeyevent": "events", "challengesession": "attempts"}.get(
                url.split("/")[3]
            )
            if rows:
                query = {name: value[0] for name, value in parse_qs(urlsplit(url).query, True).items()}
                chosen = lists.where(rows, query)
                assert chosen is not None, url
                assert lists.lookup.total(rows, chosen) == number, url

    def test_whose_django_user_was_deleted_and_who_is_gone_are_told_with_their_lists(
        self, admin_client: Client
    ) -> None:
        now = fill(people=40)
        assert "Django user was deleted" not in admin_client.get(PAGE).content.decode()
        first, second = MigratedUser.objects.filter(status="migrated", user__isnull=False)[:2]
        MigratedUser.objects.filter(pk=second.pk).update(status="gone", user=None, method="", migrated_at=None)
        MigratedUser.objects.filter(pk=first.pk).update(user=None)  # as the deletion of a user does it
        rollup.roll_up(now + timedelta(seconds=1))
        shown = admin_client.get(PAGE).content.decode()
        assert "Gone from the pool" in shown
        base = "/admin/cognito_passwordless/migrateduser/?status__exact="
        for url in (f"{base}migrated&user__isnull=True", f"{base}gone"):
            assert (url, 1) in links(shown)
            assert [row.pk for row in admin_client.get(url).context["cl"].result_list] in ([first.pk], [second.pk])
        everybody = f"{base}migrated&user__isnull=False"  # not what is counted
        assert admin_client.get(everybody).context["cl"].result_count != 1
        rows = list(csv.reader(io.StringIO(admin_client.get(EXPORTS[1]).content.decode())))
        assert ["migrated, Django user deleted", "", "1"] in [row[:3] for row in rows]
        assert admin_client.get(EXPORTS[0]).json()["deleted"]["value"] == 1

    def test_a_long_list_believes_the_roll_up(self, admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        fill()
        monkeypatch.setattr(lists, "FEW", 10)
        monkeypatch.setattr(lists, "MANY", 20)
        PeopleFigure.objects.filter(status="pending").update(count=1_000)
        url = "/admin/cognito_passwordless/migrateduser/"
        known = admin_client.get(url, {"status__exact": "pending"})
        assert known.context["cl"].result_count == 1_000 * PeopleFigure.objects.filter(status="pending").count()
        assert "these are the first" not in known.content.decode()
        unknown = admin_client.get(url, {"pool_enabled__exact": "1"})
        assert unknown.context["cl"].result_count == 20
        assert "More than 20 rows match: these are the first." in unknown.content.decode()

    @pytest.mark.parametrize(
        ("days", "moved"), [("2026", True), ("..", True), ("2026-01-02..x", True), ("9999-12-31..9999-12-31", True)]
    )
    def test_days_that_are_none_are_refused(self, admin_client: Client, days: str, moved: bool) -> None:
        response = admin_client.get("/admin/cognito_passwordless/journeyevent/", {"days": days})
        assert response.status_code == 302
        assert response["Location"].endswith("?e=1")

    @pytest.mark.parametrize("cohort", ["2026", "2026-13", "x"])
    def test_months_that_are_none_are_refused(self, admin_client: Client, cohort: str) -> None:
        assert admin_client.get("/admin/cognito_passwordless/migrateduser/", {"cohort": cohort}).status_code == 302

    def test_a_connection_that_is_gone_still_filters(self, admin_client: Client) -> None:
        fill()
        shown = admin_client.get("/admin/cognito_passwordless/migrateduser/", {"connection": "nothing"})
        assert shown.context["cl"].result_count == 0


class TestCost:
    def statements(self, client: Client, url: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url).status_code == 200
        return len(captured)

    def test_the_page_and_its_lists_cost_the_same_however_many_rows_there_are(
        self, admin_client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(lists, "FEW", 20)
        fill(people=12)
        few = kinds(links(admin_client.get(PAGE).content.decode()), 1)
        before = {url: self.statements(admin_client, url) for url in (PAGE, *(url for url, _ in few))}
        for model in (MigratedUser, JourneyEvent, SendCount, DailyFigure, PeopleFigure, Progress):
            model.objects.all().delete()
        history.ChallengeSession.objects.all().delete()
        fill(people=200)
        after = {url: self.statements(admin_client, url) for url in before}
        assert before[PAGE] == after[PAGE] <= 20
        assert {url: (before[url], after[url]) for url in before if before[url] != after[url]} == {}
        assert max(after.values()) <= 20

    def test_nothing_is_counted_in_the_big_tables(self, admin_client: Client) -> None:
        fill()
        with CaptureQueriesContext(connection) as captured:
            admin_client.get(PAGE)
        tables = ("migrateduser", "journeyevent", "challengesession")
        assert not [
            query["sql"]
            for query in captured
            if any(f'"cognito_passwordless_{table}"' in query["sql"] for table in tables)
        ]


class TestPermission:
    @pytest.mark.parametrize("url", [PAGE, *EXPORTS])
    def test_without_it_nobody_sees_anything(self, staff: Callable[..., Client], url: str) -> None:
        client = staff()
        assert client.get(url).status_code == 200
        User.objects.get(username="staff").user_permissions.remove(Permission.objects.get(codename="view_progress"))
        assert client.get(url).status_code == 403
        assert client.post(url).status_code == 403
        assert PAGE not in client.get("/admin/").content.decode()
        assert PAGE not in client.get("/admin/cognito_passwordless/migrateduser/").content.decode()
        User.objects.filter(username="staff").update(is_staff=False)
        assert client.get(url).status_code == 302

    def test_the_index_and_the_list_of_people_lead_to_it(self, looking: Client) -> None:
        assert PAGE in looking.get("/admin/").content.decode()
        assert PAGE in looking.get("/admin/cognito_passwordless/migrateduser/").content.decode()

    def test_it_alone_shows_numbers_without_links(self, staff: Callable[..., Client]) -> None:
        client = staff()
        User.objects.get(username="staff").user_permissions.set(Permission.objects.filter(codename="view_progress"))
        fill()
        shown = client.get(PAGE)
        assert shown.status_code == 200
        assert links(shown.content.decode()) == []

    def test_there_is_no_page_of_the_row(self, admin_client: Client) -> None:
        fill()
        for rest in ("1/", "1/change/", "add/", "1/delete/", "1/history/"):
            assert admin_client.get(f"{PAGE}{rest}").status_code in {302, 404}


class TestHostileNames:
    @pytest.fixture(autouse=True)
    def _names(self, settings: Any) -> None:
        pools(settings, **dict(zip("abcdefg", HOSTILE, strict=True)))
        for number, name in enumerate(HOSTILE):
            for connection_ in (name, "abcdefg"[number]):
                MigratedUser.objects.create(
                    connection=connection_,
                    pool="i",
                    sub=f"{number}{connection_}",
                    status="conflict",
                    last_error=name,
                )
            JourneyEvent.objects.create(
                attempt="00000000-0000-4000-8000-000000000000",
                at=timezone.now(),
                step="sent",
                outcome="failed",
                cause=name,
                connection=name,
            )
            SendCount.objects.create(scope="sms_per_country", key=name, count=1)
        rollup.roll_up(timezone.now())

    def test_are_inert_on_the_page(self, admin_client: Client) -> None:
        shown = admin_client.get(PAGE).content.decode()
        assert "&lt;img src=x onerror" in shown
        assert "<img" not in shown
        assert "<script>x" not in shown

    def test_are_inert_in_a_spreadsheet(self, admin_client: Client) -> None:
        rows = list(csv.reader(io.StringIO(admin_client.get(EXPORTS[1]).content.decode())))
        cells = [cell for row in rows for cell in row]
        assert any("=HYPERLINK(1)" in cell for cell in cells)
        assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []

    def test_are_inert_as_json(self, admin_client: Client) -> None:
        response = admin_client.get(EXPORTS[0])
        assert response["Content-Type"] == "application/json"
        assert response["Content-Disposition"].startswith("attachment")
        assert "<img" in json.dumps(response.json())

    def test_lead_to_their_rows_all_the_same(self, admin_client: Client) -> None:
        for url, number in kinds(links(admin_client.get(PAGE).content.decode()), 1):
            if "/sendcount/" not in url and number:
                assert admin_client.get(url).context["cl"].result_count == number, url


@pytest.mark.parametrize("text", ["=1+1", "+49151", "-1", "@a", "\tx", "\rx", "\nx"])
def test_a_cell_that_begins_like_a_formula_is_text(text: str) -> None:
    assert inert(text) == f"'{text}"


def test_numbers_stay_numbers() -> None:
    assert [inert(cell) for cell in (-1, 0.5, "ann")] == [-1, 0.5, "ann"]


class TestStates:
    def test_nothing_counted_yet(self, admin_client: Client) -> None:
        shown = admin_client.get(PAGE).content.decode()
        assert "Nothing has been counted yet" in shown
        assert [admin_client.get(url).status_code for url in EXPORTS] == [200, 200]

    def test_nobody(self, admin_client: Client) -> None:
        rollup.roll_up(timezone.now())
        shown = admin_client.get(PAGE).content.decode()
        assert "No pool user is known yet" in shown
        assert [admin_client.get(url).status_code for url in EXPORTS] == [200, 200]

    @pytest.mark.parametrize("age", history.AGES)
    def test_every_age(self, admin_client: Client, age: str) -> None:
        fill(age)
        shown = admin_client.get(PAGE)
        assert shown.status_code == 200
        assert [admin_client.get(url).status_code for url in EXPORTS] == [200, 200]
        told = admin_client.get(EXPORTS[0]).json()
        assert 0 <= told["migrated"]["percent"] <= 100

    def test_old_figures_say_so(self, admin_client: Client) -> None:
        fill()
        assert "These figures are old" not in admin_client.get(PAGE).content.decode()
        Progress.objects.update(as_of=timezone.now() - timedelta(hours=1))
        assert "These figures are old" in admin_client.get(PAGE).content.decode()

    def test_an_unknown_connection_is_no_page(self, admin_client: Client, settings: Any) -> None:
        fill()
        assert admin_client.get(PAGE, {"connection": "nothing"}).status_code == 404

    def test_nothing_on_the_page_is_inline(self, admin_client: Client) -> None:
        fill()
        shown = admin_client.get(PAGE).content.decode().partition('id="content-main"')[2]
        assert "style=" not in shown
        assert "<style" not in shown
        assert " on" not in re.sub(r">[^<]*<", "><", shown).replace("on=", "")

    @pytest.mark.parametrize("language", ["de", "fr", "es", "ar"])
    def test_geometry_is_the_same_in_every_language(self, admin_client: Client, language: str) -> None:
        fill()
        shown = admin_client.get(PAGE, headers={"accept-language": language}).content.decode()
        shown = shown.partition('id="content-main"')[2].rpartition("<footer")[0]
        geometry = re.findall(r' (?:x|y|width|height|points|x1|y1)="([^"]*)"', shown)
        assert len(geometry) > 100
        assert all(re.fullmatch(r"[-\d. ,]+", value) for value in geometry)


def test_the_axis_is_easy_to_read() -> None:
    assert [nice(most) for most in (0, 1, 3, 11, 12, 13, 99, 101, 4_321)] == [2, 2, 4, 12, 12, 20, 100, 120, 6_000]


def test_figures_of_two_moments_are_never_mixed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A roll-up is written while the page is being read."""
    now = fill()
    real, calls = report._read, []

    def read_slowly(*arguments: Any) -> Any:
        kept = real(*arguments)
        if not calls:
            MigratedUser.objects.filter(status="pending").delete()
            rollup.roll_up(now + timedelta(minutes=5))
        calls.append(kept)
        return kept

    monkeypatch.setattr(report, "_read", read_slowly)
    assert report.read_report(now).as_of == now + timedelta(minutes=5)
    assert len(calls) == 2
