"""Long CUSTOM_AUTH sign-ins over HTTP, within the size that a session has."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.local.sign_in.custom import OVERHEAD
from cognito_passwordless.local.sign_in.sessions import MAX_LENGTH

from ..lambda_triggers.rounds import Post, SignIn, other_than
from .caller import refusal
from .test_custom import ANN, INCORRECT, Custom, begin

__all__ = ["begin"]
MOST = {"OTP_MAX_ATTEMPTS": "10", "OTP_MAX_SENDS": "10", "OTP_RESEND_COOLDOWN": "1"}
RESEND = {"action": "resend"}


def size(cognito: LocalCognito) -> float:
    """The session that the newest Define was told of, as the local Cognito measures one."""
    events = [event for name, event in cognito.triggers.calls() if name == "DefineAuthChallenge"]
    verified = [event for name, event in cognito.triggers.calls() if name == "VerifyAuthChallengeResponse"]
    private = verified[-1]["request"]["privateChallengeParameters"]
    return len(json.dumps([events[-1]["request"]["session"], private])) * 4 / 3 + OVERHEAD


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(["wrong"] * 9 + ["resend"] * 9), st.sampled_from(["reuse", "rotate"]))
def test_ten_attempts_and_ten_sends_in_any_order(
    begin: Callable[..., Custom], cognito: LocalCognito, pool: LocalPool, course: list[str], on_resend: str
) -> None:
    address = f"ann{len(cognito.inbox)}@example.com"
    pool.add_user(address)
    sign_in = begin(address, **MOST, OTP_ON_RESEND=on_resend)
    before = len(cognito.inbox)
    sign_in.start()
    for step in course:
        cognito.advance(2)
        code = cognito.last_code(address) or ""
        wrong = f"{(int(code) + 1) % 10**6:06d}"
        shown = sign_in.answer(wrong, RESEND if step == "resend" else None)["ChallengeParameters"]
        assert shown["message"] == ("code_resent" if step == "resend" else "wrong_code")
        assert "sessionUsedUp" not in shown
    assert shown["attemptsLeft"] == "1"
    assert len(cognito.inbox) - before == 10
    assert "AuthenticationResult" in sign_in.answer(cognito.last_code(address) or "")
    # One more round would have fitted.
    assert size(cognito) < MAX_LENGTH - 150


def test_resends_by_the_attribute_fit_as_well() -> None:
    """Their hashes make a round longer."""
    post = Post()
    sign_in = SignIn(post, OTP_ON_RESEND="rotate", **MOST).start()
    for number in range(9):
        sign_in.now += 60
        sign_in.attributes["custom:resend"] = str(number)
        assert sign_in.answer("") == ""
        assert sign_in.public["message"] == "code_resent"
        assert sign_in.answer(other_than(post.code)) == ""
    assert len(json.dumps([sign_in.session, sign_in.private])) * 4 / 3 + OVERHEAD <= MAX_LENGTH
    assert sign_in.answer(post.code) == "tokens"


def test_the_last_round_says_so_and_may_be_right(
    begin: Callable[..., Custom], cognito: LocalCognito, pool: LocalPool
) -> None:
    pool.add_user(ANN)
    sign_in = begin(OTP_RESEND_COOLDOWN="600")
    for right in (True, False):
        shown = sign_in.start()
        rounds = 1
        while "sessionUsedUp" not in shown:
            assert rounds < 30
            shown = sign_in.answer("", RESEND)["ChallengeParameters"]
            rounds += 1
        assert (rounds, shown["sessionUsedUp"]) == (20, "true")
        if right:
            assert "AuthenticationResult" in sign_in.answer(sign_in.code)
        else:
            assert refusal(sign_in.answer, "", RESEND) == INCORRECT


@pytest.mark.parametrize("before", [1, 2, 10, 15])
def test_rounds_before_ours_take_room_too(before: int) -> None:
    """A session never grows past its size, whatever stands in front, and the last round that fits says so."""
    post, captcha = Post(), {"CAPTCHA_SITE_KEY": "x"}
    password = [
        {"challengeName": name, "challengeResult": True, "challengeMetadata": None}
        for name in ("SRP_A", "PASSWORD_VERIFIER", *["SMS_MFA"] * (before - 1))
    ]
    sign_in = SignIn(
        post, session=password, ask=lambda *_, **__: True, OTP_FIRST_FACTOR="password", **captcha, **MOST
    ).start()
    sign_in.answer("solved")
    while not sign_in.outcome:
        measured = len(json.dumps([sign_in.session, sign_in.private])) * 4 / 3 + OVERHEAD
        assert measured <= MAX_LENGTH
        told = "sessionUsedUp" in sign_in.public
        sign_in.resend()
        assert told is (sign_in.outcome == "failed")
