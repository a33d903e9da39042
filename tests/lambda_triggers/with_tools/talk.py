"""A page at a pool of its own, whichever library it signs in with: what the tests of the real clients share."""

from typing import Any

from cognito_passwordless.lambda_triggers.challenge import delivery, limits
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.local.own_triggers import attach
from tests.node import Conversation

ANN = "ann@example.com"
PASSWORD = "Correct-Horse-Battery-1"
ENVIRONMENT = {"OTP_SECRET": "a secret of the tests", "OTP_CHANNEL": "email"}
INCORRECT = {"error": "NotAuthorizedException", "message": "Incorrect username or password."}


class Talk:
    """``page`` knows the commands configure, begin, answer, resend and claims."""

    def __init__(self, cognito: LocalCognito, pool: LocalPool, page: Conversation) -> None:
        self.cognito = cognito
        self.pool = pool
        self.page = page
        page("configure", {"url": cognito.url, "user_pool_id": pool.id, "client_id": pool.client_id})

    @classmethod
    def at_a_new_pool(cls, cognito: LocalCognito, page: Conversation, **environment: str) -> "Talk":
        """The pool's triggers have these variables."""
        delivery._experience[:] = [(0.0, False)]
        limits._begun.clear()
        pool = cognito.create_pool("web", client_secret=False)
        attach(cognito, pool, {**ENVIRONMENT, **environment})
        return cls(cognito, pool, page)

    def begin(self, *args: str) -> Any:
        return self.page("begin", *(args or (ANN,)))

    def answer(self, code: str) -> Any:
        return self.page("answer", code)

    @property
    def code(self) -> str:
        return self.cognito.last_code(ANN) or ""

    @property
    def wrong(self) -> str:
        return f"{(int(self.code) + 1) % 10**6:06d}"

    @property
    def sent(self) -> int:
        return sum(message.pool_id == self.pool.id for message in self.cognito.inbox)
