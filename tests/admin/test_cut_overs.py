"""What a cut-over has done, to look at."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from cognito_passwordless import connections
from cognito_passwordless.flows.lifecycle import cutover
from cognito_passwordless.local import LocalPool
from cognito_passwordless.models import ConnectionState

from .conftest import url

pytestmark = pytest.mark.django_db

PAGE = "connectionstate"


@pytest.fixture
def state(pool: LocalPool) -> ConnectionState:
    connection = connections.find("main")
    assert connection
    cutover.retire(connection, now=timezone.now(), by="7")
    cutover.unretire(connection, now=timezone.now(), by="7")
    return ConnectionState.objects.get()


def test_it_is_told_with_its_timeline(looking: Client, state: ConnectionState) -> None:
    assert "main" in looking.get(url(PAGE)).content.decode()
    shown = looking.get(url(PAGE, state.pk, "change")).content.decode()
    for step in ("<td>retired</td>", "<td>unretired</td>"):
        assert step in shown


def test_nothing_is_changed_there_and_nobody_else_looks(
    admin_client: Client, state: ConnectionState, staff: Callable[..., Client]
) -> None:
    for page in (url(PAGE, "add"), url(PAGE, state.pk, "delete"), url(PAGE, state.pk, "change")):
        assert admin_client.post(page, {"alias": "x", "post": "yes"}).status_code == 403
    assert ConnectionState.objects.get().alias == "main"
    client = staff()
    User.objects.get(username="staff").user_permissions.clear()
    for page in (url(PAGE), url(PAGE, state.pk, "change")):
        assert client.get(page).status_code == client.post(page).status_code == 403
