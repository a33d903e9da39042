"""Attaching: the pool's own document comes back with our triggers in it, whatever boto3 knows of it."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from cognito_passwordless.lambda_triggers import __main__ as command
from cognito_passwordless.lambda_triggers.deploy import attach

from ..cognito.standin import Reply, Request, StandIn, error, reply

pytestmark = pytest.mark.usefixtures("_region")

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:define"
OLD = "arn:aws:lambda:eu-west-1:123456789012:function:old"
READ_ONLY: dict[str, Any] = {
    "Id": "eu-west-1_Example",
    "Arn": "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_Example",
    "Status": "Enabled",
    "CreationDate": 1790000000.123,
    "LastModifiedDate": 1790000001.5,
    "EstimatedNumberOfUsers": 7,
    "SchemaAttributes": [{"Name": "sub", "AttributeDataType": "String"}],
    "AliasAttributes": ["email"],
    "UsernameAttributes": ["phone_number"],
    "UsernameConfiguration": {"CaseSensitive": False},
    "Domain": "example",
    "CustomDomain": "login.example.com",
    "SmsConfigurationFailure": "none",
    "EmailConfigurationFailure": "none",
}
# Every documented setting, and some that no boto3 knows.
SETTINGS: dict[str, Any] = {
    "Policies": {
        "PasswordPolicy": {"MinimumLength": 20, "RequireSymbols": True, "FutureRule": [1, 2.5]},
        "SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]},
    },
    "DeletionProtection": "ACTIVE",
    "AutoVerifiedAttributes": ["email"],
    "SmsVerificationMessage": "Ihr Code: {####} – bitte",
    "EmailVerificationMessage": "{####}",
    "EmailVerificationSubject": "",
    "VerificationMessageTemplate": {"DefaultEmailOption": "CONFIRM_WITH_CODE", "SmsMessage": "{####}"},
    "SmsAuthenticationMessage": "{####}",
    "UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": ["email"]},
    "MfaConfiguration": "OPTIONAL",
    "DeviceConfiguration": {"ChallengeRequiredOnNewDevice": False, "DeviceOnlyRememberedOnUserPrompt": True},
    "EmailConfiguration": {"EmailSendingAccount": "DEVELOPER", "SourceArn": "arn:aws:ses:…", "From": None},
    "SmsConfiguration": {"SnsCallerArn": "arn:aws:iam::123456789012:role/sms", "ExternalId": "x"},
    "UserPoolTags": {"team": "a", "aws:cloudformation:stack-name": "b"},
    "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True, "UnusedAccountValidityDays": 3},
    "UserPoolAddOns": {"AdvancedSecurityMode": "ENFORCED"},
    "AccountRecoverySetting": {"RecoveryMechanisms": [{"Priority": 1, "Name": "verified_email"}]},
    "UserPoolTier": "PLUS",
    "IssuerConfiguration": {"Type": "UPDATED", "Later": 1e-9},
    "KeyConfiguration": {"KeyType": "CUSTOMER", "KmsKeyArn": "arn:aws:kms:…"},
    "AcrConfiguration": {"Levels": [{"Name": "gold"}]},
    "NotYetInvented": {"Deep": [{"Number": 12345678901234567890, "Flag": None}], "Text": "ü"},
}
LAMBDAS: dict[str, Any] = {
    "CustomMessage": OLD,
    "InboundFederation": {"LambdaArn": OLD, "LambdaVersion": "V1_0", "Mode": "x"},
    "AfterTomorrow": {"LambdaArn": OLD, "Order": 3},
}


def described(**changes: Any) -> Reply:
    return reply({"UserPool": {**READ_ONLY, "Name": "old", **SETTINGS, "LambdaConfig": LAMBDAS, **changes}})


class Pool(StandIn):
    """Keeps what it is told, but resets whatever it is not told, as the service does."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = json.loads(described().body)["UserPool"]
        self.ignores = ""
        self.says("DescribeUserPool", lambda _: reply({"UserPool": self.pool}))
        self.says("UpdateUserPool", self._update)

    def _update(self, request: Request) -> Reply:
        told = {name: value for name, value in request.body.items() if name not in {"UserPoolId", self.ignores}}
        self.pool = {**READ_ONLY, "LastModifiedDate": 1790000099.0, "Name": told.pop("PoolName"), **told}
        return reply({})

    @property
    def update(self) -> dict[str, Any]:
        [request] = [request for request in self.requests if request.operation == "UpdateUserPool"]
        document: dict[str, Any] = json.loads(request.raw)
        return document

    def attach(self, *arguments: str) -> int:
        return command.main(["attach", "--user-pool-id", "eu-west-1_Example", "--endpoint-url", self.url, *arguments])


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pool]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with Pool() as standing_in:
        yield standing_in


