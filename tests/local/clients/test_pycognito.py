"""pycognito, unmodified: a password by SRP, refresh, and the end of the tokens."""

from typing import Any

import pytest

from cognito_passwordless.local import LocalCognito, LocalPool

pycognito = pytest.importorskip("pycognito")

ANN, PASSWORD = "ann@example.com", "Correct-Horse-Battery-1"


@pytest.fixture
def ann(cognito: LocalCognito) -> Any:
    pool: LocalPool = cognito.create_pool("pycognito", client_secret=False)
    pool.set_password(pool.add_user(ANN), PASSWORD)
    place = {"endpoint_url": cognito.url, "aws_access_key_id": "local", "aws_secret_access_key": "local"}
    user = pycognito.Cognito(pool.id, pool.client_id, username=ANN, boto3_client_kwargs=place)
    # It looks for the keys at Amazon's address.
    user.verify_token = lambda token, name, use: setattr(user, name, token)
    return user


def test_a_wrong_password_is_refused(ann: Any) -> None:
    with pytest.raises(ann.client.exceptions.NotAuthorizedException, match="Incorrect username or password"):
        ann.authenticate(password="Wrong-Horse-Battery-1")


def test_a_right_one_signs_in_until_the_person_signs_out(ann: Any) -> None:
    ann.authenticate(password=PASSWORD)
    assert ann.get_user().email == ANN
    before = ann.access_token
    ann.renew_access_token()
    assert ann.access_token != before
    ann.logout()
    with pytest.raises(ann.client.exceptions.NotAuthorizedException):
        ann.client.get_user(AccessToken=before)
