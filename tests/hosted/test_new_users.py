"""A user who is made after a hosted login is made as allauth makes one after a social login."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.helpers import complete_social_login
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import HttpResponse
from django.test import RequestFactory

from cognito_passwordless import compat
from cognito_passwordless.local import LocalPool
from cognito_passwordless.models import JourneyEvent, MigratedUser

from ..hooks import Asked
from .conftest import Trip

pytestmark = pytest.mark.django_db(transaction=True)
Hosted = Callable[..., LocalPool]
MakeTrip = Callable[[LocalPool], Trip]
# There is no form to fall back on, and whoever is in the pool has signed up long ago.
NOT_ASKED = {"social.is_open_for_signup", "account.is_open_for_signup", "social.is_auto_signup_allowed"}


def allauths_own(rf: RequestFactory) -> None:
    """Bob, by allauth's own social login."""
    request = rf.get("/")
    request.user, request.session = AnonymousUser(), SessionStore()
    request._messages = FallbackStorage(request)  # type: ignore[attr-defined]
    claims = {"sub": "b", "iss": "i", "email": "bob@example.com", "given_name": "Bob"}
    with context.request_context(request):
        provider = compat.social_app("cognito", "main").get_provider(request)
        complete_social_login(request, provider.sociallogin_from_response(request, claims))


def test_the_hooks_of_allauths_own_social_login_in_its_order(
    hosted: Hosted, trip: MakeTrip, asked: Asked, rf: RequestFactory, settings: Any
) -> None:
    going = trip(hosted())
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "SIGNUP": True}
    allauths_own(rf)
    allauths = [hook for hook in asked if hook not in NOT_ASKED]
    assert {*asked} >= NOT_ASKED
    asked.clear()
    assert going.sign_in().status_code == 302
    assert asked == allauths
    assert None not in asked.requests
    assert {"social.populate_user", "social.save_user", "account.populate_username"} <= {*asked}


def test_the_hooks_see_what_the_pool_says_and_it_is_not_kept(hosted: Hosted, trip: MakeTrip, asked: Asked) -> None:
    seen: list[Any] = []
    asked.instead["social.populate_user"] = lambda request, login, data: seen.append(data["first_name"])
    asked.instead["social.save_user"] = lambda request, login: seen.append(login.account.extra_data["email"])
    trip(hosted()).sign_in()
    assert seen == ["Ann", "ann@example.com"]
    user = User.objects.get()
    assert (user.first_name, user.email) == ("", "ann@example.com")  # names come by ATTRIBUTES alone
    assert set(SocialAccount.objects.get().extra_data) == {"pool", "sub"}
    assert not EmailAddress.objects.get().verified
    assert MigratedUser.objects.get().changes["account"] is True


def test_user_signed_up_knows_the_social_login(
    hosted: Hosted, trip: MakeTrip, signed_up: list[dict[str, Any]]
) -> None:
    pool = hosted()
    trip(pool).sign_in()
    trip(pool).sign_in()
    (told,) = signed_up
    assert told["user"] == told["sociallogin"].user == User.objects.get()
    assert told["sociallogin"].account.pk == SocialAccount.objects.get().pk
    assert told["sociallogin"].account.extra_data["email"] == "ann@example.com"


def test_what_is_tried_again_begins_anew(hosted: Hosted, trip: MakeTrip, asked: Asked) -> None:
    """The key of a row that was rolled back may be somebody else's by then."""
    keys: list[Any] = []

    def meets(request: Any, user: Any) -> None:
        keys.append((user.pk, user.username))
        if len(keys) == 1:
            user.username = "first"
            user.save()
            raise IntegrityError

    asked.instead["account.populate_username"] = meets
    assert trip(hosted()).sign_in().status_code == 302
    assert keys == [(None, ""), (None, "")]
    assert User.objects.count() == 1


@pytest.mark.parametrize("hook", ["social.new_user", "social.populate_user", "social.save_user"])
@pytest.mark.parametrize(
    ("error", "status", "cause"),
    [
        (ValidationError("no"), 403, "value_refused"),
        (ImmediateHttpResponse(HttpResponse("not today", status=418)), 418, "stopped_by_site"),
    ],
)
def test_what_a_hook_refuses(
    hosted: Hosted, trip: MakeTrip, asked: Asked, hook: str, error: Exception, status: int, cause: str
) -> None:
    def refuse(*arguments: object) -> None:
        raise error

    asked.instead[hook] = refuse
    going = trip(hosted())
    assert (going.sign_in().status_code, going.user_id) == (status, None)
    event = JourneyEvent.objects.latest("pk")
    assert (event.step, event.outcome, event.cause) == ("migrated", "refused", cause)
    assert (User.objects.count(), SocialAccount.objects.count()) == (0, 0)
