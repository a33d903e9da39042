"""What is deployed: the zip, the template, the roles, and what the command makes of a pool that exists."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from cognito_passwordless.lambda_triggers import __main__ as command
from cognito_passwordless.lambda_triggers.deploy import packaging
from cognito_passwordless.lambda_triggers.deploy.functions import FUNCTIONS

DOCS = Path(__file__).parents[2] / "docs" / "lambda-triggers.md"

pytestmark = pytest.mark.usefixtures("_region")


def test_the_zip_is_the_same_each_time_and_small(built: tuple[Path, Path], tmp_path: Path) -> None:
    again, _ = packaging.build(tmp_path)
    assert built[0].read_bytes() == again.read_bytes()
    assert built[0].stat().st_size < 100 * 1024


def test_the_zip_holds_only_what_lambda_needs(built: tuple[Path, Path]) -> None:
    names = zipfile.ZipFile(built[0]).namelist()
    rooms = {name.split("/")[1] for name in names}
    assert rooms == {"__init__.py", "otp", "lambda_triggers"}
    assert not any(name.endswith(("packaging.py", "attach.py", "__main__.py", ".pyc")) for name in names)
    assert {f"cognito_passwordless/lambda_triggers/{function.module}.py" for function in FUNCTIONS} <= set(names)


def test_every_function_runs_from_the_zip_alone(built: tuple[Path, Path]) -> None:
    modules = [f"cognito_passwordless.lambda_triggers.{function.module}" for function in FUNCTIONS]
    script = (
        "import sys, importlib; sys.path[:] = [sys.argv[1]] + [p for p in sys.path if 'site-packages' not in p];"
        "[importlib.import_module(name).handler for name in sys.argv[2:]];"
        "print({name.split('.')[0] for name in sys.modules} & {'django', 'boto3', 'botocore', 'requests'})"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", script, str(built[0]), *modules], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


def test_the_command_builds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["build", "--output", str(tmp_path)]) == 0
    assert [Path(line).name for line in capsys.readouterr().out.splitlines()] == [
        packaging.ZIP_NAME,
        packaging.TEMPLATE_NAME,
    ]


def test_the_yaml_says_what_was_meant(template: dict[str, Any]) -> None:
    meant = packaging.template(packaging.ZIP_NAME, packaging.version())
    assert template == json.loads(json.dumps(meant))


def granted(template: dict[str, Any]) -> set[tuple[str, str, str, str]]:
    """(role, actions, resource, condition), without each function's own logs."""
    found = set()
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::IAM::Role":
            when = resource.get("Condition", "")
            documents = [(name, policy["PolicyDocument"], when) for policy in resource["Properties"]["Policies"]]
        elif resource["Type"] == "AWS::IAM::Policy":
            properties = resource["Properties"]
            documents = [(properties["Roles"][0]["Ref"], properties["PolicyDocument"], resource["Condition"])]
        else:
            continue
        for role, document, condition in documents:
            for statement in document["Statement"]:
                when, rule = condition, statement
                if "Fn::If" in statement:
                    when, rule, _ = statement["Fn::If"]
                assert rule["Effect"] == "Allow"
                where = resource_name(rule)
                if rule["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]:
                    assert where == f"`{role.removesuffix('Role')}Logs`"
                    continue
                if rule["Action"] == ["ses:SendEmail"]:
                    assert rule["Condition"] == {"StringLike": {"ses:FromAddress": {"Ref": "EmailFrom"}}}
                actions = ", ".join(f"`{action}`" for action in rule["Action"])
                found.add((role, actions, where, f"`{when}`" if when else "always"))
    return found


THE_POOL = {
    "Fn::If": [
        "WithOwnPool",
        {"Fn::GetAtt": ["UserPool", "Arn"]},
        {
            "Fn::Sub": "arn:${AWS::Partition}:cognito-idp:${AWS::Region}:${AWS::AccountId}"
            ":userpool/${ExistingUserPoolId}"
        },
    ]
}


def resource_name(rule: dict[str, Any]) -> str:
    value = rule.get("Resource") or rule["NotResource"]
    if value == THE_POOL:
        return "`UserPool` or `ExistingUserPoolId`"
    name = value.get("Ref") or value.get("Fn::Sub") or value["Fn::GetAtt"][0]
    for variable, shown in (("Partition", "aws"), ("Region", "<region>"), ("AccountId", "<account>")):
        name = name.replace(f"${{AWS::{variable}}}", shown)
    return f"`{name}`" if "Resource" in rule else f"all but `{name}`"


def test_each_role_may_do_what_the_docs_say_and_no_more(template: dict[str, Any]) -> None:
    rows = re.findall(r"^\| `(\w+Role)` \| (.+?) \| (.+?) \| (.+?) \|$", DOCS.read_text(), re.MULTILINE)
    written = {(role, actions, re.sub(r" \(\d\)$", "", where), when) for role, actions, where, when in rows}
    assert granted(template) == written


def test_no_role_may_start_a_sign_in_and_no_action_is_open(template: dict[str, Any]) -> None:
    for _, actions, where, _ in granted(template):
        assert "Auth" not in actions.replace("AdminLinkProviderForUser", "")
        assert "*" not in actions
        # What stars there are, are two, and each has its note in the docs.
        assert "*" not in where or where.startswith(("all but `arn:aws:sns", "`arn:aws:ses"))


def test_only_this_pool_may_call_the_functions(template: dict[str, Any]) -> None:
    permissions = [row for row in template["Resources"].values() if row["Type"] == "AWS::Lambda::Permission"]
    assert len(permissions) == len(FUNCTIONS)
    for permission in permissions:
        assert permission["Properties"]["Principal"] == "cognito-idp.amazonaws.com"
        assert permission["Properties"]["SourceArn"] == THE_POOL


def test_no_secret_is_in_the_template(template: dict[str, Any]) -> None:
    for function in template["Resources"].values():
        variables = function.get("Properties", {}).get("Environment", {}).get("Variables", {})
        assert not {"OTP_SECRET", "DJANGO_HMAC_KEY", "TWILIO_AUTH_TOKEN", "SMTP_PASSWORD"} & variables.keys()


def test_every_variable_in_the_docs_is_a_choice_of_the_stack() -> None:
    table = DOCS.read_text().partition("## Variables")[2].partition("\n## ")[0]
    documented = {
        name for row in re.findall(r"^\| (`.+?) \|", table, re.MULTILINE) for name in re.findall("`(\\w+)`", row)
    }
    told = {name for function in FUNCTIONS for name in function.variables}
    secret = {"OTP_SECRET", "CAPTCHA_SECRET", "TWILIO_AUTH_TOKEN", "SMTP_PASSWORD", "DJANGO_HMAC_KEY"}
    # Secrets come by their ARN; every function has the key of its log; stand-ins are for tests.
    assert {f"{name}_ARN" for name in secret} <= told
    assert documented - told - secret == {"LOG_KEY", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SNS", "TWILIO_URL"}
    assert told - documented <= {f"{name}_ARN" for name in secret}


def test_alarms_and_logs_are_those_of_every_function(template: dict[str, Any]) -> None:
    resources = template["Resources"]
    for function in FUNCTIONS:
        name = function.name
        for metric in ("Errors", "Throttles", "Duration"):
            alarm = resources[f"{name}{metric}Alarm"]["Properties"]
            assert (alarm["MetricName"], alarm["Dimensions"][0]["Value"]) == (metric, {"Ref": f"{name}Function"})
            assert alarm["AlarmActions"]["Fn::If"][:2] == ["WithAlarmTopic", [{"Ref": "AlarmTopicArn"}]]
        assert resources[f"{name}Logs"]["Properties"] == {"RetentionInDays": {"Ref": "LogRetentionDays"}}
        logging = resources[f"{name}Function"]["Properties"]["LoggingConfig"]
        assert logging == {"LogGroup": {"Ref": f"{name}Logs"}}


def test_the_client_is_a_careful_one(template: dict[str, Any]) -> None:
    client = template["Resources"]["UserPoolClient"]["Properties"]
    assert client["PreventUserExistenceErrors"] == "ENABLED"
    assert client["AuthSessionValidity"] == {"Ref": "AuthSessionValidity"}
    assert client["EnableTokenRevocation"] is True
    assert client["ExplicitAuthFlows"][:2] == ["ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    assert client["ExplicitAuthFlows"][2]["Fn::If"][0] == "WithPassword"


def test_it_can_be_published_as_a_serverless_application(built: tuple[Path, Path], template: dict[str, Any]) -> None:
    """serverless-sam-template-publishing-applications-metadata-properties.html: patterns, lengths, files."""
    about = template["Metadata"]["AWS::ServerlessRepo::Application"]
    assert re.fullmatch(r"[a-zA-Z0-9\-]{1,140}", about["Name"])
    assert re.fullmatch(r"[a-z0-9](([a-z0-9]|-(?!-))*[a-z0-9])?", about["Author"])
    assert 1 <= len(about["Description"]) <= 256
    assert all(re.fullmatch(r"[a-zA-Z0-9+\-_:\/@]{1,127}", label) for label in about["Labels"])
    assert len(about["Labels"]) <= 10
    assert re.fullmatch(r"\d+\.\d+\.\d+", about["SemanticVersion"])
    assert about["SpdxLicenseId"] == "MIT"
    assert (built[1].parent / about["LicenseUrl"]).read_text().startswith("MIT License")
    readme = (built[1].parent / about["ReadmeUrl"]).read_text()
    assert all(f"| `{name}` |" in readme for name in template["Parameters"])
