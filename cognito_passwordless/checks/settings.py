"""The ``COGNITO_PASSWORDLESS`` dict: names, types and bounds."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

import phonenumbers
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from ..conf import DEFAULT_LIMITS, DEFAULT_RETENTION, KEYS, Limit, conf
from ..conf.settings import IN_A_ROW, MOST_FAILURES
from ..flows.events.journey import STEPS
from .problems import SETTING, Messages, cannot_import, configured, error, usable, warning

MOST_CHANGES = 25
# More than these in an hour stop nobody: a mailbox is flooded, a phone is pumped, a network starts without end.
MOST_AN_HOUR: Mapping[str, int] = {
    "sends": 60,
    "sends_per_recipient": 60,
    "sends_known_browsers": 120,
    "sms_per_prefix": 1_000,
    "unknown_messages": 1,
    "unknown_messages_per_day": 10_000,
    "starts_per_ip": 10_000,
}


def is_dict(**kwargs: Any) -> Messages:
    if isinstance(getattr(settings, SETTING, {}), Mapping):
        return []
    return [error("E201", f"{SETTING} must be a dict.", hint=f"Write {SETTING} = {{...}}; every key is optional.")]


def known_keys(**kwargs: Any) -> Messages:
    return [
        error("E202", f"{SETTING} has no key {key!r}.", hint=_did_you_mean(str(key), KEYS))
        for key in configured()
        if key not in KEYS
    ]


# The settings of which only the type can be wrong.
_PLAIN: Mapping[str, Callable[[], object]] = {
    "APP_NAME": lambda: conf.app_name,
    "PUBLIC_URL": lambda: conf.public_url,
    "SIGNUP": lambda: conf.signup,
    "ALLAUTH_PAGES": lambda: conf.allauth_pages,
    "USERNAMES": lambda: conf.usernames,
    "STAFF_SIGN_IN": lambda: conf.staff_sign_in,
    "DISPATCH": lambda: conf.dispatch,
    "SMS_COUNTRIES": lambda: conf.sms_countries,
    "MATCH_USER": lambda: conf.match_user,
    "GROUPS": lambda: conf.groups,
    "ATTRIBUTES": lambda: conf.attributes,
    "EVENT_DATA": lambda: conf.event_data,
    "UNKNOWN_ADDRESS_MESSAGE": lambda: conf.unknown_address_message,
    "CODE_IN_SUBJECT": lambda: conf.code_in_subject,
    "CAPTCHA": lambda: conf.captcha,
    "LAMBDA": lambda: (
        *(conf.lambda_keys, conf.lambda_token_rules, conf.lambda_user_migration),
        *(conf.lambda_welcome, conf.lambda_new_device_mail),
    ),
}
_DICTS = ("OTP", "LIMITS", "SENDERS", "RETENTION")


def types(**kwargs: Any) -> Messages:
    hint = "docs/settings.md says what each key may be."
    found = [
        error("E203", complaint, hint=hint)
        for key, read in _PLAIN.items()
        if key in configured() and (complaint := _complaint(read))
    ]
    wrong = {key: "a dict" for key in _DICTS if not isinstance(configured().get(key, {}), Mapping)}
    return found + [error("E203", f"{SETTING}[{key!r}] must be {kind}.", hint=hint) for key, kind in wrong.items()]


def public_url(**kwargs: Any) -> Messages:
    url = usable(lambda: conf.public_url, "")
    if not url:
        return []
    parts = urlsplit(url)
    if parts.scheme in ("http", "https") and parts.hostname and not (parts.path or parts.query or parts.fragment):
        return []
    text = f"{SETTING}['PUBLIC_URL'] is not the origin of a site."
    hint = "Write the scheme and the host alone, as in 'https://www.example.com'."
    return [error("E204", text, hint=hint)]


def otp(**kwargs: Any) -> Messages:
    complaint = _complaint(lambda: conf.otp) if _is_dict("OTP") else ""
    if not complaint:
        return []
    hint = "The keys are LENGTH, TTL, MAX_ATTEMPTS, MAX_SENDS, RESEND_COOLDOWN (whole numbers, seconds) and ON_RESEND."
    return [error("E205", complaint, hint=hint)]


def limits(**kwargs: Any) -> Messages:
    chosen = configured().get("LIMITS", {}) if _is_dict("LIMITS") else {}
    found = [
        error("E206", f"{SETTING}['LIMITS'] has no limit {name!r}.", hint=_did_you_mean(str(name), DEFAULT_LIMITS))
        for name in chosen
        if name not in DEFAULT_LIMITS
    ]
    for name in DEFAULT_LIMITS.keys() & chosen.keys():
        complaint = _complaint(lambda name=name: conf.limit(name))  # type: ignore[misc]  # mypy knows no type for a default
        if complaint:
            hint = "Write a count and a window, as in '10/1h' (s, m, h, d). No limit can be zero or switched off."
            if name in IN_A_ROW:
                hint = "Write a count alone, as in '50': only a right code starts it anew. It cannot be switched off."
            found.append(error("E207", complaint, hint=hint))
        else:
            found += _too_generous(name, conf.limit(name))
    return found


def _too_generous(name: str, limit: Limit) -> Messages:
    text, hint = f"{SETTING}['LIMITS'][{name!r}]", ""
    if name in IN_A_ROW and limit.count > MOST_FAILURES:
        text += f" allows more than {MOST_FAILURES} wrong codes in a row."
        hint = f"NIST SP 800-63B-4 (3.2.2) allows {MOST_FAILURES} on one account; a few dozen are plenty."
        return [error("E208", text, hint=hint)]
    if name in IN_A_ROW and limit.window:
        text += " has a window, and no window starts this count anew."
        return [warning("W208", text, hint=f"Write '{limit.count}': so many in a row, until a right code.")]
    if name == "cognito_changes" and limit.count > MOST_CHANGES * limit.window:
        text += " is more than Cognito takes."
        hint = f"AWS allows {MOST_CHANGES} such calls a second, for all pools of an account's region."
        return [error("E218", text, hint=hint)]
    most = MOST_AN_HOUR.get(name)
    if most is not None and limit.count * 3600 > most * limit.window:
        hint = f"Write at most '{most}/1h', or as little in a longer window."
    elif limit.window < 3600 and name.endswith(("_per_day", "_per_country")):
        hint = "Write a window of a day, as in '5000/24h'; an hour is the shortest."
    return [warning("W229", f"{text} is no limit: it allows too many in too short a time.", hint=hint)] if hint else []


def refusal_floor(**kwargs: Any) -> Messages:
    complaint = _complaint(lambda: conf.refusal_floor)
    hint = "Write seconds, as in 1.0: about what the pool takes to refuse a wrong code."
    return [error("E209", complaint, hint=hint)] if complaint else []


def dispatch(**kwargs: Any) -> Messages:
    chosen = usable(lambda: conf.dispatch, "celery")
    reason = "" if chosen in ("celery", "inline") else cannot_import(chosen)
    if not reason:
        return []
    text = f"{SETTING}['DISPATCH'] cannot be used: {reason}."
    hint = "Write 'celery', 'inline', or the dotted path of callable(challenge_id, generation, channel)."
    return [error("E210", text, hint=hint)]


def sms_countries(**kwargs: Any) -> Messages:
    chosen: list[object] = [*usable(lambda: conf.sms_countries, [])]
    wrong = [code for code in chosen if not (isinstance(code, str) and code in phonenumbers.SUPPORTED_REGIONS)]
    if not wrong:
        return []
    text = f"{SETTING}['SMS_COUNTRIES'] has no country {', '.join(map(repr, wrong))}."
    hint = "Write ISO 3166 codes of two capital letters, as in ['DE', 'AT']."
    return [error("E211", text, hint=hint)]


def update_on_return(**kwargs: Any) -> Messages:
    complaint = _complaint(lambda: conf.update_on_return)
    hint = "'none' writes nothing, 'empty' fills what is empty, 'all' overwrites."
    return [error("E212", complaint, hint=hint)] if complaint else []


def deleted_user_returns(**kwargs: Any) -> Messages:
    complaint = _complaint(lambda: conf.deleted_user_returns)
    hint = "'refuse' turns them away, 'new_user' lets them begin anew."
    return [error("E220", complaint, hint=hint)] if complaint else []


def event_data(**kwargs: Any) -> Messages:
    chosen = usable(lambda: conf.event_data, "none")
    by_step = chosen if isinstance(chosen, Mapping) else {"": chosen}
    unknown = [
        error("E219", f"{SETTING}['EVENT_DATA'] has no step {step!r}.", hint=_did_you_mean(str(step), STEPS))
        for step in by_step
        if step and step not in STEPS
    ]
    return unknown + [
        error(
            "E213",
            f"{SETTING}['EVENT_DATA']{f'[{step!r}]' if step else ''} cannot be used: {reason}.",
            hint="Write 'none', 'io', the dotted path of a callable, or a dict of these by step.",
        )
        for step, rule in by_step.items()
        if rule not in ("none", "io") and (reason := cannot_import(rule))
    ]


def captcha(**kwargs: Any) -> Messages:
    chosen = usable(lambda: conf.captcha, None)
    reason = cannot_import(chosen) if chosen else ""
    if not reason:
        return []
    text = f"{SETTING}['CAPTCHA'] cannot be used: {reason}."
    hint = "Write the dotted path of callable(request, step) that returns True for a yes, or None."
    return [error("E216", text, hint=hint)]


def review_codes(**kwargs: Any) -> Messages:
    complaint = _complaint(lambda: conf.review_codes)
    hint = "Write {'identifier': 'reviewer@example.com', 'code': '123456', 'until': '2026-12-31'} for each."
    return [error("E217", complaint, hint=hint)] if complaint else []


def retention(**kwargs: Any) -> Messages:
    chosen = configured().get("RETENTION", {}) if _is_dict("RETENTION") else {}
    found = [
        error("E214", f"{SETTING}['RETENTION'] has no {name!r}.", hint=_did_you_mean(str(name), DEFAULT_RETENTION))
        for name in chosen
        if name not in DEFAULT_RETENTION
    ]
    complaints = [_complaint(lambda name=name: conf.retention(name)) for name in DEFAULT_RETENTION.keys() & chosen]  # type: ignore[misc]
    hint = "Write whole days. Rows that are never deleted are not offered: they hold addresses."
    return found + [error("E215", complaint, hint=hint) for complaint in complaints if complaint]


def _is_dict(key: str) -> bool:
    return isinstance(configured().get(key, {}), Mapping)


def _complaint(read: Callable[[], object]) -> str:
    """What the reader of a setting says against its value; nothing where the whole setting is no dict."""
    if is_dict():
        return ""
    try:
        read()
    except ImproperlyConfigured as reason:
        return f"{reason}."
    return ""


def _did_you_mean(word: str, known: Any) -> str:
    close = get_close_matches(word.upper(), [name.upper() for name in known], 1)
    names = {name.upper(): name for name in known}
    return f"Did you mean {names[close[0]]!r}?" if close else f"There are {', '.join(sorted(known))}."
