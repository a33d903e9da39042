"""What the tests of several flows share."""

from collections.abc import Callable

import pytest

from cognito_passwordless.local import LocalCognito

from .people import SignIn


@pytest.fixture
def sign_in(cognito: LocalCognito, sent_code: Callable[[], str]) -> SignIn:
    """People at the login page."""
    return SignIn(cognito, sent_code)
