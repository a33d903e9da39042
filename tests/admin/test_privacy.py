"""What the pages show to whom."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from cognito_passwordless.models import ChallengeSession, MigratedUser

from .conftest import EMAIL, MODELS, PAGES, PHONE, SECRETS, Make, url


def pages(client: Client, page: str) -> list[str]:
    """The list, and the page of its first row."""
    row = MODELS[page].objects.first()
    responses = [client.get(url(page)), client.get(url(page, row.pk, "change"))]
    assert [response.status_code for response in responses] == [200, 200]
    return [response.content.decode() for response in responses]


@pytest.mark.parametrize("page", PAGES)
def test_addresses_are_masked(looking: Client, make_rows: Make, page: str) -> None:
    make_rows()
    for shown in pages(looking, page):
        assert EMAIL not in shown
        assert "secret" not in shown
        assert PHONE not in shown
        assert PHONE[3:-2] not in shown


@pytest.mark.parametrize("page", ["challengesession", "failurecount", "sendcount", "migrateduser", "phonenumber"])
def test_somebody_with_the_permission_sees_them(trusted: Client, make_rows: Make, page: str) -> None:
    make_rows()
    for shown in pages(trusted, page):
        assert EMAIL in shown or PHONE in shown


@pytest.mark.parametrize("page", PAGES)
def test_what_opens_a_sign_in_is_shown_to_nobody(admin_client: Client, make_rows: Make, page: str) -> None:
    make_rows()
    for shown in pages(admin_client, page):
        for secret in SECRETS:
            if (page, secret) != ("sendcount", "the-browser"):  # a random id that opens nothing
                assert secret not in shown


def test_recorded_data_needs_the_permission(looking: Client, admin_client: Client, make_rows: Make) -> None:
    make_rows()
    assert "&quot;to&quot;" not in pages(looking, "journeyevent")[1]
    assert "&quot;to&quot;" in pages(admin_client, "journeyevent")[1]
    assert "&quot;email&quot;" not in pages(looking, "migrateduser")[1]
    assert "&quot;email&quot;" in pages(admin_client, "migrateduser")[1]


def found(client: Client, page: str, term: str) -> int:
    response = client.get(url(page), {"q": term})
    assert response.status_code == 200
    return int(response.context["cl"].result_count)


class TestSearch:
    """Whole values only, or a masked address could be spelled out."""

    @pytest.mark.parametrize("page", ["challengesession", "failurecount", "migrateduser"])
    @pytest.mark.parametrize("term", [EMAIL, " Ann.Secret@Example.COM "])
    def test_a_whole_address_is_found(self, looking: Client, make_rows: Make, page: str, term: str) -> None:
        make_rows(2)
        assert found(looking, page, term) == 1

    @pytest.mark.parametrize("page", ["migrateduser", "phonenumber"])
    def test_a_number_is_found_as_people_write_it(self, looking: Client, make_rows: Make, page: str) -> None:
        make_rows()
        assert found(looking, page, "0151 12345678") == 1

    @pytest.mark.parametrize("page", PAGES)
    @pytest.mark.parametrize("term", ["a", "ann", "example.com", "+49", "%", "ann.secret"])
    def test_a_part_is_not(self, looking: Client, make_rows: Make, page: str, term: str) -> None:
        make_rows()
        assert found(looking, page, term) == 0

    def test_an_attempt_is_found_by_its_id(self, looking: Client, make_rows: Make) -> None:
        make_rows(2)
        attempt = ChallengeSession.objects.latest("created_at").pk
        assert found(looking, "challengesession", str(attempt)) == 1
        assert found(looking, "journeyevent", str(attempt).upper()) == 1

    def test_a_pool_person_is_found_by_sub(self, looking: Client, make_rows: Make) -> None:
        make_rows(2)
        assert found(looking, "migrateduser", MigratedUser.objects.latest("pk").sub) == 1

    def test_no_term_finds_everybody(self, looking: Client, make_rows: Make) -> None:
        make_rows(2)
        assert found(looking, "migrateduser", "") == 2


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("challengesession", {"identifier__startswith": "a"}),
        ("challengesession", {"pool_session__startswith": "t"}),
        ("challengesession", {"handle_hash__startswith": "t"}),
        ("failurecount", {"identifier": EMAIL}),
        ("sendcount", {"key__contains": "ann"}),
        ("migrateduser", {"email__startswith": "a"}),
        ("migrateduser", {"attributes__email__startswith": "a"}),
        ("migrateduser", {"user__email__startswith": "a"}),
        ("phonenumber", {"number__startswith": "+4"}),
        ("delivery", {"challenge__identifier__startswith": "a"}),
        ("journeyevent", {"data__to__startswith": "a"}),
    ],
)
def test_a_url_cannot_ask_for_parts_either(looking: Client, make_rows: Make, page: str, query: dict[str, str]) -> None:
    make_rows()
    assert looking.get(url(page), query).status_code == 400


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_sorted_by_what_is_masked(looking: Client, make_rows: Make, page: str) -> None:
    make_rows()
    response = looking.get(url(page))
    sortable = {header["text"] for header in result_headers(response) if header["sortable"]}
    assert sortable.isdisjoint({"Identifier", "Recipient", "Key", "Number", "E-mail address", "Phone number"})


def result_headers(response: Any) -> Any:
    from django.contrib.admin.templatetags.admin_list import result_headers as headers

    return list(headers(response.context["cl"]))


def test_people_are_linked_to_their_own_page_without_being_named(admin_client: Client, make_rows: Make) -> None:
    make_rows()
    user = User.objects.get(username=EMAIL)
    shown = pages(admin_client, "migrateduser")[0]
    assert f'href="/admin/auth/user/{user.pk}/change/">a•••@e•••.com<' in shown


def test_a_user_name_that_is_an_address_is_masked(looking: Client, make_rows: Make) -> None:
    """With or without the plus of a number."""
    make_rows()
    for name in ("zoe@example.com", "+4915112345678", "4915112345678", "0151 2345678"):
        User.objects.filter(cognito_passwordless_phone__isnull=False).update(username=name)
        MigratedUser.objects.update(username=name)
        for page in ("phonenumber", "migrateduser", "challengesession"):
            for shown in pages(looking, page):
                assert name not in shown