def test_what_came_is_what_goes_back_with_our_triggers_in_it(pool: Pool, capsys: pytest.CaptureFixture[str]) -> None:
    assert pool.attach(f"DefineAuthChallenge={ARN}", "CustomMessage=") == 0
    lambdas = {name: value for name, value in LAMBDAS.items() if name != "CustomMessage"}
    expected = {**SETTINGS, "PoolName": "old", "UserPoolId": "eu-west-1_Example"}
    assert pool.update == {**expected, "LambdaConfig": {**lambdas, "DefineAuthChallenge": ARN}}
    report = json.loads(capsys.readouterr().out)
    assert report["triggers"] == {
        "CustomMessage": {"from": OLD, "to": None},
        "DefineAuthChallenge": {"from": None, "to": ARN},
    }
    assert {"NotYetInvented", "LambdaConfig.AfterTomorrow", "Policies.PasswordPolicy.FutureRule"} <= {
        *report["unknown"]
    }
    # Its signature is over the body that was sent.
    sent = next(request for request in pool.requests if request.operation == "UpdateUserPool")
    assert "Signature=" in sent.headers["Authorization"]
    assert sent.headers["Content-Length"] == str(len(sent.raw))


def test_a_dry_run_says_the_same_and_sends_nothing(pool: Pool, capsys: pytest.CaptureFixture[str]) -> None:
    assert pool.attach("--dry-run", f"DefineAuthChallenge={ARN}") == 0
    dry = json.loads(capsys.readouterr().out)
    assert pool.operations() == ["DescribeUserPool"]
    assert pool.attach(f"DefineAuthChallenge={ARN}") == 0
    assert json.loads(capsys.readouterr().out) == {**dry, "changed": True}


def test_an_attachment_that_is_there_already_sends_nothing(pool: Pool, capsys: pytest.CaptureFixture[str]) -> None:
    assert pool.attach(f"CustomMessage={OLD}") == 0
    assert pool.operations() == ["DescribeUserPool"]
    assert json.loads(capsys.readouterr().out)["changed"] is False


