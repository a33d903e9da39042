"""Whole sign-ins through Define, Create and Verify, as Cognito strings them together."""

import copy
import json
from typing import Any

import pytest

from cognito_passwordless.lambda_triggers import create_auth_challenge
from cognito_passwordless.lambda_triggers.challenge import limits
from cognito_passwordless.lambda_triggers.errors import Refused, Unavailable

from .rounds import NOW, PHONE, Post, SignIn, code_in, other_than

PASSWORD = [
    {"challengeName": "SRP_A", "challengeResult": True, "challengeMetadata": None},
    {"challengeName": "PASSWORD_VERIFIER", "challengeResult": True, "challengeMetadata": None},
]


def test_right_at_first(post: Post) -> None:
    sign_in = SignIn(post).start()
    assert sign_in.public == {
        "kind": "otp",
        "medium": "SMS",
        "destination": "+*******0123",
        "message": "code_sent",
        "attemptsLeft": "3",
        "secondsLeft": "600",
    }
    assert post.messages[0].recipient == PHONE
    assert sign_in.answer(post.code) == "tokens"


def test_a_code_is_read_as_people_type_it(post: Post) -> None:
    sign_in = SignIn(post).start()
    assert sign_in.answer(f" {post.code[:3]}-{post.code[3:]} ") == "tokens"


def test_wrong_then_right_with_the_same_code_and_no_second_message(post: Post) -> None:
    sign_in = SignIn(post).start()
    assert sign_in.answer(other_than(post.code)) == ""
    assert (sign_in.public["message"], sign_in.public["attemptsLeft"]) == ("wrong_code", "2")
    assert sign_in.answer(post.code) == "tokens"
    assert len(post.messages) == 1


def test_wrong_to_the_end(post: Post) -> None:
    sign_in = SignIn(post).start()
    wrong = other_than(post.code)
    assert [sign_in.answer(wrong) for _ in range(3)] == ["", "", "failed"]


def test_a_resend_costs_no_attempt_and_is_never_compared(post: Post) -> None:
    sign_in = SignIn(post).start()
    sign_in.now += 31
    assert sign_in.answer(post.code, {"action": "resend"}) == ""
    assert (sign_in.public["message"], sign_in.public["attemptsLeft"]) == ("code_resent", "3")
    assert code_in(post.messages[0]) == code_in(post.messages[1])
    assert sign_in.answer(post.code) == "tokens"


def test_a_resend_rotates_where_it_is_asked_to(post: Post) -> None:
    sign_in = SignIn(post, OTP_ON_RESEND="rotate").start()
    old = post.code
    sign_in.now += 31
    sign_in.resend()
    assert post.code != old
    assert sign_in.answer(old) == ""
    assert sign_in.answer(post.code) == "tokens"


def test_resends_are_held_back_and_limited(post: Post) -> None:
    sign_in = SignIn(post, OTP_MAX_SENDS="2").start()
    sign_in.resend()
    assert sign_in.public["message"] == "resend_wait"
    sign_in.now += 31
    sign_in.resend()
    assert sign_in.public["message"] == "code_resent"
    sign_in.now += 31
    sign_in.resend()
    assert (sign_in.public["message"], sign_in.public["attemptsLeft"]) == ("resend_limit", "3")
    assert len(post.messages) == 2


def test_rounds_that_cost_nothing_are_not_endless(post: Post) -> None:
    sign_in = SignIn(post).start()
    outcomes = [sign_in.resend() for _ in range(20)]
    assert outcomes == [""] * 19 + ["failed"]
    metadata = "".join(entry["challengeMetadata"] for entry in sign_in.session)
    assert len(metadata) < 4096 - 500


def test_a_new_value_of_the_attribute_resends_once(post: Post) -> None:
    sign_in = SignIn(post).start()
    sign_in.now += 31
    sign_in.attributes["custom:resend"] = "1"
    assert sign_in.answer(post.code) == ""
    assert (sign_in.public["message"], sign_in.public["attemptsLeft"]) == ("code_resent", "3")
    sign_in.now += 31
    assert sign_in.answer(other_than(post.code)) == ""
    assert (sign_in.public["message"], sign_in.public["attemptsLeft"]) == ("wrong_code", "2")
    assert len(post.messages) == 2


