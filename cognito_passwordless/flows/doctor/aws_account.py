"""What the AWS account lets a pool and our senders do: quotas, sandboxes, and what a pre sign-up trigger verifies."""

from typing import Final

from ...cognito import Connection, Function, MailAccount, PoolSetup, SmsAccount
from ...conf import conf
from .findings import Verdict, ok, problem, warning
from .probes import Unanswered

OUR_PRE_SIGN_UP: Final = "cognito_passwordless.lambda_triggers.pre_sign_up.handler"
# The quota that InitiateAuth counts on: "UserAuthentication" among the category quotas in the developer guide.
STARTS_QUOTA: Final = "UserAuthentication"
NEARLY: Final = 0.8
DEFAULT_SPEND: Final = 1.0  # US dollars a month that SNS begins with


def starts_quota(found: float | Unanswered | None) -> Verdict | None:
    """Ours has to be lower: whatever else signs in to a pool of this account and region draws on the same."""
    if isinstance(found, Unanswered):
        return found.verdict("servicequotas:ListServiceQuotas", "the account's quota of sign-ins")
    if found is None:
        return None
    limit = conf.limit("cognito_starts")
    ours = limit.count / limit.window
    if ours > found:
        return problem(
            f"LIMITS['cognito_starts'] allows {ours:g} starts a second, and the account {found:g}",
            "Lower LIMITS['cognito_starts'] below the account's quota, or have the quota raised.",
        )
    return ok(f"{ours:g} starts a second of the account's {found:g}")


def mail(where: str, found: MailAccount | Unanswered) -> Verdict:
    if isinstance(found, Unanswered):
        return found.verdict("ses:GetAccount", f"Amazon SES in {where}")
    if not found.sending or found.standing == "SHUTDOWN":
        return problem(f"Amazon SES in {where} has stopped sending ({found.standing})", "Look into the SES console.")
    if not found.production:
        return problem(
            f"Amazon SES in {where} is in the sandbox: only verified addresses get mail",
            "Ask AWS for production access.",
        )
    used = f"{found.sent:.0f} of {found.per_day:.0f} messages in 24 hours"
    if found.standing != "HEALTHY" or (found.per_day > 0 and found.sent >= NEARLY * found.per_day):
        return warning(
            f"Amazon SES in {where}: {used}, standing {found.standing}", "Have the quota raised; look at bounces."
        )
    return ok(f"Amazon SES in {where}: {used}, {found.per_second:g} a second")


def sms(where: str, found: SmsAccount | Unanswered) -> Verdict:
    if isinstance(found, Unanswered):
        return found.verdict("sns:GetSMSSandboxAccountStatus", f"Amazon SNS in {where}")
    if found.sandbox:
        return problem(
            f"Amazon SNS in {where} is in the SMS sandbox: only verified numbers get messages",
            "Leave the sandbox: SNS console, Text messaging (SMS).",
        )
    if found.spend_limit is not None and found.spend_limit <= DEFAULT_SPEND:
        return warning(
            f"Amazon SNS in {where} stops after {found.spend_limit:g} US dollars a month",
            "Have the account's SMS spending quota raised, and set MonthlySpendLimit.",
        )
    return ok(f"Amazon SNS in {where} is out of the sandbox")


def messaging(where: str, found: str | Unanswered) -> Verdict:
    if isinstance(found, Unanswered):
        return found.verdict("sms-voice:DescribeAccountAttributes", f"AWS End User Messaging in {where}")
    if found == "SANDBOX":
        return problem(
            f"AWS End User Messaging in {where} is in the sandbox: only verified numbers get messages",
            "Ask for production access in its console.",
        )
    return ok(f"AWS End User Messaging in {where}: {found.lower() or 'tier unknown'}")


def pre_sign_up(connection: Connection, pool: PoolSetup, found: Function | Unanswered | None) -> Verdict:
    """A trigger may call an unproven address verified. With ``trust_verified`` that would be enough to
    be linked to the Django user who did prove it (law 7)."""
    if "PreSignUp" not in pool.triggers:
        return ok("no pre sign-up trigger: an address is verified only by who proves it, or by an administrator")
    weight = problem if connection.trust_verified else warning
    if isinstance(found, Function) and found.handler == OUR_PRE_SIGN_UP:
        return _ours(connection, found, pool)
    trusting = (
        "Until it is sure, set 'trust_verified' to False."
        if connection.trust_verified
        else ("'trust_verified' is off, so nothing of ours believes it; keep it off until it is sure.")
    )
    unread = (
        f" ({found.reason}; lambda:GetFunctionConfiguration would tell more)" if isinstance(found, Unanswered) else ""
    )
    return weight(
        f"a pre sign-up trigger is attached that is not this package's{unread}: it may call addresses verified that "
        "nobody has proven",
        f"Read its code for autoVerifyEmail and autoVerifyPhone, also for PreSignUp_ExternalProvider. {trusting}",
    )


def _ours(connection: Connection, found: Function, pool: PoolSetup) -> Verdict:
    confirms = found.environment.get("PRE_SIGN_UP_CONFIRM", "").lower() == "true"
    verifies = found.environment.get("PRE_SIGN_UP_VERIFY", "").strip()
    if not (confirms and verifies):
        return ok("this package's pre sign-up trigger, which verifies nothing")
    text = f"the pre sign-up trigger calls {verifies} verified at sign-up, without a proof (PRE_SIGN_UP_VERIFY)"
    if not pool.self_sign_up:
        return warning(f"{text}; sign-up is closed", "Empty PRE_SIGN_UP_VERIFY before it is opened.")
    if connection.trust_verified:
        return problem(
            f"{text}, and this connection has 'trust_verified': an attacker who signs up with a person's address gets "
            "their Django account",
            "Set 'trust_verified' to False now; empty PRE_SIGN_UP_VERIFY. Accounts of before stay unproven.",
        )
    return warning(text, "Empty PRE_SIGN_UP_VERIFY, and keep 'trust_verified' off: accounts of before stay unproven.")
