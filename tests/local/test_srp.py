"""The server's half of SRP, against a public client as the oracle."""

import pytest

from cognito_passwordless.local.sign_in import srp

pycognito = pytest.importorskip("pycognito.aws_srp")


def test_the_prime_is_that_of_rfc_5054() -> None:
    assert f"{srp.PRIME:X}" == pycognito.N_HEX.upper()


@pytest.mark.parametrize(("typed", "proves"), [("right password", True), ("wrong password", False)])
def test_a_public_client_proves_its_password(typed: str, proves: bool) -> None:
    client = pycognito.AWSSRP("name", typed, "eu-west-1_Pool", "client1", client=object())
    for _ in range(4):  # the padding of a number depends on its first bit
        client_value = srp.public_value(client.get_auth_params()["SRP_A"])
        assert client_value is not None
        exchange = srp.Exchange.begin("eu-west-1_Pool", "name", "right password", client_value)
        answer = client.process_challenge(
            {**exchange.parameters(), "USER_ID_FOR_SRP": "name", "USERNAME": "name"}, {"USERNAME": "name"}
        )
        assert exchange.proves(answer) is proves


def test_where_there_is_no_password_nothing_proves_it() -> None:
    exchange = srp.Exchange.begin("eu-west-1_Pool", "name", None, 5)
    assert exchange.proves({}) is False


@pytest.mark.parametrize("text", ["", "x", "0", "-5", f"{srp.PRIME:x}", f"{2 * srp.PRIME:x}"])
def test_values_that_would_give_the_key_away_are_refused(text: str) -> None:
    assert srp.public_value(text) is None