def test_an_old_value_of_the_attribute_never_sends(post: Post) -> None:
    attributes = {"phone_number": PHONE, "custom:resend": "yesterday"}
    sign_in = SignIn(post, attributes=attributes).start()
    sign_in.now += 31
    assert sign_in.answer(post.code) == "tokens"


def test_an_attribute_that_keeps_changing_makes_no_answer_free(post: Post) -> None:
    sign_in = SignIn(post, OTP_MAX_SENDS="1").start()
    for number in range(2):
        sign_in.attributes["custom:resend"] = str(number)
        assert sign_in.answer(other_than(post.code)) == ""
    assert sign_in.public["attemptsLeft"] == "1"


def test_a_code_expires_however_often_the_session_is_renewed(post: Post) -> None:
    sign_in = SignIn(post, OTP_TTL="120").start()
    for _ in range(3):
        sign_in.now += 35
        assert sign_in.resend() == ""
    sign_in.now += 16
    assert sign_in.answer(post.code) == "failed"


def test_unknown_people_go_the_same_rounds_and_get_no_message(post: Post) -> None:
    known, unknown = SignIn(post).start(), SignIn(post, unknown=True, username="nobody").start()
    assert len(post.messages) == 1
    assert known.public | {"destination": ""} == unknown.public | {"destination": ""}
    assert len(unknown.public["destination"]) == len(known.public["destination"])
    assert known.private.keys() == unknown.private.keys()
    wrong = other_than(post.code)
    for _ in range(3):
        assert known.answer(wrong) == unknown.answer(wrong)
        assert known.public | {"destination": ""} == unknown.public | {"destination": ""}
    assert unknown.outcome == "failed"


def test_the_code_of_an_unknown_person_would_not_be_right_either(post: Post) -> None:
    """Even if the pool learns of the user between two rounds."""
    unknown = SignIn(post, unknown=True).start()
    unknown.unknown = False
    twin = SignIn(post).start()
    assert unknown.answer(code_in(post.messages[-1])) == ""
    assert twin.answer(post.code) == "tokens"


@pytest.mark.parametrize("attributes", [{}, {"phone_number": PHONE, "phone_number_verified": "false"}])
def test_nothing_goes_to_an_address_that_is_missing_or_unproven(post: Post, attributes: dict[str, str]) -> None:
    sign_in = SignIn(post, attributes=attributes).start()
    assert post.messages == []
    assert sign_in.public["message"] == "code_sent"
    assert sign_in.public["destination"] != "+*******0123"


def test_a_flag_that_is_missing_is_enough_unless_it_is_asked_for(post: Post) -> None:
    SignIn(post, attributes={"phone_number": PHONE}).start()
    SignIn(post, attributes={"phone_number": PHONE}, OTP_REQUIRE_VERIFIED="true").start()
    assert len(post.messages) == 1


def test_email_is_a_channel(post: Post) -> None:
    attributes = {"email": "ann@example.com", "email_verified": "true"}
    sign_in = SignIn(post, attributes=attributes, OTP_CHANNEL="email").start()
    assert (sign_in.public["medium"], sign_in.public["destination"]) == ("EMAIL", "a***@e***")
    assert post.messages[0].subject == "Your code for Example"
    assert sign_in.answer(post.code) == "tokens"


