import pytest

from cognito_passwordless.local.errors import PoolError
from cognito_passwordless.local.sign_in.secret_hash import check_secret_hash, secret_hash


def test_it_is_the_base64_hmac_that_aws_describes() -> None:
    # echo -n "annclient" | openssl dgst -sha256 -hmac secret -binary | base64
    assert secret_hash("secret", "client", "ann") == "1KBhTmaloN8gn8mYFOpcHRnT/Jn7qaddEv2E6vNUy30="


@pytest.mark.parametrize(
    ("received", "secret", "text"),
    [
        (None, "secret", "SECRET_HASH was not received"),
        ("", "secret", "SECRET_HASH was not received"),
        ("wrong", "secret", "Unable to verify secret hash"),
        ("ümlaut", "secret", "Unable to verify secret hash"),
        (secret_hash("secret", "client", "ben"), "secret", "Unable to verify secret hash"),
        (secret_hash("secret", "client", "ann"), None, "not configured for secret"),
    ],
)
def test_what_is_refused(received: str | None, secret: str | None, text: str) -> None:
    with pytest.raises(PoolError, match=text) as caught:
        check_secret_hash(received, secret=secret, client_id="client", username="ann")
    assert caught.value.kind == "NotAuthorizedException"


def test_what_passes() -> None:
    right = secret_hash("secret", "client", "ann")
    check_secret_hash(right, secret="secret", client_id="client", username="ann")
    check_secret_hash(None, secret=None, client_id="client", username="ann")
