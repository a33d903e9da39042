"""A message to send, and everything that is logged while it is."""

import io
import logging
from collections.abc import Iterator

import pytest
from botocore.config import Config

from cognito_passwordless.delivery import Message, aws

NUMBER = "+4915112345678"
CODE = "493817"
TEXT = f"{CODE} is your Example code.\n\n@www.example.com #{CODE}"


@pytest.fixture
def sms() -> Message:
    return Message(channel="sms", recipient=NUMBER, text=TEXT, reference="challenge-1", valid_for=540)


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Clients of AWS that wait for a tenth of a second."""
    config = Config(connect_timeout=0.3, read_timeout=0.1, retries={"total_max_attempts": 1})
    monkeypatch.setattr(aws, "CONFIG", config)
    aws.forget_clients()
    yield
    aws.forget_clients()


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("AWS_ACCESS_KEY_ID", "testing"), ("AWS_SECRET_ACCESS_KEY", "testing")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def everything_logged() -> Iterator[io.StringIO]:
    """All loggers there are at DEBUG, with the arguments of each record."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s %(args)r"))
    root = logging.getLogger()
    loggers = [
        root,
        *(each for each in logging.Logger.manager.loggerDict.values() if isinstance(each, logging.Logger)),
    ]
    levels = [(each, each.level) for each in loggers]
    root.addHandler(handler)
    for each in loggers:
        each.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    for each, level in levels:
        each.setLevel(level)
