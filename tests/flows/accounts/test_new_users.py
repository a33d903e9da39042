"""A user who is made here is made as allauth makes one: sign-ins by code, over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from django.contrib.auth.models import AbstractBaseUser, User
from django.core.exceptions import ValidationError
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.test import Client

from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import JourneyEvent, MigratedUser, PhoneNumber

from ...hooks import Asked

pytestmark = pytest.mark.django_db(transaction=True)
ANN, NUMBER = "ann@example.com", "+4915112345678"
Read = Callable[[], str]


@pytest.fixture
def signup(settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "SIGNUP": True}


def sign_in(client: Client, read: Callable[[], str | None], identifier: str = ANN) -> Any:
    client.post("/login/", {"identifier": identifier})
    return client.post("/login/code/", {"code": read() or ""})


def last_event() -> tuple[str, str, str, str]:
    event = JourneyEvent.objects.order_by("pk").last()
    assert event is not None
    return event.step, event.outcome, event.cause, event.category


class TestHooks:
    """Which hooks are asked, and in which order."""

    def test_those_of_allauths_own_sign_up_in_its_order(
        self, client: Client, asked: Asked, signup: None, sent_code: Read, settings: Any
    ) -> None:
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "ALLAUTH_PAGES": True}
        assert client.post("/accounts/signup/", {"email": "bob@example.com"}).status_code == 302
        allauths = list(asked)
        asked.clear()
        assert sign_in(Client(), sent_code).status_code == 302
        assert asked == allauths
        assert {"account.is_open_for_signup", "account.save_user", "account.is_email_verified"} <= {*asked}
        assert {type(request) for request in asked.requests} == {WSGIRequest}

    def test_those_of_a_phone_number(self, client: Client, asked: Asked, signup: None, sent_code: Read) -> None:
        sign_in(client, sent_code, NUMBER)
        order = "is_open_for_signup clean_phone new_user save_user populate_username set_phone set_phone_verified"
        assert [hook for hook in asked if hook.partition(".")[2] in order.split()] == [
            f"account.{hook}" for hook in order.split()
        ]
        assert PhoneNumber.objects.values_list("number", "verified").get() == (NUMBER, True)

    def test_a_person_of_the_pool_is_no_stranger(
        self, client: Client, asked: Asked, pool: LocalPool, cognito: LocalCognito, settings: Any
    ) -> None:
        """Sign-up is closed, new addresses are refused, and they have had theirs for long."""

        def refuse(email: str) -> None:
            raise ValidationError("closed")

        asked.instead["account.clean_email"] = refuse
        settings.ACCOUNT_SIGNUP_ENABLED = False
        pool.add_user(ANN)
        assert sign_in(client, lambda: cognito.last_code(ANN)).status_code == 302
        assert {"account.new_user", "account.save_user", "account.populate_username"} <= {*asked}
        assert "account.is_open_for_signup" not in asked
        assert EmailAddress.objects.values_list("email", "verified").get() == (ANN, True)

    def test_nobody_who_is_there_already_is_made(
        self, client: Client, asked: Asked, make_user: Callable[..., User], sent_code: Read
    ) -> None:
        make_user(ANN)
        sign_in(client, sent_code)
        assert asked == ["account.pre_login", "account.post_login"]

    def test_what_a_hook_writes_is_kept(
        self, client: Client, asked: Asked, signup: None, sent_code: Read, settings: Any
    ) -> None:
        def save_user(request: HttpRequest, user: Any, form: Any, *rest: Any) -> None:
            user.last_name = f"from {request.META['REMOTE_ADDR']}, {form.cleaned_data['company']!r}"

        asked.instead["account.save_user"] = save_user
        sign_in(client, sent_code)
        assert User.objects.get().last_name == "from 127.0.0.1, ''"

    def test_the_attributes_that_are_mapped_are_there_before_the_name_is_chosen(
        self, client: Client, pool: LocalPool, cognito: LocalCognito, settings: Any
    ) -> None:
        attributes = {"given_name": "first_name", "nickname": "username"}
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "ATTRIBUTES": attributes}
        pool.add_user(ANN, attributes={"given_name": "Ann", "nickname": "Annie"})
        sign_in(client, lambda: cognito.last_code(ANN))
        assert User.objects.values_list("username", "first_name", "email").get() == ("Annie", "Ann", ANN)

    def test_an_address_that_a_stranger_claims_is_not_left_out(
        self, client: Client, pool: LocalPool, cognito: LocalCognito, make_user: Callable[..., User]
    ) -> None:
        """allauth's own rule would leave it out."""
        bob = make_user("bob@example.com")
        EmailAddress.objects.create(user=bob, email=ANN, verified=False)
        pool.add_user(ANN)
        sign_in(client, lambda: cognito.last_code(ANN))
        ann = User.objects.exclude(pk=bob.pk).get()
        row = EmailAddress.objects.get(user=ann)
        assert (ann.email, row.email, row.verified, row.primary) == (ANN, ANN, True, True)


