from typing import Any

import pytest

from cognito_passwordless.otp import Policy, PolicyError


def test_the_default_policy_is_that_of_the_design() -> None:
    policy = Policy()
    assert (policy.length, policy.ttl, policy.max_attempts, policy.max_sends) == (6, 600, 3, 5)
    assert (policy.resend_cooldown, policy.on_resend) == (30, "reuse")


@pytest.mark.parametrize("field", ["length", "ttl", "max_attempts", "max_sends", "resend_cooldown"])
@pytest.mark.parametrize("value", [0, -1, None, "3", 3.0, True, float("inf"), 10**6])
def test_a_limit_that_is_no_limit_cannot_be_built(field: str, value: Any) -> None:
    with pytest.raises(PolicyError, match=field):
        Policy(**{field: value})


def test_a_code_shorter_than_six_digits_or_longer_lived_than_ten_minutes_is_refused() -> None:
    """NIST SP 800-63B-4, section 3.1.3.2."""
    with pytest.raises(PolicyError):
        Policy(length=5)
    with pytest.raises(PolicyError):
        Policy(ttl=601)


def test_resend_reuses_or_rotates_and_nothing_else() -> None:
    with pytest.raises(PolicyError, match="on_resend"):
        Policy(on_resend="both")  # type: ignore[arg-type]


def test_a_policy_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Policy().ttl = 1  # type: ignore[misc]