class TestPasswordFirst:
    def test_the_code_comes_after_the_password(self, post: Post) -> None:
        first = SignIn(post, session=PASSWORD[:1], OTP_FIRST_FACTOR="password").start()
        assert first.challenge == "PASSWORD_VERIFIER"
        sign_in = SignIn(post, session=PASSWORD, OTP_FIRST_FACTOR="password").start()
        assert sign_in.answer(post.code) == "tokens"

    def test_the_pools_own_second_factor_may_stand_between(self, post: Post) -> None:
        session = [*PASSWORD, {"challengeName": "SOFTWARE_TOKEN_MFA", "challengeResult": True}]
        sign_in = SignIn(post, session=session, OTP_FIRST_FACTOR="password").start()
        assert sign_in.answer(post.code) == "tokens"

    @pytest.mark.parametrize(
        "session",
        [
            [],
            PASSWORD[1:],
            [PASSWORD[1], PASSWORD[0]],
            [PASSWORD[0], {**PASSWORD[1], "challengeResult": False}],
            [{**PASSWORD[0], "challengeResult": False}],
            [PASSWORD[0], {**PASSWORD[1], "challengeResult": None}],
            [*PASSWORD, {"challengeName": "SMS_MFA", "challengeResult": False}],
            [*PASSWORD, *PASSWORD],
            [*PASSWORD, {"challengeName": "NEW_PASSWORD_REQUIRED", "challengeResult": True}],
        ],
    )
    def test_a_password_wrong_left_out_or_out_of_order_fails(self, post: Post, session: Any) -> None:
        assert SignIn(post, session=session, OTP_FIRST_FACTOR="password").start().outcome == "failed"
        assert post.messages == []

    def test_where_no_password_is_asked_for_none_is_taken(self, post: Post) -> None:
        assert SignIn(post, session=PASSWORD).start().outcome == "failed"


class TestSrpFirstWithoutPasswords:
    """Mobile SDKs begin with SRP_A where the pool has no passwords."""

    @pytest.mark.parametrize("result", [True, False, None])
    def test_the_code_is_asked_for_and_only_it_opens(self, post: Post, result: Any) -> None:
        sign_in = SignIn(post, session=[{**PASSWORD[0], "challengeResult": result}]).start()
        assert (sign_in.challenge, sign_in.outcome, sign_in.public["message"]) == ("CUSTOM_CHALLENGE", "", "code_sent")
        assert sign_in.answer(other_than(post.code)) == ""
        assert sign_in.answer(post.code) == "tokens"

    def test_a_wrong_code_never_opens(self, post: Post) -> None:
        sign_in = SignIn(post, session=PASSWORD[:1]).start()
        wrong = other_than(post.code)
        assert [sign_in.answer(wrong) for _ in range(3)] == ["", "", "failed"]

    @pytest.mark.parametrize(
        "session",
        [
            PASSWORD,
            PASSWORD[1:],
            [PASSWORD[0], PASSWORD[0]],
            [PASSWORD[0], {"challengeName": "SMS_MFA", "challengeResult": True}],
            [{"challengeName": "srp_a", "challengeResult": True}],
        ],
    )
    def test_nothing_else_may_come_before_the_code(self, post: Post, session: Any) -> None:
        assert SignIn(post, session=session).start().outcome == "failed"
        assert post.messages == []

    def test_it_is_the_first_round_or_none(self, post: Post) -> None:
        sign_in = SignIn(post).start()
        sign_in.session.append(PASSWORD[0])
        sign_in._define(None)
        assert sign_in.outcome == "failed"


