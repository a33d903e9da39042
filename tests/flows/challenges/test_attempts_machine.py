"""The conditional UPDATEs decide as the pure state machine does, whatever happens in whatever order."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cognito_passwordless.flows.challenges import attempts
from cognito_passwordless.models import ChallengeSession
from cognito_passwordless.otp import Challenge, Phase, Policy, Refused, accept, claim, phase, resend
from cognito_passwordless.otp.machine import TRANSITIONS, Event
from cognito_passwordless.otp.records import replace

from ..started import NOW, held

pytestmark = pytest.mark.django_db(transaction=True)

POLICIES = st.builds(
    Policy,
    ttl=st.sampled_from([30, 60, 600]),
    max_attempts=st.integers(1, 4),
    max_sends=st.integers(1, 4),
    resend_cooldown=st.sampled_from([1, 20, 30, 600]),
    on_resend=st.sampled_from(["reuse", "rotate"]),
)
# Waits that meet the limits to the second, and waits that do not.
WAITS = st.sampled_from([0, 1, 19, 20, 29, 30, 570])
STEPS = st.lists(st.sampled_from(["claim", "accept", "resend", "supersede"]) | WAITS, max_size=14)


def allowed(machine: Callable[[Challenge, Policy, float], Challenge], *state: object) -> tuple[Challenge, str]:
    """The machine's next state, and why it stays as it is where it does."""
    challenge, policy, now = state
    assert isinstance(challenge, Challenge)
    assert isinstance(policy, Policy)
    assert isinstance(now, float)
    try:
        return machine(challenge, policy, now), ""
    except Refused as refused:
        return challenge, refused.reason


def supersede(challenge: Challenge, policy: Policy, now: float) -> Challenge:
    current = phase(challenge, policy, now)
    if Event.SUPERSEDE not in TRANSITIONS[current]:
        raise Refused(current)
    return replace(challenge, outcome=TRANSITIONS[current][Event.SUPERSEDE])


def in_sql(step: str, handle: str, now: datetime) -> str | bool:
    """What the database decides; for a claim the reason, else whether it was allowed."""
    if step == "claim":
        attempt = attempts.claim(handle, now)
        assert attempt is not None
        return attempt.refusal
    if step == "accept":
        challenge = attempts.find(handle)
        assert challenge is not None
        return attempts.accept(challenge)
    return attempts.resend(handle, now) if step == "resend" else attempts.supersede(handle)


MACHINE = {"claim": claim, "accept": accept, "resend": resend, "supersede": supersede}


@given(policy=POLICIES, steps=STEPS)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.slow
def test_the_database_and_the_machine_agree(policy: Policy, steps: list[str | int]) -> None:
    chosen = {name.upper(): getattr(policy, name) for name in Policy.__match_args__}
    with override_settings(COGNITO_PASSWORDLESS={"OTP": chosen, "LIMITS": {"failures": "100000/1h"}}):
        handle, row = held()
        now = NOW.timestamp()
        model = Challenge(
            id=str(row.pk), purpose=row.purpose, fingerprint=row.key_fingerprint, issued_at=now, last_sent_at=now
        )
        for step in steps:
            if isinstance(step, int):
                now += step
                continue
            model, reason = allowed(MACHINE[step], model, policy, now)
            decided = in_sql(step, handle, datetime.fromtimestamp(now, UTC))
            assert decided == (reason if step == "claim" else not reason)
            assert as_model(ChallengeSession.objects.get(pk=row.pk)) == model
        row.delete()


def as_model(row: ChallengeSession) -> Challenge:
    return Challenge(
        id=str(row.pk),
        purpose=row.purpose,
        fingerprint=row.key_fingerprint,
        issued_at=row.created_at.timestamp(),
        last_sent_at=row.last_sent_at.timestamp(),
        generation=row.generation,
        attempts=row.attempts,
        sends=row.sends,
        outcome=Phase(row.outcome),
    )
