"""Run a pool's Lambda triggers in this process, with the events of Amazon Cognito, and check their answers.

Handlers are plain functions of (event, context), as a Lambda has them. Names are those of LambdaConfig.
https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html
"""

from __future__ import annotations

import copy
import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import errors
from .cipher import Encrypt, LocalKey

logger = logging.getLogger(__name__)

Handler = Callable[[dict[str, Any], Any], Any]
TIMEOUT = 5.0  # seconds that Amazon Cognito waits
TRIES = 3

NAMES = frozenset(
    {
        "PreSignUp", "PostConfirmation", "PreAuthentication", "PostAuthentication", "DefineAuthChallenge",
        "CreateAuthChallenge", "VerifyAuthChallengeResponse", "PreTokenGeneration", "PreTokenGenerationConfig",
        "UserMigration", "CustomMessage", "CustomEmailSender", "CustomSMSSender", "InboundFederation",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Context:
    """The part of a Lambda's context that handlers look at."""

    seconds: float = TIMEOUT
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


@dataclass(frozen=True, slots=True)
class Caller:
    """The user that a trigger runs for. ``user_name`` is the pool's name for the person, or what was typed."""

    pool_id: str
    client_id: str | None
    user_name: str


class Triggers:
    """The handlers of all pools, and a record of every call. Safe to use from many threads."""

    def __init__(self, region: str) -> None:
        self._region = region
        self._handlers: dict[str, dict[str, Handler]] = {}
        self._calls: list[tuple[str, dict[str, Any]]] = []
        self._encrypt: dict[str, Encrypt] = {}
        self.key = LocalKey()
        self._lock = threading.Lock()

    def attach(self, pool_id: str, handlers: Mapping[str, Handler], encrypt: Encrypt | None = None) -> None:
        """Give a pool these triggers beside those it has. Raises ValueError for a name that Cognito does not have.

        ``encrypt`` makes what the custom senders decrypt, instead of the local key.
        """
        unknown = set(handlers) - NAMES
        if unknown:
            raise ValueError(f"no such trigger: {', '.join(sorted(unknown))}")
        with self._lock:
            self._handlers[pool_id] = {**self._handlers.get(pool_id, {}), **handlers}
            if encrypt is not None:
                self._encrypt[pool_id] = encrypt

    def encrypt(self, pool_id: str, text: str) -> bytes:
        """Encrypt a code for the pool's custom senders."""
        return self._encrypt.get(pool_id, self.key.encrypt)(text)

    def has(self, pool_id: str, name: str) -> bool:
        return name in self._handlers.get(pool_id, {})

    def calls(self) -> list[tuple[str, dict[str, Any]]]:
        """All calls so far, oldest first: (name, event)."""
        with self._lock:
            return list(self._calls)

    def call(
        self,
        name: str,
        source: str,
        caller: Caller,
        request: Mapping[str, Any],
        response: tuple[str, ...] = (),
        *,
        version: str = "1",
        wait: bool = True,
    ) -> dict[str, Any]:
        """Call a pool's trigger and return its response; ``response`` names the keys that start as null.

        Raises PoolError: UserLambdaValidation where the handler raised, UnexpectedLambda where it took too long,
        InvalidLambdaResponse where it returned no event. With ``wait`` False the result is ignored.
        """
        event = {
            "version": version,
            "triggerSource": f"{name}_{source}" if not source.startswith("TokenGeneration") else source,
            "region": self._region,
            "userPoolId": caller.pool_id,
            "userName": caller.user_name,
            "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": caller.client_id},
            "request": dict(request),
            "response": dict.fromkeys(response),
        }
        with self._lock:
            handler = self._handlers[caller.pool_id][name]
            self._calls.append((name, copy.deepcopy(event)))
        answer = _run(name, handler, event)
        if not wait:
            return {}
        if not isinstance(answer, dict) or not isinstance(answer.get("response"), dict):
            raise errors.PoolError("InvalidLambdaResponseException", "Unrecognizable lambda output")
        returned: dict[str, Any] = answer["response"]
        return returned


def _run(name: str, handler: Handler, event: dict[str, Any]) -> Any:
    for _ in range(TRIES):
        outcome: list[Any] = []

        def work(outcome: list[Any] = outcome) -> None:
            try:
                outcome.append((True, handler(copy.deepcopy(event), Context())))
            except Exception as error:  # noqa: BLE001  # every exception of a handler reaches the client, as in the cloud
                outcome.append((False, str(error)))

        thread = threading.Thread(target=work, daemon=True, name=f"local-cognito-{name}")
        thread.start()
        thread.join(TIMEOUT)
        if outcome:
            succeeded, value = outcome[0]
            if succeeded:
                return value
            # The text of the exception reaches the client, so triggers raise fixed sentences.
            raise errors.PoolError("UserLambdaValidationException", f"{name} failed with error {value}.")
    raise errors.PoolError("UnexpectedLambdaException", f"{name} invocation failed due to error Task timed out.")


def strings(value: object, name: str) -> dict[str, str]:
    """`value`, if it maps strings to strings as the service demands; else PoolError."""
    if not isinstance(value, dict) or not all(
        isinstance(key, str) and isinstance(entry, str) for key, entry in value.items()
    ):
        raise unusable(name)
    return value


def unusable(name: str) -> errors.PoolError:
    """The error for a response that the service cannot use."""
    return errors.PoolError("InvalidLambdaResponseException", f"Invalid lambda trigger output: {name}")