class TestExpiry:
    """`OTP_ON_EXPIRY=renew`: a new code in the same sign-in, and no attempt or message more than without."""

    ON = {"OTP_ON_EXPIRY": "renew", "OTP_TTL": "60"}

    def test_an_answer_that_is_too_late_gets_a_new_code(self, post: Post) -> None:
        sign_in = SignIn(post, **self.ON).start()
        old = post.code
        sign_in.now += 60
        assert sign_in.answer(old) == ""
        assert post.code != old
        shown = {name: sign_in.public[name] for name in ("message", "reason", "attemptsLeft", "secondsLeft")}
        assert shown == {"message": "code_resent", "reason": "expired", "attemptsLeft": "2", "secondsLeft": "60"}
        assert sign_in.answer(old) == ""
        assert (sign_in.public["message"], sign_in.public["reason"]) == ("wrong_code", "wrong")
        sign_in.now += 59
        assert sign_in.answer(post.code) == "tokens"

    def test_a_resend_after_it_costs_no_attempt(self, post: Post) -> None:
        sign_in = SignIn(post, **self.ON).start()
        old = post.code
        sign_in.now += 61.7
        assert sign_in.resend() == ""
        assert (sign_in.public["reason"], sign_in.public["attemptsLeft"]) == ("expired", "3")
        assert post.code != old
        sign_in.now += 59
        assert sign_in.answer(post.code) == "tokens"

    def test_attempts_are_counted_over_all_codes(self, post: Post) -> None:
        sign_in = SignIn(post, **self.ON).start()
        assert sign_in.answer(other_than(post.code)) == ""
        sign_in.now += 60
        assert sign_in.answer(post.code) == ""
        assert sign_in.answer(other_than(post.code)) == "failed"

    def test_messages_are_counted_over_all_codes(self, post: Post) -> None:
        sign_in = SignIn(post, **self.ON, OTP_MAX_SENDS="2").start()
        for outcome in ("", "failed"):
            sign_in.now += 60
            assert sign_in.resend() == outcome
        assert len(post.messages) == 2

    def test_the_cool_down_holds(self, post: Post) -> None:
        sign_in = SignIn(post, **self.ON, OTP_RESEND_COOLDOWN="90").start()
        sign_in.now += 60
        assert sign_in.resend() == ""
        assert (sign_in.public["message"], sign_in.public["reason"]) == ("resend_wait", "expired")
        assert len(post.messages) == 1
        sign_in.now += 30
        sign_in.resend()
        assert sign_in.answer(post.code) == "tokens"

    def test_a_message_that_failed_can_be_sent_again(self, post: Post) -> None:
        sign_in = SignIn(post, **self.ON).start()
        sign_in.now += 60
        post.failure = Unavailable("sns_timeout")
        sign_in.resend()
        assert sign_in.public["message"] == "send_failed"
        post.failure = None
        sign_in.resend()
        assert sign_in.answer(post.code) == "tokens"

    def test_a_right_answer_that_define_sees_too_late_opens_nothing(self, post: Post) -> None:
        sign_in = SignIn(post, **self.ON).start()
        sign_in.session[-1]["challengeResult"] = True
        sign_in.now += 60
        sign_in._define(None)
        assert sign_in.outcome == "failed"

    def test_unknown_people_see_the_same(self, post: Post) -> None:
        pair = SignIn(post, **self.ON).start(), SignIn(post, unknown=True, username="none", **self.ON).start()
        for _ in range(3):
            for sign_in in pair:
                sign_in.now += 61
                sign_in.answer("123456")
            assert pair[0].outcome == pair[1].outcome
            assert pair[0].public | {"destination": ""} == pair[1].public | {"destination": ""}

    def test_without_it_the_sign_in_is_over(self, post: Post) -> None:
        sign_in = SignIn(post, OTP_TTL="60").start()
        sign_in.now += 60
        assert sign_in.answer(post.code) == "failed"


class TestRepeats:
    """Cognito calls a trigger up to three times."""

    def test_the_same_start_three_times_sends_the_same_code(self, post: Post) -> None:
        for delay in (0, 5, 10):
            SignIn(post, now=NOW + delay).start()
        assert len({code_in(message) for message in post.messages}) == 1

    def test_so_does_another_instance_within_the_same_half_minute(self, post: Post) -> None:
        for delay in (0, 5):
            limits._begun.clear()
            SignIn(post, now=NOW + delay).start()
        assert len({code_in(message) for message in post.messages}) == 1

    def test_a_later_start_gets_another_code(self, post: Post) -> None:
        SignIn(post).start()
        SignIn(post, now=NOW + 30).start()
        assert len({code_in(message) for message in post.messages}) == 2

    def test_another_client_or_user_gets_another_code(self, post: Post) -> None:
        SignIn(post).start()
        SignIn(post, username="user-2").start()
        assert len({code_in(message) for message in post.messages}) == 2

    @pytest.mark.parametrize("on_resend", ["reuse", "rotate"])
    def test_the_same_resend_three_times_sends_the_same_code(self, post: Post, on_resend: str) -> None:
        sign_in = SignIn(post, OTP_ON_RESEND=on_resend).start()
        sign_in.now += 31
        sign_in.session[-1]["challengeResult"] = False
        asked = sign_in.create_event({"action": "resend"})
        states = set()
        for _ in range(3):
            result = create_auth_challenge.respond(copy.deepcopy(asked), **sign_in.parts(), send=post)
            states.add(result["response"]["challengeMetadata"])
        assert len(states) == 1
        assert len({code_in(message) for message in post.messages[1:]}) == 1


