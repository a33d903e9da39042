from __future__ import annotations

from collections.abc import Iterator

import pytest

from cognito_passwordless.local import LocalCognito, LocalPool

from .caller import Caller


@pytest.fixture(scope="package")
def cognito() -> Iterator[LocalCognito]:
    """One server for all tests; every test makes a pool of its own."""
    with LocalCognito() as running:
        yield running


@pytest.fixture
def pool(cognito: LocalCognito) -> LocalPool:
    return cognito.create_pool("hides who exists")


@pytest.fixture
def open_pool(cognito: LocalCognito) -> LocalPool:
    return cognito.create_pool("says who exists", prevent_user_existence_errors=False)


@pytest.fixture
def caller(cognito: LocalCognito, pool: LocalPool) -> Caller:
    return Caller(cognito, pool)


@pytest.fixture
def open_caller(cognito: LocalCognito, open_pool: LocalPool) -> Caller:
    return Caller(cognito, open_pool)
