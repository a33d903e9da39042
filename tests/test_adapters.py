"""allauth's phone hooks see the number that people sign in with, and its codes go out by our senders."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.adapter import DefaultAccountAdapter, get_adapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import get_adapter as get_social_adapter
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from cognito_passwordless.adapters import AccountAdapter, AccountAdapterMixin, SocialAccountAdapter
from cognito_passwordless.delivery import Message, SendFailed
from cognito_passwordless.models import PhoneNumber

NUMBER = "+4915112345678"
MakeUser = Callable[..., User]
pytestmark = pytest.mark.django_db


class DeadSender:
    """A provider that is down."""

    def send(self, message: Message) -> str:
        raise SendFailed("down")


class SitesOwn(AccountAdapterMixin, DefaultAccountAdapter):
    """What a site with an adapter of its own writes."""


def test_the_ready_classes_are_what_allauth_uses() -> None:
    assert isinstance(get_adapter(), AccountAdapter)
    assert isinstance(get_social_adapter(), SocialAccountAdapter)


@pytest.mark.parametrize("adapter", [AccountAdapter, SitesOwn])
def test_all_phone_hooks_are_there(adapter: type[DefaultAccountAdapter]) -> None:
    assert adapter()._has_phone_impl


def test_the_numbers_are_the_ones_people_sign_in_with(make_user: MakeUser) -> None:
    user, adapter = make_user("ann@example.com"), get_adapter()
    assert adapter.get_phone(user) is None
    adapter.set_phone(user, "0151 12345678", False)
    assert adapter.get_phone(user) == (NUMBER, False)
    adapter.set_phone_verified(user, NUMBER)
    assert adapter.get_phone(user) == (NUMBER, True)
    assert PhoneNumber.objects.get().number == NUMBER
    assert adapter.get_user_by_phone("+49 151 12345678") == user


def test_changing_the_number_takes_the_one_that_was_proven(make_user: MakeUser) -> None:
    """allauth's change of number verifies the new one without having set it before."""
    user, adapter = make_user("ann@example.com"), get_adapter()
    adapter.set_phone(user, NUMBER, True)
    adapter.set_phone_verified(user, "+4915187654321")
    assert adapter.get_phone(user) == ("+4915187654321", True)


def test_a_number_that_nobody_proved_leads_to_no_account(make_user: MakeUser) -> None:
    adapter = get_adapter()
    adapter.set_phone(make_user("eve@example.com"), NUMBER, False)
    assert adapter.get_user_by_phone(NUMBER) is None
    assert adapter.get_user_by_phone("12") is None


def test_a_number_cannot_be_claimed_from_the_person_who_proved_it(make_user: MakeUser) -> None:
    """A provider's word for it does not count against a code."""
    ann, eve, adapter = make_user("ann@example.com"), make_user("eve@example.com"), get_adapter()
    adapter.set_phone_verified(ann, NUMBER)
    adapter.set_phone(eve, NUMBER, True)
    assert adapter.get_phone(eve) == (NUMBER, False)
    assert adapter.get_user_by_phone(NUMBER) == ann


def test_a_form_takes_a_number_in_the_form_that_is_stored() -> None:
    field = get_adapter().phone_form_field(required=True)
    assert {field.clean(typed) for typed in ("+49 151-1234 5678", "0151 / 12345678")} == {NUMBER}
    with pytest.raises(ValidationError):
        field.clean("+49123")


def test_allauths_code_goes_out_by_our_sms_senders(make_user: MakeUser, outbox: list[Message]) -> None:
    get_adapter().send_verification_code_sms(user=make_user("ann@example.com"), phone=NUMBER, code="AB-12")
    (message,) = outbox
    assert (message.channel, message.recipient) == ("sms", NUMBER)
    assert message.text.endswith("@www.example.com #AB-12")


def test_a_person_is_told_when_no_sender_works(
    make_user: MakeUser, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    senders = {"sms": [{"BACKEND": f"{__name__}.DeadSender"}]}
    settings.COGNITO_PASSWORDLESS = {"SENDERS": senders, "SMS_COUNTRIES": ["DE"]}
    with pytest.raises(ImmediateHttpResponse) as raised, caplog.at_level(logging.DEBUG):
        get_adapter().send_verification_code_sms(user=make_user("ann@example.com"), phone=NUMBER, code="AB-12")
    assert raised.value.response.status_code == 503
    assert "AB-12" not in caplog.text
    assert "down" in caplog.text
