"""The policy of the pages: strict, and open for what a sign-in needs."""

from typing import Any

import pytest
from django.test import Client

# The login page asks which connections offer a hosted login.
pytestmark = pytest.mark.django_db


def policy(client: Client) -> dict[str, str]:
    header = client.get("/login/")["Content-Security-Policy"]
    return dict(directive.strip().partition(" ")[::2] for directive in header.split(";"))


def test_nothing_comes_from_elsewhere(client: Client) -> None:
    found = policy(client)
    assert found["default-src"] == "'none'"
    assert found["form-action"] == "'self'"
    assert all("unsafe" not in value and "*" not in value for value in found.values())


def test_a_form_may_lead_to_a_hosted_login(client: Client, settings: Any) -> None:
    connections = [{"domain": "https://login.example.com"}, {"endpoints": {"authorize": "https://id.example.org/a?b"}}]
    settings.SOCIALACCOUNT_PROVIDERS = {"cognito": {"APPS": [{"settings": chosen} for chosen in connections]}}
    assert policy(client)["form-action"] == "'self' https://id.example.org https://login.example.com"
