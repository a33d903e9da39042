"""The settings, read live and typed: one property each. Checks and flows read them here and nowhere else."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.encoding import punycode

from ..otp import Policy, PolicyError
from .defaults import DEFAULT_LIMITS, DEFAULT_RETENTION, DEFAULT_SENDERS, LAMBDA_KEYS
from .review_code import ReviewCode

T = TypeVar("T")

MAX_REFUSAL_FLOOR = 5
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
# NIST SP 800-63B-4, 3.2.2: wrong answers in a row on one account, until a success.
MOST_FAILURES = 100
# Limits that no window starts anew.
IN_A_ROW = frozenset({"failures", "failures_known_browser"})


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``count`` in ``window`` seconds, which are 0 where none is written."""

    count: int
    window: int

    @classmethod
    def parse(cls, text: object, *, in_a_row: bool = False) -> "Limit":
        """Reads ``"10/1h"``, and ``"50"`` for what is counted ``in_a_row``. Raises `ValueError` for anything else,
        zero included (law 10)."""
        found = re.fullmatch(r"([1-9]\d{0,8})(?:/([1-9]\d{0,4})?([smhd]))?", text) if isinstance(text, str) else None
        if found is None or not (found[3] or in_a_row):
            raise ValueError(f"{text!r} is not a limit such as {'50' if in_a_row else '10/1h'!r}")
        count, number, unit = found.groups()
        return cls(int(count), int(number or 1) * _SECONDS[unit] if unit else 0)


@lru_cache(maxsize=8, typed=True)  # typed: a limit of True is not one of 1
def _policy(**values: Any) -> Policy:
    return Policy(**values)


