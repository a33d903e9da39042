"""CUSTOM_AUTH over HTTP by boto3, through our own triggers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cognito_passwordless.lambda_triggers.challenge import delivery, limits
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.local.own_triggers import attach

from .caller import Caller, refusal

ANN = "ann@example.com"
INCORRECT = ("NotAuthorizedException", "Incorrect username or password.")
ENVIRONMENT = {"OTP_SECRET": "a secret of the tests, long enough", "OTP_CHANNEL": "email"}


@pytest.fixture(autouse=True)
def _fresh_function() -> Iterator[None]:
    delivery._experience[:] = [(0.0, False)]
    yield
    delivery._experience.clear()
    limits._begun.clear()


class Custom:
    """A client in the middle of a CUSTOM_AUTH sign-in."""

    def __init__(self, caller: Caller, username: str = ANN) -> None:
        self.caller = caller
        self.username = username
        self.now: Any = {}

    def start(self, **parameters: str) -> Any:
        self.now = self.caller.boto.initiate_auth(
            AuthFlow="CUSTOM_AUTH",
            ClientId=self.caller.pool.client_id,
            AuthParameters={**self.caller.signed(self.username), **parameters},
        )
        return self.now["ChallengeParameters"]

    def answer(self, text: str, metadata: dict[str, str] | None = None, session: str | None = None) -> Any:
        self.now = self.caller.boto.respond_to_auth_challenge(
            ClientId=self.caller.pool.client_id,
            ChallengeName="CUSTOM_CHALLENGE",
            Session=session or self.now["Session"],
            ChallengeResponses={**self.caller.signed(self.username), "ANSWER": text},
            **({"ClientMetadata": metadata} if metadata else {}),
        )
        return self.now

    @property
    def code(self) -> str:
        return self.caller.cognito.last_code(ANN) or ""

    @property
    def wrong(self) -> str:
        return f"{(int(self.code) + 1) % 10**6:06d}"


@pytest.fixture
def begin(cognito: LocalCognito, pool: LocalPool) -> Callable[..., Custom]:
    def make(username: str = ANN, **environment: str) -> Custom:
        attach(cognito, pool, {**ENVIRONMENT, **environment})
        return Custom(Caller(cognito, pool), username)

    return make


def test_right_at_first(begin: Callable[..., Custom], pool: LocalPool) -> None:
    sub = pool.add_user(ANN)
    sign_in = begin()
    shown = sign_in.start()
    assert sign_in.now["ChallengeName"] == "CUSTOM_CHALLENGE"
    assert (shown["USERNAME"], shown["destination"], shown["attemptsLeft"]) == (sub, "a***@e***", "3")
    assert {"IdToken", "AccessToken", "RefreshToken"} <= set(sign_in.answer(sign_in.code)["AuthenticationResult"])


def test_wrong_then_right_in_a_new_session_each_round(begin: Callable[..., Custom], pool: LocalPool) -> None:
    pool.add_user(ANN)
    sign_in = begin()
    sign_in.start()
    first = sign_in.now["Session"]
    assert sign_in.answer(sign_in.wrong)["ChallengeParameters"]["message"] == "wrong_code"
    assert sign_in.now["Session"] != first
    burnt = refusal(sign_in.answer, sign_in.code, session=first)
    assert burnt[0] == "NotAuthorizedException"
    assert "AuthenticationResult" in sign_in.answer(sign_in.code)


def test_wrong_to_the_end(begin: Callable[..., Custom], pool: LocalPool) -> None:
    pool.add_user(ANN)
    sign_in = begin()
    sign_in.start()
    sign_in.answer(sign_in.wrong)
    sign_in.answer(sign_in.wrong)
    last = sign_in.now["Session"]
    assert refusal(sign_in.answer, sign_in.wrong) == INCORRECT
    assert refusal(sign_in.answer, sign_in.code, session=last)[0] == "NotAuthorizedException"


def test_resend(begin: Callable[..., Custom], cognito: LocalCognito, pool: LocalPool) -> None:
    pool.add_user(ANN)
    sign_in = begin(OTP_ON_RESEND="rotate")
    sign_in.start()
    first = sign_in.code
    cognito.advance(31)
    shown = sign_in.answer(first, {"action": "resend"})["ChallengeParameters"]
    assert (shown["message"], shown["attemptsLeft"]) == ("code_resent", "3")
    assert sign_in.code != first
    assert "AuthenticationResult" in sign_in.answer(sign_in.code)


def test_expiry(cognito: LocalCognito, begin: Callable[..., Custom], pool: LocalPool) -> None:
    pool.add_user(ANN)
    sign_in = begin(OTP_TTL="60")
    sign_in.start()
    cognito.advance(61)
    assert refusal(sign_in.answer, sign_in.code) == INCORRECT


def test_unknown_people_go_the_same_rounds(begin: Callable[..., Custom], cognito: LocalCognito) -> None:
    sign_in = begin("nobody@example.com")
    before = len(cognito.inbox)
    shown = sign_in.start()
    assert (shown["message"], shown["destination"]) == ("code_sent", "n***@e***")
    for _ in range(2):
        assert sign_in.answer("123456")["ChallengeParameters"]["message"] == "wrong_code"
    assert refusal(sign_in.answer, "123456") == INCORRECT
    assert len(cognito.inbox) == before
    verified = [event for name, event in cognito.triggers.calls() if name == "VerifyAuthChallengeResponse"]
    assert verified[-1]["request"]["userNotFound"] is True


def test_who_exists_is_told_where_the_client_does_not_hide_it(open_caller: Caller, cognito: LocalCognito) -> None:
    attach(cognito, open_caller.pool, ENVIRONMENT)
    sign_in = Custom(open_caller, "nobody@example.com")
    assert refusal(sign_in.start)[0] == "UserNotFoundException"


def test_a_disabled_person_gets_no_code(begin: Callable[..., Custom], cognito: LocalCognito, pool: LocalPool) -> None:
    pool.add_user(ANN, enabled=False)
    before = len(cognito.inbox)
    begin().start()
    assert len(cognito.inbox) == before


def test_the_session_of_one_person_serves_no_other(begin: Callable[..., Custom], pool: LocalPool) -> None:
    pool.add_user(ANN)
    pool.add_user("bob@example.com")
    sign_in = begin()
    sign_in.start()
    sign_in.username = "bob@example.com"
    assert refusal(sign_in.answer, sign_in.code) == ("NotAuthorizedException", "Invalid session for the user.")


def test_events_have_the_nulls_of_real_ones(
    begin: Callable[..., Custom], cognito: LocalCognito, pool: LocalPool
) -> None:
    pool.add_user(ANN)
    begin().start()
    (define, asked), (create, made) = cognito.triggers.calls()[-2:]
    assert (define, create) == ("DefineAuthChallenge", "CreateAuthChallenge")
    assert asked["response"] == {"challengeName": None, "issueTokens": None, "failAuthentication": None}
    assert asked["request"].keys() == {"userAttributes", "session"}
    assert set(made["response"].values()) == {None}


class TestPasswordFirst:
    PASSWORD = "Correct-Horse-Battery-1"

    @pytest.fixture
    def asked(self, begin: Callable[..., Custom], pool: LocalPool) -> Custom:
        pool.add_user(ANN)
        sign_in = begin(OTP_FIRST_FACTOR="password")
        sign_in.caller.boto.admin_set_user_password(
            UserPoolId=pool.id, Username=ANN, Password=self.PASSWORD, Permanent=True
        )
        return sign_in

    def prove(self, sign_in: Custom, password: str) -> Any:
        aws_srp = pytest.importorskip("pycognito.aws_srp")
        pool = sign_in.caller.pool
        client = aws_srp.AWSSRP(ANN, password, pool.id, pool.client_id, client=object())
        parameters = sign_in.start(CHALLENGE_NAME="SRP_A", SRP_A=client.get_auth_params()["SRP_A"])
        assert sign_in.now["ChallengeName"] == "PASSWORD_VERIFIER"
        answer = client.process_challenge(parameters, {"USERNAME": ANN})
        sign_in.now = sign_in.caller.boto.respond_to_auth_challenge(
            ClientId=pool.client_id,
            ChallengeName="PASSWORD_VERIFIER",
            Session=sign_in.now["Session"],
            ChallengeResponses={**answer, **sign_in.caller.signed(parameters["USERNAME"])},
        )
        return sign_in.now

    def test_right(self, asked: Custom) -> None:
        assert self.prove(asked, self.PASSWORD)["ChallengeName"] == "CUSTOM_CHALLENGE"
        assert "AuthenticationResult" in asked.answer(asked.code)

    def test_wrong(self, asked: Custom, cognito: LocalCognito) -> None:
        before = len(cognito.inbox)
        assert refusal(self.prove, asked, "wrong") == INCORRECT
        assert len(cognito.inbox) == before

    def test_left_out(self, asked: Custom) -> None:
        assert refusal(asked.start) == INCORRECT


class TestHandlersThatMisbehave:
    @pytest.mark.parametrize(
        ("define", "kind"),
        [
            (lambda event, context: None, "InvalidLambdaResponseException"),
            (lambda event, context: {**event, "response": {"challengeName": "X"}}, "InvalidLambdaResponseException"),
            (lambda event, context: 1 / 0, "UserLambdaValidationException"),
        ],
    )
    def test_are_refused_as_by_the_service(
        self, begin: Callable[..., Custom], cognito: LocalCognito, pool: LocalPool, define: Any, kind: str
    ) -> None:
        pool.add_user(ANN)
        sign_in = begin()
        cognito.attach_triggers(pool, {"DefineAuthChallenge": define})
        assert refusal(sign_in.start)[0] == kind

    def test_an_unknown_trigger_cannot_be_attached(self, cognito: LocalCognito, pool: LocalPool) -> None:
        with pytest.raises(ValueError, match="no such trigger"):
            cognito.attach_triggers(pool, {"Define": lambda event, context: event})

    def test_tokens_for_nobody_are_not_given(self, cognito: LocalCognito, pool: LocalPool) -> None:
        def generous(event: dict[str, Any], context: object) -> dict[str, Any]:
            return {**event, "response": {"issueTokens": True, "failAuthentication": False}}

        attach(cognito, pool, ENVIRONMENT)
        cognito.attach_triggers(pool, {"DefineAuthChallenge": generous})
        assert refusal(Custom(Caller(cognito, pool), "nobody@example.com").start) == INCORRECT
