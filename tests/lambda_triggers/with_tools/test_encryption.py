"""Decrypting what Cognito encrypts, on moto's KMS by the real SDK."""

import base64
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import boto3
import botocore.session
import pytest

from cognito_passwordless.lambda_triggers import custom_sms_sender
from cognito_passwordless.lambda_triggers.core.deadline import Deadline
from cognito_passwordless.lambda_triggers.core.environment import Settings
from cognito_passwordless.lambda_triggers.errors import Unavailable
from cognito_passwordless.lambda_triggers.runtime import Note
from cognito_passwordless.local import LocalCognito
from cognito_passwordless.local.own_triggers import attach
from tests.services import package

from ..aws import AWS, moto_server
from ..rounds import COGNITO_WAITS, PHONE, UNHURRIED, Post, event
from ..standin import hanging

ANN = "ann@example.com"


@pytest.fixture(scope="module")
def sdk() -> Any:
    return package("aws_encryption_sdk")


@pytest.fixture(scope="module")
def kms() -> Iterator[str]:
    with moto_server() as url:
        yield url


def encrypted(sdk: Any, key_arn: str, text: str) -> str:
    """As Cognito does it: without key commitment."""
    session = botocore.session.get_session()
    session.set_config_variable("region", "eu-west-1")
    client = sdk.EncryptionSDKClient(commitment_policy=sdk.CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT)
    provider = sdk.StrictAwsKmsMasterKeyProvider(key_ids=[key_arn], botocore_session=session)
    ciphertext, _ = client.encrypt(source=text.encode(), key_provider=provider)
    return base64.b64encode(ciphertext).decode()


@pytest.mark.filterwarnings("ignore")
def test_a_code_is_decrypted_by_its_key_and_no_other(sdk: Any, kms: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The SDK is boto3's, which reads the environment itself.
    for name, value in {**AWS, "AWS_ENDPOINT_URL": kms}.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("kms", region_name="eu-west-1")
    mine, other = (client.create_key()["KeyMetadata"]["Arn"] for _ in range(2))
    request = {
        "type": "customSMSSenderRequestV1",
        "code": encrypted(sdk, mine, "123456"),
        "userAttributes": {"phone_number": PHONE},
    }
    post = Post()

    def respond(key: str) -> Any:
        return custom_sms_sender.respond(
            event("CustomSMSSender_Authentication", request),
            settings=Settings({**AWS, "KEY_ARN": key}),
            now=0,
            deadline=Deadline(UNHURRIED),
            note=Note(),
            send=post,
        )

    respond(mine)
    assert post.code == "123456"
    with pytest.raises(Unavailable, match="kms"):
        respond(other)


@pytest.mark.filterwarnings("ignore")
def test_a_kms_that_hangs_is_given_up_in_time(sdk: Any, kms: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**AWS, "AWS_ENDPOINT_URL": kms}.items():
        monkeypatch.setenv(name, value)
    key = boto3.client("kms", region_name="eu-west-1").create_key()["KeyMetadata"]["Arn"]
    request = {"code": encrypted(sdk, key, "123456"), "userAttributes": {"phone_number": PHONE}}
    with hanging() as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        began = time.monotonic()
        with pytest.raises(Unavailable, match="kms"):
            custom_sms_sender.respond(
                event("CustomSMSSender_Authentication", request),
                settings=Settings({**AWS, "KEY_ARN": key}),
                now=0,
                deadline=Deadline(),
                note=Note(),
                send=Post(),
            )
        assert time.monotonic() - began < COGNITO_WAITS


@pytest.mark.filterwarnings("ignore")
def test_a_pools_own_code_goes_through_kms_to_our_sender(sdk: Any, kms: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over HTTP on the local Cognito: encrypted by one key as Cognito does it, decrypted and sent by the trigger."""
    for name, value in {**AWS, "AWS_ENDPOINT_URL": kms}.items():
        monkeypatch.setenv(name, value)
    key = boto3.client("kms", region_name="eu-west-1").create_key()["KeyMetadata"]["Arn"]
    environment = {**AWS, "AWS_ENDPOINT_URL": kms, "KEY_ARN": key, "OTP_SECRET": "x", "OTP_APP_NAME": "Ours"}
    with LocalCognito() as cognito:
        pool = cognito.create_pool("kms", client_secret=False)
        attach(cognito, pool, environment, encrypt=lambda text: base64.b64decode(encrypted(sdk, key, text)))
        pool.add_user(ANN)
        client = boto3.client("cognito-idp", region_name="eu-west-1", endpoint_url=cognito.url)
        client.forgot_password(ClientId=pool.client_id, Username=ANN)
        (message,) = cognito.inbox
        assert message.text.startswith(f"Your code for Ours: {message.code}")
        client.confirm_forgot_password(
            ClientId=pool.client_id, Username=ANN, ConfirmationCode=message.code, Password="Correct-Horse-Battery-1"
        )


def test_without_the_extra_the_error_names_it() -> None:
    script = (
        "import sys; sys.modules['aws_encryption_sdk'] = None\n"
        "try:\n import cognito_passwordless.lambda_triggers.aws.encryption\n"
        "except ImportError as error:\n print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "lambda-senders" in done.stdout
