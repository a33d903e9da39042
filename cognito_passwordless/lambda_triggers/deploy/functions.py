"""The functions of the stack, with the permissions and variables of each: the tables behind `template`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Grant:
    """Actions on one resource. ``condition`` names the condition of the template under which it is given."""

    actions: tuple[str, ...]
    resource: Any
    condition: str = ""
    only_if: Mapping[str, Any] = field(default_factory=dict)
    everything_but: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """One trigger: its module, its key in the pool's ``LambdaConfig``, and when the stack has it."""

    module: str
    config: str
    condition: str = ""
    variables: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()
    layer: bool = False

    @property
    def name(self) -> str:
        return "".join(word.capitalize() for word in self.module.split("_"))


# The stack's own pool, or the one that it makes functions for.
POOL = {
    "Fn::If": [
        "WithOwnPool",
        {"Fn::GetAtt": ["UserPool", "Arn"]},
        {
            "Fn::Sub": "arn:${AWS::Partition}:cognito-idp:${AWS::Region}:${AWS::AccountId}"
            ":userpool/${ExistingUserPoolId}"
        },
    ]
}
OTP_SECRET = Grant(("secretsmanager:GetSecretValue",), {"Ref": "OtpSecret"})
DJANGO_KEY = Grant(("secretsmanager:GetSecretValue",), {"Ref": "DjangoHmacKey"}, "WithDjango")
# A phone number has no ARN: everything that is not a topic.
SMS = Grant(("sns:Publish",), {"Fn::Sub": "arn:${AWS::Partition}:sns:*:*:*"}, everything_but=True)
EMAIL = Grant(
    ("ses:SendEmail",),
    # The identity may be the address or its domain; the address is fixed by the condition.
    {"Fn::Sub": "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/*"},
    "WithEmail",
    {"StringLike": {"ses:FromAddress": {"Ref": "EmailFrom"}}},
)
TWILIO_TOKEN = Grant(("secretsmanager:GetSecretValue",), {"Ref": "TwilioAuthTokenArn"}, "WithTwilio")
SMTP_PASSWORD = Grant(("secretsmanager:GetSecretValue",), {"Ref": "SmtpPasswordArn"}, "WithSmtp")
CAPTCHA_SECRET = Grant(("secretsmanager:GetSecretValue",), {"Ref": "CaptchaSecretArn"}, "WithCaptcha")
_TABLE = {"Fn::GetAtt": ["LimitsTable", "Arn"]}

CHALLENGE = (
    *("OTP_FIRST_FACTOR", "OTP_TTL", "OTP_MAX_ATTEMPTS", "OTP_MAX_SENDS", "OTP_RESEND_COOLDOWN"),
    *("OTP_ON_EXPIRY", "CAPTCHA_SITE_KEY"),
)
CODE = ("OTP_SECRET_ARN", "OTP_LENGTH", "OTP_ON_RESEND", "LIMITS_TABLE", "LIMITS_FAILURES", "LIMITS_SENDS")
TWILIO = ("TWILIO_ACCOUNT_SID", "TWILIO_FROM", "TWILIO_MESSAGING_SERVICE_SID", "TWILIO_AUTH_TOKEN_ARN")
SMTP = ("SMTP_HOST", "SMTP_PORT", "SMTP_SECURITY", "SMTP_USER", "SMTP_PASSWORD_ARN")
BY_SMS = ("SNS_SENDER_ID", "SNS_SMS_TYPE", "SNS_ORIGINATION_NUMBER", "SNS_REGION", *TWILIO)
BY_EMAIL = ("EMAIL_FROM", "SES_REGION", "SES_CONFIGURATION_SET", *SMTP)
WORDING = ("OTP_APP_NAME", "OTP_LANGUAGE")
TEMPLATES = ("OTP_TEMPLATE_SMS", "OTP_TEMPLATE_EMAIL", "OTP_TEMPLATE_SUBJECT")
DJANGO = ("DJANGO_URL", "DJANGO_HMAC_KEY_ARN")