class TestFailedSends:
    def test_it_shows_and_costs_nothing_and_needs_no_waiting(self, post: Post) -> None:
        post.failure = Unavailable("sns_timeout")
        sign_in = SignIn(post).start()
        assert (sign_in.public["message"], sign_in.public["attemptsLeft"]) == ("send_failed", "3")
        post.failure = None
        sign_in.resend()
        assert (sign_in.public["message"], sign_in.public["attemptsLeft"]) == ("code_resent", "3")
        assert sign_in.answer(post.code) == "tokens"

    def test_what_may_have_arrived_after_all_stays_right(self, post: Post) -> None:
        """A provider that was too slow may still deliver: the next message carries the same code."""
        sign_in = SignIn(post, OTP_ON_RESEND="rotate").start()
        sign_in.now += 31
        post.failure = Unavailable("sns_timeout")
        sign_in.resend()
        failed = sign_in.private["state"].split("|")[6]
        post.failure = None
        sign_in.resend()
        assert sign_in.private["state"].split("|")[6] == failed
        assert sign_in.answer(post.code) == "tokens"

    def test_what_concerns_one_number_is_nobodys_business(self, post: Post) -> None:
        post.failure = Unavailable("sns_OptedOut", personal=True)
        assert SignIn(post).start().public["message"] == "code_sent"

    def test_an_outage_shows_to_unknown_people_too(self, post: Post) -> None:
        from cognito_passwordless.lambda_triggers.challenge import delivery

        delivery._experience.clear()
        post.failure = Unavailable("sns_timeout")
        SignIn(post).start()
        assert SignIn(post, unknown=True).start().public["message"] == "send_failed"


def test_no_event_no_metadata_and_no_parameter_holds_the_code(post: Post) -> None:
    sign_in = SignIn(post).start()
    sign_in.now += 31
    sign_in.resend()
    sign_in.answer(other_than(post.code))
    public = json.dumps([sign_in.public, sign_in.private, sign_in.session, sign_in.seen[:-1]])
    for code in {code_in(message) for message in post.messages}:
        assert code not in public
        assert code not in repr(sign_in.post.messages)


@pytest.mark.parametrize("variable", ["OTP_MAX_ATTEMPTS", "OTP_TTL", "OTP_LENGTH", "OTP_MAX_SENDS"])
@pytest.mark.parametrize("value", ["0", "-1", "99999", "x", "3.0"])
def test_a_limit_that_is_none_closes(post: Post, variable: str, value: str) -> None:
    from cognito_passwordless.lambda_triggers.errors import Misconfigured

    with pytest.raises(Misconfigured):
        SignIn(post, **{variable: value}).start()
    assert post.messages == []


def test_the_state_of_one_person_serves_nobody_else(post: Post) -> None:
    mine, theirs = SignIn(post, username="me").start(), SignIn(post, username="victim")
    theirs.session, theirs.private = copy.deepcopy(mine.session), mine.private
    assert theirs.session
    with pytest.raises(LookupError):
        theirs.answer(code_in(post.messages[0]))


def test_create_refuses_a_history_that_define_would_have_ended(post: Post) -> None:
    sign_in = SignIn(post).start()
    sign_in.session[-1]["challengeResult"] = True
    with pytest.raises(Refused):
        create_auth_challenge.respond(sign_in.create_event(None), **sign_in.parts(), send=post)
