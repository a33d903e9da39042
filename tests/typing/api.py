"""The public API (docs/public-api.md) as a site uses it. Only mypy reads this: `make types`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Unpack, assert_type
from uuid import UUID

from allauth.account.adapter import DefaultAccountAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.contrib.auth.models import AbstractBaseUser, User
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse

from cognito_passwordless import exceptions, signals, steps
from cognito_passwordless.adapters import AccountAdapterMixin, SocialAccountAdapterMixin
from cognito_passwordless.cognito import CognitoProfile, Connection
from cognito_passwordless.conf import conf
from cognito_passwordless.delivery import Failure, Message, Sender, SendFailed
from cognito_passwordless.delivery.email import DjangoEmailSender
from cognito_passwordless.delivery.end_user_messaging import EndUserMessagingSender
from cognito_passwordless.delivery.memory import MemorySender
from cognito_passwordless.delivery.sns import SnsSender
from cognito_passwordless.delivery.twilio import TwilioSender
from cognito_passwordless.flows.events.journey import StepEvent
from cognito_passwordless.lambda_triggers import define_auth_challenge, pre_sign_up
from cognito_passwordless.lambda_triggers.errors import not_allowed
from cognito_passwordless.local import Call, LocalCognito, LocalPool
from cognito_passwordless.local import Message as LocalMessage
from cognito_passwordless.local.own_triggers import attach
from cognito_passwordless.models import ChallengeSession, Delivery, JourneyEvent, MigratedUser, PhoneNumber


# Steps.
def ask(request: HttpRequest) -> HttpResponse:
    assert_type(steps.start("ann@example.com", request=request), steps.Generated | steps.Departure | steps.StepError)
    assert_type(steps.answer("handle", "123456"), steps.Identity | steps.StepError)
    generated = steps.generate("main", "ann@example.com", "email", ["openid"], request=request, handle="")
    assert_type(generated, steps.Generated | steps.StepError)
    if isinstance(generated, steps.StepError):
        assert_type(generated.alike, steps.Generated | None)
        assert_type(generated.retry_after, int | None)
        return HttpResponse(str(generated.for_page()), status=400)
    assert_type(generated.expires_at, datetime)
    return HttpResponse(generated.handle)


def answer(request: HttpRequest, handle: str, code: str) -> HttpResponse:
    identity = steps.validate(handle, code)
    assert_type(identity, steps.Identity | steps.StepError)
    if isinstance(identity, steps.StepError):
        return HttpResponse(identity.message, status=400)
    assert_type(identity.profile, CognitoProfile)
    assert_type(identity.profile.proven, frozenset[str])
    response = steps.sign_in(request, identity, next_url="/")
    assert_type(response, HttpResponse | steps.StepError)
    return HttpResponse(status=400) if isinstance(response, steps.StepError) else response


def hosted(request: HttpRequest, handle: str) -> None:
    back = "https://www.example.com/back/"
    assert_type(
        steps.authenticate_url("main", redirect_uri=back, identifier="ann@example.com", request=request),
        steps.Departure | steps.StepError,
    )
    assert_type(
        steps.authenticate_callback("main", handle, request.GET, redirect_uri=back),
        steps.Identity | steps.StepError,
    )


# Signals: a receiver with the types of what is sent, and the usual one.
@receiver(signals.user_migrated)
def greet(sender: type[MigratedUser], **sent: Unpack[signals.UserMigrated]) -> None:
    assert_type(sent["user"], AbstractBaseUser)
    assert_type(sent["migrated_user"], MigratedUser)
    assert_type(sent["created"], bool)


@receiver(signals.person_erased)
def forget(sender: object, *, user: AbstractBaseUser | None, user_removed: bool, **kwargs: object) -> None: ...


def signals_have_these_arguments(
    proven: signals.OwnershipProven,
    undone: signals.MigrationUndone,
    recorded: signals.JourneyEventRecorded,
    spent: signals.BudgetNearlySpent,
    confirmed: signals.PoolUserConfirmed,
    device: signals.PoolDeviceAdded,
) -> None:
    assert_type(proven["address"], str)
    if undone["outcome"] == "user_kept":
        assert_type(undone["migrated_user"], MigratedUser)
    assert_type(recorded["event"], JourneyEvent)
    assert_type((spent["name"], spent["used"], spent["limit"]), tuple[str, int, int])
    assert_type(confirmed["migrated_user"], MigratedUser)
    assert_type((device["connection"], device["migrated_user"]), tuple[Connection, MigratedUser | None])


# Adapters of a site's own.
class MyAccountAdapter(AccountAdapterMixin, DefaultAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    def get_phone(self, user: AbstractBaseUser) -> tuple[str, bool] | None:
        return super().get_phone(user)


class MySocialAccountAdapter(SocialAccountAdapterMixin, DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    pass


# A sender of a site's own.
class PigeonSender:
    rate = "2/1s"

    def __init__(self, *, loft: str) -> None:
        self.loft = loft

    def check(self) -> list[str]:
        return [] if self.loft else ["'loft' is empty"]

    def send(self, message: Message) -> str:
        if message.channel == "sms" and not message.valid_for:
            raise SendFailed("storm", Failure.LATER)
        return message.reference


senders: list[Sender] = [
    PigeonSender(loft="roof"),
    DjangoEmailSender(from_email="sign-in@example.com", rate="14/1s"),
    SnsSender(sender_id="Example", region="eu-west-1"),
    EndUserMessagingSender(region="eu-west-1"),
    TwilioSender(account_sid="AC", auth_token="token", messaging_service_sid="MG"),
    MemorySender(),
]


# Settings that name a callable.
def match_user(profile: CognitoProfile) -> AbstractBaseUser | None:
    return User.objects.filter(username=profile.sub).first()


def fill(user: User, profile: CognitoProfile) -> None:
    user.first_name = profile.attributes.get("given_name", "")


def event_data(step: StepEvent) -> Mapping[str, Any] | None:
    assert_type(step.attempt, UUID)
    return step.output if step.step == "sent" else None


def dispatch(challenge_id: str, generation: int, channel: str) -> None:
    raise exceptions.DispatchFailed("broker")


def settings() -> None:
    assert_type(conf.otp.length, int)
    assert_type(conf.app_name, str)
    assert_type(conf.limit("sends").count, int)


# Exceptions.
def refused() -> str:
    try:
        raise exceptions.MigrationConflict("several_users")
    except exceptions.MigrationRefused as error:
        assert_type(error.reason, str)
        return error.reason
    except exceptions.CognitoPasswordlessError:
        return ""


# Models, to read.
def rows() -> None:
    person = MigratedUser.objects.get(pool="eu-west-1_1", sub="1")
    assert_type((person.connection, person.status, person.migrated_at), tuple[str, str, datetime | None])
    assert_type(JourneyEvent.objects.filter(attempt=UUID(int=0)).get().cause, str)
    assert_type(ChallengeSession.objects.get().expires_at, datetime)
    assert_type(Delivery.objects.get().challenge, ChallengeSession)
    assert_type(PhoneNumber.objects.get().verified, bool)


# Lambda triggers.
def hook(event: object, settings: object, deadline: object) -> None:
    raise not_allowed("member")


def triggers(event: dict[str, Any], context: object) -> None:
    assert_type(pre_sign_up.handler(event, context), dict[str, Any])
    assert_type(define_auth_challenge.handler(event, context), dict[str, Any])


# The local Cognito.
def local() -> None:
    with LocalCognito(port=0, region="eu-west-1") as cognito:
        pool = cognito.create_pool("demo", mfa="OPTIONAL")
        assert_type(pool, LocalPool)
        pool.add_user("ann@example.com")
        attach(cognito, pool, {"OTP_SECRET": "…"})
        assert_type(cognito.inbox, list[LocalMessage])
        assert_type(cognito.calls, list[Call])
        assert_type(cognito.last_code("ann@example.com"), str | None)
