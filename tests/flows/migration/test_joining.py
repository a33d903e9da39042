"""One more proof, in the same browser, opens an account that is there: an address, or the hosted login."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.test import Client

from cognito_passwordless.delivery import Message
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import JourneyEvent, MigratedUser

from ...hosted.conftest import Trip, hosted, trip  # noqa: F401  (fixtures)

pytestmark = pytest.mark.django_db(transaction=True)

ANN = "ann@example.com"
JOIN = "/login/code/join/"
Go = Callable[[LocalPool], Trip]


@pytest.fixture
def pool(hosted: Callable[..., LocalPool]) -> LocalPool:  # noqa: F811
    return hosted()


def code_for(client: Client, sent_code: Callable[[], str]) -> Any:
    assert client.post(JOIN, {"join": "yes"}).headers["Location"] == "/login/code/"
    return client.post("/login/code/", {"code": sent_code()})


@pytest.mark.parametrize("verified", [True, False])
def test_who_comes_by_hosted_login_proves_the_address_of_an_account_that_is_there(
    pool: LocalPool,
    trip: Go,  # noqa: F811
    make_user: Callable[..., User],
    sent_code: Callable[[], str],
    verified: bool,
) -> None:
    ann = make_user(ANN, verified=verified)
    visit = trip(pool)
    answer = visit.sign_in()
    assert (answer.status_code, answer.headers["Location"], visit.user_id) == (302, JOIN, None)
    page = visit.client.get(JOIN)
    assert ANN in page.content.decode()
    assert not MigratedUser.objects.exists(), "nothing has been written"
    assert code_for(visit.client, sent_code).status_code == 302
    assert visit.user_id == str(ann.pk)
    assert (MigratedUser.objects.get().user, SocialAccount.objects.get().user) == (ann, ann)
    assert EmailAddress.objects.get(user=ann).verified
    assert trip(pool).sign_in().headers["Location"] != JOIN, "they are asked once"


def robot(request: Any, step: str) -> bool:
    return step != "start"


def test_the_captcha_is_asked_before_this_send_too(
    pool: LocalPool,
    trip: Go,  # noqa: F811
    make_user: Callable[..., User],
    outbox: list[Message],
    settings: Any,
) -> None:
    make_user(ANN)
    visit = trip(pool)
    visit.sign_in()
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "CAPTCHA": f"{__name__}.robot"}
    page = visit.client.post(JOIN, {"join": "yes"})
    assert (page.status_code, outbox) == (400, [])
    assert "not a robot" in page.content.decode()


def test_who_does_not_want_to_gets_an_account_without_the_address(
    pool: LocalPool,
    trip: Go,  # noqa: F811
    make_user: Callable[..., User],
) -> None:
    ann = make_user(ANN)
    visit = trip(pool)
    visit.sign_in()
    assert visit.client.post(JOIN, {"join": "no"}).status_code == 302
    own = User.objects.get(pk=visit.user_id)
    assert own != ann
    assert not EmailAddress.objects.filter(user=own).exists()
    assert MigratedUser.objects.get().user == own


def test_another_sign_in_in_the_same_browser_is_not_joined(
    pool: LocalPool,
    trip: Go,  # noqa: F811
    make_user: Callable[..., User],
    sent_code: Callable[[], str],
) -> None:
    """Somebody may have left a hosted login waiting on a shared computer."""
    ann = make_user(ANN)
    visit = trip(pool)
    visit.sign_in()
    visit.client.post("/login/", {"identifier": ANN, "by": "code"})
    assert visit.client.post("/login/code/", {"code": sent_code()}).status_code == 302
    assert visit.user_id == str(ann.pk)
    assert not SocialAccount.objects.filter(user=ann).exists()


def test_who_came_by_another_provider_and_types_the_address_later_joins_by_the_hosted_login(
    hosted: Callable[..., LocalPool],  # noqa: F811
    trip: Go,  # noqa: F811
    sent_code: Callable[[], str],
    settings: Any,
) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "SIGNUP": True}
    pool = hosted(people=False)
    pool.add_user(ANN, email_verified=False)
    first = trip(pool)
    assert first.sign_in(ANN).status_code == 302
    account = User.objects.get()
    visit = trip(pool)
    visit.client.post("/login/", {"identifier": ANN, "by": "code"})
    assert visit.client.post("/login/code/", {"code": sent_code()}).headers["Location"] == JOIN
    assert ANN not in visit.client.get(JOIN).content.decode()
    there = visit.client.post(JOIN, {"join": "yes"})
    visit.arrive(visit.prove(visit.leave(there.headers["Location"]), ANN))
    assert visit.user_id == str(account.pk)
    assert User.objects.count() == 1
    assert EmailAddress.objects.get(user=account).verified


def test_without_the_hosted_login_they_get_an_account_of_their_own(
    hosted: Callable[..., LocalPool],  # noqa: F811
    trip: Go,  # noqa: F811
    sent_code: Callable[[], str],
    settings: Any,
) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "SIGNUP": True}
    pool = hosted(people=False)
    pool.add_user(ANN, email_verified=False)
    trip(pool).sign_in(ANN)
    client = Client()
    client.post("/login/", {"identifier": ANN, "by": "code"})
    client.post("/login/code/", {"code": sent_code()})
    assert client.post(JOIN, {"join": "no"}).status_code == 302
    assert User.objects.count() == 2
    assert EmailAddress.objects.get(verified=True).user_id == int(client.session["_auth_user_id"])


def test_what_waits_is_told_on_the_timeline_and_is_over_after_a_while(
    pool: LocalPool,
    trip: Go,  # noqa: F811
    make_user: Callable[..., User],
    cognito: LocalCognito,
) -> None:
    make_user(ANN)
    visit = trip(pool)
    visit.sign_in()
    assert JourneyEvent.objects.filter(step="join_offered", outcome="ok").exists()
    session = visit.client.session
    assert ANN not in str(dict(session)), "what was proven is encrypted"
    del session["cognito_passwordless_held"]
    session.save()
    for answer in (visit.client.get(JOIN), visit.client.post(JOIN, {"join": "no"}), Client().get(JOIN)):
        assert answer.headers["Location"].startswith("/login/")
    assert User.objects.count() == 1
