"""A site with everything of allauth's: MFA, the API, tracked sessions, phone numbers."""

from . import variants


def test_everything_together() -> None:
    variants.run("tests.settings_full", "tests/full", "tests/test_sign_in.py", "tests/test_adapters.py")
