"""One server at a time or several, each alone, and nothing left of it."""

from __future__ import annotations

import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws
from moto.cognitoidp.models import CognitoIdpUserPool, cognitoidp_backends
from moto.cognitoidp.responses import CognitoIdpResponse

from cognito_passwordless.local import LocalCognito

from .caller import Caller, boto, refusal

ANN = "ann@example.com"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com", ""])
def test_it_listens_on_loopback_only(host: str) -> None:
    with pytest.raises(ValueError, match="not loopback"):
        LocalCognito(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
def test_it_listens_where_it_is_told(host: str) -> None:
    with LocalCognito(host) as cognito:
        address = "127.0.0.1" if host == "localhost" else host
        assert cognito.url.startswith(f"http://{address}:")
        assert boto(cognito).list_user_pools(MaxResults=10)["UserPools"] == []


def test_a_port_that_is_taken_is_an_error_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            LocalCognito(port=port).start()
    with LocalCognito(port=port) as cognito:
        assert cognito.url.endswith(f":{port}")


def test_it_starts_once_and_stops_as_often_as_one_likes() -> None:
    cognito = LocalCognito()
    cognito.stop()
    with cognito:
        with pytest.raises(RuntimeError, match="already"):
            cognito.start()
        client = boto(cognito)
    cognito.stop()
    with pytest.raises(EndpointConnectionError):
        client.list_user_pools(MaxResults=1)


def test_a_pool_needs_a_running_server() -> None:
    with pytest.raises(RuntimeError, match="start"):
        LocalCognito().create_pool("early")


def test_nothing_of_one_is_in_the_next() -> None:
    with LocalCognito() as first:
        pool = first.create_pool("demo")
        caller = Caller(first, pool)
        pool.add_user(ANN)
        assert caller.sign_in(ANN)
    with LocalCognito() as second:
        assert boto(second).list_user_pools(MaxResults=10)["UserPools"] == []
        assert (second.inbox, second.last_code(ANN)) == ([], None)
        caller = Caller(second, pool)
        assert refusal(caller.start, ANN)[0] == "ResourceNotFoundException"


def test_two_at_once_do_not_see_each_other(cognito: LocalCognito, caller: Caller) -> None:
    caller.pool.add_user(ANN)
    with LocalCognito() as other:
        stranger = Caller(other, caller.pool)
        assert refusal(stranger.start, ANN)[0] == "ResourceNotFoundException"
        lists = {"UserPoolId": caller.pool.id}
        assert refusal(boto(other).list_users, **lists)[0] == "ResourceNotFoundException"
        own = Caller(other, other.create_pool("own"))
        own.pool.add_user(ANN)
        assert own.sign_in(ANN)["IdToken"]
    assert caller.sign_in(ANN)["IdToken"]
    assert len(other.inbox) == 1


def test_moto_is_as_it_was_when_the_last_one_stops() -> None:
    # In a process of its own: here, another server is running.
    script = """
from moto.cognitoidp.models import CognitoIdpUserPool, cognitoidp_backends
from moto.cognitoidp.responses import CognitoIdpResponse
def methods():
    return [vars(CognitoIdpResponse)[name] for name in (
        "initiate_auth", "admin_initiate_auth",
        "respond_to_auth_challenge", "admin_respond_to_auth_challenge")] + [
        vars(CognitoIdpUserPool)[name] for name in ("create_jwt", "_get_user")]
before = methods()
from cognito_passwordless.local import LocalCognito
assert methods() == before
with LocalCognito() as first:
    with LocalCognito() as second:
        second.create_pool("demo")
        assert not set(methods()) & set(before)
    assert not set(methods()) & set(before)
assert methods() == before
assert set(cognitoidp_backends) <= {"123456789012"}
"""
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True)


def test_other_users_of_moto_in_the_process_keep_motos_behaviour(cognito: LocalCognito) -> None:
    backend: Any = cognitoidp_backends["123456789012"]["eu-west-1"]
    try:
        pool = backend.create_user_pool("theirs", {})
        client = backend.create_user_pool_client(pool.id, False, {})
        backend.admin_create_user(pool.id, "ann", None, "Secret-1", [])
        token, _ = pool.create_jwt(client.id, "ann", "access")
        assert token.count(".") == 2
        assert CognitoIdpUserPool._get_user(pool, "ann").username == "ann"
        assert CognitoIdpResponse.initiate_auth.__closure__
    finally:
        backend.reset()


def test_somebody_elses_mock_of_aws_leaves_the_pools_alone(caller: Caller) -> None:
    caller.pool.add_user("before@example.com")
    with mock_aws():
        cognitoidp_backends["123456789012"]["eu-west-1"].create_user_pool("theirs", {})
    assert not cognitoidp_backends["123456789012"]["eu-west-1"].user_pools
    assert caller.sign_in("before@example.com")["AccessToken"]


def test_many_people_sign_in_at_the_same_time(caller: Caller) -> None:
    names = [f"crowd{number}@example.com" for number in range(24)]
    subs = {caller.pool.add_user(name): name for name in names}
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(caller.sign_in, names))
    found = {caller.boto.get_user(AccessToken=result["AccessToken"])["Username"] for result in results}
    assert found == set(subs)


def test_without_the_extra_the_error_names_it() -> None:
    script = """
import sys
sys.modules["moto"] = None
try:
    import cognito_passwordless.local
except ImportError as error:
    print(error)
"""
    run = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert "django-cognito-passwordless[local]" in run.stdout


def test_the_room_knows_neither_django_nor_the_other_rooms() -> None:
    script = """
import sys
import cognito_passwordless.local.__main__
rooms = {name.split(".")[1] for name in sys.modules if name.startswith("cognito_passwordless.")}
assert rooms == {"local", "interruption"}, rooms
assert "django" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True)
