from __future__ import annotations

import pytest

from cognito_passwordless.local import LocalCognito, LocalPool


def test_ids_and_the_secret_may_be_given(cognito: LocalCognito) -> None:
    pool = cognito.create_pool("named", pool_id="eu-west-1_Named", client_id="app", client_secret="s3cret")
    assert (pool.id, pool.client_id, pool.client_secret) == ("eu-west-1_Named", "app", "s3cret")
    assert pool.issuer == f"{cognito.url}/eu-west-1_Named"
    assert pool.add_user("ann@example.com", sub="its own") == "its own"


def test_the_secret_is_not_shown(pool: LocalPool) -> None:
    assert pool.client_secret
    assert pool.client_secret not in repr(pool)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"auth_session_validity": 2}, "3 to 15"),
        ({"auth_session_validity": 16}, "3 to 15"),
        ({"mfa": "MAYBE"}, "OFF, OPTIONAL or ON"),
    ],
)
def test_values_out_of_range_are_refused(cognito: LocalCognito, settings: dict[str, object], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        cognito.create_pool("wrong", **settings)  # type: ignore[arg-type]


def test_a_status_that_does_not_exist_is_refused(pool: LocalPool) -> None:
    with pytest.raises(ValueError, match="no UserStatus"):
        pool.add_user("ann@example.com", status="HAPPY")


def test_a_user_name_is_taken_once(pool: LocalPool) -> None:
    pool.add_user("ann@example.com", username="ann")
    with pytest.raises(ValueError, match="taken"):
        pool.add_user("ben@example.com", username="ann")
