"""The settings of the triggers: the only reader of ``os.environ``. One typed property each, read when it is used.

A value that cannot be used raises `Misconfigured`, and every trigger closes on that (law 10).
"""

import os
from collections.abc import Mapping

from ...otp.policy import Policy, PolicyError
from ...otp.records import field, record
from ..errors import Misconfigured

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@record(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most ``count`` in ``window`` seconds."""

    count: int
    window: int


@record(frozen=True, slots=True, kw_only=True)
class Aws:
    """The region and the credentials of the function's role, which sign calls to AWS."""

    region: str
    access_key: str
    secret_key: str = field(repr=False)
    token: str = field(default="", repr=False)
    endpoint_url: str = ""


class Settings:
    """The environment, typed. ``values`` is read live, so a test or a local Cognito may pass any mapping."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values: Mapping[str, str] = os.environ if values is None else values

    def text(self, name: str, default: str = "") -> str:
        return self._values.get(name) or default

    def number(self, name: str, default: int) -> int:
        value = self.text(name)
        if not value:
            return default
        if not (value.isascii() and value.isdigit() and len(value) < 10):
            raise Misconfigured(f"{name} must be a whole number")
        return int(value)

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.text(name).lower()
        if value not in {"", "true", "false"}:
            raise Misconfigured(f"{name} must be true or false")
        return value == "true" if value else default

    def choice(self, name: str, *allowed: str) -> str:
        """One of ``allowed``; the first unless the variable is set."""
        value = self.text(name, allowed[0])
        if value not in allowed:
            raise Misconfigured(f"{name} must be one of {', '.join(allowed)}")
        return value

    def words(self, name: str) -> tuple[str, ...]:
        """A list, separated by commas."""
        return tuple(word.strip() for word in self.text(name).split(",") if word.strip())

    def function(self, name: str, path: str) -> "Any":
        """The function at a dotted path that the variable ``name`` holds."""
        from importlib import import_module  # noqa: PLC0415  # few triggers are configured by a path

        module, _, attribute = path.rpartition(".")
        try:
            return getattr(import_module(module), attribute)
        except (ImportError, AttributeError, ValueError):
            raise Misconfigured(f"{name}: there is no {path}") from None

    def table(self, name: str) -> "Mapping[str, Any]":
        """A JSON object; empty when the variable is not set."""
        import json  # noqa: PLC0415  # few triggers are configured by a table

        try:
            value = json.loads(self.text(name, "{}"))
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise Misconfigured(f"{name} must be a JSON object")
        return value

    def limit(self, name: str, default: str) -> Limit:
        """A limit such as ``10/1h``: a count, then a number of seconds, minutes, hours or days."""
        count, _, window = self.text(name, default).partition("/")
        number, unit = window[:-1] or "1", SECONDS.get(window[-1:], 0)
        if not (_is_count(count) and _is_count(number) and unit):
            raise Misconfigured(f"{name} must be a limit such as 10/1h")
        return Limit(count=int(count), window=int(number) * unit)

    @property
    def policy(self) -> Policy:
        try:
            return Policy(
                length=self.number("OTP_LENGTH", 6),
                ttl=self.number("OTP_TTL", 600),
                max_attempts=self.number("OTP_MAX_ATTEMPTS", 3),
                max_sends=self.number("OTP_MAX_SENDS", 5),
                resend_cooldown=self.number("OTP_RESEND_COOLDOWN", 30),
                on_resend="rotate" if self.choice("OTP_ON_RESEND", "reuse", "rotate") == "rotate" else "reuse",
            )
        except PolicyError as error:
            raise Misconfigured(f"OTP_…: {error}") from error

    @property
    def password_first(self) -> bool:
        return self.choice("OTP_FIRST_FACTOR", "none", "password") == "password"

    @property
    def renews(self) -> bool:
        """Whether a new code may follow an expired one in a sign-in. Attempts and messages are still counted."""
        return self.choice("OTP_ON_EXPIRY", "end", "renew") == "renew"

    @property
    def channel(self) -> str:
        return self.choice("OTP_CHANNEL", "sms", "email")

    @property
    def require_verified(self) -> bool:
        """Whether an address without any flag counts as unproven. One that says "false" always does."""
        return self.flag("OTP_REQUIRE_VERIFIED")

    @property
    def app_name(self) -> str:
        return self.text("OTP_APP_NAME", "Sign-in")

    @property
    def origin(self) -> str:
        """The host of the origin line of an SMS, ``@host #code``; empty leaves the line out."""
        return self.text("OTP_ORIGIN").removeprefix("https://").rstrip("/")

    @property
    def language(self) -> str:
        return self.text("OTP_LANGUAGE", "en")

    @property
    def senders(self) -> tuple[str, ...]:
        """The senders of the channel, in order of failover."""
        return self.words("OTP_SENDERS") or (("sns",) if self.channel == "sms" else ("ses",))

    def for_channel(self, channel: str) -> "Settings":
        """The same settings for a channel, whose senders may be named apart: ``EMAIL_SENDERS``, ``SMS_SENDERS``."""
        own = self.text(f"{channel.upper()}_SENDERS") or (self.text("OTP_SENDERS") if self.channel == channel else "")
        return Settings({**self._values, "OTP_CHANNEL": channel, "OTP_SENDERS": own})

    @property
    def captcha_site_key(self) -> str:
        """Not empty: a captcha has to be solved before the first message."""
        return self.text("CAPTCHA_SITE_KEY")

    @property
    def limits_table(self) -> str:
        return self.text("LIMITS_TABLE")

    @property
    def django_url(self) -> str:
        return self.text("DJANGO_URL").rstrip("/")

    @property
    def aws(self) -> Aws:
        return self.aws_in("")

    def aws_in(self, region: str) -> Aws:
        """The function's credentials, for another region than its own if one is given."""
        return Aws(
            region=region or self.text("AWS_REGION") or self.text("AWS_DEFAULT_REGION"),
            access_key=self.text("AWS_ACCESS_KEY_ID"),
            secret_key=self.text("AWS_SECRET_ACCESS_KEY"),
            token=self.text("AWS_SESSION_TOKEN"),
            endpoint_url=self.text("AWS_ENDPOINT_URL"),
        )


def _is_count(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) < 10 and int(word) > 0
