import subprocess
import sys

from cognito_passwordless import cognito


def test_the_room_needs_no_django() -> None:
    """A Lambda imports it, where there is none."""
    program = (
        "import sys, cognito_passwordless.cognito\n"
        "mine = {m.split('.')[1] for m in sys.modules if m.startswith('cognito_passwordless.')}\n"
        "alien = {m.partition('.')[0] for m in sys.modules} & {'django', 'allauth', 'celery'}\n"
        "print(sorted(mine), sorted(alien))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert found.stdout.decode().strip() == "['cognito', 'identity', 'otp'] []"


def test_what_is_public_is_there() -> None:
    assert sorted(cognito.__all__) == cognito.__all__
    for name in cognito.__all__:
        assert getattr(cognito, name).__module__.startswith("cognito_passwordless.cognito.")
