"""A database that does not answer: a page that says what to do, and JSON where JSON was asked for."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

pytestmark = pytest.mark.django_db(transaction=True)


def _down(execute: Callable[..., Any], *arguments: Any) -> Any:
    raise OperationalError("connection refused")


@pytest.fixture
def _no_database() -> Iterator[None]:
    with connection.execute_wrapper(_down):
        yield


@pytest.fixture
def waiting(client: Client) -> Client:
    client.post("/login/", {"identifier": "ann@example.com"})
    return client


@pytest.mark.usefixtures("_no_database")
def test_a_person_is_told_to_wait(client: Client) -> None:
    answers = [
        client.post("/login/", {"identifier": "ann@example.com"}),
        client.get("/login/cognito/main/"),
    ]
    for answer in answers:
        assert answer.status_code == 503
        assert answer["Retry-After"] == "60"
        assert answer["Content-Type"].startswith("text/html")
        assert "try again" in answer.content.decode()


def test_a_code_page_and_its_status(waiting: Client) -> None:
    with connection.execute_wrapper(_down):
        assert waiting.get("/login/code/").status_code == 503
        assert waiting.post("/login/code/", {"code": "123456"}).status_code == 503
        status = waiting.get("/login/code/status/")
    assert (status.status_code, status.json(), status["Retry-After"]) == (503, {"state": "unavailable"}, "60")
    assert waiting.get("/login/code/").status_code == 200
