import io
import json
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from cognito_passwordless.delivery import Failure, Message, SendFailed

from .conftest import CODE, NUMBER, TEXT
from .provider import Answer, Provider, closed_port

twilio = pytest.importorskip(
    "cognito_passwordless.delivery.twilio", reason="the extra twilio is not installed", exc_type=ImportError
)

ACCOUNT = f"AC{'a' * 32}"
SERVICE = f"MG{'b' * 32}"
TOKEN = "the-auth-token-of-the-account"
SENT = Answer(201, json.dumps({"sid": f"SM{'c' * 32}", "status": "queued"}))


def refusal(status: int, code: int | None = None) -> Answer:
    return Answer(status, json.dumps({"code": code, "message": f"no {NUMBER}", "status": status}))


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider(SENT) as running:
        yield running
    twilio.forget_clients()


def sender(url: str, **options: Any) -> Any:
    chosen = {"account_sid": ACCOUNT, "auth_token": TOKEN, "messaging_service_sid": SERVICE, **options}
    return twilio.TwilioSender(endpoint_url=url, **chosen)


def failure_of(message: Message, url: str) -> SendFailed:
    with pytest.raises(SendFailed) as failed:
        sender(url).send(message)
    assert failed.value.__context__ is None
    return failed.value


def test_the_request_is_what_twilio_expects(provider: Provider, sms: Message) -> None:
    assert sender(provider.url).send(sms) == f"SM{'c' * 32}"
    (request,) = provider.requests
    assert request.path == f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    assert request.headers["Authorization"] == f"Basic {b64encode(f'{ACCOUNT}:{TOKEN}'.encode()).decode()}"
    assert request.form == {
        "To": NUMBER,
        "Body": TEXT,
        "MessagingServiceSid": SERVICE,
        "ValidityPeriod": "540",
    }


def test_a_number_and_an_api_key_do_instead(provider: Provider, sms: Message) -> None:
    options = {"messaging_service_sid": "", "from_number": "Example", "api_key": "SKkey", "api_secret": "secret"}
    sender(provider.url, **options).send(sms)
    (request,) = provider.requests
    assert request.form["From"] == "Example"
    assert "MessagingServiceSid" not in request.form
    assert request.path.startswith(f"/2010-04-01/Accounts/{ACCOUNT}/")
    assert request.headers["Authorization"] == f"Basic {b64encode(b'SKkey:secret').decode()}"


@pytest.mark.parametrize(
    ("answer", "failure", "cause"),
    [
        (refusal(429, 20429), Failure.LATER, "twilio_20429"),
        (refusal(503), Failure.LATER, "twilio_503"),
        (refusal(400, 21211), Failure.RECIPIENT, "twilio_21211"),
        (refusal(400, 21610), Failure.RECIPIENT, "twilio_21610"),
        (refusal(400, 21408), Failure.REFUSED, "twilio_21408"),
        (refusal(401, 20003), Failure.REFUSED, "twilio_20003"),
        (Answer(500, "not json at all", "text/html"), Failure.LATER, "twilio_500"),
        (Answer(201, "not json at all", "text/html"), Failure.UNKNOWN, "twilio_unreadable_answer"),
        (Answer(drops=True), Failure.UNKNOWN, "ConnectionError"),
    ],
)
def test_what_twilio_says_is_understood(
    provider: Provider, sms: Message, answer: Answer, failure: Failure, cause: str
) -> None:
    provider.script.append(answer)
    failed = failure_of(sms, provider.url)
    assert (failed.failure, failed.cause) == (failure, cause)
    assert len(provider.requests) == 1


def test_a_message_that_is_not_answered_may_be_out(
    provider: Provider, sms: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twilio, "TIMEOUT", 0.1)
    provider.script.append(Answer(hangs=True))
    assert failure_of(sms, provider.url).failure is Failure.UNKNOWN


def test_a_service_that_cannot_be_reached_has_sent_nothing(provider: Provider, sms: Message) -> None:
    assert failure_of(sms, closed_port()).failure is Failure.LATER


def test_nothing_of_the_message_or_the_account_is_logged(
    provider: Provider, sms: Message, everything_logged: io.StringIO
) -> None:
    provider.script.append(refusal(400, 21211))
    failed = failure_of(sms, provider.url)
    sender(provider.url).send(sms)
    for place in (everything_logged.getvalue(), repr(failed)):
        for secret in (CODE, NUMBER, TOKEN):
            assert secret not in place


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({}, ""),
        ({"account_sid": "me"}, "account_sid"),
        ({"auth_token": ""}, "auth_token"),
        ({"messaging_service_sid": ""}, "from_number"),
        ({"messaging_service_sid": "MG"}, "messaging_service_sid"),
    ],
)
def test_it_checks_its_options(options: dict[str, Any], complaint: str) -> None:
    found = sender("", **options).check()
    assert [complaint in text for text in found] == ([True] if complaint else [])


def test_without_the_extra_an_error_names_it() -> None:
    """In a process of its own, where the package cannot be imported."""
    program = (
        "import sys; sys.modules['twilio'] = None\n"
        "from django.conf import settings; settings.configure()\n"
        "import cognito_passwordless.delivery\n"
        "from django.utils.module_loading import import_string\n"
        "try: import_string('cognito_passwordless.delivery.twilio.TwilioSender')\n"
        "except ImportError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert "django-cognito-passwordless[twilio]" in done.stdout
