"""Read the AWS account around a pool: quotas, sandboxes, the functions behind triggers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import boto3
import botocore.exceptions
from botocore.config import Config
from botocore.parsers import ResponseParserError

from ..client import silence
from ..errors import Cause, CognitoError, translate

_CONFIG: Final = Config(connect_timeout=2.0, read_timeout=4.0, retries={"total_max_attempts": 1})
_MAX_PAGES: Final = 5


@dataclass(frozen=True)
class MailAccount:
    """Amazon SES in one region. ``production`` is False in the sandbox, where only verified addresses get mail."""

    production: bool
    sending: bool
    standing: str
    per_day: float
    sent: float
    per_second: float


@dataclass(frozen=True)
class SmsAccount:
    """Amazon SNS in one region. ``spend_limit``: US dollars a month, None where the account does not say."""

    sandbox: bool
    spend_limit: float | None


@dataclass(frozen=True)
class Function:
    """A Lambda function. Its environment may hold secrets: read only the variables that you know."""

    handler: str
    environment: Mapping[str, str] = field(repr=False)


def mail_account(region: str | None, endpoint_url: str | None = None) -> MailAccount:
    """``ses:GetAccount``. Raises ``CognitoError``."""
    said = _read("sesv2", region, endpoint_url, "get_account")
    quota = said.get("SendQuota") or {}
    return MailAccount(
        production=said.get("ProductionAccessEnabled") is True,
        sending=said.get("SendingEnabled") is True,
        standing=str(said.get("EnforcementStatus") or "HEALTHY"),
        per_day=float(quota.get("Max24HourSend", 0)),
        sent=float(quota.get("SentLast24Hours", 0)),
        per_second=float(quota.get("MaxSendRate", 0)),
    )


def sms_account(region: str | None, endpoint_url: str | None = None) -> SmsAccount:
    """``sns:GetSMSSandboxAccountStatus``, and ``sns:GetSMSAttributes`` if allowed. Raises ``CognitoError``."""
    sandbox = _read("sns", region, endpoint_url, "get_sms_sandbox_account_status").get("IsInSandbox") is True
    try:
        said = _read("sns", region, endpoint_url, "get_sms_attributes", attributes=["MonthlySpendLimit"])
        limit = float((said.get("attributes") or {})["MonthlySpendLimit"])
    except (CognitoError, KeyError, ValueError):
        return SmsAccount(sandbox, None)
    return SmsAccount(sandbox, limit)


def messaging_tier(region: str | None, endpoint_url: str | None = None) -> str:
    """``SANDBOX`` or ``PRODUCTION`` of End User Messaging: ``sms-voice:DescribeAccountAttributes``. Raises
    ``CognitoError``."""
    said = _read("pinpoint-sms-voice-v2", region, endpoint_url, "describe_account_attributes")
    tiers = [row["Value"] for row in said.get("AccountAttributes") or () if row.get("Name") == "ACCOUNT_TIER"]
    return str(tiers[0]) if tiers else ""


def describe_quota(region: str, name: str) -> float | None:
    """The account's quota for user pools whose name has ``name`` in it, None where none is listed:
    ``servicequotas:ListServiceQuotas``. Raises ``CognitoError``."""
    asked: dict[str, Any] = {"ServiceCode": "cognito-idp", "MaxResults": 100}
    for _page in range(_MAX_PAGES):
        said = _read("service-quotas", region, None, "list_service_quotas", **asked)
        for row in said.get("Quotas") or ():
            if name.lower() in str(row.get("QuotaName", "")).lower():
                return float(row["Value"])
        if not said.get("NextToken"):
            return None
        asked["NextToken"] = said["NextToken"]
    return None


def describe_function(arn: str) -> Function:
    """``lambda:GetFunctionConfiguration``. Raises ``CognitoError``."""
    # arn:partition:lambda:region:account:function:name
    parts = arn.split(":")
    if len(parts) < 7:
        raise CognitoError(Cause.misconfigured, "GetFunctionConfiguration", detail="not the ARN of a function")
    said = _read("lambda", parts[3], None, "get_function_configuration", FunctionName=arn)
    variables = (said.get("Environment") or {}).get("Variables") or {}
    return Function(str(said.get("Handler", "")), dict(variables))


def _read(
    service: str, region: str | None, endpoint_url: str | None, method: str, **parameters: Any
) -> dict[str, Any]:
    try:
        with silence():
            client: Any = boto3.session.Session().client(
                service,  # type: ignore[call-overload]  # the stubs want a literal
                region_name=region,
                endpoint_url=endpoint_url,
                config=_CONFIG,
            )
            answer: dict[str, Any] = getattr(client, method)(**parameters)
    except (
        botocore.exceptions.ClientError,
        botocore.exceptions.BotoCoreError,
        ResponseParserError,
        ValueError,
        TypeError,
        AttributeError,
        LookupError,
    ) as error:
        failure = translate(error, method)
    else:
        return answer
    # Outside the except block, as in `client.call`: the frames of botocore hold what was asked and answered.
    raise failure
