"""The reads of the AWS account, at a stand-in that speaks as each service does."""

from collections.abc import Callable
from typing import Any

import pytest

from cognito_passwordless.cognito import (
    Cause,
    CognitoError,
    describe_function,
    describe_quota,
    mail_account,
    messaging_tier,
    sms_account,
)

from .standin import Reply, StandIn, error, reply

REGION = "eu-west-1"
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:mine"
FUNCTION = "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Amine/configuration"
NAMESPACE = 'xmlns="http://sns.amazonaws.com/doc/2010-03-31/"'


def sandbox(inside: str) -> Reply:
    name = "GetSMSSandboxAccountStatus"
    result = f"<{name}Result><IsInSandbox>{inside}</IsInSandbox></{name}Result>"
    return Reply(f"<{name}Response {NAMESPACE}>{result}</{name}Response>".encode())


def spend(limit: str) -> Reply:
    entry = f"<entry><key>MonthlySpendLimit</key><value>{limit}</value></entry>"
    result = f"<GetSMSAttributesResult><attributes>{entry}</attributes></GetSMSAttributesResult>"
    return Reply(f"<GetSMSAttributesResponse {NAMESPACE}>{result}</GetSMSAttributesResponse>".encode())


@pytest.fixture(autouse=True)
def _all_of_aws(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", standin.url)


@pytest.mark.parametrize(("inside", "limit", "expected"), [("true", "1", (True, 1.0)), ("false", "", (False, None))])
def test_sns(standin: StandIn, inside: str, limit: str, expected: tuple[bool, float | None]) -> None:
    standin.says("GetSMSSandboxAccountStatus", sandbox(inside))
    standin.says("GetSMSAttributes", spend(limit) if limit else Reply(b"<no", 403))
    found = sms_account(REGION)
    assert (found.sandbox, found.spend_limit) == expected


def test_ses(standin: StandIn) -> None:
    quota = {"Max24HourSend": 50000.0, "MaxSendRate": 14.0, "SentLast24Hours": 12.0}
    said = {"ProductionAccessEnabled": True, "SendingEnabled": True, "EnforcementStatus": "PROBATION"}
    standin.says("/v2/email/account", reply(said | {"SendQuota": quota}))
    found = mail_account(REGION)
    assert (found.production, found.sending, found.standing) == (True, True, "PROBATION")
    assert (found.per_day, found.sent, found.per_second) == (50000, 12, 14)


def test_end_user_messaging(standin: StandIn) -> None:
    tier = {"AccountAttributes": [{"Name": "OTHER", "Value": "x"}, {"Name": "ACCOUNT_TIER", "Value": "SANDBOX"}]}
    standin.says("DescribeAccountAttributes", reply(tier), reply({}))
    assert [messaging_tier(REGION), messaging_tier(REGION)] == ["SANDBOX", ""]


def test_a_quota_is_found_on_a_later_page(standin: StandIn) -> None:
    first = {"Quotas": [{"QuotaName": "Rate of UserCreation requests", "Value": 50.0}], "NextToken": "more"}
    second = {"Quotas": [{"QuotaName": "Rate of UserAuthentication requests", "Value": 120.0}]}
    standin.says("ListServiceQuotas", reply(first), reply(second))
    assert describe_quota(REGION, "userauthentication") == 120
    assert [request.body.get("NextToken") for request in standin.requests] == [None, "more"]


def test_a_quota_that_is_not_listed_is_not_looked_for_without_end(standin: StandIn) -> None:
    standin.says("ListServiceQuotas", reply({"Quotas": [], "NextToken": "more"}))
    assert describe_quota(REGION, "UserAuthentication") is None
    assert len(standin.requests) == 5


def test_a_function_keeps_its_environment_to_itself(standin: StandIn) -> None:
    standin.says(FUNCTION, reply({"Handler": "mine.handler", "Environment": {"Variables": {"TOKEN": "very-secret"}}}))
    found = describe_function(ARN)
    assert (found.handler, found.environment["TOKEN"]) == ("mine.handler", "very-secret")
    assert "very-secret" not in repr(found)


@pytest.mark.parametrize(
    ("operation", "read"),
    [
        ("ListServiceQuotas", lambda: describe_quota(REGION, "x")),
        ("DescribeAccountAttributes", lambda: messaging_tier(REGION)),
        (FUNCTION, lambda: describe_function(ARN)),
        ("/v2/email/account", lambda: mail_account(REGION)),
    ],
)
def test_what_is_denied_says_so_and_is_asked_once(standin: StandIn, operation: str, read: Callable[[], Any]) -> None:
    denied = error("AccessDeniedException", "User alice is not authorized", 403)
    denied.headers["x-amzn-ErrorType"] = "AccessDeniedException"
    standin.says(operation, denied)
    with pytest.raises(CognitoError) as caught:
        read()
    assert (caught.value.cause, caught.value.aws_code) == (Cause.misconfigured, "AccessDeniedException")
    assert "alice" not in str(caught.value)
    assert len(standin.requests) == 1


def test_what_is_no_function_is_not_asked_about(standin: StandIn) -> None:
    with pytest.raises(CognitoError, match="not the ARN"):
        describe_function("mine")
    assert not standin.requests
