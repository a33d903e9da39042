"""A user model whose USERNAME_FIELD is the phone number."""

from . import variants


def test_a_user_model_of_phone_numbers() -> None:
    variants.run("tests.settings_phone_user", "tests/phone_user")
