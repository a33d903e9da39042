"""The only file that touches allauth's internals; `tests/test_compat.py` is its contract with the installed release.

What is public in allauth (models, signals, the account adapter's documented hooks) is used where it is needed.
"""

from typing import Any

from allauth import app_settings as allauth_settings
from allauth.account import app_settings as account_settings
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.account.utils import perform_login, user_email
from allauth.core.internal.httpkit import is_headless_request
from allauth.socialaccount import app_settings as social_settings
from allauth.socialaccount.adapter import _build_apps_from_settings
from allauth.socialaccount.adapter import get_adapter as get_social_adapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers import registry
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest, HttpResponse


def social_apps(provider: str) -> list[Any]:
    """The SocialApps of a provider, from the table and from settings. One statement.

    What the social adapter's ``list_apps`` gives, in half of its time: every start of a sign-in waits for it.
    """
    return [*SocialApp.objects.filter(provider=provider), *social_apps_of_settings(provider)]


def social_apps_of_settings(provider: str) -> list[Any]:
    """Those from settings alone. No statement."""
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
    """Where people go who have nowhere else to go after signing in."""
    return str(get_adapter(request).get_login_redirect_url(request))


def email_of(user: AbstractBaseUser) -> str:
    """The user model's own e-mail field, lower-cased; empty where the model has none."""
    return user_email(user) or ""


def email_field() -> str:
    """The name of the user model's e-mail field; empty where it has none."""
    return account_settings.USER_MODEL_EMAIL_FIELD or ""


def user_model_fields() -> dict[str, str | None]:
    """Where allauth writes the username and the e-mail address on the user model; None for nowhere."""
    return {
        "USERNAME": account_settings.USER_MODEL_USERNAME_FIELD,
        "EMAIL": account_settings.USER_MODEL_EMAIL_FIELD,
    }


def new_user(email: str | None) -> AbstractBaseUser:
    """An unsaved user, made by the account adapter so that custom user models and sites' own hooks apply."""
    adapter = get_adapter()
    user: AbstractBaseUser = adapter.new_user(None)
    user_email(user, email)
    user.set_unusable_password()
    adapter.populate_username(None, user)
    return user


def finish_login(
    request: HttpRequest, user: AbstractBaseUser, *, email: str, phone: str, redirect_url: str | None, signup: bool
) -> HttpResponse:
    """Signs the person in through allauth: its stages (MFA), signals, session rotation and adapters all apply.

    The code that was just entered is recorded as the authentication, so no stage asks for a second one. If it proved
    an address, no stage asks to verify one: phone-only people pass under mandatory e-mail verification. A pool's code
    may have proven none (both are empty); then a site that wants verified e-mail has the user's verified first.
    """
    method = account_settings.EmailVerificationMethod
    must_verify = (
        not email and not phone and bool(email_of(user)) and account_settings.EMAIL_VERIFICATION == method.MANDATORY
    )
    record_authentication(request, user, method="code", email=email or None, phone=phone or None)
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
    record_authentication(request, user, "socialaccount", provider=login.account.provider, uid=login.account.uid)
    response: HttpResponse = perform_login(
        request,
        user,
        email_verification=(
            social_settings.EMAIL_VERIFICATION if has_email else account_settings.EmailVerificationMethod.NONE
        ),
        redirect_url=redirect_url,
        signup=signup,
        signal_kwargs={"sociallogin": login},
    )
    return response


def social_logins_of_session(request: HttpRequest, user: AbstractBaseUser) -> list[str]:
    """The names of the connections by which this session was signed in."""
    records = get_authentication_records(request, user)
    return [str(record.get("provider", "")) for record in records if record.get("method") == "socialaccount"]


def account_adapter() -> Any:
    """The site's account adapter."""
    return get_adapter()


def social_adapter() -> Any:
    """The site's adapter for social accounts."""
    return get_social_adapter()


def emails_are_unique() -> bool:
    return bool(account_settings.UNIQUE_EMAIL)


def is_headless_only() -> bool:
    """Whether the site has no pages of allauth's at all."""
    return bool(allauth_settings.HEADLESS_ONLY)


def is_headless(request: HttpRequest) -> bool:
    """Whether a request came in by allauth's headless API."""
    return bool(is_headless_request(request))


def has_login_by_code() -> bool:
    """Whether allauth's own sign-in by code is open."""
    return bool(account_settings.LOGIN_BY_CODE_ENABLED)


def phone_is_required() -> bool:
    """Whether allauth's phone stage turns away whoever has no phone number."""
    return bool(account_settings.SIGNUP_FIELDS.get("phone", {}).get("required"))


def phone_code_lifetime() -> float:
    """Seconds that a code which allauth sends by SMS is good for."""
    return float(account_settings.PHONE_VERIFICATION_TIMEOUT)


def is_provider(name: str) -> bool:
    """Whether ``name`` is the id of one of the installed providers."""
    registry.load()
    return registry.get_class(name) is not None


def remove_authenticators(user: AbstractBaseUser) -> None:
    """Removes the user's MFA, where ``allauth.mfa`` is installed."""
    if allauth_settings.MFA_ENABLED:
        from allauth.mfa.models import Authenticator  # noqa: PLC0415  (an optional app)

        Authenticator.objects.filter(user=user).delete()


def has_authenticator(user: AbstractBaseUser) -> bool:
    """Whether ``allauth.mfa``, where it is installed, asks this user for a second factor."""
    if not allauth_settings.MFA_ENABLED:
        return False
    from allauth.mfa.models import Authenticator  # noqa: PLC0415  (an optional app)

    found: bool = Authenticator.objects.filter(user=user).exists()
    return found


def end_tracked_sessions(user: AbstractBaseUser) -> None:
    """Ends the sessions that ``allauth.usersessions`` knows of, where it is installed."""
    if allauth_settings.USERSESSIONS_ENABLED:
        from allauth.usersessions.models import UserSession  # noqa: PLC0415  (an optional app)

        for session in UserSession.objects.filter(user=user):
            session.end()


def is_tracked_session(model: type[Any]) -> bool:
    """Whether this is the model of ``allauth.usersessions``, where it is installed."""
    return bool(allauth_settings.USERSESSIONS_ENABLED and model._meta.label_lower == "usersessions.usersession")
