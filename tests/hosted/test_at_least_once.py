"""The way back of a hosted login, opened twice, ahead of time, or late: no one is lost, and no one is let in twice."""

from collections.abc import Callable

import pytest
from django.http import HttpResponse
from django.test import Client

from cognito_passwordless.local import LocalPool
from cognito_passwordless.models import ChallengeSession, JourneyEvent

from .conftest import CALLBACK, Trip

pytestmark = pytest.mark.django_db(transaction=True)

Hosted = Callable[..., LocalPool]
MakeTrip = Callable[[LocalPool], Trip]
AHEAD = [
    {"Sec-Purpose": "prefetch"},
    {"Sec-Purpose": "prefetch;prerender"},
    {"Purpose": "prefetch"},
    {"X-Purpose": "preview"},
    {"X-Moz": "prefetch"},
]


def has_a_link_that_leads_on(response: HttpResponse) -> bool:
    return 'href="/login/' in response.content.decode()


@pytest.mark.parametrize("headers", AHEAD)
@pytest.mark.parametrize("samesite", ["Lax", "Strict"])
def test_what_a_browser_fetches_ahead_uses_nothing_up(
    hosted: Hosted, trip: MakeTrip, settings: object, headers: dict[str, str], samesite: str
) -> None:
    settings.SESSION_COOKIE_SAMESITE = samesite  # type: ignore[attr-defined]
    going = trip(hosted())
    ahead = going.client.get("/login/cognito/main/", headers=headers)
    assert (ahead.status_code, ChallengeSession.objects.count()) == (503, 0)
    answer = going.prove(going.leave("/login/cognito/main/?next=/inbox/"))
    events = JourneyEvent.objects.count()
    ahead = going.arrive(answer, headers=headers)
    assert (ahead.status_code, going.user_id) == (503, None)
    assert "no-store" in ahead.headers["Cache-Control"]
    assert ahead.headers["Referrer-Policy"] == "no-referrer"
    done = going.client.get(f"{CALLBACK}?done", headers=headers)
    assert (done.status_code, going.user_id) == (503, None)
    assert JourneyEvent.objects.count() == events
    arrived = going.arrive(answer)
    if samesite == "Strict":
        arrived = going.client.get(f"{CALLBACK}?done")
    assert arrived.headers["Location"] == "/inbox/"
    assert going.user_id


def test_opened_again_it_leads_to_where_the_person_wanted_to_go(hosted: Hosted, trip: MakeTrip) -> None:
    going = trip(hosted())
    answer = going.prove(going.leave("/login/cognito/main/?next=/inbox/"))
    assert going.arrive(answer).headers["Location"] == "/inbox/"
    user, events = going.user_id, JourneyEvent.objects.count()
    assert going.arrive(answer).headers["Location"] == "/inbox/"
    shown = going.arrive(answer)  # who reloads it all the time is told who they are
    assert "Sign out and use another account" in shown.content.decode()
    assert (going.user_id, JourneyEvent.objects.count()) == (user, events)


@pytest.mark.parametrize("query", ["", "?done", "?code=x", "?error=access_denied"])
def test_by_the_back_button_the_person_goes_home(hosted: Hosted, trip: MakeTrip, query: str) -> None:
    going = trip(hosted())
    going.sign_in()
    assert going.client.get(CALLBACK + query).headers["Location"] == "/"


def test_a_form_post_that_comes_again(hosted: Hosted, trip: MakeTrip) -> None:
    going = trip(hosted(response_mode="form_post"))
    answer = going.prove(going.leave())
    Client().post(CALLBACK, answer)
    going.client.get(f"{CALLBACK}?done")
    assert going.user_id
    again = Client().post(CALLBACK, answer)  # no cookie comes with it
    assert (again.status_code, again.headers["Location"]) == (303, f"{CALLBACK}?wait")
    assert going.client.get(f"{CALLBACK}?done").headers["Location"] == "/"
    stranger = Client().get(f"{CALLBACK}?done")
    assert stranger.status_code == 403
    assert has_a_link_that_leads_on(stranger)


def test_where_the_first_answer_was_lost_one_starts_again_with_next(hosted: Hosted, trip: MakeTrip) -> None:
    going = trip(hosted())
    answer = going.prove(going.leave("/login/cognito/main/?next=/inbox/"))
    ChallengeSession.objects.update(outcome="verified")
    failed = going.arrive(answer)
    assert failed.status_code == 403
    for place in ("/login/", "/login/cognito/main/"):
        assert f'href="{place}?next=%2Finbox%2F"' in failed.content.decode()


def test_a_person_who_came_in_by_another_way_is_told_who_they_are(hosted: Hosted, trip: MakeTrip) -> None:
    pool = hosted()
    signed_in = trip(pool)
    signed_in.sign_in()
    going = trip(pool)
    answer = going.prove(going.leave("/login/cognito/main/?next=/inbox/"))
    going.client.cookies["sessionid"] = signed_in.client.cookies["sessionid"].value
    shown = going.arrive(answer)
    assert shown.status_code == 403
    assert 'name="next" value="/inbox/"' in shown.content.decode()
    assert "You are signed in as" in shown.content.decode()
