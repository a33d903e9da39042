"""What the diagnosis makes of the AWS account: quotas, sandboxes, and what a pre sign-up trigger verifies."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from cognito_passwordless import connections
from cognito_passwordless.cognito import MailAccount, SmsAccount
from cognito_passwordless.cognito.client import replace_clients
from cognito_passwordless.flows.doctor import aws_account, diagnose_connection, diagnose_senders
from cognito_passwordless.flows.doctor.findings import Verdict
from cognito_passwordless.flows.doctor.probes import Unanswered

from ...cognito.standin import StandIn, reply
from ...cognito.test_account import ARN as FUNCTION_ARN
from ...cognito.test_account import FUNCTION, sandbox, spend

POOL_ID = "eu-west-1_Pool1"
GOOD = MailAccount(production=True, sending=True, standing="HEALTHY", per_day=1000, sent=1, per_second=14)
DENIED = Unanswered("GetAccount failed", "AccessDeniedException")
POOL = {
    "Name": "people",
    "Arn": f"arn:aws:cognito-idp:eu-west-1:123456789012:userpool/{POOL_ID}",
    "UserPoolTier": "ESSENTIALS",
    "UsernameAttributes": ["email", "phone_number"],
    "UsernameConfiguration": {"CaseSensitive": False},
    "Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP", "SMS_OTP"]}},
    "EmailConfiguration": {
        "EmailSendingAccount": "DEVELOPER",
        "SourceArn": "arn:aws:ses:eu-central-1:123456789012:identity/example.com",
    },
    "SmsConfiguration": {"SnsCallerArn": "arn:aws:iam::123456789012:role/sms", "SnsRegion": "eu-north-1"},
    "EstimatedNumberOfUsers": 4711,
}
MAIL = {
    "ProductionAccessEnabled": False,
    "SendingEnabled": True,
    "EnforcementStatus": "HEALTHY",
    "SendQuota": {"Max24HourSend": 200.0, "MaxSendRate": 1.0, "SentLast24Hours": 0.0},
}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[StandIn]:
    """All of AWS at a stand-in, and a connection ``main`` to a pool there."""
    with StandIn() as standin:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "testing")
        monkeypatch.setenv("AWS_ENDPOINT_URL", standin.url)
        before = replace_clients({})
        standin.says("DescribeUserPool", reply({"UserPool": POOL}))
        standin.says("DescribeUserPoolClient", reply({"UserPoolClient": {"ExplicitAuthFlows": ["ALLOW_USER_AUTH"]}}))
        standin.says("GetSMSSandboxAccountStatus", sandbox("true"))
        standin.says("GetSMSAttributes", spend("1"))
        standin.says("/v2/email/account", reply(MAIL))
        quotas = [{"QuotaName": "Rate of UserAuthentication requests", "Value": 60.0}]
        standin.says("ListServiceQuotas", reply({"Quotas": quotas}))
        yield standin
        replace_clients(before)


def connect(settings: Any, standin: StandIn, **chosen: Any) -> None:
    chosen = {"region": "eu-west-1", "user_pool_id": POOL_ID, "routes": ["otp"], **chosen}
    chosen["issuer"] = f"{standin.url}/{POOL_ID}"
    app = {"provider_id": "main", "name": "Cognito", "client_id": "client1", "secret": "", "settings": chosen}
    settings.SOCIALACCOUNT_PROVIDERS = {"cognito": {"APPS": [app]}}


@pytest.mark.django_db
def test_the_account_of_a_pool(aws: StandIn, settings: Any) -> None:
    connect(settings, aws)
    (connection,) = connections.every()
    found = {finding.name: finding for finding in diagnose_connection(connection)}
    assert found["quota"].text == "LIMITS['cognito_starts'] allows 100 starts a second, and the account 60"
    assert found["pool's SES"].text.startswith("Amazon SES in eu-central-1 is in the sandbox")
    assert found["pool's SNS"].text.startswith("Amazon SNS in eu-north-1 is in the SMS sandbox")
    assert found["pool"].text == "about 4711 users in people"
    assert {found[name].state for name in ("quota", "pool's SES", "pool's SNS", "keys")} == {"problem"}
    reads = {"DescribeUserPool", "DescribeUserPoolClient", "GetSMSSandboxAccountStatus", "GetSMSAttributes"}
    reads |= {"ListServiceQuotas", "/v2/email/account", f"/{POOL_ID}/.well-known/jwks.json"}
    assert set(aws.operations()) == reads


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("variables", "trusting", "state"),
    [
        ({}, True, "ok"),
        ({"PRE_SIGN_UP_VERIFY": "email"}, True, "ok"),  # without PRE_SIGN_UP_CONFIRM it has no effect
        ({"PRE_SIGN_UP_CONFIRM": "true", "PRE_SIGN_UP_VERIFY": "email"}, True, "problem"),
        ({"PRE_SIGN_UP_CONFIRM": "true", "PRE_SIGN_UP_VERIFY": "email"}, False, "warning"),
    ],
)
def test_our_own_pre_sign_up_trigger_is_read(
    aws: StandIn, settings: Any, variables: Mapping[str, str], trusting: bool, state: str
) -> None:
    aws.says("DescribeUserPool", reply({"UserPool": POOL | {"LambdaConfig": {"PreSignUp": FUNCTION_ARN}}}))
    said = {
        "Handler": aws_account.OUR_PRE_SIGN_UP,
        "Environment": {"Variables": {"OTP_SECRET": "do not show", **variables}},
    }
    aws.says(FUNCTION, reply(said))
    connect(settings, aws, trust_verified=trusting)
    (connection,) = connections.every()
    findings = diagnose_connection(connection)
    (found,) = [finding for finding in findings if finding.name == "pre sign-up"]
    assert found.state == state
    assert "do not show" not in str(findings)


@pytest.mark.parametrize(
    ("verdict", "state", "word"),
    [
        (aws_account.mail("r", GOOD), "ok", "14 a second"),
        (aws_account.mail("r", MailAccount(True, False, "SHUTDOWN", 1, 0, 1)), "problem", "stopped"),
        (aws_account.mail("r", MailAccount(False, True, "HEALTHY", 200, 0, 1)), "problem", "sandbox"),
        (aws_account.mail("r", MailAccount(True, True, "HEALTHY", 1000, 900, 14)), "warning", "900 of 1000"),
        (aws_account.mail("r", MailAccount(True, True, "PROBATION", 1000, 0, 14)), "warning", "PROBATION"),
        (aws_account.mail("r", DENIED), "unknown", "Amazon SES"),
        (aws_account.sms("r", SmsAccount(False, 100.0)), "ok", "out of the sandbox"),
        (aws_account.sms("r", SmsAccount(False, 1.0)), "warning", "1 US dollars"),
        (aws_account.sms("r", SmsAccount(False, None)), "ok", "out of"),
        (aws_account.sms("r", DENIED), "unknown", "Amazon SNS"),
        (aws_account.messaging("r", "SANDBOX"), "problem", "sandbox"),
        (aws_account.messaging("r", "PRODUCTION"), "ok", "production"),
        (aws_account.messaging("r", DENIED), "unknown", "End User Messaging"),
        (aws_account.starts_quota(120.0), "ok", "100 starts a second of the account's 120"),
        (aws_account.starts_quota(DENIED), "unknown", "quota"),
    ],
)
def test_what_is_made_of_it(verdict: Verdict, state: str, word: str) -> None:
    assert (verdict.state, word in verdict.text) == (state, True)
    assert bool(verdict.fix) is (state != "ok")


def test_a_quota_that_is_not_listed_is_no_finding() -> None:
    assert aws_account.starts_quota(None) is None


def test_the_sites_own_senders_are_asked_after(aws: StandIn, settings: Any) -> None:
    tier = {"AccountAttributes": [{"Name": "ACCOUNT_TIER", "Value": "PRODUCTION"}]}
    aws.says("DescribeAccountAttributes", reply(tier))
    smtp = "django.core.mail.backends.smtp.EmailBackend"
    senders = {
        "sms": [
            {"BACKEND": "cognito_passwordless.delivery.sns.SnsSender", "OPTIONS": {"region": "eu-west-1"}},
            {
                "BACKEND": "cognito_passwordless.delivery.end_user_messaging.EndUserMessagingSender",
                "OPTIONS": {"region": "eu-west-2"},
            },
            {"BACKEND": "no.such.Sender"},
        ],
        "email": [
            {
                "BACKEND": "cognito_passwordless.delivery.email.DjangoEmailSender",
                "OPTIONS": {"backend": smtp, "host": "127.0.0.1", "port": 1},
            }
        ],
    }
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "SENDERS": senders}
    found = {finding.name: (finding.state, finding.text) for finding in diagnose_senders()}
    assert found == {
        "sms 1, SNS": ("problem", "Amazon SNS in eu-west-1 is in the SMS sandbox: only verified numbers get messages"),
        "sms 2, End User Messaging": ("ok", "AWS End User Messaging in eu-west-2: production"),
        "email 1, mail server": ("problem", "the mail server 127.0.0.1:1 does not let us in: ConnectionRefusedError"),
    }
    assert not any("Publish" in operation or "Send" in operation for operation in aws.operations())


@pytest.fixture
def ses(monkeypatch: pytest.MonkeyPatch) -> Callable[[MailAccount], list[str | None]]:
    asked: list[str | None] = []

    def answers(what: MailAccount) -> list[str | None]:
        def mail_account(region: str | None) -> MailAccount:
            asked.append(region)
            return what

        monkeypatch.setattr("cognito_passwordless.flows.doctor.senders.mail_account", mail_account)
        monkeypatch.setattr("cognito_passwordless.delivery.email.DjangoEmailSender.reach", lambda self: None)
        return asked

    return answers


def test_mail_by_sess_smtp_is_known_by_its_host(settings: Any, ses: Callable[[MailAccount], list[str | None]]) -> None:
    asked = ses(GOOD)
    options = {"backend": "django.core.mail.backends.smtp.EmailBackend", "host": "email-smtp.eu-west-3.amazonaws.com"}
    sender = {"BACKEND": "cognito_passwordless.delivery.email.DjangoEmailSender", "OPTIONS": options}
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "SENDERS": {"email": [sender], "sms": []}}
    assert [finding.state for finding in diagnose_senders()] == ["ok", "ok"]
    assert asked == ["eu-west-3"]
