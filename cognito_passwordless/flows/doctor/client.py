"""What the app client's setup means for sign-ins: a function for each thing, on what DescribeUserPoolClient says."""

import hmac
from collections.abc import Callable, Mapping
from typing import Final

from django.urls import NoReverseMatch, reverse

from ...cognito import ClientSetup, Connection, PoolSetup
from ...conf import conf
from .findings import Verdict, ok, problem, warning

ClientCheck = Callable[[Connection, ClientSetup], Verdict | None]


def secret(connection: Connection, client: ClientSetup) -> Verdict:
    ours = connection.client_secret or ""
    if hmac.compare_digest(ours.encode(), client.secret.encode()):
        return ok("the client's secret fits" if ours else "the client has no secret, and none is configured")
    if not client.secret:
        return problem("a secret is configured, and the client has none", "Empty the connection's 'secret'.")
    return problem(
        "the client has another secret" if ours else "the client has a secret, and none is configured",
        "Copy the secret of this client into the connection's 'secret'.",
    )


def flow(connection: Connection, client: ClientSetup) -> Verdict | None:
    if "otp" not in connection.routes:
        return None
    wanted = f"ALLOW_{connection.otp_flow}"
    if wanted in client.flows or (wanted == "ALLOW_CUSTOM_AUTH" and "CUSTOM_AUTH_FLOW_ONLY" in client.flows):
        return ok(f"the client allows {connection.otp_flow}")
    return problem(
        f"the client does not allow {connection.otp_flow}",
        f"Add {wanted} to the client's ExplicitAuthFlows, or change the connection's 'otp_flow'.",
    )


def password_flows(pool: PoolSetup, client: ClientSetup) -> Verdict | None:
    """The migration trigger runs only where a client sends the password itself, or the hosted login does."""
    if "UserMigration" not in pool.triggers or client.oauth:
        return None
    if any("PASSWORD_AUTH" in flow or flow == "ADMIN_NO_SRP_AUTH" for flow in client.flows):
        return ok("the client has a flow that runs the UserMigration trigger")
    return warning(
        "a UserMigration trigger is attached, and the client has no flow that runs it: SRP does not",
        "Add ALLOW_USER_PASSWORD_AUTH to the client's ExplicitAuthFlows, or take the trigger off.",
    )


def existence(connection: Connection, client: ClientSetup) -> Verdict | None:
    """`PreventUserExistenceErrors`, and what follows from it for ``try``."""
    if "otp" not in connection.routes:
        return None
    if not client.hides_who_exists:
        return warning(
            "PreventUserExistenceErrors is LEGACY: anybody with the client's id can ask the pool who exists",
            "Set it to ENABLED. Our own pages never tell.",
        )
    if connection.lookup == "try":
        return ok(
            "the pool hides who exists; so with 'try' it says of every address that a code was sent: none is unknown"
        )
    return ok("the pool hides who exists")


def session(connection: Connection, client: ClientSetup) -> Verdict | None:
    """The pool's session is what an answer needs, and `session_minutes` is what pages and messages say of it."""
    if "otp" not in connection.routes:
        return None
    kept, said = client.session_minutes, connection.session_minutes
    if kept < said:
        return problem(
            f"the pool keeps a sign-in open for {kept} minutes, and the connection's 'session_minutes' is {said}: "
            "right codes are refused",
            f"Set 'session_minutes' to {kept}, or the client's AuthSessionValidity to {said}.",
        )
    if kept > said and 60 * said < conf.otp.ttl:
        return warning(
            f"the pool keeps a sign-in open for {kept} minutes, and codes can be used for {said} minutes only",
            f"Set the connection's 'session_minutes' to {kept}.",
        )
    return ok(f"the pool keeps a sign-in open for {kept} minutes")


def callback(connection: Connection, client: ClientSetup) -> Verdict | None:
    if "oidc" not in connection.routes:
        return None
    expected = callback_url(connection)
    if not expected:
        return warning(
            "the callback URL follows the request's host, as PUBLIC_URL is not set",
            "Set COGNITO_PASSWORDLESS['PUBLIC_URL'], or the connection's 'callback_url'.",
        )
    if expected in client.callback_urls:
        return ok(f"{expected} is a callback URL of the client")
    return problem(
        f"{expected} is not a callback URL of the client",
        "Add it, letter by letter, to the client's allowed callback URLs.",
    )


def callback_url(connection: Connection) -> str:
    """Where Cognito sends people back to; empty where it depends on the request, or the site has not our URLs."""
    if connection.callback_url:
        return connection.callback_url
    try:
        path = reverse("cognito_passwordless:oidc_callback", args=[connection.alias])
    except NoReverseMatch:
        return ""
    return f"{conf.public_url}{path}" if conf.public_url else ""


def sign_out(connection: Connection, client: ClientSetup) -> Verdict | None:
    if not connection.global_sign_out or "oidc" not in connection.routes:
        return None
    if client.sign_out_urls:
        return ok(f"allowed sign-out URLs: {', '.join(client.sign_out_urls)}")
    return problem(
        "'global_sign_out' is on, and the client allows no sign-out URL",
        "Add the page that people come back to (LOGOUT_REDIRECT_URL, absolute) to the allowed sign-out URLs.",
    )


def oauth(connection: Connection, client: ClientSetup) -> Verdict | None:
    if "oidc" not in connection.routes:
        return None
    if not client.oauth or "code" not in client.oauth_flows:
        return problem(
            "the client does not allow the authorization code flow",
            "Set AllowedOAuthFlowsUserPoolClient, and add 'code' to AllowedOAuthFlows.",
        )
    missing = [scope for scope in connection.scope if scope not in client.scopes]
    if missing:
        return problem(
            f"the client does not allow the scope {' '.join(missing)}",
            "Add it to the client's AllowedOAuthScopes, or take it out of the connection's 'scope'.",
        )
    if not client.providers:
        return problem("the client has no identity provider", "Add COGNITO to its SupportedIdentityProviders.")
    return ok(f"authorization code flow with {' '.join(connection.scope)}, by {', '.join(client.providers)}")


def attributes(connection: Connection, client: ClientSetup) -> Verdict | None:
    """What the client may not read is not in the ID token, so the address in it would count as absent."""
    if not client.read_attributes:
        return None
    wanted = ["email", "email_verified"] + (["phone_number", "phone_number_verified"] if conf.sms_countries else [])
    missing = [name for name in wanted if name not in client.read_attributes]
    if missing:
        return problem(
            f"the client may not read {', '.join(missing)}",
            "Add them to the client's ReadAttributes: the ID token would lack what we proved.",
        )
    return ok("the client may read addresses")


CLIENT_CHECKS: Final[Mapping[str, ClientCheck]] = {
    "client secret": secret,
    "flow": flow,
    "PreventUserExistenceErrors": existence,
    "session": session,
    "callback URL": callback,
    "sign-out URL": sign_out,
    "hosted login's flow": oauth,
    "attributes": attributes,
}
