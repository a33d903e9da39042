"""What can be done on the pages, and what they cost."""

import logging
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from cognito_passwordless.models import (
    ChallengeSession,
    Delivery,
    FailureCount,
    JourneyEvent,
    MigratedUser,
    PhoneNumber,
)

from .conftest import EMAIL, MODELS, PAGES, PHONE, Make, url


@pytest.mark.parametrize("page", PAGES)
def test_history_is_read_only_even_for_superusers(admin_client: Client, make_rows: Make, page: str) -> None:
    make_rows()
    row = MODELS[page].objects.first()
    assert admin_client.get(url(page, "add")).status_code == 403
    assert admin_client.post(url(page, row.pk, "change"), {}).status_code == 403
    assert 'name="_save"' not in admin_client.get(url(page, row.pk, "change")).content.decode()
    if page != "phonenumber":
        assert admin_client.post(url(page, row.pk, "delete"), {"post": "yes"}).status_code == 403
        assert "delete_selected" not in admin_client.get(url(page)).content.decode()
    assert MODELS[page].objects.count() == 1


def test_a_number_that_is_no_longer_somebodys_can_go(admin_client: Client, make_rows: Make) -> None:
    make_rows()
    row = PhoneNumber.objects.get()
    assert admin_client.post(url("phonenumber", row.pk, "delete"), {"post": "yes"}).status_code == 302
    assert not PhoneNumber.objects.exists()


@pytest.mark.parametrize("page", PAGES)
def test_a_list_costs_the_same_for_one_row_and_for_fifty(admin_client: Client, make_rows: Make, page: str) -> None:
    admin_client.get(url(page))  # content types are looked up once

    def statements() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert admin_client.get(url(page)).status_code == 200
        return len(captured)

    make_rows(1)
    one = statements()
    for model in (Delivery, ChallengeSession, FailureCount, MigratedUser, JourneyEvent, PhoneNumber):
        model.objects.all().delete()
    MODELS["sendcount"].objects.all().delete()
    User.objects.filter(is_staff=False).delete()
    make_rows(50)
    assert MODELS[page].objects.count() == 50
    assert statements() == one


@pytest.mark.parametrize("page", PAGES)
def test_a_list_counts_nothing_that_was_not_asked_for(page: str) -> None:
    assert site._registry[MODELS[page]].show_full_result_count is False


@pytest.mark.parametrize("query", ["outcome__exact=open", "route__exact=local", "channel__exact=email"])
def test_the_filters_of_a_list_work(admin_client: Client, make_rows: Make, query: str) -> None:
    make_rows()
    assert admin_client.get(f"{url('challengesession')}?{query}").status_code == 200


def test_people_are_filtered_by_connection(admin_client: Client, make_rows: Make, settings: Any) -> None:
    pool = {"region": "eu-west-1", "user_pool_id": "eu-west-1_Main"}
    app = {"provider_id": "main", "name": "Customers", "client_id": "client", "settings": pool}
    settings.SOCIALACCOUNT_PROVIDERS = {"cognito": {"APPS": [app]}}
    make_rows()
    assert "Customers" in admin_client.get(url("migrateduser")).content.decode()
    for alias, count in (("main", 1), ("other", 0)):
        shown = admin_client.get(url("migrateduser"), {"connection": alias})
        assert shown.context["cl"].result_count == count


class TestTimeline:
    """From a person, and from a sign-in, to all that happened."""

    def test_a_person_has_the_events_of_their_user_and_of_their_addresses(
        self, looking: Client, make_rows: Make
    ) -> None:
        make_rows(3)
        person = MigratedUser.objects.get(email=EMAIL)
        JourneyEvent.objects.filter(user=person.user).update(user=None, step="before")
        earlier = ChallengeSession.objects.get(identifier=f"1{EMAIL}").pk
        JourneyEvent.objects.filter(attempt=earlier).update(user=person.user, step="another-address")
        shown = looking.get(url("migrateduser", person.pk, "change")).content.decode()
        assert "before" in shown
        assert "another-address" in shown
        assert shown.count("attempt__exact=") == 2

    def test_a_sign_in_links_its_messages_and_events(self, looking: Client, make_rows: Make) -> None:
        make_rows(2)
        challenge = ChallengeSession.objects.get(identifier=EMAIL)
        shown = looking.get(url("challengesession", challenge.pk, "change")).content.decode()
        deliveries = f"{url('delivery')}?challenge__id__exact={challenge.pk}"
        assert deliveries in shown
        assert looking.get(deliveries).context["cl"].result_count == 1
        events = f"{url('journeyevent')}?attempt__exact={challenge.pk}"
        assert events in shown
        assert looking.get(events).context["cl"].result_count == 1

    def test_no_address_is_in_a_link(self, admin_client: Client, make_rows: Make) -> None:
        make_rows()
        shown = admin_client.get(url("migrateduser", MigratedUser.objects.get().pk, "change")).content.decode()
        links = [part.split('"')[0] for part in shown.split('href="')[1:]]
        assert not [link for link in links if "example.com" in link or PHONE[1:] in link]

    def test_whoever_may_not_see_events_sees_none_here(self, looking: Client, make_rows: Make) -> None:
        make_rows()
        User.objects.get(username="staff").user_permissions.remove(
            Permission.objects.get(codename="view_journeyevent")
        )
        shown = looking.get(url("migrateduser", MigratedUser.objects.get().pk, "change")).content.decode()
        assert "Timeline" not in shown

    def test_a_person_without_anything_has_none(self, admin_client: Client) -> None:
        row = MigratedUser.objects.create(connection="main", pool="i", sub="s")
        assert admin_client.get(url("migrateduser", row.pk, "change")).status_code == 200


