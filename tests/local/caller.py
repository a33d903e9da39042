"""A client of the pool as a site has one: real boto3, over HTTP."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.local.sign_in.secret_hash import secret_hash


def boto(cognito: LocalCognito, **config: Any) -> Any:
    return client_at(cognito.url, cognito.region, **config)


@cache  # Reading Amazon's service model takes longer than most tests.
def client_at(url: str, region: str, **config: Any) -> Any:
    return boto3.client(
        "cognito-idp",
        region_name=region,
        endpoint_url=url,
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(**{"retries": {"total_max_attempts": 1}, **config}),
    )


class Caller:
    """Signs in to one pool. `admin` uses the signed forms of the two operations."""

    def __init__(self, cognito: LocalCognito, pool: LocalPool, *, admin: bool = False) -> None:
        self.cognito = cognito
        self.pool = pool
        self.boto = boto(cognito)
        self.admin = admin

    def start(self, username: str, preferred: str | None = "EMAIL_OTP", **more: Any) -> Any:
        parameters = self.signed(username)
        if preferred:
            parameters["PREFERRED_CHALLENGE"] = preferred
        request = {
            "AuthFlow": "USER_AUTH",
            "ClientId": self.pool.client_id,
            "AuthParameters": parameters,
            **more,
        }
        if self.admin:
            return self.boto.admin_initiate_auth(UserPoolId=self.pool.id, **request)
        return self.boto.initiate_auth(**request)

    def answer(self, username: str, started: Any, answer: str, **more: Any) -> Any:
        name = started["ChallengeName"]
        key = "ANSWER" if name == "SELECT_CHALLENGE" else f"{name}_CODE"
        request = {
            "ClientId": self.pool.client_id,
            "ChallengeName": name,
            "Session": started["Session"],
            "ChallengeResponses": {**self.signed(username), key: answer},
            **more,
        }
        if self.admin:
            return self.boto.admin_respond_to_auth_challenge(UserPoolId=self.pool.id, **request)
        return self.boto.respond_to_auth_challenge(**request)

    def sign_in(self, username: str, destination: str | None = None) -> Any:
        started = self.start(username)
        code = self.cognito.last_code(destination or username)
        return self.answer(username, started, code or "")["AuthenticationResult"]

    def signed(self, username: str) -> dict[str, str]:
        if self.pool.client_secret is None:
            return {"USERNAME": username}
        digest = secret_hash(self.pool.client_secret, self.pool.client_id, username)
        return {"USERNAME": username, "SECRET_HASH": digest}


def refusal(call: Any, *args: Any, **kwargs: Any) -> tuple[str, str]:
    """The name and text with which a call is refused."""
    try:
        call(*args, **kwargs)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    raise AssertionError("was not refused")


def other_than(code: str | None) -> str:
    assert code is not None
    return f"{(int(code) + 1) % 10**8:08d}"
