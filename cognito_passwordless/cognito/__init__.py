"""The only code that talks to a Cognito user pool. No Django in here.

Laws: docs/laws.md; words: docs/glossary.md.
"""

from .caches import reset_caches
from .client import idp_client
from .connection import Connection, ConnectionConfigError
from .diagnostics.account import (
    Function,
    MailAccount,
    SmsAccount,
    describe_function,
    describe_quota,
    mail_account,
    messaging_tier,
    sms_account,
)
from .diagnostics.connectivity import Published, endpoints_now, hosted_login_status, published_keys
from .diagnostics.pool import ClientSetup, PoolSetup, describe_client, describe_pool
from .errors import Cause, CognitoError
from .oidc.authorize import Secrets, authorize_url, sign_out_url
from .oidc.discovery import Provider, provider_of
from .oidc.jwks import JwksCache
from .oidc.redeem import AuthorizationCode, redeem
from .oidc.tokens import verify_id_token
from .profile import CognitoProfile, with_trusted
from .sign_in.calls import Tokens, secret_hash
from .sign_in.custom import CustomChallenge, answer_custom, resend_custom, start_custom
from .sign_in.otp import OtpChallenge, answer_otp, start_otp
from .sign_in.password import Password, can_prove_passwords, start_with_password
from .users.changes import disable_user, enable_user, mark_user, sign_out_everywhere, unmark_user, username_of
from .users.directory import PoolUser, find_users, get_user
from .users.listing import ListedPage, TokenRefused, estimate_users, list_page
from .values import is_storable, is_true

__all__ = [
    "AuthorizationCode",
    "Cause",
    "ClientSetup",
    "CognitoError",
    "CognitoProfile",
    "Connection",
    "ConnectionConfigError",
    "CustomChallenge",
    "Function",
    "JwksCache",
    "ListedPage",
    "MailAccount",
    "OtpChallenge",
    "Password",
    "PoolSetup",
    "PoolUser",
    "Provider",
    "Published",
    "Secrets",
    "SmsAccount",
    "TokenRefused",
    "Tokens",
    "answer_custom",
    "answer_otp",
    "authorize_url",
    "can_prove_passwords",
    "describe_client",
    "describe_function",
    "describe_pool",
    "describe_quota",
    "disable_user",
    "enable_user",
    "endpoints_now",
    "estimate_users",
    "find_users",
    "get_user",
    "hosted_login_status",
    "idp_client",
    "is_storable",
    "is_true",
    "list_page",
    "mail_account",
    "mark_user",
    "messaging_tier",
    "provider_of",
    "published_keys",
    "redeem",
    "resend_custom",
    "reset_caches",
    "secret_hash",
    "sign_out_everywhere",
    "sign_out_url",
    "sms_account",
    "start_custom",
    "start_otp",
    "start_with_password",
    "unmark_user",
    "username_of",
    "verify_id_token",
    "with_trusted",
]
