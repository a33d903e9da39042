"""Whatever arrives: tokens only after a right answer in time and within the limit, and nothing but refusals raised."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cognito_passwordless.lambda_triggers import (
    create_auth_challenge,
    define_auth_challenge,
    verify_auth_challenge_response,
)
from cognito_passwordless.lambda_triggers.challenge import delivery, state
from cognito_passwordless.lambda_triggers.core.environment import Settings
from cognito_passwordless.lambda_triggers.errors import Refused
from cognito_passwordless.lambda_triggers.runtime import run

from .rounds import ENVIRONMENT, NOW, Post, SignIn, event, other_than

SOURCES = ("DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse")
LINES: list[str] = []

junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


def genuine() -> str:
    return SignIn(Post()).start().private["state"]


STATES = [
    genuine(),
    genuine().replace("|1|0|1|", "|1|2|1|"),
    genuine().replace("|1|0|1|", "|1|3|1|"),
    genuine().replace("|1|0|1|", "|1|1|1|"),
    genuine()[:-1] + "0",
    f"captcha1|{int(NOW)}|0",
    f"captcha1|{int(NOW)}|2",
]
metadata = st.sampled_from(STATES) | st.text(max_size=30) | junk
names = st.sampled_from(["CUSTOM_CHALLENGE", "SRP_A", "PASSWORD_VERIFIER", "SMS_MFA"]) | junk
results = st.booleans() | st.none() | junk
entries = (
    st.fixed_dictionaries(
        {}, optional={"challengeName": names, "challengeResult": results, "challengeMetadata": metadata}
    )
    | junk
)
client_metadata = st.none() | st.fixed_dictionaries({}, optional={"action": st.just("resend") | junk}) | junk
requests = st.fixed_dictionaries(
    {},
    optional={
        "session": st.lists(entries, max_size=7) | junk,
        "challengeName": names,
        "privateChallengeParameters": st.fixed_dictionaries(
            {}, optional={"kind": st.sampled_from(["otp", "captcha"]) | junk, "state": metadata}
        )
        | junk,
        "challengeAnswer": st.text(alphabet="0123456789 -", max_size=10) | junk,
        "userNotFound": st.booleans() | junk,
        "clientMetadata": client_metadata,
        "userAttributes": st.fixed_dictionaries(
            {}, optional={"phone_number": st.just("+4915100000123") | junk, "custom:resend": junk}
        )
        | junk,
    },
)
events = st.builds(event, st.sampled_from(SOURCES), requests) | junk
firsts = st.sampled_from(["none", "password"])


def call(trigger: Any, asked: object, **environment: str) -> Any:
    """The handler's answer, or None for a refusal. Whatever else it raises, the test fails with."""
    chosen = Settings({**ENVIRONMENT, "OTP_SENDERS": "builtins.print", **environment})
    delivery._experience[:] = [(0.0, False)]
    fallback = define_auth_challenge.fail if trigger is define_auth_challenge else None
    try:
        return run(
            "x", trigger.respond, asked, None, fallback=fallback, settings=chosen, now=lambda: NOW, write=LINES.append
        )
    except Refused as refusal:
        raised = refusal
    assert raised.sentence == "This is not possible at the moment. Please try again later."
    assert raised.__cause__ is None
    return None


@given(events, firsts)
@settings(max_examples=600, deadline=None)
def test_tokens_need_a_right_answer_in_time_within_the_limit(asked: Any, first: str) -> None:
    response = call(define_auth_challenge, asked, OTP_FIRST_FACTOR=first)["response"]
    assert response["issueTokens"] in {True, False}
    assert sum([response["issueTokens"], response["failAuthentication"], "challengeName" in response]) == 1
    if response["issueTokens"]:
        last = asked["request"]["session"][-1]
        found = state.read(last["challengeMetadata"])
        assert (last["challengeName"], last["challengeResult"]) == ("CUSTOM_CHALLENGE", True)
        assert found is not None
        assert found.live
        assert found.challenge.attempts < 3
        assert found.challenge.issued_at + 600 > NOW
        assert asked["request"].get("userNotFound") in {None, False}
        rights = [entry["challengeResult"] for entry in asked["request"]["session"] if isinstance(entry, dict)]
        if first == "password":
            assert [entry["challengeName"] for entry in asked["request"]["session"][:2]] == [
                "SRP_A",
                "PASSWORD_VERIFIER",
            ]
            assert rights[:2] == [True, True]


@given(events)
@settings(max_examples=400, deadline=None)
def test_no_answer_is_right_by_chance_of_its_shape(asked: Any) -> None:
    answer = call(verify_auth_challenge_response, asked)
    if answer is not None:
        # None of these events was made with the right code (1 in a million aside).
        assert answer["response"] == {"answerCorrect": False}


