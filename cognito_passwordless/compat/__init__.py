"""The only room that touches allauth's internals; `tests/test_compat.py` is its contract with the installed release.

allauth's public parts are used where they are needed. Laws: docs/laws.md; words: docs/glossary.md.
"""

import copy
from collections.abc import Collection, Sequence
from typing import Any, cast

from allauth import app_settings as allauth_settings
from allauth.account import app_settings as account_settings
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.account.models import EmailAddress
from allauth.account.signals import user_signed_up
from allauth.account.utils import perform_login, setup_user_email, user_email, user_field, user_username
from allauth.core.internal.httpkit import is_headless_request
from allauth.socialaccount import app_settings as social_settings
from allauth.socialaccount.adapter import _build_apps_from_settings
from allauth.socialaccount.adapter import get_adapter as get_social_adapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from allauth.socialaccount.providers import registry
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ImproperlyConfigured, PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse


def social_apps(provider: str) -> list[Any]:
    """The SocialApps of a provider, from the table and from settings: what the social adapter's ``list_apps`` gives,
    in half of its time, for every start of a sign-in waits for it. One statement."""
    return [*SocialApp.objects.filter(provider=provider), *social_apps_of_settings(provider)]


def social_apps_of_settings(provider: str) -> list[Any]:
    """The SocialApps from settings alone. No statement."""
    return list(_build_apps_from_settings(provider=provider).get(provider, []))


def social_app(provider: str, alias: str) -> Any:
    """The one SocialApp of this name, from settings first; None where there is none, or more than one. No statement
    for one from settings."""
    for apps in (social_apps_of_settings, social_apps):
        named = [app for app in apps(provider) if app.provider_id == alias]
        if named:
            return named[0] if len(named) == 1 else None
    return None


def client_ip(request: HttpRequest) -> str:
    """The client's address as allauth sees it: only as many proxies are believed as ``ALLAUTH_TRUSTED_PROXY_COUNT``
    says. Empty where none can be told, as when a request came past a proxy that should have been in its way."""
    try:
        return str(get_adapter(request).get_client_ip(request))
    except (PermissionDenied, ImproperlyConfigured):
        return ""


def is_safe_url(request: HttpRequest, url: str) -> bool:
    """Whether a redirect stays on the site's own hosts (law 12)."""
    return bool(get_adapter(request).is_safe_url(url))


def login_redirect_url(request: HttpRequest) -> str:
    """The page after a sign-in that names no other."""
    return str(get_adapter(request).get_login_redirect_url(request))


def email_of(user: AbstractBaseUser) -> str:
    """The user model's own e-mail field, lower-cased; empty where the model has none."""
    return user_email(user) or ""


def email_field() -> str:
    """The name of the user model's e-mail field; empty where it has none."""
    return account_settings.USER_MODEL_EMAIL_FIELD or ""


def user_model_fields() -> dict[str, str | None]:
    """Where allauth writes the username and the e-mail address on the user model; None for nowhere."""
    return {name: getattr(account_settings, f"USER_MODEL_{name}_FIELD") for name in ("USERNAME", "EMAIL")}


def write_email(user: AbstractBaseUser, email: str | None) -> None:
    """Sets the user model's own e-mail field; saves nothing."""
    user_email(user, email)


class _Answers(dict[str, Any]):
    def __missing__(self, field: str) -> str:
        return ""


class SignUpForm(Form):
    """The form that ``save_user`` of an account adapter reads. It holds what the user has already, so that the same is
    written again; fields of the site's own are empty, because no form was shown."""

    def __init__(self, user: AbstractBaseUser, email: str | None, phone: str) -> None:
        super().__init__()
        names = {name: user_field(user, name) for name in ("first_name", "last_name")}
        self.cleaned_data = _Answers(names, username=user_username(user), email=email, phone=phone)
        self._has_phone_field = keeps_phones()


def keeps_phones() -> bool:
    """Whether the site's account adapter has all of allauth's phone hooks."""
    return bool(get_adapter()._has_phone_impl)  # noqa: SLF001  (what allauth itself asks)