@pytest.mark.parametrize("name", ["SerializationException", "InvalidParameterException"])
def test_a_refusal_names_what_is_unknown_and_changes_nothing(
    pool: Pool, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    before = copy.deepcopy(pool.pool)
    pool.says("UpdateUserPool", error(name, "no such member"))
    assert pool.attach(f"DefineAuthChallenge={ARN}") == 1
    told = capsys.readouterr().err
    assert all(word in told for word in (name, "no such member", "nothing has changed", "NotYetInvented"))
    assert pool.pool == before


def test_a_setting_that_the_pool_lost_without_a_word_is_told(pool: Pool, capsys: pytest.CaptureFixture[str]) -> None:
    pool.ignores = "NotYetInvented"
    assert pool.attach(f"DefineAuthChallenge={ARN}") == 1
    assert "have changed as well: NotYetInvented" in capsys.readouterr().err


def test_the_life_of_a_temporary_password_is_kept_however_it_is_told(pool: Pool) -> None:
    policy = {**SETTINGS["Policies"], "PasswordPolicy": {"TemporaryPasswordValidityDays": 3}}
    pool.pool["Policies"] = policy
    assert pool.attach(f"DefineAuthChallenge={ARN}") == 0
    assert (pool.update["Policies"], pool.update["AdminCreateUserConfig"]) == (
        policy,
        {"AllowAdminCreateUserOnly": True},
    )


def test_a_pool_without_triggers_may_say_null(pool: Pool) -> None:
    pool.pool["LambdaConfig"] = None
    assert pool.attach(f"DefineAuthChallenge={ARN}") == 0
    assert pool.update["LambdaConfig"] == {"DefineAuthChallenge": ARN}


class TestOnMoto:
    @pytest.fixture
    def pool(self, monkeypatch: pytest.MonkeyPatch) -> Any:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        with mock_aws():
            client = boto3.client("cognito-idp", region_name="eu-west-1")
            made = client.create_user_pool(
                PoolName="old",
                MfaConfiguration="OFF",
                AutoVerifiedAttributes=["email"],
                DeletionProtection="ACTIVE",
                LambdaConfig={"CustomMessage": "arn:aws:lambda:eu-west-1:123456789012:function:words"},
                Policies={"PasswordPolicy": {"MinimumLength": 20}},
                AdminCreateUserConfig={"AllowAdminCreateUserOnly": True},
                UserPoolTags={"team": "a"},
            )["UserPool"]
            yield client, made["Id"]

    def test_it_changes_the_triggers_and_nothing_else(self, pool: Any) -> None:
        client, pool_id = pool
        before = client.describe_user_pool(UserPoolId=pool_id)["UserPool"]
        triggers = {"DefineAuthChallenge": ARN, "PreTokenGenerationConfig": ARN}
        report = json.loads(attach.attach(client, pool_id, triggers))
        after = client.describe_user_pool(UserPoolId=pool_id)["UserPool"]
        assert report["changed"] is True
        assert after.pop("LambdaConfig") == {
            **before.pop("LambdaConfig"),
            "DefineAuthChallenge": ARN,
            "PreTokenGenerationConfig": {"LambdaArn": ARN, "LambdaVersion": "V2_0"},
        }
        for changing in ("LastModifiedDate",):
            before.pop(changing), after.pop(changing)
        assert after == before

    def test_the_newer_token_trigger_takes_the_place_of_the_older(self, pool: Any) -> None:
        client, pool_id = pool
        attach.attach(client, pool_id, {"PreTokenGeneration": ARN})
        attach.attach(client, pool_id, {"PreTokenGenerationConfig": ARN})
        config = client.describe_user_pool(UserPoolId=pool_id)["UserPool"]["LambdaConfig"]
        assert "PreTokenGeneration" not in config
        assert config["PreTokenGenerationConfig"]["LambdaArn"] == ARN

    def test_the_functions_of_a_stack_are_attached_together(
        self, pool: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        client, pool_id = pool
        outputs = {
            name: {"Value": ARN}
            for name in ("TriggerDefineAuthChallenge", "TriggerCustomEmailSender", "TriggerKMSKeyID", "UserPoolId")
        }
        resources = {"Key": {"Type": "AWS::Logs::LogGroup"}}
        boto3.client("cloudformation", region_name="eu-west-1").create_stack(
            StackName="ours", TemplateBody=json.dumps({"Resources": resources, "Outputs": outputs})
        )
        arguments = ["attach", "--user-pool-id", pool_id, "--region", "eu-west-1", "--stack", "ours"]
        assert command.main([*arguments, "CustomMessage="]) == 0
        assert json.loads(capsys.readouterr().out)["changed"] is True
        assert client.describe_user_pool(UserPoolId=pool_id)["UserPool"]["LambdaConfig"] == {
            "DefineAuthChallenge": ARN,
            "CustomEmailSender": {"LambdaArn": ARN, "LambdaVersion": "V1_0"},
            "KMSKeyID": ARN,
        }

    def test_something_has_to_be_named(self, pool: Any, capsys: pytest.CaptureFixture[str]) -> None:
        assert command.main(["attach", "--user-pool-id", pool[1]]) == 1
        assert command.main(["attach", "--user-pool-id", pool[1], "--stack", "none"]) == 1
        assert "name a stack or triggers" in capsys.readouterr().err

    def test_a_dry_run_changes_nothing(self, pool: Any, capsys: pytest.CaptureFixture[str]) -> None:
        client, pool_id = pool
        arguments = ["attach", "--user-pool-id", pool_id, "--region", "eu-west-1", "--dry-run", "CustomMessage="]
        assert command.main(arguments) == 0
        assert '"to": null' in capsys.readouterr().out
        assert "CustomMessage" in client.describe_user_pool(UserPoolId=pool_id)["UserPool"]["LambdaConfig"]

    def test_what_cannot_be_is_said(self, pool: Any, capsys: pytest.CaptureFixture[str]) -> None:
        assert command.main(["attach", "--user-pool-id", "eu-west-1_None", "--region", "eu-west-1", "A=b"]) == 1
        assert command.main(["attach", "--user-pool-id", "x", "DefineAuthChallenge"]) == 1
        assert "TRIGGER=ARN" in capsys.readouterr().err
