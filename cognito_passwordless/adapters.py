"""allauth adapters, and mixins for sites that have their own.

A site with adapters of its own puts the mixin first: ``class Adapter(AccountAdapterMixin, DefaultAccountAdapter)``.
"""

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import uuid4

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import MultipleObjectsReturned, ObjectDoesNotExist, ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from . import compat, connections, texts
from .conf import conf
from .delivery import SendFailed, code_message, deliver
from .exceptions import InvalidIdentifier
from .flows.accounts.owners import has_proven_address
from .flows.hosted_login.sign_out import hosted_sign_out
from .flows.limits import budgets, guard
from .identifiers import normalise_phone
from .identity import Channel
from .models import PhoneNumber
from .otp import Code
from .provider import CognitoProvider, removed

__all__ = ["AccountAdapter", "AccountAdapterMixin", "SocialAccountAdapter", "SocialAccountAdapterMixin"]

logger = logging.getLogger(__name__)

# The mixins stand before a class of allauth's; only the type checker needs to be told.
if TYPE_CHECKING:
    _Account: TypeAlias = DefaultAccountAdapter
    _Social: TypeAlias = DefaultSocialAccountAdapter
else:
    _Account = _Social = object


class AccountAdapterMixin(_Account):
    """allauth's phone hooks, on the numbers that people sign in with here: there is one number, not two. And `SIGNUP`
    for allauth's own ways to sign up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Only where ``SIGNUP`` is on: asked by allauth's pages, its API, and logins by other providers."""
        return conf.signup and bool(super().is_open_for_signup(request))

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """While people may live in a pool, no mail says that their address is unknown: allauth knows Django's users
        alone."""
        if template_prefix != "account/email/unknown_account" or not connections.active():
            super().send_mail(template_prefix, email, context)

    def phone_form_field(self, **kwargs: Any) -> Any:
        """allauth's field, which takes a number in any form that our own page takes."""
        return super().phone_form_field(**{"validators": [], **kwargs})

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        """The site's own page, by way of Cognito's logout endpoint where the connection says ``global_sign_out``."""
        url: str = super().get_logout_redirect_url(request)
        absolute = f"{conf.public_url}{url}" if conf.public_url else request.build_absolute_uri(url)
        return hosted_sign_out(request, absolute) or url

    def clean_phone(self, phone: str) -> str:
        """The number as it is stored, in E.164. Raises `ValidationError`."""
        try:
            return normalise_phone(phone)
        except InvalidIdentifier:
            raise ValidationError(_("Enter a phone number that exists."), code="invalid_phone") from None

    def set_phone(self, user: AbstractBaseUser, phone: str, verified: bool) -> None:
        """Gives the user this number. It stays unverified if another user has proven it."""
        number = normalise_phone(phone)
        taken = PhoneNumber.objects.filter(number=number, verified=True).exclude(user_id=user.pk).exists()
        PhoneNumber.objects.update_or_create(
            user_id=user.pk, defaults={"number": number, "verified": verified and not taken}
        )

    def get_phone(self, user: AbstractBaseUser) -> tuple[str, bool] | None:
        """The user's number, and whether it is verified."""
        return PhoneNumber.objects.filter(user_id=user.pk).values_list("number", "verified").first()

    def set_phone_verified(self, user: AbstractBaseUser, phone: str) -> None:
        """The user has proven this number, the one they have or the one they are changing to. Raises
        `IntegrityError` when another user has proven it meanwhile."""
        number = normalise_phone(phone)
        PhoneNumber.objects.update_or_create(user_id=user.pk, defaults={"number": number, "verified": True})

    def get_user_by_phone(self, phone: str) -> Any:
        """Who has proven this number. A number that is only written on an account is no way into it."""
        try:
            number = normalise_phone(phone)
        except InvalidIdentifier:
            return None
        found = PhoneNumber.objects.filter(number=number, verified=True).select_related("user").first()
        return found.user if found else None

    @sensitive_variables()
    def send_verification_code_sms(self, user: AbstractBaseUser, phone: str, code: str, **kwargs: Any) -> None:
        """Sends allauth's own code by the SMS senders of ``SENDERS``. The person sees a page that says so when none
        of them works, or a budget of `LIMITS` is used up: a fraudster does not mind which form sends the messages."""
        number = normalise_phone(phone)
        message = code_message(
            channel=Channel.SMS,
            recipient=number,
            code=Code(code),
            seconds_left=compat.phone_code_lifetime(),
            language=translation.get_language() or "",
            reference=str(uuid4()),
        )
        try:
            guard.admit(number, timezone.now())
            budgets.spend_for_message(Channel.SMS, number, timezone.now())
            deliver(message)
        except (SendFailed, budgets.OverLimit) as error:
            logger.error("allauth's code could not be sent by SMS: %s", error.cause)
            plain = {"content_type": "text/plain; charset=utf-8", "headers": {"Retry-After": "60"}}
            raise ImmediateHttpResponse(HttpResponse(texts.cannot_send(), status=503, **plain)) from None


class SocialAccountAdapterMixin(_Social):
    """Keeps allauth's pages working whatever becomes of a connection."""

    def list_providers(self, request: HttpRequest) -> list[Any]:
        """Without connections that no longer sign people in; and without any of ours on the pages of a user
        who is signed in, for a pool identity is linked by signing in with it and not by hand."""
        at_home = request.user.is_authenticated and not compat.is_headless(request)
        listed = super().list_providers(request)
        return [
            provider
            for provider in listed
            if not isinstance(provider, CognitoProvider) or (provider.is_open and not at_home)
        ]

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> Any:
        """Of what a pool says, allauth itself writes the e-mail address alone: the rest is for `ATTRIBUTES`. A site's
        own hook is told all of it."""
        if isinstance(sociallogin.provider, CognitoProvider):
            data = {"email": data.get("email")}
        return super().populate_user(request, sociallogin, data)

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> Any:
        """A stand-in for a connection that people came by and that is gone; the first of several with one name,
        for all of them lead to our login page."""
        try:
            return super().get_provider(request, provider, client_id=client_id)
        except MultipleObjectsReturned:
            apps = self.list_apps(request, provider=provider, client_id=client_id)
            if not all(app.provider == CognitoProvider.id for app in apps):
                raise
            return CognitoProvider(request, app=apps[0])
        except ObjectDoesNotExist:
            if not removed.was_a_connection(provider):
                raise
            return removed.stand_in(request, provider)

    def validate_disconnect(self, account: Any, accounts: Iterable[Any]) -> None:
        """allauth lets a user who has a password disconnect the last account. Here they need a way to a code as well:
        a password alone is no way in on a site that asks for codes."""
        super().validate_disconnect(account, accounts)
        if not any(other.pk != account.pk for other in accounts) and not has_proven_address(account.user):
            raise self.validation_error("no_verified_email")


class AccountAdapter(AccountAdapterMixin, DefaultAccountAdapter):
    """allauth's default adapter, with the phone numbers of this package."""


class SocialAccountAdapter(SocialAccountAdapterMixin, DefaultSocialAccountAdapter):
    """allauth's default adapter, which survives removed connections."""