FUNCTIONS = (
    Function("define_auth_challenge", "DefineAuthChallenge", variables=CHALLENGE),
    Function(
        "create_auth_challenge",
        "CreateAuthChallenge",
        variables=(
            *(*CHALLENGE, *CODE, *WORDING, *TEMPLATES, *BY_SMS, *BY_EMAIL),
            *("OTP_SENDERS", "OTP_CHANNEL", "OTP_ORIGIN", "OTP_REQUIRE_VERIFIED", "OTP_SEND_FLOOR_MS"),
        ),
        grants=(
            *(OTP_SECRET, SMS, EMAIL, TWILIO_TOKEN, SMTP_PASSWORD),
            Grant(("dynamodb:UpdateItem", "dynamodb:GetItem"), _TABLE, "WithLimits"),
        ),
    ),
    Function(
        "verify_auth_challenge_response",
        "VerifyAuthChallengeResponse",
        variables=(*CHALLENGE, *CODE, "CAPTCHA_SECRET_ARN", "CAPTCHA_URL"),
        grants=(
            OTP_SECRET,
            Grant(("dynamodb:UpdateItem", "dynamodb:BatchWriteItem"), _TABLE, "WithLimits"),
            CAPTCHA_SECRET,
        ),
    ),
    Function(
        "pre_sign_up",
        "PreSignUp",
        variables=(
            *("PRE_SIGN_UP_CONFIRM", "PRE_SIGN_UP_VERIFY", "EMAIL_DOMAINS_ALLOWED", "EMAIL_DOMAINS_DENIED"),
            *("INVITATION_CODES", "PRE_SIGN_UP_HOOKS", "PRE_SIGN_UP_ATTRIBUTES", "PRE_SIGN_UP_LINK"),
            *("CAPTCHA_SECRET_ARN", "CAPTCHA_URL"),
        ),
        grants=(
            CAPTCHA_SECRET,
            Grant(
                ("cognito-idp:ListUsers", "cognito-idp:AdminLinkProviderForUser"),
                POOL,
                "WithLinking",
            ),
        ),
    ),
    Function(
        "pre_authentication",
        "PreAuthentication",
        variables=(
            *("PRE_AUTH_REFUSE", "PRE_AUTH_MIGRATED_CLAIM", "PRE_AUTH_BLOCKED_CLAIM"),
            *("PRE_AUTH_ASK_DJANGO", "PRE_AUTH_ON_ERROR"),
            *DJANGO,
        ),
        grants=(DJANGO_KEY,),
    ),
    Function("post_confirmation", "PostConfirmation", "WithDjango", DJANGO, (DJANGO_KEY,)),
    Function("post_authentication", "PostAuthentication", "WithDjango", DJANGO, (DJANGO_KEY,)),
    Function("user_migration", "UserMigration", "WithDjango", (*DJANGO, "MIGRATION_FORCE_ALIAS"), (DJANGO_KEY,)),
    Function(
        "pre_token_generation",
        "PreTokenGenerationConfig",
        "WithTokens",
        ("TOKEN_CLAIMS", "TOKEN_ASK_DJANGO", "TOKEN_ON_ERROR", *DJANGO),
        (DJANGO_KEY,),
    ),
    Function("custom_message", "CustomMessage", "WithMessages", (*WORDING, "MESSAGES")),
    Function(
        "custom_email_sender",
        "CustomEmailSender",
        "WithCustomSenders",
        (*WORDING, "MESSAGES", "EMAIL_SENDERS", *BY_EMAIL, "KEY_ARN"),
        (EMAIL, SMTP_PASSWORD, Grant(("kms:Decrypt",), {"Fn::GetAtt": ["SenderKey", "Arn"]})),
        layer=True,
    ),
    Function(
        "custom_sms_sender",
        "CustomSMSSender",
        "WithCustomSenders",
        (*WORDING, "MESSAGES", "SMS_SENDERS", *BY_SMS, "KEY_ARN"),
        (SMS, TWILIO_TOKEN, Grant(("kms:Decrypt",), {"Fn::GetAtt": ["SenderKey", "Arn"]})),
        layer=True,
    ),
    Function("inbound_federation", "InboundFederation", "WithFederation", ("FEDERATION_MAP",)),
)


# The triggers that a pool wants with a version, and the newest one that ours answer.
VERSIONED = {"PreTokenGenerationConfig": "V2_0"}
VERSIONED |= dict.fromkeys(("CustomEmailSender", "CustomSMSSender", "InboundFederation"), "V1_0")
Resource = dict[str, Any]


def when(condition: str, resource: Resource) -> Resource:
    return {"Condition": condition, **resource} if condition else resource


def if_(condition: str, value: Any) -> Any:
    return {"Fn::If": [condition, value, {"Ref": "AWS::NoValue"}]} if condition else value


def role(trust: Resource, statements: list[Any]) -> Resource:
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": [
                {"PolicyName": "trigger", "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}
            ],
        },
    }


def statement(grant: Grant) -> Resource:
    statement: Resource = {
        "Effect": "Allow",
        "Action": list(grant.actions),
        "NotResource" if grant.everything_but else "Resource": grant.resource,
    }
    return {**statement, "Condition": dict(grant.only_if)} if grant.only_if else statement
