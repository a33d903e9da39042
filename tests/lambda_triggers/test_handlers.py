"""The handlers themselves, on an environment, as the cloud calls them."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from cognito_passwordless.lambda_triggers.challenge import delivery
from cognito_passwordless.lambda_triggers.core import environment
from cognito_passwordless.lambda_triggers.errors import Refused

from .rounds import COGNITO_WAITS, ENVIRONMENT, NOW, POOL, Post, SignIn, event
from .standin import Provider, hanging, provider

DOCS = Path(__file__).parents[2] / "docs" / "lambda-triggers.md"
NOWHERE = "http://127.0.0.1:9"  # the discard port: nobody listens
AWS = {"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
ATTRIBUTES = {"sub": "1", "phone_number": "+4915100000123", "email": "ann@example.com"}


class Context:
    aws_request_id = "request-1"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 5000


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def set_all(**values: str) -> None:
        for name, value in {**AWS, **ENVIRONMENT, "DJANGO_HMAC_KEY": "key", **values}.items():
            monkeypatch.setenv(name, value)

    return set_all


def verify_event() -> dict[str, Any]:
    sign_in = SignIn(Post(), now=time.time()).start()
    request = {"privateChallengeParameters": sign_in.private, "challengeAnswer": sign_in.post.code}
    return event("VerifyAuthChallengeResponse_Authentication", request)


EVENTS: dict[str, Callable[[], dict[str, Any]]] = {
    "define_auth_challenge": lambda: event("DefineAuthChallenge_Authentication", {"session": []}),
    "create_auth_challenge": lambda: event(
        "CreateAuthChallenge_Authentication",
        {"challengeName": "CUSTOM_CHALLENGE", "session": [], "userAttributes": ATTRIBUTES},
    ),
    "verify_auth_challenge_response": verify_event,
    "pre_sign_up": lambda: event("PreSignUp_SignUp", {"userAttributes": ATTRIBUTES}),
    "pre_authentication": lambda: event("PreAuthentication_Authentication", {"userAttributes": ATTRIBUTES}),
    "post_confirmation": lambda: event("PostConfirmation_ConfirmSignUp", {"userAttributes": ATTRIBUTES}),
    "post_authentication": lambda: event("PostAuthentication_Authentication", {"userAttributes": ATTRIBUTES}),
    "user_migration": lambda: event("UserMigration_Authentication", {"password": "secret"}),
    "pre_token_generation": lambda: event("TokenGeneration_Authentication", {"userAttributes": ATTRIBUTES}),
    "custom_message": lambda: event("CustomMessage_SignUp", {"codeParameter": "{####}"}),
    "custom_email_sender": lambda: event(
        "CustomEmailSender_AccountTakeOverNotification", {"userAttributes": ATTRIBUTES}
    ),
    "custom_sms_sender": lambda: event("CustomSMSSender_AccountTakeOverNotification", {"userAttributes": ATTRIBUTES}),
    "inbound_federation": lambda: event("InboundFederation_ExternalProvider", {"providerName": "Google"}),
}
DOWN = {
    "store": {"LIMITS_TABLE": "limits", "AWS_ENDPOINT_URL": "{where}"},
    "sender": {"AWS_ENDPOINT_URL": "{where}", "EMAIL_FROM": "from@example.com", "EMAIL_SENDERS": "ses"},
    "Django": {"DJANGO_URL": "{where}", "PRE_AUTH_ASK_DJANGO": "true", "TOKEN_ASK_DJANGO": "true"},
    "settings": {
        "OTP_TTL": "0",
        "PRE_SIGN_UP_CONFIRM": "maybe",
        "TOKEN_CLAIMS": "[]",
        "FEDERATION_MAP": "x",
        "MESSAGES": "x",
    },
}


CAPTCHA = {
    "CAPTCHA_SECRET": "secret",
    "CAPTCHA_URL": "{where}",
    "PRE_SIGN_UP_HOOKS": "cognito_passwordless.lambda_triggers.sign_up_hooks.captcha",
}
WITH_CAPTCHA: dict[str, Callable[[], dict[str, Any]]] = {
    "verify_auth_challenge_response": lambda: event(
        "VerifyAuthChallengeResponse_Authentication",
        {
            "privateChallengeParameters": {"kind": "captcha", "state": f"captcha1|{int(time.time())}|0"},
            "challengeAnswer": "solved",
        },
    ),
    "pre_sign_up": lambda: event("PreSignUp_SignUp", {"validationData": {"captcha": "solved"}}),
}


def fate(trigger: str, asked: dict[str, Any]) -> str:
    """ "closed" where the call is refused or the sign-in fails, "open" where it goes on."""
    handler = import_module(f"cognito_passwordless.lambda_triggers.{trigger}").handler
    try:
        response = handler(asked, Context())["response"]
    except Refused:
        return "closed"
    if trigger == "define_auth_challenge":
        return "closed" if response["failAuthentication"] else "open"
    if trigger == "create_auth_challenge":
        # The round goes on, but nothing has been sent and the client is told so.
        return "closed" if response["publicChallengeParameters"]["message"] == "send_failed" else "open"
    return "open"


def documented() -> list[tuple[str, str, str]]:
    """(trigger, what is down, open or closed), as the table in the docs says."""
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", DOCS.read_text(), re.MULTILINE)
    found = []
    for trigger, rest in rows:
        if trigger not in EVENTS:
            continue
        cells = [cell.split()[0] for cell in rest.split("|")]
        if len(cells) == len(DOWN):
            found += [(trigger, what, cell) for what, cell in zip(DOWN, cells, strict=True) if cell != "–"]
    return found


def test_the_table_in_the_docs_knows_every_trigger() -> None:
    assert {trigger for trigger, _, _ in documented()} == EVENTS.keys()


@pytest.mark.parametrize(("trigger", "what", "expected"), documented())
def test_it_fails_open_or_closed_as_the_docs_say(
    trigger: str, what: str, expected: str, environ: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = EVENTS[trigger]()
    environ(**{name: value.format(where=NOWHERE) for name, value in DOWN[what].items()})
    assert fate(trigger, asked) == expected
    assert json.loads(capsys.readouterr().out)["requestId"] == "request-1"


class OwnEnvironment(threading.local):
    """Stands in for `os` in the one module that reads the environment: each thread is a function with variables of
    its own."""

    environ: Mapping[str, str] = {}


def test_every_handler_answers_in_time_whatever_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """All at once, since each waits for nearly four seconds."""
    own, took = OwnEnvironment(), {}
    monkeypatch.setattr(environment, "os", own)

    def measure(trigger: str, what: str, where: str) -> None:
        changed = {name: value.format(where=where) for name, value in (DOWN | {"captcha": CAPTCHA})[what].items()}
        own.environ = {**AWS, **ENVIRONMENT, "DJANGO_HMAC_KEY": "key", **changed}
        asked = (WITH_CAPTCHA if what == "captcha" else EVENTS)[trigger]()
        began = time.monotonic()
        fate(trigger, asked)
        took[trigger, what, where] = time.monotonic() - began

    with hanging() as silent, hanging(dripping=True) as dripping:
        threads = [
            threading.Thread(target=measure, args=(trigger, what, where))
            for trigger, what in (
                *((trigger, what) for trigger, what, _ in documented() if what != "settings"),
                *((trigger, "captcha") for trigger in WITH_CAPTCHA),
            )
            for where in (silent, dripping)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(took) == len(threads)
    assert {asked: seconds for asked, seconds in took.items() if seconds >= COGNITO_WAITS} == {}
    # It did hang: nobody was refused a connection.
    assert min(took.values()) > 0.5


def test_a_secret_that_hangs_closes_in_time(environ: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    with hanging() as where:
        environ(OTP_SECRET_ARN="arn:aws:secretsmanager:x", AWS_ENDPOINT_URL=where)
        began = time.monotonic()
        assert fate("create_auth_challenge", EVENTS["create_auth_challenge"]()) == "closed"
        assert time.monotonic() - began < COGNITO_WAITS


@pytest.fixture
def sns() -> Iterator[Provider]:
    with provider() as running:
        running.body = b"<PublishResponse/>"
        yield running


def test_unknown_people_wait_as_long_as_known_ones(environ: Callable[..., None], sns: Provider) -> None:
    environ(AWS_ENDPOINT_URL=sns.url)
    handler = import_module("cognito_passwordless.lambda_triggers.create_auth_challenge").handler
    delivery._experience.clear()
    sns.delay = 0.15
    known, unknown = [], []
    for number in range(12):
        asked = EVENTS["create_auth_challenge"]() | {"userName": f"user-{number}"}
        if number % 2:
            asked["request"] = {**asked["request"], "userNotFound": True, "userAttributes": {}}
        began = time.perf_counter()
        handler(asked, Context())
        (unknown if number % 2 else known).append(time.perf_counter() - began)
    assert len(sns.asked) == 6
    # Without the guard it would be the whole delay.
    assert abs(sorted(known)[3] - sorted(unknown)[3]) < 0.1
    assert min(unknown) > 0.14


def test_a_whole_sign_in_by_the_handlers(environ: Callable[..., None], sns: Provider) -> None:
    environ(AWS_ENDPOINT_URL=sns.url, OTP_ORIGIN="https://www.example.com")
    asked = EVENTS["create_auth_challenge"]()
    modules = "cognito_passwordless.lambda_triggers"
    created = import_module(f"{modules}.create_auth_challenge").handler(asked, Context())["response"]
    text = sns.form["Message"]
    code = text.splitlines()[-1].removeprefix("@www.example.com #")
    assert text.startswith(f"{code} is your code for Example.")
    request = {"privateChallengeParameters": created["privateChallengeParameters"], "challengeAnswer": code}
    verify = import_module(f"{modules}.verify_auth_challenge_response").handler
    assert verify(event("VerifyAuthChallengeResponse_Authentication", request), None)["response"] == {
        "answerCorrect": True
    }
    round_ = {"challengeName": "CUSTOM_CHALLENGE", "challengeResult": True}
    session = [{**round_, "challengeMetadata": created["challengeMetadata"]}]
    define = import_module(f"{modules}.define_auth_challenge").handler
    defined = define(event("DefineAuthChallenge_Authentication", {"session": session}), None)
    assert defined["response"] == {"issueTokens": True, "failAuthentication": False}
    assert (defined["userPoolId"], NOW > 0) == (POOL, True)


@pytest.mark.parametrize(
    "arrived", ["define_auth_challenge", "create_auth_challenge", "verify_auth_challenge_response"]
)
def test_a_warm_call_is_cheap(arrived: str, environ: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    environ()
    sign_in = SignIn(Post(), now=time.time()).start()
    sign_in.session[-1]["challengeResult"] = False
    asked = {
        "define_auth_challenge": event("DefineAuthChallenge_Authentication", {"session": sign_in.session}),
        "create_auth_challenge": sign_in.create_event(None),
        "verify_auth_challenge_response": event(
            "VerifyAuthChallengeResponse_Authentication",
            {"privateChallengeParameters": sign_in.private, "challengeAnswer": "000000"},
        ),
    }[arrived]
    handler = import_module(f"cognito_passwordless.lambda_triggers.{arrived}").handler
    spent = []
    for _ in range(200):
        began = time.process_time()
        handler(asked, None)
        spent.append(time.process_time() - began)
    # The benchmark has the figure; this only notices a regression by a factor.
    assert sorted(spent)[100] < 0.001
