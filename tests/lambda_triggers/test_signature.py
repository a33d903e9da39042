"""Our signer against botocore's, which is the oracle."""

import datetime as dt
import random
import string
from unittest import mock

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cognito_passwordless.lambda_triggers.aws.signature import signed
from cognito_passwordless.lambda_triggers.core.environment import Aws

REQUESTS = 5000
WORDS = string.ascii_letters + string.digits + "+/="
VALUES = string.ascii_letters + string.digits + " .,;:-_=/+"
HEADERS = ("Content-Type", "X-Amz-Target", "X-Amz-Extra", "Accept", "x-custom")
HOSTS = ("sns.eu-west-1.amazonaws.com", "127.0.0.1:5000", "localhost:80", "email.us-east-1.amazonaws.com")


def test_it_signs_as_botocore_does() -> None:
    dice = random.Random(5)
    for number in range(REQUESTS):
        aws, theirs, ours = _both(dice)
        what = (number, aws.region, theirs.headers.items())
        assert ours["Authorization"] == theirs.headers["Authorization"], what
        assert ours["X-Amz-Date"] == theirs.headers["X-Amz-Date"]
        assert ours.get("X-Amz-Security-Token") == theirs.headers.get("X-Amz-Security-Token")


def _both(dice: random.Random) -> tuple[Aws, AWSRequest, dict[str, str]]:
    def word(alphabet: str) -> str:
        return "".join(dice.choices(alphabet, k=dice.randint(1, 40)))

    headers = {name: word(VALUES) for name in dice.sample(HEADERS, dice.randint(0, len(HEADERS)))}
    host, body, now = dice.choice(HOSTS), dice.randbytes(dice.choice((0, 1, 200))), dice.randrange(4_000_000_000)
    service = dice.choice(("sns", "ses", "dynamodb", "secretsmanager", "kms", "cognito-idp"))
    aws = Aws(
        region=dice.choice(("eu-west-1", "us-east-1", "ap-southeast-2")),
        access_key=word(WORDS),
        secret_key=word(WORDS),
        token=dice.choice(("", word(WORDS))),
    )
    theirs = AWSRequest("POST", f"http://{host}/", headers={**headers, "Host": host}, data=body)
    moment = dt.datetime.fromtimestamp(now, dt.UTC).replace(tzinfo=None)
    # botocore reads the clock itself.
    with mock.patch("botocore.auth.get_current_datetime", return_value=moment):
        credentials = Credentials(aws.access_key, aws.secret_key, aws.token or None)
        SigV4Auth(credentials, service, aws.region).add_auth(theirs)
    return aws, theirs, signed(headers, body, host=host, service=service, aws=aws, now=now)


@pytest.mark.parametrize("hidden", ["secret_key", "token"])
def test_credentials_do_not_show_themselves(hidden: str) -> None:
    aws = Aws(region="eu-west-1", access_key="AKIA", **{"secret_key": "x", hidden: "do-not-show"})
    assert "do-not-show" not in repr(aws)
