"""allauth's settings, as far as a sign-in here depends on them."""

from contextlib import suppress
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

from .. import compat
from ..adapters import AccountAdapterMixin, SocialAccountAdapterMixin
from ..conf import conf
from ..connections import PROVIDER
from .problems import Messages, error, usable, warning


def account_adapter(**kwargs: Any) -> Messages:
    if isinstance(compat.account_adapter(), AccountAdapterMixin):
        return []
    text = "ACCOUNT_ADAPTER does not know the phone numbers that people sign in with here."
    hint = (
        "Set ACCOUNT_ADAPTER = 'cognito_passwordless.adapters.AccountAdapter', or put AccountAdapterMixin "
        "before the base class of yours."
    )
    return [warning("W501", text, hint=hint)]


def social_adapter(**kwargs: Any) -> Messages:
    if isinstance(compat.social_adapter(), SocialAccountAdapterMixin):
        return []
    text = (
        "SOCIALACCOUNT_ADAPTER does not know connections that have been removed: allauth's pages fail for people "
        "who came by one."
    )
    hint = (
        "Set SOCIALACCOUNT_ADAPTER = 'cognito_passwordless.adapters.SocialAccountAdapter', or put "
        "SocialAccountAdapterMixin before the base class of yours."
    )
    return [warning("W502", text, hint=hint)]


def unique_email(**kwargs: Any) -> Messages:
    if compat.emails_are_unique():
        return []
    text = "ACCOUNT_UNIQUE_EMAIL is False: one address may then open several accounts."
    hint = "Remove the setting. A code proves an address, so an address must belong to one person."
    return [error("E503", text, hint=hint)]


def linking_by_email(**kwargs: Any) -> Messages:
    """Pool people are linked by law 7 alone; these would do it on a provider's word."""
    provider = getattr(settings, "SOCIALACCOUNT_PROVIDERS", {}).get(PROVIDER, {})
    trusting = [
        name
        for name, is_set in (
            ("SOCIALACCOUNT_EMAIL_AUTHENTICATION", getattr(settings, "SOCIALACCOUNT_EMAIL_AUTHENTICATION", False)),
            ("EMAIL_AUTHENTICATION of the provider cognito", provider.get("EMAIL_AUTHENTICATION")),
            ("VERIFIED_EMAIL of the provider cognito", provider.get("VERIFIED_EMAIL")),
        )
        if is_set
    ]
    if not trusting:
        return []
    text = f"{' and '.join(trusting)} links people to accounts by an address that a provider calls verified."
    hint = (
        "Switch it off for every provider that people of a pool may come by. A connection's "
        "'trust_verified' is the way to believe a pool."
    )
    return [warning("W504", text, hint=hint)]


def login_by_code(**kwargs: Any) -> Messages:
    pages_send_codes = usable(lambda: conf.allauth_pages, False) and not compat.has_password_login()
    if not compat.has_login_by_code() and not pages_send_codes:
        return []
    hint = "Remove ACCOUNT_LOGIN_BY_CODE_ENABLED, and ALLAUTH_PAGES where ACCOUNT_SIGNUP_FIELDS has no password1."
    text = "allauth's own sign-in by code is on, which does not share our failure counts."
    return [warning("W505", text, hint=hint)]


def signup(**kwargs: Any) -> Messages:
    """An adapter without our mixin, or one that decides by itself."""
    request = HttpRequest()
    request.session, request.user = SessionBase(), AnonymousUser()
    is_open = False
    # A hook that needs more of a request than this, such as an invitation's, does not let everybody in.
    with suppress(Exception):
        is_open = bool(compat.account_adapter(request).is_open_for_signup(request))
    if not is_open or usable(lambda: conf.signup, False):
        return []
    text = "SIGNUP is False, and is_open_for_signup of ACCOUNT_ADAPTER is True: allauth makes users all the same."
    hint = "Set SIGNUP to True, or let AccountAdapterMixin answer (is_open_for_signup of super)."
    return [warning("W508", text, hint=hint)]


def phone_needed(**kwargs: Any) -> Messages:
    """allauth's phone stage sends people away who have no number."""
    if not compat.phone_is_required():
        return []
    text = "ACCOUNT_SIGNUP_FIELDS requires a phone number: people who have only an e-mail address cannot sign in."
    hint = "Write 'phone' without the asterisk, or migrate only people with a number."
    return [warning("W506", text, hint=hint)]
