"""Decrypting what Cognito encrypted for a custom sender. The only module that needs the extra `lambda-senders`."""

from ..core.environment import Settings
from ..errors import Unavailable

try:
    import aws_encryption_sdk
    import botocore.session
    from aws_encryption_sdk import CommitmentPolicy
    from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError
except ModuleNotFoundError as error:
    raise ImportError(
        "Custom senders need the extra `lambda-senders`: pip install 'django-cognito-passwordless[lambda-senders]'"
    ) from error


def decrypt(ciphertext: bytes, key_arn: str, settings: Settings) -> str:
    """Only that one key may have encrypted it. Raises `Unavailable`."""
    session = botocore.session.get_session()
    session.set_config_variable("region", settings.aws.region)
    session.set_default_client_config(Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 1}))
    client = aws_encryption_sdk.EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_ALLOW_DECRYPT)
    provider = aws_encryption_sdk.StrictAwsKmsMasterKeyProvider(key_ids=[key_arn], botocore_session=session)
    try:
        plain, _ = client.decrypt(source=ciphertext, key_provider=provider)
    except (AWSEncryptionSDKClientError, BotoCoreError, ClientError) as error:
        raise Unavailable(f"kms_{type(error).__name__}") from None
    return str(plain, "utf-8")
