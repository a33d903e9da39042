"""The names of all settings, and what a site has that sets none."""

from collections.abc import Mapping
from typing import Any

KEYS = frozenset(
    {
        "APP_NAME",
        "PUBLIC_URL",
        "OTP",
        "LIMITS",
        "REFUSAL_FLOOR",
        "DISPATCH",
        "SIGNUP",
        "UNKNOWN_ADDRESS_MESSAGE",
        "ALLAUTH_PAGES",
        "USERNAMES",
        "STAFF_SIGN_IN",
        "SENDERS",
        "SMS_COUNTRIES",
        "MATCH_USER",
        "GROUPS",
        "ATTRIBUTES",
        "UPDATE_ON_RETURN",
        "DELETED_USER_RETURNS",
        "EVENT_DATA",
        "RETENTION",
        "CAPTCHA",
        "CODE_IN_SUBJECT",
        "REVIEW_CODES",
        "LAMBDA",
    }
)
LAMBDA_KEYS = frozenset({"HMAC_KEYS", "NEW_DEVICE_MAIL", "TOKEN_RULES", "USER_MIGRATION", "WELCOME"})

DEFAULT_LIMITS: Mapping[str, str] = {
    # In a row, whatever time lies between: in all browsers that nobody knows, and in each that has signed in as this
    # person before.
    "failures": "50",
    "failures_known_browser": "10",
    # Messages: for what was typed, for where they go, the same for browsers that are known, and for a block of ten
    # thousand numbers in a row. Two windows of the last are what a block costs at most until
    # `flows.limits.conversion` sees that no code of it is entered.
    "sends": "10/1h",
    "sends_per_recipient": "10/1h",
    "sends_known_browsers": "30/1h",
    "sms_per_prefix": "20/20m",
    "sms_per_country": "2000/24h",
    "sms_per_day": "5000/24h",
    "emails_per_day": "50000/24h",
    "unknown_messages": "1/24h",
    "unknown_messages_per_day": "500/24h",
    "starts_per_ip": "300/1h",
    # Of the account in a region, over all pools; AWS allows 120 a second: https://docs.aws.amazon.com/cognito/latest/
    # developerguide/quotas.html, "UserAuthentication". The rest is left to what else signs in there.
    "cognito_starts": "100/1s",
    # The same page, "UserResourceUpdate": 25 a second, which nobody raises. The rest is left to what else changes
    # users there, and to calls that the network delivers closer together than they were made.
    "cognito_changes": "20/1s",
}
DEFAULT_SENDERS: Mapping[str, list[dict[str, Any]]] = {
    "email": [{"BACKEND": "cognito_passwordless.delivery.email.DjangoEmailSender"}],
    "sms": [{"BACKEND": "cognito_passwordless.delivery.sns.SnsSender"}],
}
DEFAULT_RETENTION: Mapping[str, int] = {"challenges": 30, "events": 400, "deliveries": 30}
