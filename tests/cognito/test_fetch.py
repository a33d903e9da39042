import socket

import pytest

from cognito_passwordless.cognito import Cause, CognitoError
from cognito_passwordless.cognito.oidc.http import MAX_BYTES, fetch_json

from .standin import HANG_UP, Reply, StandIn, reply


def failure(uri: str) -> CognitoError:
    with pytest.raises(CognitoError) as caught:
        fetch_json(uri)
    assert caught.value.__context__ is None
    return caught.value


def test_json(standin: StandIn) -> None:
    standin.says("/keys", reply({"keys": []}))
    assert fetch_json(f"{standin.url}/keys") == {"keys": []}


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (Reply(b"", 404), "HTTP404"),
        (Reply(b"", 503), "HTTP503"),
        (Reply(b"", 304), "HTTP304"),
        (Reply(b"<html>"), "JSONDecodeError"),
        (Reply(b"\xff\xfe\xff"), "UnicodeDecodeError"),
        (Reply(b"[" * 100_000), "RecursionError"),
        (Reply(b" " * (MAX_BYTES + 1)), "TooLarge"),
        (HANG_UP, "RemoteDisconnected"),
    ],
)
def test_outages(standin: StandIn, said: Reply, code: str) -> None:
    standin.says("/keys", said)
    caught = failure(f"{standin.url}/keys")
    assert (caught.cause, caught.aws_code) == (Cause.unavailable, code)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(standin: StandIn, status: int) -> None:
    standin.says("/keys", Reply(b"", status, {"Location": f"{standin.url}/elsewhere"}))
    standin.says("/elsewhere", reply({"keys": []}))
    assert failure(f"{standin.url}/keys").aws_code == f"HTTP{status}"
    assert standin.operations() == ["/keys"]


@pytest.mark.parametrize("uri", ["file:///etc/hostname", "ftp://127.0.0.1/keys", "data:,{}", "x"])
def test_only_http(uri: str) -> None:
    assert failure(uri).cause is Cause.misconfigured


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert failure(f"http://127.0.0.1:{port}/keys").aws_code == "ConnectionRefusedError"


@pytest.mark.slow
def test_somebody_there_who_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert failure(f"http://127.0.0.1:{port}/keys").cause is Cause.timeout