@given(events, firsts)
@settings(max_examples=400, deadline=None)
def test_create_answers_in_strings_or_refuses(asked: Any, first: str) -> None:
    answer = call(create_auth_challenge, asked, OTP_FIRST_FACTOR=first)
    if answer is not None:
        response = answer["response"]
        for part in ("publicChallengeParameters", "privateChallengeParameters"):
            assert all(isinstance(key, str) and isinstance(value, str) for key, value in response[part].items())
        assert isinstance(response["challengeMetadata"], str)


steps = st.lists(
    st.sampled_from(["right", "wrong", "resend", "resend with the code", "wait", "old", "junk", "attribute"]),
    max_size=14,
)


@given(steps, st.sampled_from(["reuse", "rotate"]), st.booleans())
@settings(max_examples=300, deadline=None)
def test_any_course_of_a_sign_in_keeps_the_law(course: list[str], on_resend: str, unknown: bool) -> None:
    """A model beside it: attempts are counted, time runs, and only the newest code is right."""
    post = Post()
    delivery._experience[:] = [(0.0, False)]
    sign_in = SignIn(post, OTP_ON_RESEND=on_resend, unknown=unknown, username="model").start()
    spent, began, first = 0, sign_in.now, "000000" if unknown else post.code
    for step in course:
        current = first if unknown else post.code
        if step == "wait":
            sign_in.now += 70
            continue
        if step == "attribute":
            sign_in.attributes["custom:resend"] = f"{sign_in.attributes.get('custom:resend', '')}x"
            continue
        wish = step.startswith("resend") or bool(
            sign_in.attributes.get("custom:resend") and sign_in.public["message"] != "expired" and _unseen(sign_in)
        )
        given_code = {"right": current, "old": first, "wrong": other_than(current), "junk": "x"}.get(step, current)
        in_time, within = sign_in.now < began + 600, spent < 3
        before = current
        sign_in.answer(given_code, {"action": "resend"} if step.startswith("resend") else None)
        spent += not wish
        right = not wish and given_code == before and not unknown and in_time and within
        if sign_in.outcome == "tokens":
            assert right
        if right:
            assert sign_in.outcome == "tokens"
        if not in_time or (spent >= 3 and not right):
            assert sign_in.outcome == "failed"
        if sign_in.outcome:
            break
    assert len(post.messages) <= 5


late_steps = st.lists(st.sampled_from(["right", "first", "wrong", "resend", "wait"]), max_size=20)


@given(late_steps, st.integers(1, 10), st.integers(1, 10), st.booleans())
@settings(max_examples=200, deadline=None)
def test_new_codes_after_expiry_buy_no_guess_and_no_message(
    course: list[str], attempts: int, sends: int, srp_first: bool
) -> None:
    post = Post()
    limits = {"OTP_MAX_ATTEMPTS": str(attempts), "OTP_MAX_SENDS": str(sends), "OTP_TTL": "60"}
    begun = [{"challengeName": "SRP_A", "challengeResult": True, "challengeMetadata": None}] if srp_first else []
    sign_in = SignIn(post, session=begun, username="late", OTP_ON_EXPIRY="renew", **limits).start()
    first, sent_at, compared = post.code, sign_in.now, 0
    for step in course:
        if sign_in.outcome:
            break
        if step == "wait":
            sign_in.now += 40
            continue
        messages, current, in_time = len(post.messages), post.code, sign_in.now < sent_at + 60
        given_code = {"right": current, "first": first}.get(step, other_than(current))
        sign_in.answer(given_code, {"action": "resend"} if step == "resend" else None)
        compared += step != "resend"
        right = step != "resend" and given_code == current and in_time
        assert (sign_in.outcome == "tokens") is right
        if len(post.messages) > messages and not in_time:
            assert post.code != current
            sent_at = sign_in.now
        assert len(post.messages) <= sends
        assert compared <= attempts
    assert sign_in.outcome in {"", "tokens", "failed"}


def _unseen(sign_in: SignIn) -> bool:
    from cognito_passwordless.lambda_triggers.challenge import resend

    found = state.read(sign_in.private["state"])
    assert found is not None
    return resend.is_resend({"request": {"userAttributes": sign_in.attributes}}, found, sign_in.settings.policy)


def test_lines_of_log_are_json_and_hold_neither_names_nor_codes() -> None:
    post, lines = Post(), []
    sign_in = SignIn(post, username="ann@example.com")
    run(
        "create_auth_challenge",
        lambda asked, **parts: create_auth_challenge.respond(asked, **parts, send=post),
        sign_in.create_event(None),
        None,
        settings=sign_in.settings,
        write=lines.append,
    )
    line = json.loads(lines[0])
    assert {"level", "requestId", "trigger", "outcome", "durationMs", "user", "source"} <= line.keys()
    assert line["outcome"] == "code_sent"
    assert len(line["user"]) == 16
    assert "ann" not in lines[0]
    assert post.code not in lines[0]


@pytest.mark.parametrize("asked", [None, [], "x", 0, {}, {"request": None}, {"request": {"session": None}}])
def test_nothing_and_null(asked: Any) -> None:
    assert call(verify_auth_challenge_response, asked)["response"] == {"answerCorrect": False}
    assert "response" in call(define_auth_challenge, asked)