def drop_unusable_username(user: AbstractBaseUser, request: HttpRequest | None) -> None:
    """Clears an invalid username, as allauth does after a hosted login: ``populate_username`` then finds another."""
    if account_settings.USER_MODEL_USERNAME_FIELD:
        try:
            get_adapter(request).clean_username(user_username(user) or "")
        except ValidationError:
            user_username(user, "")


def set_up_addresses(request: HttpRequest, user: AbstractBaseUser, rows: Sequence[EmailAddress]) -> None:
    """Creates the `EmailAddress` rows as allauth does at a sign-up, with those of an invitation."""
    setup_user_email(request, user, [copy.copy(row) for row in rows])


def keep_addresses(user: AbstractBaseUser, rows: Sequence[EmailAddress]) -> list[EmailAddress]:
    """Gives the user exactly these rows, the first one in the user model's own field too, although allauth's rules may
    have dropped some: an address that another account merely claims is kept. Rows that a hook added stay. Returns all
    rows."""
    own = EmailAddress.objects.filter(user_id=user.pk)
    there = list(own)
    wanted = {(row.email, row.verified, row.primary) for row in rows}
    if wanted - {(row.email, row.verified, row.primary) for row in there}:
        own.filter(email__in=[row.email for row in rows]).delete()
        own.update(primary=False)
        EmailAddress.objects.bulk_create(rows)
        there = list(own)
    if rows and email_of(user) != rows[0].email:
        user_email(user, rows[0].email, commit=True)
    EmailAddress.objects.fill_cache_for_user(user, there)
    return there


def finish_login(
    request: HttpRequest, user: AbstractBaseUser, *, email: str, phone: str, redirect_url: str | None, signup: bool
) -> HttpResponse:
    """Signs the person in through allauth: its stages (MFA), signals, session rotation and adapters all apply.

    The code that was just entered is recorded as the authentication, so no stage asks for a second one. If it proved
    an address, no stage asks to verify one: phone-only people pass under mandatory e-mail verification. A pool's code
    may have proven none (both are empty); then a site that wants verified e-mail has the user's verified first.
    """
    method = account_settings.EmailVerificationMethod
    is_mandatory = account_settings.EMAIL_VERIFICATION == method.MANDATORY
    must_verify = is_mandatory and not email and not phone and bool(email_of(user))
    record_authentication(request, user, method="code", email=email or None, phone=phone or None)
    if signup:
        user_signed_up.send(sender=type(user), request=request, user=user)
    response: HttpResponse = perform_login(
        request,
        user,
        email_verification=method.MANDATORY if must_verify else method.NONE,
        redirect_url=redirect_url,
        signup=signup,
        email=email or None,
    )
    return response


def finish_social_login(
    request: HttpRequest,
    user: AbstractBaseUser,
    login: SocialLogin,
    *,
    has_email: bool,
    redirect_url: str | None,
    signup: bool,
) -> HttpResponse:
    """Signs the person in through allauth after a hosted login. It proved no address, so allauth's rules about
    verified e-mail apply as after any social login; somebody without an e-mail address has none to verify."""
    login.user = user
    if signup:  # what was made of the account meanwhile, and still what the pool said
        saved = SocialAccount.objects.get(provider=login.account.provider, uid=login.account.uid)
        saved.extra_data, saved.user = login.account.extra_data, user
        login.account = saved
    record_authentication(request, user, "socialaccount", provider=login.account.provider, uid=login.account.uid)
    if signup:
        user_signed_up.send(sender=type(user), request=request, user=user, sociallogin=login)
    method = account_settings.EmailVerificationMethod
    response: HttpResponse = perform_login(
        request,
        user,
        email_verification=social_settings.EMAIL_VERIFICATION if has_email else method.NONE,
        redirect_url=redirect_url,
        signup=signup,
        signal_kwargs={"sociallogin": login},
    )
    return response


