"""The codes that a pool's users get, over many sign-ins."""

from collections import Counter

from cognito_passwordless.lambda_triggers.aws.secrets import keyring, mark
from cognito_passwordless.lambda_triggers.challenge.state import PURPOSE, owner_tag
from cognito_passwordless.lambda_triggers.core.deadline import Deadline
from cognito_passwordless.lambda_triggers.core.environment import Settings
from cognito_passwordless.otp import derive

from .rounds import ENVIRONMENT, POOL

SAMPLES = 200_000
# The 99.99th percentile of chi-square with nine degrees of freedom. The secret is fixed, so this never varies.
MOST = 33.7


def test_200_000_codes_are_uniform_in_every_digit() -> None:
    key = keyring(Settings(ENVIRONMENT), Deadline()).current
    tag = owner_tag(key.secret, POOL, "user-1")
    digits: list[Counter[str]] = [Counter() for _ in range(6)]
    for number in range(SAMPLES):
        own = mark(key.secret, "repeat", str(number))
        code = derive(key, f"{tag}-{own}", purpose=PURPOSE, generation=1, length=6).reveal()
        for counter, digit in zip(digits, code, strict=True):
            counter[digit] += 1
    expected = SAMPLES / 10
    for counter in digits:
        assert set(counter) == set("0123456789")
        assert sum((count - expected) ** 2 / expected for count in counter.values()) < MOST
