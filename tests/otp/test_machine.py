import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognito_passwordless.otp import (
    Challenge,
    Code,
    Keyring,
    Phase,
    Policy,
    Refused,
    Verdict,
    accept,
    answer,
    claim,
    derive,
    issue,
    phase,
    resend,
)
from cognito_passwordless.otp.records import replace

POLICY = Policy()
KEYRING = Keyring.from_secrets(["a secret"])
NOW = 1_000_000.0


@pytest.fixture
def challenge() -> Challenge:
    return issue("c", purpose="sign_in", keyring=KEYRING, now=NOW)


def right_code(challenge: Challenge, policy: Policy = POLICY) -> Code:
    return derive(
        KEYRING.current, challenge.id, purpose="sign_in", generation=challenge.generation, length=policy.length
    )


def wrong_code(challenge: Challenge) -> Code:
    right = right_code(challenge).reveal()
    return Code(right[:-1] + str((int(right[-1]) + 1) % 10))


def test_the_right_code_is_accepted_once(challenge: Challenge) -> None:
    code = right_code(challenge)
    verified, verdict = answer(challenge, POLICY, KEYRING, code, NOW + 1)
    assert verdict is Verdict.RIGHT
    with pytest.raises(Refused, match="verified"):
        answer(verified, POLICY, KEYRING, code, NOW + 2)


def test_a_wrong_code_spends_an_attempt_and_the_last_one_locks(challenge: Challenge) -> None:
    for spent in range(1, POLICY.max_attempts + 1):
        challenge, verdict = answer(challenge, POLICY, KEYRING, wrong_code(challenge), NOW)
        assert verdict is Verdict.WRONG
        assert challenge.attempts == spent
    with pytest.raises(Refused, match="locked"):
        answer(challenge, POLICY, KEYRING, right_code(challenge), NOW)


def test_the_last_attempt_may_be_the_right_one(challenge: Challenge) -> None:
    challenge = replace(challenge, attempts=POLICY.max_attempts - 1)
    assert answer(challenge, POLICY, KEYRING, right_code(challenge), NOW)[1] is Verdict.RIGHT


def test_a_code_lives_for_its_ttl_and_not_a_second_longer(challenge: Challenge) -> None:
    assert answer(challenge, POLICY, KEYRING, right_code(challenge), NOW + POLICY.ttl - 1)[1] is Verdict.RIGHT
    with pytest.raises(Refused, match="expired"):
        answer(challenge, POLICY, KEYRING, right_code(challenge), NOW + POLICY.ttl)


def test_an_attempt_claimed_in_time_may_be_accepted_a_little_later(challenge: Challenge) -> None:
    claimed = claim(challenge, POLICY, NOW + POLICY.ttl - 1)
    assert accept(claimed, POLICY, NOW + POLICY.ttl + 1).outcome is Phase.VERIFIED


def test_a_challenge_whose_key_is_gone_has_no_right_code(challenge: Challenge) -> None:
    other = Keyring.from_secrets(["another secret"])
    assert answer(challenge, POLICY, other, right_code(challenge), NOW)[1] is Verdict.WRONG


def test_a_resend_waits_for_the_cooldown_and_says_how_long(challenge: Challenge) -> None:
    with pytest.raises(Refused, match="cooldown") as refused:
        resend(challenge, POLICY, NOW + 10)
    assert refused.value.retry_after == 20
    assert resend(challenge, POLICY, NOW + 30).sends == 2


def test_resends_end_with_the_policys_messages(challenge: Challenge) -> None:
    now = NOW
    for _ in range(POLICY.max_sends - 1):
        now += POLICY.resend_cooldown
        challenge = resend(challenge, POLICY, now)
    with pytest.raises(Refused, match="sends"):
        resend(challenge, POLICY, now + POLICY.resend_cooldown)


def test_a_resend_keeps_the_code_or_rotates_it_as_the_policy_says(challenge: Challenge) -> None:
    assert right_code(resend(challenge, POLICY, NOW + 30)) == right_code(challenge)
    rotated = resend(challenge, Policy(on_resend="rotate"), NOW + 30)
    assert right_code(rotated) != right_code(challenge)
    assert answer(rotated, POLICY, KEYRING, right_code(challenge), NOW + 31)[1] is Verdict.WRONG


def test_a_resend_buys_neither_time_nor_attempts(challenge: Challenge) -> None:
    spent, _ = answer(challenge, POLICY, KEYRING, wrong_code(challenge), NOW)
    rotated = resend(spent, Policy(on_resend="rotate"), NOW + 30)
    assert rotated.attempts == 1
    assert phase(rotated, POLICY, NOW + POLICY.ttl) is Phase.EXPIRED


@given(st.lists(st.tuples(st.sampled_from(["wrong", "resend"]), st.integers(0, 120)), max_size=40))
def test_no_order_of_answers_and_resends_compares_more_often_than_allowed(steps: list[tuple[str, int]]) -> None:
    policy = Policy(on_resend="rotate")
    challenge, now, compared = issue("c", purpose="sign_in", keyring=KEYRING, now=NOW), NOW, 0
    for step, seconds in steps:
        now += seconds
        try:
            if step == "wrong":
                challenge, _ = answer(challenge, policy, KEYRING, wrong_code(challenge), now)
                compared += 1
            else:
                challenge = resend(challenge, policy, now)
        except Refused:
            continue
    assert compared <= policy.max_attempts
    assert challenge.sends <= policy.max_sends
