"""The SAM template: a user pool with secure defaults, its triggers, and all that they need, as one stack."""

from .functions import FUNCTIONS, POOL, Function, Grant, Resource, if_, role, statement, when
from .parameters import CONDITIONS, PARAMETERS, VARIABLES
from .template_pool import key, pool, secrets, table

RUNTIME = "python3.13"
LICENSE_NAME, README_NAME = "LICENSE.txt", "README.md"
# What the name of an output that holds a trigger begins with; the rest is its key in LambdaConfig.
TRIGGER_OUTPUT = "Trigger"
# Milliseconds; a function that takes longer is near Cognito's five seconds.
SLOW = 3500
ALARMS = {"Errors": ("Sum", 0), "Throttles": ("Sum", 0), "Duration": ("Maximum", SLOW)}


def template(zip_name: str, version: str) -> Resource:
    """The whole template. ``zip_name`` is the name of the code's zip, which lies beside the template."""
    resources = {**pool(), **secrets(), **table(), **key()}
    # `attach --stack` reads the triggers from these outputs.
    outputs = {
        "UserPoolId": {"Condition": "WithOwnPool", "Value": {"Ref": "UserPool"}},
        "UserPoolClientId": {"Condition": "WithOwnPool", "Value": {"Ref": "UserPoolClient"}},
        f"{TRIGGER_OUTPUT}KMSKeyID": {
            "Condition": "WithCustomSenders",
            "Value": {"Fn::GetAtt": ["SenderKey", "Arn"]},
        },
    }
    for function in FUNCTIONS:
        resources |= _function(function, zip_name)
        arn = {"Value": {"Fn::GetAtt": [f"{function.name}Function", "Arn"]}}
        outputs[f"{TRIGGER_OUTPUT}{function.config}"] = when(function.condition, arn)
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Transform": "AWS::Serverless-2016-10-31",
        "Description": "A user pool that people sign in to with one-time codes",
        "Metadata": {
            "AWS::ServerlessRepo::Application": {
                "Name": "django-cognito-passwordless",
                "Description": "Lambda triggers for one-time codes in an Amazon Cognito user pool",
                "Author": "django-cognito-passwordless",
                "SpdxLicenseId": "MIT",
                # Files beside the template; `sam package` uploads them.
                "LicenseUrl": LICENSE_NAME,
                "ReadmeUrl": README_NAME,
                "Labels": ["cognito", "passwordless", "otp"],
                "SemanticVersion": version,
            }
        },
        "Parameters": PARAMETERS,
        "Conditions": CONDITIONS,
        "Resources": resources,
        "Outputs": outputs,
    }


def _function(function: Function, zip_name: str) -> dict[str, Resource]:
    """One function with its permission, log group, role and alarms."""
    name, condition = function.name, function.condition
    variables = {variable: VARIABLES[variable] for variable in function.variables}
    code: Resource = {
        "Description": f"{function.config} of a user pool",
        "Runtime": RUNTIME,
        "Architectures": ["arm64"],
        # Memory buys CPU, and a cold start is nearly all CPU.
        "MemorySize": 512,
        "Timeout": 5,
        "Handler": f"cognito_passwordless.lambda_triggers.{function.module}.handler",
        "CodeUri": zip_name,
        "Role": {"Fn::GetAtt": [f"{name}Role", "Arn"]},
        "LoggingConfig": {"LogGroup": {"Ref": f"{name}Logs"}},
        "Environment": {
            "Variables": {
                **{key: {"Ref": value} if isinstance(value, str) else value for key, value in variables.items()},
                "LOG_KEY": {"Fn::Sub": "{{resolve:secretsmanager:${LogKey}}}"},
            }
        },
    }
    if function.layer:
        code["Layers"] = [{"Ref": "EncryptionLayerArn"}]
    permission = {
        "Action": "lambda:InvokeFunction",
        "FunctionName": {"Ref": f"{name}Function"},
        "Principal": "cognito-idp.amazonaws.com",
        "SourceArn": POOL,
        "SourceAccount": {"Ref": "AWS::AccountId"},
    }
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    own_logs = Grant(("logs:CreateLogStream", "logs:PutLogEvents"), {"Fn::GetAtt": [f"{name}Logs", "Arn"]})
    linking = [grant for grant in function.grants if grant.condition == "WithLinking"]
    statements = [
        if_("" if grant.condition == condition else grant.condition, statement(grant))
        for grant in (own_logs, *function.grants)
        if grant not in linking
    ]
    resources = {
        f"{name}Function": {"Type": "AWS::Serverless::Function", "Properties": code},
        f"{name}Permission": {"Type": "AWS::Lambda::Permission", "Properties": permission},
        f"{name}Logs": {
            "Type": "AWS::Logs::LogGroup",
            "DeletionPolicy": "Delete",
            "UpdateReplacePolicy": "Delete",
            "Properties": {"RetentionInDays": {"Ref": "LogRetentionDays"}},
        },
        f"{name}Role": role(trust, statements),
        **{f"{name}{metric}Alarm": _alarm(name, metric) for metric in ALARMS},
    }
    conditional = {key: when(condition, resource) for key, resource in resources.items()}
    return conditional | {f"{name}Policy": _linking_policy(name, grant) for grant in linking}


def _linking_policy(name: str, grant: Grant) -> Resource:
    """On its own, because it names the pool, which names the function, which names the role."""
    return {
        "Type": "AWS::IAM::Policy",
        "Condition": grant.condition,
        "Properties": {
            "PolicyName": "linking",
            "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement(grant)]},
            "Roles": [{"Ref": f"{name}Role"}],
        },
    }


def _alarm(name: str, metric: str) -> Resource:
    statistic, threshold = ALARMS[metric]
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmDescription": f"{metric} of {name}",
            "Namespace": "AWS/Lambda",
            "MetricName": metric,
            "Dimensions": [{"Name": "FunctionName", "Value": {"Ref": f"{name}Function"}}],
            "Statistic": statistic,
            "Period": 300,
            "EvaluationPeriods": 1,
            "Threshold": threshold,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
            "AlarmActions": if_("WithAlarmTopic", [{"Ref": "AlarmTopicArn"}]),
        },
    }
