"""Attaching triggers to an existing pool. `UpdateUserPool` resets each setting that it is not given, so it gets all.

https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UpdateUserPool.html
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from .functions import VERSIONED
from .template import TRIGGER_OUTPUT

# What DescribeUserPool calls otherwise than UpdateUserPool.
_RENAMED = {"Name": "PoolName"}


def attach_from(options: argparse.Namespace) -> str:
    """Runs the command and returns its report of changes. Raises `ValueError` with the text of AWS."""
    triggers = parse(options.triggers)
    if not triggers and not options.stack:
        raise ValueError("name a stack or triggers")
    # A pool's id begins with its region.
    region = options.region or options.user_pool_id.partition("_")[0]
    try:
        if options.stack:
            stacks = boto3.client("cloudformation", region_name=region, endpoint_url=options.endpoint_url)
            triggers = {**of_stack(stacks, options.stack), **triggers}
        client = boto3.client("cognito-idp", region_name=region, endpoint_url=options.endpoint_url)
        return attach(client, options.user_pool_id, triggers, dry_run=options.dry_run)
    except (BotoCoreError, ClientError) as error:
        raise ValueError(str(error)) from error


def of_stack(client: Any, name: str) -> dict[str, str]:
    """The triggers that a stack of ours has, by its outputs. ``client`` is boto3's. Raises `ValueError` for none."""
    outputs = client.describe_stacks(StackName=name)["Stacks"][0].get("Outputs", [])
    named = {row["OutputKey"]: row["OutputValue"] for row in outputs}
    triggers = {key.removeprefix(TRIGGER_OUTPUT): arn for key, arn in named.items() if key.startswith(TRIGGER_OUTPUT)}
    if not triggers:
        raise ValueError(f"the stack {name} has no triggers")
    return triggers


def parse(words: Sequence[str]) -> dict[str, str]:
    """``Trigger=arn`` words as a mapping; an empty ARN takes the trigger away. Raises `ValueError`."""
    triggers = {}
    for word in words:
        name, equals, arn = word.partition("=")
        if not equals or not name.isalnum():
            raise ValueError(f"{word!r} is not TRIGGER=ARN")
        triggers[name] = arn
    return triggers


def attach(client: Any, pool_id: str, triggers: Mapping[str, str], *, dry_run: bool = False) -> str:
    """Changes only the named triggers. ``client`` is boto3's; its model says which settings an update takes."""
    pool = client.describe_user_pool(UserPoolId=pool_id)["UserPool"]
    before = pool.get("LambdaConfig", {})
    after = merged(before, triggers)
    known = client.meta.service_model.operation_model("UpdateUserPool").input_shape.members
    request = {_RENAMED.get(name, name): value for name, value in pool.items()}
    request = {name: value for name, value in request.items() if name in known and name != "LambdaConfig"}
    # The two settings for the life of a temporary password exclude each other, and the pool shows both.
    admin = dict(request.get("AdminCreateUserConfig", {}))
    if "TemporaryPasswordValidityDays" in request.get("Policies", {}).get("PasswordPolicy", {}):
        admin.pop("UnusedAccountValidityDays", None)
    if admin:
        request["AdminCreateUserConfig"] = admin
    if not dry_run:
        client.update_user_pool(**{**request, "UserPoolId": pool_id, "LambdaConfig": after})
    changes = {
        name: {"from": before.get(name), "to": after.get(name)}
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    }
    return (
        json.dumps({"pool": pool_id, "changed": not dry_run and bool(changes), "triggers": changes}, indent=2) + "\n"
    )


def merged(before: Mapping[str, Any], triggers: Mapping[str, str]) -> dict[str, Any]:
    """The pool's triggers with the named ones changed."""
    after = dict(before)
    for name, arn in triggers.items():
        if not arn:
            after.pop(name, None)
        elif name in VERSIONED:
            after[name] = {"LambdaArn": arn, "LambdaVersion": VERSIONED[name]}
        else:
            after[name] = arn
    # The older key may only say what the newer one does.
    if "PreTokenGenerationConfig" in triggers:
        after.pop("PreTokenGeneration", None)
    return after