class TestSignal:
    """`user_signed_up` is sent once, when somebody first comes in."""

    def test_for_a_stranger(
        self, client: Client, signup: None, sent_code: Read, signed_up: list[dict[str, Any]]
    ) -> None:
        sign_in(client, sent_code)
        sign_in(Client(), sent_code)
        (told,) = signed_up
        assert (told["user"], told["sender"]) == (User.objects.get(), User)
        assert told["request"].path == "/login/code/"

    def test_for_a_person_of_the_pool(
        self, client: Client, pool: LocalPool, cognito: LocalCognito, sent_code: Read, signed_up: list[dict[str, Any]]
    ) -> None:
        pool.add_user(ANN)
        sign_in(client, lambda: cognito.last_code(ANN))
        sign_in(Client(), sent_code)
        assert [told["user"] for told in signed_up] == [User.objects.get()]

    def test_not_for_a_user_who_was_there(
        self,
        client: Client,
        pool: LocalPool,
        make_user: Callable[..., User],
        sent_code: Read,
        signed_up: list[dict[str, Any]],
    ) -> None:
        pool.add_user(ANN)
        make_user(ANN)
        sign_in(client, sent_code)
        assert (client.session["_auth_user_id"], signed_up) == (str(User.objects.get().pk), [])


class TestRefusals:
    """What a model, the database or a hook refuses is said as what it is, and leaves nothing behind."""

    def refused(self, client: Client, cause: str, read: Callable[[], str | None]) -> None:
        response = sign_in(client, read)
        assert (response.status_code, "contact support" in response.content.decode()) == (403, True)
        assert last_event() == ("migrated", "refused", cause, "flow")
        assert (User.objects.filter(email=ANN).count(), EmailAddress.objects.count()) == (0, 0)
        assert "_auth_user_id" not in client.session

    @pytest.mark.parametrize(
        ("field", "value", "cause"),
        [("username", "taken", "value_taken"), ("first_name", None, "value_refused")],
    )
    def test_a_value_that_the_database_refuses(
        self,
        client: Client,
        asked: Asked,
        pool: LocalPool,
        cognito: LocalCognito,
        field: str,
        value: object,
        cause: str,
    ) -> None:
        User.objects.create_user("taken")
        asked.instead["account.populate_username"] = lambda request, user: setattr(user, field, value)
        pool.add_user(ANN)
        self.refused(client, cause, lambda: cognito.last_code(ANN))
        assert MigratedUser.objects.values_list("status", "last_error", "user").get() == ("conflict", cause, None)

    def test_a_value_that_is_too_long(
        self, client: Client, asked: Asked, pool: LocalPool, cognito: LocalCognito
    ) -> None:
        from django.db import connection

        if connection.vendor == "sqlite":
            pytest.skip("SQLite keeps it")
        asked.instead["account.populate_username"] = lambda request, user: setattr(user, "first_name", "x" * 999)
        pool.add_user(ANN)
        self.refused(client, "value_refused", lambda: cognito.last_code(ANN))

    @pytest.mark.parametrize("hook", ["clean_email", "new_user", "save_user", "populate_username"])
    def test_a_hook_that_refuses(self, client: Client, asked: Asked, signup: None, sent_code: Read, hook: str) -> None:
        def refuse(*arguments: object) -> None:
            raise ValidationError("Not from there.")

        asked.instead[f"account.{hook}"] = refuse
        self.refused(client, "value_refused", sent_code)

    def test_sign_up_that_the_adapter_has_closed(
        self, client: Client, signup: None, sent_code: Read, settings: Any
    ) -> None:
        settings.ACCOUNT_SIGNUP_ENABLED = False
        self.refused(client, "signup_closed", sent_code)

    @pytest.mark.parametrize("hook", ["new_user", "save_user", "populate_username"])
    def test_a_hook_that_answers_itself(
        self, client: Client, asked: Asked, pool: LocalPool, cognito: LocalCognito, hook: str
    ) -> None:
        def stop(*arguments: object) -> None:
            raise ImmediateHttpResponse(HttpResponse("not today", status=418))

        asked.instead[f"account.{hook}"] = stop
        pool.add_user(ANN)
        response = sign_in(client, lambda: cognito.last_code(ANN))
        assert (response.status_code, response.content) == (418, b"not today")
        assert last_event() == ("migrated", "refused", "stopped_by_site", "flow")
        assert (User.objects.count(), MigratedUser.objects.count()) == (0, 0)

    def test_a_mistake_in_a_hook_is_not_hidden(
        self, client: Client, asked: Asked, pool: LocalPool, cognito: LocalCognito
    ) -> None:
        def fail(request: HttpRequest, user: AbstractBaseUser) -> None:
            raise ZeroDivisionError

        asked.instead["account.populate_username"] = fail
        pool.add_user(ANN)
        with pytest.raises(ZeroDivisionError):
            sign_in(client, lambda: cognito.last_code(ANN))
        assert last_event() == ("migrated", "failed", "unexpected_error", "configuration")
        assert (User.objects.count(), MigratedUser.objects.count()) == (0, 0)
        asked.instead.clear()
        assert sign_in(Client(), lambda: cognito.last_code(ANN)).status_code == 302

    def test_a_receiver_that_answers_itself_has_somebody_who_came_in_before(
        self, client: Client, signup: None, sent_code: Read, signed_up: list[dict[str, Any]]
    ) -> None:
        from allauth.account.signals import user_signed_up

        def stop(**given: Any) -> None:
            raise ImmediateHttpResponse(HttpResponse("wait", status=418))

        user_signed_up.connect(stop)
        try:
            assert sign_in(client, sent_code).status_code == 418
        finally:
            user_signed_up.disconnect(stop)
        assert last_event() == ("signed_in", "refused", "stopped_by_site", "flow")
        assert User.objects.get().last_login is None
