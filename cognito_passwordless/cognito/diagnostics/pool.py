"""Read how a pool and its app client are set up. Signed calls."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..client import Secrets, call
from ..connection import Connection
from ..errors import Cause, CognitoError
from ..values import FrozenMapping

# "If you don't specify a value for ExplicitAuthFlows": API reference of CreateUserPoolClient.
_FLOWS_UNLESS_SET: Final = ("ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH")
_SESSION_UNLESS_SET: Final = 3  # minutes


@dataclass(frozen=True)
class PoolSetup:
    """``triggers``: the ARN of each function, by its name in LambdaConfig. ``plan`` and ``issuer_type`` are empty
    where the pool (or an older boto3) does not say, ``first_factors`` where it has no such setting."""

    name: str
    arn: str
    plan: str
    mfa: str
    first_factors: tuple[str, ...]
    triggers: Mapping[str, str]
    sender_key: bool
    sign_in_by: tuple[str, ...]
    case_sensitive: bool
    self_sign_up: bool
    email_account: str
    email_source_arn: str
    email_failure: str
    sms_configured: bool
    sms_region: str
    sms_failure: str
    users: int
    attributes: tuple[str, ...] = ()
    issuer_type: str = ""
    threat_protection: str = "OFF"


@dataclass(frozen=True)
class ClientSetup:
    """``session_minutes``: how long the pool keeps a sign-in open. ``read_attributes`` empty means all the standard
    ones."""

    secret: str = field(repr=False)
    flows: tuple[str, ...]
    hides_who_exists: bool
    session_minutes: int
    callback_urls: tuple[str, ...]
    sign_out_urls: tuple[str, ...]
    oauth: bool
    oauth_flows: tuple[str, ...]
    scopes: tuple[str, ...]
    providers: tuple[str, ...]
    read_attributes: tuple[str, ...]


def describe_pool(connection: Connection) -> PoolSetup:
    """DescribeUserPool. Raises ``CognitoError``; the IAM action is ``cognito-idp:DescribeUserPool``."""
    pool = _part(connection, "DescribeUserPool", "UserPool", {})
    functions = pool.get("LambdaConfig") or {}
    # The newer triggers have a version beside the ARN.
    arns = {
        name: str(configured.get("LambdaArn") or "") if isinstance(configured, dict) else str(configured or "")
        for name, configured in functions.items()
        if name != "KMSKeyID"
    }
    email, sms = pool.get("EmailConfiguration") or {}, pool.get("SmsConfiguration") or {}
    return PoolSetup(
        name=str(pool.get("Name", "")),
        arn=str(pool.get("Arn", "")),
        plan=str(pool.get("UserPoolTier", "")),
        mfa=str(pool.get("MfaConfiguration", "OFF")),
        first_factors=_texts(_inside(pool, "Policies", "SignInPolicy").get("AllowedFirstAuthFactors")),
        triggers=FrozenMapping({name: arn for name, arn in arns.items() if arn}),
        sender_key=bool(functions.get("KMSKeyID")),
        sign_in_by=_texts([*(pool.get("UsernameAttributes") or ()), *(pool.get("AliasAttributes") or ())]),
        # Without the setting, a pool compares user names as they are written: pools of before 2019.
        case_sensitive=_inside(pool, "UsernameConfiguration").get("CaseSensitive", True) is not False,
        self_sign_up=_inside(pool, "AdminCreateUserConfig").get("AllowAdminCreateUserOnly") is not True,
        email_account=str(email.get("EmailSendingAccount") or "COGNITO_DEFAULT"),
        email_source_arn=str(email.get("SourceArn") or ""),
        email_failure=str(pool.get("EmailConfigurationFailure") or ""),
        sms_configured=bool(sms.get("SnsCallerArn") or sms.get("EumsSms")),
        sms_region=str(sms.get("SnsRegion") or connection.region),
        sms_failure=str(pool.get("SmsConfigurationFailure") or ""),
        users=int(pool.get("EstimatedNumberOfUsers") or 0),
        attributes=_texts(row.get("Name") for row in pool.get("SchemaAttributes") or ()),
        issuer_type=str(_inside(pool, "IssuerConfiguration").get("Type") or ""),
        threat_protection=str(_inside(pool, "UserPoolAddOns").get("AdvancedSecurityMode") or "OFF"),
    )


def describe_client(connection: Connection) -> ClientSetup:
    """DescribeUserPoolClient. Raises ``CognitoError``; the IAM action is ``cognito-idp:DescribeUserPoolClient``."""
    client = _part(connection, "DescribeUserPoolClient", "UserPoolClient", {"ClientId": connection.client_id})
    return ClientSetup(
        secret=str(client.get("ClientSecret") or ""),
        flows=_texts(client.get("ExplicitAuthFlows")) or _FLOWS_UNLESS_SET,
        hides_who_exists=client.get("PreventUserExistenceErrors") == "ENABLED",
        session_minutes=int(client.get("AuthSessionValidity") or _SESSION_UNLESS_SET),
        callback_urls=_texts(client.get("CallbackURLs")),
        sign_out_urls=_texts(client.get("LogoutURLs")),
        oauth=client.get("AllowedOAuthFlowsUserPoolClient") is True,
        oauth_flows=_texts(client.get("AllowedOAuthFlows")),
        scopes=_texts(client.get("AllowedOAuthScopes")),
        providers=_texts(client.get("SupportedIdentityProviders")),
        read_attributes=_texts(client.get("ReadAttributes")),
    )


def _part(connection: Connection, operation: str, part: str, more: Mapping[str, str]) -> Mapping[str, Any]:
    answer = call(connection, "inspect", operation, Secrets({"UserPoolId": connection.user_pool_id, **more}))
    described = answer.get(part)
    if not isinstance(described, dict):
        raise CognitoError(Cause.unavailable, operation, "MalformedResponse")
    return described


def _inside(outer: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    inner: Any = outer
    for name in names:
        inner = inner.get(name) or {}
    return inner if isinstance(inner, dict) else {}


def _texts(listed: Any) -> tuple[str, ...]:
    return tuple(str(item) for item in listed or ())
