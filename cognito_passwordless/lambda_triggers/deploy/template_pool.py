"""The stack's resources beside the functions: the pool and its client, secrets, the table, the key."""

from typing import Any

from .functions import FUNCTIONS, SMS, VERSIONED, Function, Resource, if_, role, statement, when

RETAIN = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}


def pool() -> dict[str, Resource]:
    config = {function.config: if_(function.condition, _trigger(function)) for function in FUNCTIONS}
    config["KMSKeyID"] = if_("WithCustomSenders", {"Fn::GetAtt": ["SenderKey", "Arn"]})
    # The user migration trigger answers a forgotten password too, where Django knows the person.
    recovery = {"Name": {"Fn::Sub": "verified_${UsernameAttribute}"}, "Priority": 1}
    pool: Resource = {
        "UserPoolName": {"Ref": "UserPoolName"},
        "UserPoolTier": "ESSENTIALS",
        "UsernameAttributes": [{"Ref": "UsernameAttribute"}],
        "UsernameConfiguration": {"CaseSensitive": False},
        "AutoVerifiedAttributes": [{"Ref": "UsernameAttribute"}],
        # A new address counts once it has been proven; until then the old one does.
        "UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": [{"Ref": "UsernameAttribute"}]},
        "DeletionProtection": "ACTIVE",
        "Policies": {
            "PasswordPolicy": {
                "MinimumLength": 15,
                "RequireLowercase": False,
                "RequireNumbers": False,
                "RequireSymbols": False,
                "RequireUppercase": False,
            }
        },
        "AccountRecoverySetting": {
            "RecoveryMechanisms": [{"Fn::If": ["WithDjango", recovery, {"Name": "admin_only", "Priority": 1}]}]
        },
        "SmsConfiguration": if_(
            "WithPhone",
            {"SnsCallerArn": {"Fn::GetAtt": ["SmsRole", "Arn"]}, "ExternalId": {"Ref": "AWS::StackName"}},
        ),
        "Schema": [{"Name": "resend", "AttributeDataType": "String", "Mutable": True}],
        "LambdaConfig": config,
    }
    client = {
        "ClientName": {"Ref": "UserPoolName"},
        "UserPoolId": {"Ref": "UserPool"},
        "GenerateSecret": False,
        "ExplicitAuthFlows": [
            "ALLOW_CUSTOM_AUTH",
            "ALLOW_REFRESH_TOKEN_AUTH",
            if_("WithPassword", "ALLOW_USER_SRP_AUTH"),
            # User migration needs the password itself.
            if_("WithDjango", "ALLOW_USER_PASSWORD_AUTH"),
        ],
        "PreventUserExistenceErrors": "ENABLED",
        "EnableTokenRevocation": True,
        "AuthSessionValidity": {"Ref": "AuthSessionValidity"},
    }
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "cognito-idp.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {
                "sts:ExternalId": {"Ref": "AWS::StackName"},
                "aws:SourceAccount": {"Ref": "AWS::AccountId"},
            }
        },
    }
    return {
        "UserPool": {"Type": "AWS::Cognito::UserPool", "Condition": "WithOwnPool", **RETAIN, "Properties": pool},
        "UserPoolClient": {"Type": "AWS::Cognito::UserPoolClient", "Condition": "WithOwnPool", "Properties": client},
        # Cognito's own SMS, for sign-up and verification.
        "SmsRole": when("WithPhone", role(trust, [statement(SMS)])),
    }


def _trigger(function: Function) -> Any:
    """The function as a value of the pool's ``LambdaConfig``."""
    arn = {"Fn::GetAtt": [f"{function.name}Function", "Arn"]}
    if function.config == "PreTokenGenerationConfig":
        return {"LambdaArn": arn, "LambdaVersion": {"Ref": "TokenVersion"}}
    return {"LambdaArn": arn, "LambdaVersion": "V1_0"} if function.config in VERSIONED else arn


def secrets() -> dict[str, Resource]:
    def random(description: str) -> Resource:
        return {
            "Type": "AWS::SecretsManager::Secret",
            "Properties": {
                "Description": description,
                "GenerateSecretString": {"PasswordLength": 64, "ExcludePunctuation": True},
            },
        }

    return {
        "OtpSecret": random("Derives one-time codes; one secret a line, the newest first"),
        "LogKey": random("Hashes user names in logs"),
        # The operator copies this one into the site's settings.
        "DjangoHmacKey": when("WithDjango", random("Signs what the triggers ask the site")),
    }


def table() -> dict[str, Resource]:
    table = {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": True},
        "SSESpecification": {"SSEEnabled": True},
    }
    # Counts of the last hour: nothing that a stack must keep.
    gone = {"DeletionPolicy": "Delete", "UpdateReplacePolicy": "Delete"}
    return {"LimitsTable": {"Type": "AWS::DynamoDB::Table", "Condition": "WithLimits", **gone, "Properties": table}}


def key() -> dict[str, Resource]:
    owner = {
        "Effect": "Allow",
        "Principal": {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}},
        # In the policy of a key, * is this key, and without its account no principal could manage it.
        "Action": "kms:*",
        "Resource": "*",
    }
    key = {
        "Description": "Encrypts codes on their way from Cognito to the custom senders",
        "EnableKeyRotation": True,
        "KeyPolicy": {"Version": "2012-10-17", "Statement": [owner]},
    }
    return {"SenderKey": {"Type": "AWS::KMS::Key", "Condition": "WithCustomSenders", **RETAIN, "Properties": key}}
