"""The template on every tool that stands in for AWS: cfn-lint, SAM's translator, moto's CloudFormation."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from cognito_passwordless.lambda_triggers.deploy.functions import FUNCTIONS
from tests.services import package

pytestmark = pytest.mark.usefixtures("_region")


def test_cfn_lint_has_no_word_to_say(built: tuple[Path, Path]) -> None:
    package("cfnlint")
    done = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), built[1]], capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr.strip(), done.returncode) == ("", "", 0)


def translated(template: dict[str, Any], **chosen: str) -> dict[str, Any]:
    translator = package("samtranslator.translator.transform")
    parser = package("samtranslator.parser.parser")
    for function in template["Resources"].values():
        if function["Type"] == "AWS::Serverless::Function":
            function["Properties"]["CodeUri"] = "s3://bucket/code.zip"
    values = {name: value["Default"] for name, value in template["Parameters"].items()} | chosen
    return translator.transform(template, values, _Policies(), parser.Parser())


class _Policies:
    def load(self) -> dict[str, str]:
        return {}


@pytest.mark.filterwarnings("ignore")
def test_sam_translates_it(template: dict[str, Any]) -> None:
    found = translated(json.loads(json.dumps(template)))
    kinds = [resource["Type"] for resource in found["Resources"].values()]
    assert kinds.count("AWS::Lambda::Function") == len(FUNCTIONS)
    assert "AWS::Serverless::Function" not in kinds


POOL_ARN = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_Example"


def without_cognito(template: dict[str, Any]) -> dict[str, Any]:
    """moto's CloudFormation knows no Cognito: all but the pool and its client, which are named where they are asked
    for."""
    text = json.dumps(template).replace('{"Fn::GetAtt": ["UserPool", "Arn"]}', json.dumps(POOL_ARN))
    kept = json.loads(text)
    kept["Outputs"] = {name: row for name, row in kept["Outputs"].items() if name.startswith("Trigger")}
    kept["Resources"] = {
        name: row for name, row in kept["Resources"].items() if not row["Type"].startswith("AWS::Cognito")
    }
    return kept


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("variant", ["default", "everything", "for a pool that exists"])
def test_it_deploys_as_far_as_moto_goes(template: dict[str, Any], variant: str) -> None:
    everything = variant == "everything"
    chosen = {
        "EmailFrom": "from@example.com",
        "DjangoUrl": "https://www.example.com/triggers",
        "Messages": "{}",
        "TokenClaims": "{}",
        "FederationMap": "{}",
        "EncryptionLayerArn": "arn:aws:lambda:us-east-1:123456789012:layer:sdk:1",
        "LinkFederated": "true",
        "TwilioAuthTokenArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:t",
        "SmtpPasswordArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:s",
    }
    parameters = chosen if everything else {}
    if variant.startswith("for"):
        parameters = {"ExistingUserPoolId": "us-east-1_Existing"}
    with mock_aws():
        store = boto3.client("s3", region_name="us-east-1")
        store.create_bucket(Bucket="bucket")
        store.put_object(Bucket="bucket", Key="code.zip", Body=b"x")
        found = without_cognito(translated(json.loads(json.dumps(template)), **parameters))
        cloud = boto3.client("cloudformation", region_name="us-east-1")
        cloud.create_stack(
            StackName="demo",
            TemplateBody=json.dumps(found),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=["CAPABILITY_IAM"],
        )
        assert cloud.describe_stacks(StackName="demo")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
        functions = boto3.client("lambda", region_name="us-east-1").list_functions()["Functions"]
        assert len(functions) == (len(FUNCTIONS) if everything else 5)
        outputs = cloud.describe_stacks(StackName="demo")["Stacks"][0]["Outputs"]
        assert len([row for row in outputs if row["OutputKey"].startswith("Trigger")]) == len(functions) + everything
        assert all(row["OutputValue"].startswith("arn:aws:") for row in outputs)
        tables = boto3.client("dynamodb", region_name="us-east-1").list_tables()["TableNames"]
        create = next(row for row in functions if "CreateAuthChallenge" in row["FunctionName"])
        variables = create["Environment"]["Variables"]
        assert variables["LIMITS_TABLE"] in tables
        assert (str(variables["OTP_TTL"]), variables["EMAIL_FROM"]) == ("600", parameters.get("EmailFrom", ""))