class Settings:
    """The ``COGNITO_PASSWORDLESS`` dict with its defaults.

    A value that cannot be used raises `ImproperlyConfigured` where it is read: it closes, it never opens. The
    system checks tell the same mistakes before the first request.
    """

    def _mapping(self, key: str) -> Mapping[str, Any]:
        return self._get(key, cast("Mapping[str, Any]", {}), Mapping)

    def _get(self, key: str, default: T, *kinds: type) -> T:
        """The value of ``key``, which must be an instance of one of ``kinds`` (the default's type if none)."""
        configured = getattr(django_settings, "COGNITO_PASSWORDLESS", {})
        if not isinstance(configured, Mapping):
            raise ImproperlyConfigured("COGNITO_PASSWORDLESS must be a dict")
        value = configured.get(key, default)
        allowed = kinds or (type(default),)
        # bool is an int to isinstance; a limit of True would be a limit of 1.
        if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
            names = " or ".join(kind.__name__ for kind in allowed)
            # Not the value itself: senders' options are among them, and this goes to a log.
            raise ImproperlyConfigured(f"COGNITO_PASSWORDLESS[{key!r}] must be {names}, not {type(value).__name__}")
        return cast("T", value)

    @property
    def app_name(self) -> str:
        """The name that messages and pages carry."""
        return self._get("APP_NAME", "") or self.public_host or "Sign-in"

    @property
    def public_url(self) -> str:
        """The site's own origin, for links and the SMS origin line (law 12); empty when it is not set."""
        return self._get("PUBLIC_URL", "").rstrip("/")

    @property
    def public_host(self) -> str:
        """The host of ``PUBLIC_URL`` as browsers write it: a name with other letters than ASCII's in its IDNA form."""
        return punycode(urlsplit(self.public_url).hostname or "")

    @property
    def otp(self) -> Policy:
        configured = self._mapping("OTP")
        try:
            return _policy(**{str(key).lower(): value for key, value in configured.items()})
        except (PolicyError, TypeError) as error:
            raise ImproperlyConfigured(f"COGNITO_PASSWORDLESS['OTP']: {error}") from error

    def limit(self, name: str) -> Limit:
        """The limit called ``name``; a name without a default is a mistake in the caller."""
        configured = self._mapping("LIMITS")
        try:
            return Limit.parse(configured.get(name, DEFAULT_LIMITS[name]), in_a_row=name in IN_A_ROW)
        except ValueError as error:
            raise ImproperlyConfigured(f"COGNITO_PASSWORDLESS['LIMITS'][{name!r}]: {error}") from error

    @property
    def failures(self) -> tuple[int, int, int]:
        """Wrong answers in a row that are compared on one account: in unknown browsers, in known ones together, and in
        each of these. `MOST_FAILURES` in all, whatever the limits say, with a part that no stranger can use up."""
        each = min(self.limit("failures_known_browser").count, MOST_FAILURES // 2)
        unknown = min(self.limit("failures").count, MOST_FAILURES - each)
        return unknown, MOST_FAILURES - unknown, each

    @property
    def refusal_floor(self) -> float:
        """Seconds before a refusal is released while a Cognito OTP connection is active (law 4)."""
        floor = float(self._get("REFUSAL_FLOOR", 1.0, float, int))
        if not 0 <= floor <= MAX_REFUSAL_FLOOR:
            raise ImproperlyConfigured(
                f"COGNITO_PASSWORDLESS['REFUSAL_FLOOR'] must be 0 to {MAX_REFUSAL_FLOOR} seconds"
            )
        return floor

    @property
    def dispatch(self) -> str:
        """``"celery"``, ``"inline"`` or the dotted path of ``callable(challenge_id, generation, channel)``."""
        return self._get("DISPATCH", "celery")

    @property
    def signup(self) -> bool:
        return self._get("SIGNUP", False)

    @property
    def allauth_pages(self) -> bool:
        """Whether allauth's own pages for signing in and up answer; else they lead to ours."""
        return self._get("ALLAUTH_PAGES", False)

    @property
    def unknown_address_message(self) -> bool:
        """Whether an unknown e-mail address is told that it has no account."""
        return self._get("UNKNOWN_ADDRESS_MESSAGE", False)

    @property
    def code_in_subject(self) -> bool:
        """Whether the code is in the subject of e-mails, and so on locked screens and in lists of messages."""
        return self._get("CODE_IN_SUBJECT", True)

    @property
    def captcha(self) -> str | None:
        """The dotted path of ``callable(request, step) -> bool``, asked before every send; ``step`` is ``"start"``,
        ``"resend"`` or ``"retry"``."""
        return self._get("CAPTCHA", None, str, type(None))

    @property
    def review_codes(self) -> tuple[ReviewCode, ...]:
        """The fixed codes of app-store reviewers, expired ones too."""
        try:
            return tuple(
                ReviewCode.parse(entry) for entry in self._get("REVIEW_CODES", cast("list[object]", []), list, tuple)
            )
        except ValueError as error:
            raise ImproperlyConfigured(f"COGNITO_PASSWORDLESS['REVIEW_CODES']: {error}") from None

    @property
    def staff_sign_in(self) -> bool:
        return self._get("STAFF_SIGN_IN", False)

    def senders(self, channel: str) -> list[Mapping[str, Any]]:
        """The senders of a channel in order of failover, each ``{"BACKEND": path, "OPTIONS": {…}}``."""
        configured = self._mapping("SENDERS")
        chosen = configured.get(channel, DEFAULT_SENDERS[channel])
        if not isinstance(chosen, list | tuple) or not all(isinstance(entry, Mapping) for entry in chosen):
            raise ImproperlyConfigured(f"COGNITO_PASSWORDLESS['SENDERS'][{channel!r}] must be a list of dicts")
        return list(chosen)

    @property
    def sms_countries(self) -> list[str]:
        """The countries that SMS may go to; the first one is assumed for numbers in local form. An empty list allows
        none (law 10): no SMS is sent."""
        return list(self._get("SMS_COUNTRIES", [], list, tuple))

    @property
    def usernames(self) -> tuple[str, ...]:
        """The connections whose people may type the user name that they have in the pool, the first of them first."""
        aliases = self._get("USERNAMES", cast("list[object]", []), list, tuple)
        if not all(isinstance(alias, str) for alias in aliases):
            raise ImproperlyConfigured("COGNITO_PASSWORDLESS['USERNAMES'] must be a list of connections' provider_id")
        return tuple(map(str, aliases))

    def offers(self, channel: str) -> bool:
        """Whether anything on the site speaks of this channel."""
        return self.offers_sms if channel == "sms" else self.offers_email

    @property
    def offers_email(self) -> bool:
        """Whether there is a sender of e-mails: an empty list says that this site has phone numbers alone."""
        return bool(self.senders("email"))

    @property
    def offers_sms(self) -> bool:
        """Whether anything on the site speaks of SMS: a country that they may go to, and a sender."""
        return bool(self.sms_countries and self.senders("sms"))

    @property
    def match_user(self) -> str | None:
        return self._get("MATCH_USER", None, str, type(None))

    @property
    def groups(self) -> Mapping[str, str]:
        """Which pool group puts a person into which Django group (law 8); empty imports none."""
        return self._mapping("GROUPS")

    @property
    def attributes(self) -> Mapping[str, str] | str:
        """Which pool attribute fills which user field (law 8), or the dotted path of ``callable(user, profile)``."""
        return self._get("ATTRIBUTES", {}, Mapping, str)

    @property
    def update_on_return(self) -> str:
        return self._choice("UPDATE_ON_RETURN", ("empty", "none", "all"))

    @property
    def deleted_user_returns(self) -> str:
        """What a pool person means whose Django user was deleted since: ``refuse``, or ``new_user``."""
        return self._choice("DELETED_USER_RETURNS", ("refuse", "new_user"))

    @property
    def event_data(self) -> str | Mapping[str, str]:
        return self._get("EVENT_DATA", "none", str, Mapping)

    def retention(self, name: str) -> int:
        """Days that rows of a kind are kept."""
        days = self._mapping("RETENTION").get(name, DEFAULT_RETENTION[name])
        if type(days) is not int or days < 1:
            raise ImproperlyConfigured(
                f"COGNITO_PASSWORDLESS['RETENTION'][{name!r}] must be a number of days, 1 or more"
            )
        return days

    def _lambda(self, key: str, default: T, *kinds: type) -> T:
        configured = self._mapping("LAMBDA")
        value = configured.get(key, default)
        if not configured.keys() <= LAMBDA_KEYS or not isinstance(value, kinds):
            raise ImproperlyConfigured(f"COGNITO_PASSWORDLESS['LAMBDA'] takes {', '.join(sorted(LAMBDA_KEYS))}")
        return cast("T", value)

    @property
    def lambda_keys(self) -> tuple[str, ...]:
        """The keys that the pool's triggers may sign with, the current one first; the others are being retired."""
        keys = self._lambda("HMAC_KEYS", cast("list[str]", []), list, tuple)
        if not all(len(str(key)) >= 16 for key in keys):
            raise ImproperlyConfigured("COGNITO_PASSWORDLESS['LAMBDA']['HMAC_KEYS'] must hold keys of 16 or more")
        return tuple(str(key) for key in keys)

    @property
    def lambda_token_rules(self) -> str:
        """Dotted path of ``callable(connection, payload)`` for what goes into a pool's tokens; empty for none."""
        return self._lambda("TOKEN_RULES", "", str)

    @property
    def lambda_user_migration(self) -> str:
        """Dotted path of ``callable(connection, user, payload)`` for what a migrated user gets; empty for none."""
        return self._lambda("USER_MIGRATION", "", str)

    @property
    def lambda_welcome(self) -> bool:
        """Whether who confirms a sign-up in the pool gets a welcome mail."""
        return self._lambda("WELCOME", False, bool)

    @property
    def lambda_new_device_mail(self) -> bool:
        """Whether who signs in to the pool on a device that it did not know gets a mail about it."""
        return self._lambda("NEW_DEVICE_MAIL", False, bool)

    def _choice(self, key: str, choices: tuple[str, ...]) -> str:
        value = self._get(key, choices[0])
        if value not in choices:
            raise ImproperlyConfigured(f"COGNITO_PASSWORDLESS[{key!r}] must be one of {', '.join(choices)}")
        return value


conf = Settings()
