"""Starting again to evade the limits, over HTTP, with the table on moto's DynamoDB and without."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cognito_passwordless.lambda_triggers.challenge import delivery, limits
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.local.own_triggers import attach

from ..lambda_triggers.aws import limits_table, moto_server
from .caller import Caller, refusal
from .test_custom import ANN, ENVIRONMENT, INCORRECT, Custom


@pytest.fixture
def table() -> Iterator[dict[str, str]]:
    with moto_server() as url, limits_table(url) as environment:
        yield {**environment, "LIMITS_FAILURES": "6/1h"}


@pytest.mark.parametrize("with_table", [False, True])
def test_a_restart(cognito: LocalCognito, pool: LocalPool, table: dict[str, str], with_table: bool) -> None:
    delivery._experience[:] = [(0.0, False)]
    limits._begun.clear()
    pool.add_user(ANN)
    attach(cognito, pool, {**ENVIRONMENT, **(table if with_table else {})})
    for _ in range(2):
        sign_in = Custom(Caller(cognito, pool))
        sign_in.start()
        for _ in range(2):
            sign_in.answer(sign_in.wrong)
        assert refusal(sign_in.answer, sign_in.wrong) == INCORRECT
    last = Custom(Caller(cognito, pool))
    last.start()
    answer = last.answer(last.code)
    assert ("AuthenticationResult" in answer) is not with_table
