"""Small pieces of a template."""

from typing import Any

from .functions import Grant

Resource = dict[str, Any]


def when(condition: str, resource: Resource) -> Resource:
    return {"Condition": condition, **resource} if condition else resource


def if_(condition: str, value: Any) -> Any:
    return {"Fn::If": [condition, value, {"Ref": "AWS::NoValue"}]} if condition else value


def role(trust: Resource, statements: list[Any]) -> Resource:
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": [
                {"PolicyName": "trigger", "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}
            ],
        },
    }


def statement(grant: Grant) -> Resource:
    statement: Resource = {
        "Effect": "Allow",
        "Action": list(grant.actions),
        "NotResource" if grant.everything_but else "Resource": grant.resource,
    }
    return {**statement, "Condition": dict(grant.only_if)} if grant.only_if else statement