class TestClearing:
    """Clearing a failure count lets somebody try again."""

    def clear(self, client: Client, *rows: FailureCount) -> Any:
        chosen = {"action": "clear", "_selected_action": [row.pk for row in rows]}
        return client.post(url("failurecount"), chosen)

    def test_it_is_done_and_written_down(
        self, staff: Callable[..., Client], make_rows: Make, caplog: pytest.LogCaptureFixture
    ) -> None:
        make_rows(2)
        client = staff("change_failurecount")
        mine, other = FailureCount.objects.get(identifier=EMAIL), FailureCount.objects.exclude(identifier=EMAIL).get()
        with caplog.at_level(logging.INFO):
            assert self.clear(client, mine).status_code == 302
        mine.refresh_from_db()
        other.refresh_from_db()
        assert (mine.count, other.count) == (0, 7)
        entry = LogEntry.objects.get()
        assert (entry.user.username, entry.change_message) == ("staff", "Cleared 7 failures.")
        assert "cleared 7 failures" in caplog.text
        assert EMAIL not in caplog.text + entry.object_repr + entry.change_message

    def test_looking_is_not_enough(self, looking: Client, make_rows: Make) -> None:
        make_rows()
        self.clear(looking, FailureCount.objects.get())
        assert FailureCount.objects.get().count == 7
        assert 'value="clear"' not in looking.get(url("failurecount")).content.decode()


def test_a_site_without_a_page_for_its_users_gets_their_name_alone(rf: RequestFactory, make_rows: Make) -> None:
    make_rows()
    page = site._registry[MigratedUser]
    assert page.link("Ann", "custom_user_person_change", 1) == "Ann"  # type: ignore[attr-defined]
    assert page.person(None) == "-"  # type: ignore[attr-defined]


class TestWhyNoCode:
    """The doctor's answer for one person, in the admin."""

    WHY = url("challengesession", "why")

    def test_what_was_typed_is_answered_with_its_remedy(self, looking: Client, make_rows: Make) -> None:
        make_rows()
        page = looking.post(self.WHY, {"address": EMAIL})
        assert page.context["case"].conclusion.startswith("No code came")
        assert page.context["findings"]
        assert page.context["case"].advice in unescape(page.content.decode())

    @pytest.mark.parametrize("row", ["challenge", "person"])
    def test_a_row_leads_to_it_without_an_address_in_the_link(
        self, looking: Client, make_rows: Make, row: str
    ) -> None:
        make_rows()
        model = {"challenge": ChallengeSession, "person": MigratedUser}[row]
        page = looking.get(url(model._meta.model_name or "", model.objects.get().pk, "change")).content.decode()
        link = f"{self.WHY}?{row}={model.objects.get().pk}"
        assert link in page
        answer = looking.get(link)
        assert answer.context["case"].conclusion
        assert EMAIL not in answer.content.decode()

    @pytest.mark.parametrize("query", ["", "?person=x", "?challenge=x", "?person=999999"])
    def test_without_an_address_it_asks_for_one(self, looking: Client, query: str) -> None:
        page = looking.get(f"{self.WHY}{query}")
        assert page.status_code == 200
        assert "case" not in page.context

    def test_only_who_may_change_connections_asks_the_pool(self, looking: Client, admin_client: Client) -> None:
        assert "ask_pool" not in looking.get(self.WHY).context["form"].fields
        assert "ask_pool" in admin_client.get(self.WHY).context["form"].fields

    def test_it_needs_the_right_to_see_events(self, looking: Client) -> None:
        User.objects.get(username="staff").user_permissions.remove(
            Permission.objects.get(codename="view_journeyevent")
        )
        assert looking.get(self.WHY).status_code == 403

    def test_a_cause_is_shown_as_its_sentence(self, looking: Client, make_rows: Make) -> None:
        make_rows()
        ChallengeSession.objects.update(decoy_reason="over_limit")
        Delivery.objects.update(cause="over_limit")
        JourneyEvent.objects.update(cause="over_limit")
        MigratedUser.objects.update(last_error="over_limit")
        for page in ("challengesession", "delivery", "journeyevent", "migrateduser"):
            key = MODELS[page].objects.get().pk
            for shown in (url(page), url(page, key, "change")):
                text = looking.get(shown).content.decode()
                assert "Too many wrong codes were entered for this address." in text
                assert "over_limit" not in re.sub(r'="[^"]*"', "", text)
