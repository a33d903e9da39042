"""A mobile app's sign-in against the JSON API, with the standard library alone: no cookie, no page.

make demo                                        # prints the site's address, and its inbox
python examples/app_client.py http://127.0.0.1:8000 ann@example.com
"""

import getpass
import json
import sys
import urllib.error
import urllib.request
from typing import Any


class App:
    """What an app keeps is its newest session token, where no other app can read it."""

    def __init__(self, site: str) -> None:
        self.base = f"{site.rstrip('/')}/_allauth/app/v1/"
        self.token = ""

    def call(self, method: str, address: str, **data: str) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"} | ({"X-Session-Token": self.token} if self.token else {})
        body = json.dumps(data).encode() if method == "POST" else None
        request = urllib.request.Request(self.base + address, body, headers, method=method)  # noqa: S310  (the person names it)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310  (the same)
                answer: dict[str, Any] = json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                answer = json.load(error)
        self.token = "" if answer["status"] == 410 else answer.get("meta", {}).get("session_token") or self.token
        return answer


def pending(answer: dict[str, Any]) -> str:
    """What the person has to do next; empty for nothing."""
    flows = answer.get("data", {}).get("flows", [])
    return next((str(flow["id"]) for flow in flows if flow.get("is_pending")), "")


def sign_in(app: App, address: str, *, ask: Any = getpass.getpass, tell: Any = print) -> dict[str, Any] | None:
    """The user, or None for a person who gave up or cannot be helped here. ``ask`` is shown what to type."""
    identifier = "email" if "@" in address else "phone"
    answer = app.call("POST", "auth/code/request", **{identifier: address})
    while answer["status"] != 200:
        if "errors" in answer:
            tell(answer["errors"][0]["message"])
        step = pending(answer) or pending(app.call("GET", "auth/session"))
        if step not in {"login_by_code", "mfa_authenticate"}:
            tell(f"Go on in a browser: {step}." if step else "Start again.")
            return None
        typed = ask("Code (empty for another message): " if step == "login_by_code" else "Second factor: ")
        if step == "mfa_authenticate":
            answer = app.call("POST", "auth/2fa/authenticate", code=typed)
        elif typed:
            answer = app.call("POST", "auth/code/confirm", code=typed)
        else:
            sent = app.call("POST", "auth/code/resend")
            answer = app.call("GET", "auth/session") if sent["status"] == 200 else sent
    user: dict[str, Any] = answer["data"]["user"]
    return user


if __name__ == "__main__":
    signed_in = sign_in(App(sys.argv[1]), sys.argv[2])
    print(f"Signed in: {signed_in['display']}" if signed_in else "Not signed in.")
    sys.exit(0 if signed_in else 1)