def social_logins_of_session(request: HttpRequest, user: AbstractBaseUser) -> list[str]:
    """The names of the connections by which this session was signed in."""
    records = get_authentication_records(request, user)
    return [str(record.get("provider", "")) for record in records if record.get("method") == "socialaccount"]


def account_adapter(request: HttpRequest | None = None) -> Any:
    return get_adapter(request)


def social_adapter() -> Any:
    return get_social_adapter()


def emails_are_unique() -> bool:
    return bool(account_settings.UNIQUE_EMAIL)


def is_headless_only() -> bool:
    """Whether the site has no pages of allauth's at all."""
    return bool(allauth_settings.HEADLESS_ONLY)


def is_headless(request: HttpRequest) -> bool:
    """Whether a request came in by the JSON API, allauth's or ours."""
    return bool(is_headless_request(request))


def has_login_by_code() -> bool:
    """Whether allauth's own sign-in by code is open."""
    return bool(account_settings.LOGIN_BY_CODE_ENABLED)


def has_password_login() -> bool:
    """Whether allauth's login page asks for a password; without one it sends codes, whatever is set for these."""
    return bool(account_settings.SIGNUP_FIELDS.get("password1"))


def phone_is_required() -> bool:
    """Whether allauth's phone stage refuses users without a phone number."""
    return bool(account_settings.SIGNUP_FIELDS.get("phone", {}).get("required"))


def phone_code_lifetime() -> float:
    """How long a code is valid that allauth sends by SMS, in seconds."""
    return float(account_settings.PHONE_VERIFICATION_TIMEOUT)


def is_provider(name: str) -> bool:
    """Whether ``name`` is the id of one of the installed providers."""
    registry.load()
    return registry.get_class(name) is not None


def provider_name(provider: str) -> str:
    """What people call a provider, or a connection of this site's that accounts carry the name of."""
    registry.load()
    known = registry.get_class(provider)
    named = [known] if known is not None else get_social_adapter().list_apps(None, provider=provider)
    return next((str(one.name) for one in named if one.name), provider)


def second_factors() -> "QuerySet[Any] | None":
    """The rows for which ``allauth.mfa`` asks a user for a second factor; None where it is not installed."""
    if not allauth_settings.MFA_ENABLED:
        return None
    from allauth.mfa.models import Authenticator  # noqa: PLC0415  (an optional app)

    # Recovery codes alone are no factor: allauth asks for none then.
    return cast("QuerySet[Any]", Authenticator.objects.exclude(type=Authenticator.Type.RECOVERY_CODES))


def with_authenticator(keys: Collection[Any]) -> set[Any]:
    """Those of these users whom ``allauth.mfa``, where it is installed, asks for a second factor."""
    rows = second_factors()
    return set(rows.filter(user_id__in=keys).values_list("user_id", flat=True)) if rows is not None else set()


def has_shown_second_factor(request: HttpRequest, user: AbstractBaseUser) -> bool:
    """Whether this session was signed in with one, or in a browser that the user has told to be trusted."""
    if not allauth_settings.MFA_ENABLED:
        return False
    from allauth.mfa.internal.flows.trust import is_trusted_browser  # noqa: PLC0415  (an optional app)

    shown = any(record.get("method") == "mfa" for record in get_authentication_records(request, user))
    return shown or bool(is_trusted_browser(request, user))


def end_tracked_sessions(user: AbstractBaseUser) -> None:
    """Ends the sessions that ``allauth.usersessions`` knows of, where it is installed."""
    if allauth_settings.USERSESSIONS_ENABLED:
        from allauth.usersessions.models import UserSession  # noqa: PLC0415  (an optional app)

        for session in UserSession.objects.filter(user=user):
            session.end()


def is_tracked_session(model: type[Any]) -> bool:
    """Whether this is the model of ``allauth.usersessions``, where it is installed."""
    return bool(allauth_settings.USERSESSIONS_ENABLED and model._meta.label_lower == "usersessions.usersession")
