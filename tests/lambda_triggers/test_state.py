"""What Cognito carries reads back exactly, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognito_passwordless.lambda_triggers.challenge import captcha_state, state
from cognito_passwordless.lambda_triggers.challenge.captcha_state import CaptchaState

from .rounds import Post, SignIn

GENUINE = SignIn(Post()).start().private["state"]
WORDS = GENUINE.split("|")


def test_it_reads_back_what_was_written() -> None:
    found = state.read(GENUINE)
    assert found is not None
    assert found.write() == GENUINE
    assert found.spend().challenge.attempts == 1


@given(st.integers(0, len(WORDS) - 1), st.sampled_from(["", "0", "-1", "01", "٣", "1.0", "x", "1" * 40, " 1", "1\n"]))
def test_a_field_that_is_none_spoils_it(position: int, word: str) -> None:
    parts = [*WORDS]
    parts[position] = word
    found = state.read("|".join(parts))
    # Whatever is accepted is written exactly so: nothing is read leniently.
    assert found is None or found.write() == "|".join(parts)


@given(st.text(max_size=200) | st.none() | st.integers() | st.binary(max_size=5))
def test_anything_else_is_no_state(text: object) -> None:
    assert state.read(text) is None
    assert captcha_state.read(text) is None


@pytest.mark.parametrize("text", [GENUINE + "|", "x" + GENUINE, GENUINE + "\n", GENUINE.upper()])
def test_nearly_is_not_enough(text: str) -> None:
    assert state.read(text) is None


@given(st.text(alphabet="+asge@~0123456789abcdef", max_size=20) | st.none() | st.integers())
def test_a_change_is_read_exactly_or_not_at_all(text: object) -> None:
    first = state.read(GENUINE)
    assert first is not None
    newer = first.follow(text)
    if newer is not None:
        assert newer.change(first) == text
        assert state.read(newer.write()) == newer
        assert 0 <= newer.challenge.attempts - first.challenge.attempts <= 1
        # What tells whose it is never changes; since when, only with another code.
        assert newer.write().split("|")[:4] == WORDS[:4]
        if newer.challenge.issued_at != first.challenge.issued_at:
            assert (newer.challenge.sends, newer.challenge.generation) == (2, 2)
        assert newer.live


def test_a_captcha_reads_back_too() -> None:
    written = CaptchaState(issued_at=5.0, attempts=2).write()
    assert captcha_state.read(written) == CaptchaState(issued_at=5.0, attempts=2)
    for broken in ("captcha1|5", "captcha1|0|0", "captcha1|5|02", "captcha1|5|1|", "captcha|5|1"):
        assert captcha_state.read(broken) is None
