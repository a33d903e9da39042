"""moto on loopback, and a limits table in it."""

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from moto.server import ThreadedMotoServer

AWS = {"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
IDENTITY = {"region_name": "eu-west-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}


@contextmanager
def moto_server() -> Iterator[str]:
    """The address of a moto of our own; what is in it belongs to the whole process."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@contextmanager
def limits_table(url: str) -> Iterator[dict[str, str]]:
    """The environment of functions that have a table of their own, gone afterwards."""
    client = boto3.client("dynamodb", endpoint_url=url, **IDENTITY)
    client.create_table(
        TableName="limits",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    try:
        yield {**AWS, "AWS_ENDPOINT_URL": url, "LIMITS_TABLE": "limits"}
    finally:
        client.delete_table(TableName="limits")
