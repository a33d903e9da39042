"""Histories that no sign-in of ours can have had, and the ends of those that it can."""

from collections.abc import Callable
from typing import Any

import pytest

from cognito_passwordless.lambda_triggers import define_auth_challenge
from cognito_passwordless.lambda_triggers.challenge import history

from .rounds import NOW, Post, SignIn, event

STATE = SignIn(Post()).start().private["state"]
OTHER = SignIn(Post(), username="somebody else").start().private["state"]


def edited(text: str, **fields: str) -> str:
    """A state with some of its fields changed, by name."""
    order = ("kind", "id", "nonce", "key", "issued", "sent", "generation", "attempts", "sends", "seen", "live")
    words = dict(zip(order, text.split("|"), strict=True)) | fields
    return "|".join(words.values())


def row(text: str | None, right: Any) -> dict[str, Any]:
    return {"challengeName": "CUSTOM_CHALLENGE", "challengeResult": right, "challengeMetadata": text}


def outcome(*rounds: dict[str, Any], now: float = NOW, unknown: Any = False, **environment: str) -> str:
    sign_in = SignIn(Post(), now=now, **environment)
    asked = event("DefineAuthChallenge_Authentication", {"session": list(rounds), "userNotFound": unknown})
    response = define_auth_challenge.respond(asked, **sign_in.parts())["response"]
    if response["issueTokens"]:
        return "tokens"
    return "failed" if response["failAuthentication"] else response["challengeName"]


def test_one_right_round_is_enough() -> None:
    assert outcome(row(STATE, True)) == "tokens"
    assert outcome(row(STATE, False), row("+a", True)) == "tokens"


@pytest.mark.parametrize("right", [True, False])
def test_time_is_up_whatever_the_answer_was(right: bool) -> None:
    assert outcome(row(STATE, right), now=NOW + 599) != "failed"
    assert outcome(row(STATE, right), now=NOW + 600) == "failed"


def test_a_right_answer_past_the_limit_is_none() -> None:
    assert outcome(row(edited(STATE, attempts="2"), True)) == "tokens"
    assert outcome(row(edited(STATE, attempts="3"), True)) == "failed"


@pytest.mark.parametrize(
    "later",
    [
        OTHER,
        STATE,
        edited(STATE, attempts="1"),
        "a",
        "+aa",
        "+ss",
        "+sa",
        "+x",
        "+s@031",
        "+s@-1",
        "+s@0",
        "+e60",
        "+se60@0",
        "+ge60@0",
        "+sge@0",
        "+sge060@0",
        "+sge0",
        "+~",
        "+~0123456",
        "+~0123456G",
        "+a ",
        " +a",
        None,
        "",
        "captcha1|5|0",
    ],
)
def test_a_round_that_does_not_follow_the_one_before_breaks_the_history(later: str | None) -> None:
    assert outcome(row(STATE, False), row(later, True)) == "failed"
    assert outcome(row(STATE, False), row(later, False)) == "failed"


@pytest.mark.parametrize("later", ["+", "+a", "+s@31", "+sg@31~0123abcd", "+s@"])
def test_a_round_carries_on_by_its_change(later: str) -> None:
    assert outcome(row(STATE, False), row(later, True)) == "tokens"


def test_changes_add_up_to_the_limit() -> None:
    wrong = [row(STATE, False), row("+a", False)]
    assert outcome(*wrong, row("+a", True)) == "tokens"
    assert outcome(*wrong, row("+a", False)) == "failed"
    assert outcome(*wrong, row("+a", False), row("+a", True)) == "failed"
    # A round that counts nothing gives nothing back either.
    assert outcome(*wrong, row("+s@31", False), row("+a", False)) == "failed"


def test_an_older_round_in_place_of_the_newest_is_no_history() -> None:
    assert outcome(row(STATE, False), row("+a", False), row(STATE, True)) == "failed"
    assert outcome(row("+a", True)) == "failed"


@pytest.mark.parametrize("right", [None, "true", 1, 0, "", [], {}])
def test_a_result_that_is_no_boolean_breaks_the_history(right: Any) -> None:
    assert outcome(row(STATE, right)) == "failed"


@pytest.mark.parametrize("change", [lambda text: edited(text, live="0"), lambda text: text])
def test_decoys_and_unknown_people_get_no_tokens(change: Callable[[str], str]) -> None:
    state = change(STATE)
    assert outcome(row(state, True), unknown=state == STATE) == "failed"
    assert outcome(row(STATE, True), unknown="false") == "failed"


def test_nothing_follows_a_right_round() -> None:
    assert outcome(row(STATE, True), row("+a", False)) == "failed"


class TestCaptcha:
    ON = {"CAPTCHA_SITE_KEY": "site-key"}
    SOLVED = row(f"captcha1|{int(NOW)}|0", True)

    def test_no_code_counts_that_came_before_it(self) -> None:
        assert outcome(row(STATE, True), **self.ON) == "failed"
        assert outcome(self.SOLVED, row(STATE, True), **self.ON) == "tokens"

    def test_solving_it_gives_no_tokens(self) -> None:
        assert outcome(self.SOLVED, **self.ON) == "CUSTOM_CHALLENGE"

    def test_it_is_asked_three_times(self) -> None:
        wrong = [row(f"captcha1|{int(NOW)}|{attempts}", False) for attempts in range(3)]
        assert outcome(*wrong[:2], **self.ON) == "CUSTOM_CHALLENGE"
        assert outcome(*wrong, **self.ON) == "failed"

    def test_a_whole_sign_in(self) -> None:
        post, tokens = Post(), []

        def ask(token: str, **_: Any) -> bool:
            tokens.append(token)
            return token == "solved"

        sign_in = SignIn(post, ask=ask, **self.ON).start()
        assert (sign_in.public["kind"], sign_in.public["siteKey"], post.messages) == ("captcha", "site-key", [])
        assert sign_in.answer("guess") == ""
        assert (sign_in.public["message"], post.messages) == ("wrong_captcha", [])
        assert sign_in.answer("solved") == ""
        assert sign_in.public["message"] == "code_sent"
        assert sign_in.answer(post.code) == "tokens"
        assert tokens == ["guess", "solved"]


def test_the_longest_history_is_bounded() -> None:
    rounds = [row(STATE, False), *[row("+", False)] * history.MAX_ROUNDS]
    assert outcome(*rounds[: history.MAX_ROUNDS - 1]) == "CUSTOM_CHALLENGE"
    assert outcome(*rounds[: history.MAX_ROUNDS]) == "failed"
    assert outcome(*rounds) == "failed"


def test_the_last_round_that_a_session_has_room_for_may_be_right() -> None:
    rounds = [row(STATE, False), *[row("+", False)] * (history.MAX_ROUNDS - 2)]
    assert outcome(*rounds, row("+a", True)) == "tokens"
