"""An unmodified client of allauth's specification: it knows envelopes and session tokens, and nothing of ours."""

import json
from typing import Any

from django.test import Client

from cognito_passwordless.models import ChallengeSession


class ApiClient:
    """``browser`` keeps cookies; ``app`` throws every cookie away and keeps ``meta.session_token``."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.token = ""
        self.http = Client()
        self.last: Any = None

    def call(self, method: str, address: str, data: dict[str, Any] | None = None) -> dict[str, Any]:
        if self.kind == "app":
            self.http.cookies.clear()
        headers = {"X-Session-Token": self.token} if self.token else {}
        path = f"/_allauth/{self.kind}/v1/{address}"
        self.last = self.http.generic(
            method,
            path,
            "" if data is None else json.dumps(data),
            content_type="application/json",
            headers=headers,
        )
        if self.kind == "app":
            assert not self.last.cookies
        answer: dict[str, Any] = self.last.json()
        assert answer["status"] == self.last.status_code
        assert "no-store" in self.last["Cache-Control"]
        self.token = answer.get("meta", {}).get("session_token") or self.token
        if self.last.status_code == 410:
            self.token = ""
        return answer

    def post(self, address: str, **data: Any) -> dict[str, Any]:
        return self.call("POST", address, data)

    def get(self, address: str) -> dict[str, Any]:
        return self.call("GET", address)


def pending(answer: dict[str, Any]) -> list[str]:
    """The flows that wait for the person."""
    return [flow["id"] for flow in answer["data"]["flows"] if flow.get("is_pending")]


def codes(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(error["code"], error.get("param", "")) for error in answer["errors"]]


def newest() -> ChallengeSession:
    return ChallengeSession.objects.latest("created_at")
