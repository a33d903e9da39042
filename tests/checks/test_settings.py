"""Each mistake in ``COGNITO_PASSWORDLESS`` is told by one id, and by none once it is fixed."""

from typing import Any

import pytest

from cognito_passwordless.conf import KEYS

from .conftest import Find

MEMORY = "cognito_passwordless.delivery.memory.MemorySender"
REVIEWER = {"identifier": "reviewer@example.com", "code": "493817", "until": "2999-12-31"}
SNS = "cognito_passwordless.delivery.sns.SnsSender"

CASES = [
    ("E202", {"OPT": {}}, {"OTP": {}}),
    ("E203", {"APP_NAME": 1}, {"APP_NAME": "Example"}),
    ("E203", {"SIGNUP": "false"}, {"SIGNUP": False}),
    ("E203", {"STAFF_SIGN_IN": 1}, {"STAFF_SIGN_IN": True}),
    ("E203", {"UNKNOWN_ADDRESS_MESSAGE": "no"}, {"UNKNOWN_ADDRESS_MESSAGE": False}),
    ("E203", {"USERNAMES": True}, {"USERNAMES": ["main"]}),
    ("E203", {"USERNAMES": [1]}, {"USERNAMES": []}),
    ("E203", {"OTP": 6}, {"OTP": {"LENGTH": 6}}),
    ("E203", {"SENDERS": []}, {"SENDERS": {}}),
    ("E203", {"LIMITS": "10/1h"}, {"LIMITS": {}}),
    ("E203", {"RETENTION": 30}, {"RETENTION": {}}),
    ("E203", {"SMS_COUNTRIES": "DE"}, {"SMS_COUNTRIES": ["DE"]}),
    ("E203", {"MATCH_USER": 1}, {"MATCH_USER": None}),
    ("E203", {"GROUPS": ["a"]}, {"GROUPS": {}}),
    ("E203", {"ATTRIBUTES": None}, {"ATTRIBUTES": {}}),
    ("E203", {"EVENT_DATA": None}, {"EVENT_DATA": "none"}),
    ("E203", {"DISPATCH": None}, {"DISPATCH": "celery"}),
    ("E204", {"PUBLIC_URL": "www.example.com"}, {"PUBLIC_URL": "https://www.example.com/"}),
    ("E204", {"PUBLIC_URL": "https://www.example.com/app"}, {"PUBLIC_URL": "https://www.example.com"}),
    ("E205", {"OTP": {"LENGTH": 4}}, {"OTP": {"LENGTH": 8}}),
    ("E205", {"OTP": {"MAX_ATTEMPTS": 0}}, {"OTP": {"MAX_ATTEMPTS": 3}}),
    ("E205", {"OTP": {"TTL": "600"}}, {"OTP": {"TTL": 600}}),
    ("E205", {"OTP": {"ON_RESEND": "new"}}, {"OTP": {"ON_RESEND": "rotate"}}),
    ("E205", {"OTP": {"DIGITS": 6}}, {"OTP": {"LENGTH": 6}}),
    ("E206", {"LIMITS": {"failure": "5/1h"}}, {"LIMITS": {"failures": "5"}}),
    ("E207", {"LIMITS": {"sends": "0/1h"}}, {"LIMITS": {"sends": "1/1h"}}),
    ("E207", {"LIMITS": {"sends": None}}, {"LIMITS": {"sends": "5/2h"}}),
    ("E207", {"LIMITS": {"failures": "0"}}, {"LIMITS": {"failures": "5"}}),
    ("E208", {"LIMITS": {"failures": "101"}}, {"LIMITS": {"failures": "90"}}),
    ("W208", {"LIMITS": {"failures": "100/1s"}}, {"LIMITS": {"failures": "50"}}),
    ("W229", {"LIMITS": {"sends": "100/1s"}}, {"LIMITS": {"sends": "60/1h"}}),
    ("W229", {"LIMITS": {"sends_per_recipient": "1/1s"}}, {"LIMITS": {"sends_per_recipient": "20/1d"}}),
    ("W229", {"LIMITS": {"starts_per_ip": "100/1s"}}, {"LIMITS": {"starts_per_ip": "1000/1h"}}),
    ("W229", {"LIMITS": {"sms_per_day": "5/1s"}}, {"LIMITS": {"sms_per_day": "1000000/24h"}}),
    ("E209", {"REFUSAL_FLOOR": -1}, {"REFUSAL_FLOOR": 0}),
    ("E209", {"REFUSAL_FLOOR": 60}, {"REFUSAL_FLOOR": 2}),
    ("E209", {"REFUSAL_FLOOR": "1"}, {"REFUSAL_FLOOR": 1.5}),
    ("E210", {"DISPATCH": "rabbit"}, {"DISPATCH": "cognito_passwordless.tasks.dispatch_by_celery"}),
    ("E211", {"SMS_COUNTRIES": ["DE", "de"]}, {"SMS_COUNTRIES": ["DE", "AT"]}),
    ("E211", {"SMS_COUNTRIES": [["DE"]]}, {"SMS_COUNTRIES": ("DE",)}),
    ("E220", {"DELETED_USER_RETURNS": "ask"}, {"DELETED_USER_RETURNS": "new_user"}),
    ("E212", {"UPDATE_ON_RETURN": "never"}, {"UPDATE_ON_RETURN": "none"}),
    ("E213", {"EVENT_DATA": "all"}, {"EVENT_DATA": "io"}),
    ("E213", {"EVENT_DATA": {"sent": "all"}}, {"EVENT_DATA": {"sent": "tests.checks.test_settings.record"}}),
    ("E214", {"RETENTION": {"codes": 1}}, {"RETENTION": {"events": 1}}),
    ("E215", {"RETENTION": {"events": 0}}, {"RETENTION": {"events": 30}}),
    ("E221", {"SENDERS": {"mail": []}}, {"SENDERS": {"email": [{"BACKEND": SNS}]}}),
    ("E222", {"SENDERS": {"sms": {"BACKEND": SNS}}}, {"SENDERS": {"sms": [{"BACKEND": SNS}]}}),
    ("E222", {"SENDERS": {"sms": [{"OPTIONS": {}}]}}, {"SENDERS": {"sms": []}}),
    ("E222", {"SENDERS": {"sms": [{"BACKEND": SNS, "TO": ""}]}}, {"SENDERS": {"sms": ({"BACKEND": SNS},)}}),
    ("E223", {"SENDERS": {"sms": [{"BACKEND": "site.Sender"}]}}, {"SENDERS": {"sms": [{"BACKEND": SNS}]}}),
    ("E224", {"SENDERS": {"sms": [{"BACKEND": "uuid.UUID"}]}}, {"SENDERS": {"sms": [{"BACKEND": SNS}]}}),
    (
        "E225",
        {"SENDERS": {"sms": [{"BACKEND": SNS, "OPTIONS": {"sender": "Example"}}]}},
        {"SENDERS": {"sms": [{"BACKEND": SNS, "OPTIONS": {"sender_id": "Example"}}]}},
    ),
    (
        "E226",
        {"SENDERS": {"sms": [{"BACKEND": SNS, "OPTIONS": {"sender_id": "An Example"}}]}},
        {"SENDERS": {"sms": [{"BACKEND": SNS, "OPTIONS": {"sender_id": "Example"}}]}},
    ),
    (
        "E226",
        {"SENDERS": {"sms": [{"BACKEND": SNS, "OPTIONS": {"rate": "fast"}}]}},
        {"SENDERS": {"sms": [{"BACKEND": SNS, "OPTIONS": {"rate": "100/1s"}}]}},
    ),
    (
        "E218",
        {"LIMITS": {"cognito_changes": "26/1s"}},
        {"LIMITS": {"cognito_changes": "25/1s"}},
    ),
    ("E218", {"LIMITS": {"cognito_changes": "1501/1m"}}, {"LIMITS": {"cognito_changes": "1500/1m"}}),
    ("E216", {"CAPTCHA": "site.captcha"}, {"CAPTCHA": "cognito_passwordless.web.decorators.safe_next"}),
    ("E217", {"REVIEW_CODES": [{**REVIEWER, "code": "123"}]}, {"REVIEW_CODES": [{**REVIEWER, "until": "2020-01-01"}]}),
    ("E217", {"REVIEW_CODES": [{**REVIEWER, "until": "soon"}]}, {"REVIEW_CODES": []}),
    ("E219", {"EVENT_DATA": {"send": "io"}}, {"EVENT_DATA": {"sent": "io"}}),
    ("W710", {"REVIEW_CODES": [REVIEWER]}, {"REVIEW_CODES": [{**REVIEWER, "until": "2020-01-01"}]}),
    (
        "W711",
        {"SENDERS": {"sms": [{"BACKEND": SNS}]}, "SMS_COUNTRIES": []},
        {"SENDERS": {"sms": [{"BACKEND": SNS}]}, "SMS_COUNTRIES": ["DE"]},
    ),
    ("E231", {"MATCH_USER": "site.match"}, {"MATCH_USER": "tests.checks.test_settings.record"}),
    ("E232", {"MATCH_USER": "cognito_sub"}, {"MATCH_USER": "username"}),
    ("W233", {"MATCH_USER": "last_name"}, {"MATCH_USER": "username"}),
    ("E234", {"ATTRIBUTES": "site.fill"}, {"ATTRIBUTES": "tests.checks.test_settings.record"}),
    ("E235", {"ATTRIBUTES": {"custom:staff": "is_staff"}}, {"ATTRIBUTES": {"given_name": "first_name"}}),
    ("E235", {"ATTRIBUTES": {"sub": "username"}, "MATCH_USER": "username"}, {"MATCH_USER": "username"}),
    ("E236", {"ATTRIBUTES": {"given_name": "given"}}, {"ATTRIBUTES": {"family_name": "last_name"}}),
    ("E236", {"ATTRIBUTES": {"given_name": ["first_name"]}}, {"ATTRIBUTES": {}}),
    ("W237", {"ATTRIBUTES": {"nickname": "username"}}, {"ATTRIBUTES": {"nickname": "first_name"}}),
    ("E238", {"GROUPS": {"editors": ["editors"]}}, {"GROUPS": {"editors": "editors"}}),
    ("W701", {"PUBLIC_URL": ""}, {}),
    ("W702", {"PUBLIC_URL": "http://www.example.com"}, {"PUBLIC_URL": "https://www.example.com"}),
    ("W703", {"DISPATCH": "inline"}, {"DISPATCH": "celery"}),
    ("W706", {"SENDERS": {"sms": [{"BACKEND": MEMORY}]}}, {"SENDERS": {"sms": [{"BACKEND": SNS}]}}),
]


def record() -> None:
    """Stands for a callable of the site's."""


@pytest.mark.parametrize(("number", "mistake", "fixed"), CASES)
def test_a_mistake_is_told_once(
    number: str, mistake: dict[str, Any], fixed: dict[str, Any], find: Find, settings: Any
) -> None:
    sound = settings.COGNITO_PASSWORDLESS
    settings.COGNITO_PASSWORDLESS = sound | mistake
    assert find() == [number]
    settings.COGNITO_PASSWORDLESS = sound | fixed
    assert find() == []


def test_a_setting_that_is_no_dict_is_told_once(find: Find, settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = [("SIGNUP", True)]
    assert find(deploy=False) == ["E201"]


def test_without_settings_only_production_has_something_to_say(find: Find, settings: Any) -> None:
    del settings.COGNITO_PASSWORDLESS
    assert find(deploy=False) == []
    assert find() == ["W701"]


@pytest.mark.parametrize("key", sorted(KEYS))
def test_no_key_takes_just_anything(key: str, find: Find, settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, key: object()}
    assert len(find(deploy=False)) == 1
