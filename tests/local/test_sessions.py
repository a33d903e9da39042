from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from cognito_passwordless.local.errors import PoolError
from cognito_passwordless.local.sign_in.sessions import MAX_LENGTH, Session, Sessions
from cognito_passwordless.local.testing.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(source=lambda: 0.0)


@pytest.fixture
def sessions(clock: Clock) -> Sessions:
    return Sessions(clock)


def session(code: str = "01234567") -> Session:
    return Session("pool", "client", "ann", "sub", "EMAIL_OTP", ("EMAIL_OTP",), 180.0, code)


def test_a_token_is_opaque_long_and_never_the_same(sessions: Sessions) -> None:
    first, second = sessions.open(session()), sessions.open(session())
    assert first != second
    assert 500 < len(first) <= MAX_LENGTH
    assert "ann" not in first.lower() or "sub" not in first.lower()


def test_it_can_be_read_as_often_as_one_likes(sessions: Sessions) -> None:
    token = sessions.open(session())
    assert sessions.read(token, "client") == sessions.read(token, "client") == session()


def test_it_belongs_to_one_client(sessions: Sessions) -> None:
    token = sessions.open(session())
    with pytest.raises(PoolError, match=r"Invalid session for the user\.$"):
        sessions.read(token, "another")


def test_it_runs_out_exactly_at_its_end(sessions: Sessions, clock: Clock) -> None:
    token = sessions.open(session())
    clock.advance(179.999)
    sessions.read(token, "client")
    clock.advance(0.001)
    with pytest.raises(PoolError, match="session is expired"):
        sessions.read(token, "client")


def test_a_used_one_says_so(sessions: Sessions) -> None:
    token = sessions.open(session())
    sessions.use_up(token)
    with pytest.raises(PoolError, match="can only be used once"):
        sessions.read(token, "client")


def test_only_one_of_many_uses_it_up(sessions: Sessions) -> None:
    token = sessions.open(session())

    def claim(_: int) -> bool:
        try:
            sessions.use_up(token)
        except PoolError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(claim, range(64))) == 1


@pytest.mark.parametrize("token", ["x" * 19, "x" * 4097])
def test_a_token_of_impossible_length_is_a_bad_parameter(sessions: Sessions, token: str) -> None:
    with pytest.raises(PoolError, match="InvalidParameterException"):
        sessions.read(token, "client")


def test_the_code_is_not_shown() -> None:
    assert "01234567" not in repr(session())
