"""What a sign-in offers beside a code, from the configuration alone."""

from dataclasses import dataclass

from ... import connections
from ...cognito import Connection
from ...conf import conf
from ...identifiers import Identifier


@dataclass(frozen=True, slots=True)
class Offers:
    """``hosted_login``: the connection whose hosted login the pages offer; ``hosted_first``: the one that a start goes
    to by itself; ``floor``: seconds before a refusal is released; ``password``: whether a pool wants one first, which
    every code page then offers."""

    hosted_login: str
    hosted_first: Connection | None
    floor: float
    password: bool


def offers_for(identifier: Identifier) -> Offers:
    """What the pages of this challenge offer, from the configuration alone: kept with it, so no page asks again."""
    active = connections.active()
    answering = connections.answering_for(identifier, active)
    hosted = [connection.alias for connection in answering if "oidc" in connection.routes]
    first = [connection for connection in answering[:1] if connection.routes[0] == "oidc"]
    pads = any("otp" in connection.routes for connection in active)
    return Offers(
        next(iter(hosted), ""),
        next(iter(first), None),
        conf.refusal_floor if pads else 0.0,
        any(connection.needs_password for connection in active),
    )
