"""The Cognito connection, from the environment. Without ``COGNITO_USER_POOL_ID`` there is none."""

import json
from pathlib import Path
from typing import Any

import environ


def apps(env: environ.Env) -> list[dict[str, Any]]:
    """The ``APPS`` of allauth's provider ``cognito``: the one that the variables describe, and whole ones from
    ``COGNITO_MORE_CONNECTIONS_JSON`` and the file ``COGNITO_CONNECTION_FILE``."""
    more: list[dict[str, Any]] = env.json("COGNITO_MORE_CONNECTIONS_JSON", default=[])
    if file := env("COGNITO_CONNECTION_FILE", default=""):
        more = [json.loads(Path(file).read_text()), *more]
    if not env("COGNITO_USER_POOL_ID", default=""):
        return more
    settings: dict[str, Any] = {
        "region": env("COGNITO_REGION", default="eu-west-1"),
        "user_pool_id": env("COGNITO_USER_POOL_ID"),
        "scope": ["openid", "profile", "email", "phone"],
    }
    optional = {
        "domain": "COGNITO_DOMAIN",
        "otp_flow": "COGNITO_OTP_FLOW",
        "lookup": "COGNITO_LOOKUP",
        "endpoint_url": "COGNITO_ENDPOINT_URL",
        "issuer": "COGNITO_ISSUER",
        "response_mode": "COGNITO_RESPONSE_MODE",
    }
    settings |= {key: env(name) for key, name in optional.items() if env(name, default="")}
    if env("COGNITO_ROUTES", default=""):
        settings["routes"] = env.list("COGNITO_ROUTES")
    settings |= env.json("COGNITO_CONNECTION_JSON", default={})
    return [
        {
            "provider_id": "main",
            "name": "Cognito",
            "client_id": env("COGNITO_CLIENT_ID", default=""),
            "secret": env("COGNITO_CLIENT_SECRET", default=""),
            "settings": settings,
        },
        *more,
    ]
