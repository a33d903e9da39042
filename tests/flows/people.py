"""Signing in over HTTP, by the pool's code and by ours."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.auth import get_user
from django.db.models import QuerySet
from django.http import HttpResponse
from django.test import Client

from cognito_passwordless.flows.conflicts import cases
from cognito_passwordless.local import LocalCognito
from cognito_passwordless.models import ChallengeSession, MigratedUser

ANN = "ann@example.com"


def waiting() -> "QuerySet[MigratedUser]":
    """The pool users in the admin's list of conflicts."""
    return cases.undecided(MigratedUser.objects.filter(decision__isnull=True))


@dataclass
class SignIn:
    cognito: LocalCognito
    sent_code: Callable[[], str]

    def start(self, identifier: str) -> tuple[Client, ChallengeSession]:
        client = Client()
        assert client.post("/login/", {"identifier": identifier}).status_code == 302
        return client, ChallengeSession.objects.latest("created_at")

    def answer(self, client: Client, code: str) -> HttpResponse:
        return client.post("/login/code/", {"code": code})  # type: ignore[return-value]

    def at_pool(self, identifier: str, *, status: int = 302) -> Client:
        """With the code that the pool sends."""
        client, challenge = self.start(identifier)
        assert challenge.route == "cognito_otp", challenge.decoy_reason
        assert self.answer(client, self.cognito.last_code(identifier) or "").status_code == status
        assert ("_auth_user_id" in client.session) == (status == 302)
        return client

    def by_our_code(self, identifier: str, *, status: int = 302) -> Client:
        """With the code that we send; the pool hears nothing of it."""
        calls = len(self.cognito.calls)
        client, challenge = self.start(identifier)
        assert challenge.route == "local", challenge.decoy_reason
        assert self.answer(client, self.sent_code()).status_code == status
        assert len(self.cognito.calls) == calls
        assert ("_auth_user_id" in client.session) == (status == 302)
        return client

    def is_out(self, client: Client) -> bool:
        """Whether the browser's session belongs to nobody."""
        from django.http import HttpRequest

        request = HttpRequest()
        request.session = client.session
        return get_user(request).is_anonymous
