"""What any visitor could ask of a pool: its keys, clock, endpoints and hosted login. No AWS identity is needed."""

from datetime import datetime

from ...cognito import Cause, Connection, Provider, Published
from .findings import Verdict, ok, problem, unknown, warning
from .probes import Unanswered

# `cognito.oidc.tokens` forgives a minute; a signature for AWS five.
WARN_AFTER, WRONG_AFTER = 20, 60  # seconds


def keys(connection: Connection, found: Published | Unanswered) -> Verdict:
    if isinstance(found, Unanswered):
        return _unreached(found, "the keys that sign ID tokens", connection.jwks_uri)
    if not found.keys:
        return problem(f"{connection.jwks_uri} has no key for RS256", "Look at 'issuer' and at 'endpoints'.")
    return ok(f"{found.keys} keys at {connection.jwks_uri}")


def clock(found: Published | Unanswered, ours: datetime) -> Verdict | None:
    """Against the Date header, which has whole seconds; None where there is none to compare with."""
    if isinstance(found, Unanswered) or found.said_at is None:
        return None
    off = abs((ours - found.said_at).total_seconds())
    if off < WARN_AFTER:
        return ok(f"this machine's clock is within {WARN_AFTER} seconds of the pool's")
    text = f"this machine's clock and the pool's differ by {off:.0f} seconds"
    fix = "Let this machine keep its time (NTP, chrony)."
    return problem(f"{text}: ID tokens are refused", fix) if off >= WRONG_AFTER else warning(text, fix)


def endpoints(connection: Connection, found: Provider | Unanswered) -> Verdict:
    if isinstance(found, Unanswered):
        if "WrongIssuer" in found.reason:
            return problem(
                "the discovery document names another issuer",
                "Set the connection's 'issuer' to the one in the document, exactly, or add that one to 'issuers'.",
            )
        return _unreached(found, "the discovery document", connection.issuer)
    return ok(f"people sign in at {found.authorization_endpoint}")


def hosted_login(connection: Connection, status: int | Unanswered) -> Verdict:
    if isinstance(status, Unanswered):
        return _unreached(status, "the hosted login", connection.domain or connection.issuer)
    if status >= 500:
        return problem(f"the hosted login answers {status}", "Look at the pool's domain and at AWS's health page.")
    return ok("the hosted login answers")


def _unreached(found: Unanswered, what: str, where: str) -> Verdict:
    if found.cause in (None, Cause.timeout):
        return unknown(f"no answer in time: {what}", f"Let this machine reach {where} by HTTPS.")
    return problem(f"{what} cannot be had: {found.reason}", f"Look at {where}: region, pool, domain, network.")
