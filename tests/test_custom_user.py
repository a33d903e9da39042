"""A user model without a username and with a UUID key."""

from . import variants


def test_a_custom_user_model() -> None:
    variants.run("tests.settings_custom_user", "tests/custom_user")
