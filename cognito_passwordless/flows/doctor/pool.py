"""What a pool's own setup means for sign-ins: a function for each thing, on what DescribeUserPool says."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from ...cognito import Connection, PoolSetup
from ...conf import conf
from .findings import Verdict, ok, problem, warning

PoolCheck = Callable[[Connection, PoolSetup], Verdict | None]

_CODES: Final = {"EMAIL_OTP": "e-mail", "SMS_OTP": "SMS"}
_CUSTOM_TRIGGERS: Final = ("DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse")
# "Maximum number of emails sent daily per user pool" with Cognito's own sender: quotas in the developer guide.
_COGNITO_MAILS: Final = 50
_AMAZON: Final = ".amazonaws.com"


def _by_its_own_code(connection: Connection) -> bool:
    return "otp" in connection.routes and connection.otp_flow == "USER_AUTH"


def plan(connection: Connection, pool: PoolSetup) -> Verdict | None:
    """Choice-based sign-in (USER_AUTH) and ``acr_values`` need Essentials or Plus."""
    if not pool.plan:
        return None
    wanted = [
        name
        for name, used in (
            ("one-time codes (USER_AUTH)", _by_its_own_code(connection)),
            ("acr_values", connection.acr_values),
        )
        if used
    ]
    if pool.plan != "LITE" or not wanted:
        return ok(f"the plan is {pool.plan}")
    return problem(
        f"the plan is LITE, which has no {' and no '.join(wanted)}",
        "Move the pool to Essentials or Plus, or use CUSTOM_AUTH or hosted login.",
    )


def first_factors(connection: Connection, pool: PoolSetup) -> Verdict | None:
    if not _by_its_own_code(connection):
        return None
    offered = [word for name, word in _CODES.items() if name in pool.first_factors]
    if not offered:
        return problem(
            "the pool allows no one-time code as the first factor",
            "Add EMAIL_OTP (and SMS_OTP) to the pool's choice-based sign-in: Policies.SignInPolicy.",
        )
    wanted = {"e-mail"} | ({"SMS"} if conf.sms_countries else set())
    missing = sorted(wanted.difference(offered))
    if missing:
        return warning(
            f"the pool sends no code by {' and '.join(missing)}",
            "Add EMAIL_OTP or SMS_OTP to Policies.SignInPolicy, if people shall sign in by it.",
        )
    return ok(f"the pool sends codes by {' and '.join(offered)}")


def mfa(connection: Connection, pool: PoolSetup) -> Verdict:
    """A code as the first factor does not work for people with MFA: they need the hosted login, which asks for it."""
    if pool.mfa == "OFF" or not _by_its_own_code(connection):
        return ok(f"MFA is {pool.mfa}")
    way_out = "oidc" in connection.routes
    fix = "Add 'oidc' to the connection's 'routes': hosted login asks for the second factor."
    if pool.mfa == "ON":
        text = "MFA is ON: the pool sends no code as the first factor"
        if not way_out:
            return problem(text, fix)
        return warning(f"{text}, and everybody needs hosted login", "Begin 'routes' with 'oidc'.")
    text = "MFA is OPTIONAL: people who have enabled it get no code"
    return ok(f"{text} and uses hosted login") if way_out else warning(text, fix)


def custom_triggers(connection: Connection, pool: PoolSetup) -> Verdict | None:
    if "otp" not in connection.routes or connection.otp_flow != "CUSTOM_AUTH":
        return None
    missing = [name for name in _CUSTOM_TRIGGERS if name not in pool.triggers]
    if missing:
        return problem(
            f"CUSTOM_AUTH needs triggers that the pool does not have: {', '.join(missing)}",
            "Deploy this package's triggers and attach them (docs/lambda-triggers.md), or use USER_AUTH.",
        )
    return ok("the three triggers of CUSTOM_AUTH are attached")


def other_triggers(connection: Connection, pool: PoolSetup) -> Verdict:
    """What runs beside them, and what does not."""
    if "UserMigration" in pool.triggers and "otp" in connection.routes:
        return warning(
            "a UserMigration trigger is attached, and sign-ins by code never run it",
            "Move its people into the pool first, or let them use their password at the hosted login.",
        )
    senders = [name for name in ("CustomEmailSender", "CustomSMSSender") if name in pool.triggers]
    if senders and not pool.sender_key:
        return problem(
            f"{' and '.join(senders)} without a KMS key: the pool cannot hand over its codes",
            "Set LambdaConfig.KMSKeyID to a symmetric key that both may use.",
        )
    return ok(f"attached: {', '.join(sorted(pool.triggers)) or 'none'}")


def names(connection: Connection, pool: PoolSetup) -> Verdict | None:
    """With ``try`` what was typed is the USERNAME of the sign-in; so the pool has to know people by it."""
    if "otp" not in connection.routes or connection.lookup != "try":
        return None
    wanted = {"email"} | ({"phone_number"} if conf.sms_countries else set())
    missing = sorted(wanted.difference(pool.sign_in_by))
    if missing:
        return problem(
            f"people cannot sign in to the pool by {' or '.join(missing)}, which is what they type here",
            "Set 'lookup' to 'imported' (after cognito_import) or 'list_users', which find the user name first.",
        )
    return ok(f"the pool knows people by {' and '.join(sorted(pool.sign_in_by))}")


def letter_case(connection: Connection, pool: PoolSetup) -> Verdict:
    if not pool.case_sensitive:
        return ok("user names are compared without regard to case")
    return warning(
        "the pool tells upper from lower case in names and addresses, and this package writes addresses in lower case",
        "It cannot be changed for a pool. Import its people: addresses with capitals become conflicts to review.",
    )


def mail(connection: Connection, pool: PoolSetup) -> Verdict:
    if pool.email_failure:
        return problem(
            "the pool says that it cannot send e-mail (EmailConfigurationFailure)",
            "Fix the pool's e-mail settings: the SES identity and its policy.",
        )
    if (
        pool.email_account == "COGNITO_DEFAULT"
        and "otp" in connection.routes
        and ("CustomEmailSender" not in pool.triggers)
    ):
        return warning(
            f"the pool sends by Cognito's own e-mail, {_COGNITO_MAILS} messages a day",
            "Configure the pool to send by Amazon SES (EmailSendingAccount DEVELOPER).",
        )
    return ok(f"the pool sends e-mail by {pool.email_account}")


def sms(connection: Connection, pool: PoolSetup) -> Verdict | None:
    if pool.sms_failure:
        return problem(
            "the pool says that it cannot send SMS (SmsConfigurationFailure)",
            "Fix the pool's SMS role, and leave the SMS sandbox.",
        )
    needs = _by_its_own_code(connection) and "SMS_OTP" in pool.first_factors and bool(conf.sms_countries)
    if needs and not pool.sms_configured and "CustomSMSSender" not in pool.triggers:
        return problem(
            "the pool offers codes by SMS and has no SmsConfiguration",
            "Give the pool a role that may publish to SNS, or take SMS_OTP out of its first factors.",
        )
    return ok(f"the pool sends SMS in {pool.sms_region}") if pool.sms_configured else None


def mark(connection: Connection, pool: PoolSetup) -> Verdict | None:
    """An attribute that is not in the schema cannot be written. ``attributes`` is empty where the pool tells none."""
    if "mark" not in connection.after_migration or not pool.attributes:
        return None
    if connection.migrated_attribute in pool.attributes:
        return ok(f"migrated people are marked by {connection.migrated_attribute}")
    return problem(
        f"the pool has no attribute {connection.migrated_attribute}, so that migrated people cannot be marked",
        "Add it to the pool's schema, as a mutable string, or change 'migrated_attribute'.",
    )


def issuer(connection: Connection, pool: PoolSetup) -> Verdict | None:
    """Both types are accepted in every region that is known, so a switch needs nothing here; but what was written by
    hand stays as it was."""
    if not pool.issuer_type or not connection.is_cognito:
        return None
    derived = replace(connection, issuer="", issuers=()).accepted_issuers
    if _AMAZON in connection.issuer and connection.issuer not in derived:
        return warning(
            f"'issuer' is {connection.issuer}, and no region that is known of this pool writes that",
            "Take 'issuer' out of the connection. If the pool has a replica there, add its region to 'regions'.",
        )
    keys = connection.endpoints.get("jwks_uri", "")
    if _AMAZON in keys and "//issuer-" not in keys:
        return warning(
            f"the pool's issuer type is {pool.issuer_type}, and 'endpoints' has all keys at {keys}",
            "Take 'jwks_uri' out of 'endpoints' before the pool is switched to UPDATED: each issuer has its own keys.",
        )
    return ok(f"the pool's issuer type is {pool.issuer_type}; tokens of both types are accepted")


def threats(connection: Connection, pool: PoolSetup) -> Verdict | None:
    """Threat protection judges a sign-in by where it comes from, and ours come from the site's own servers."""
    if "otp" not in connection.routes or pool.threat_protection in {"OFF", "AUDIT"}:
        return ok(f"threat protection is {pool.threat_protection}")
    return warning(
        f"threat protection is {pool.threat_protection}, and sees every sign-in by code come from this site's servers",
        "Set the pool to audit only, allow the servers' addresses, or put 'oidc' first in 'routes'.",
    )


def size(connection: Connection, pool: PoolSetup) -> Verdict:
    return ok(f"about {pool.users} users in {pool.name or connection.user_pool_id}")


POOL_CHECKS: Final[Mapping[str, PoolCheck]] = {
    "pool": size,
    "plan": plan,
    "first factors": first_factors,
    "MFA": mfa,
    "custom challenge": custom_triggers,
    "triggers": other_triggers,
    "names": names,
    "letter case": letter_case,
    "pool's e-mail": mail,
    "pool's SMS": sms,
    "mark": mark,
    "issuer": issuer,
    "threat protection": threats,
}
