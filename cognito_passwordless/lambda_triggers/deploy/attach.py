"""Attaching triggers to an existing pool. `UpdateUserPool` resets each setting that it is not given, so it gets all.

A boto3 that is older than a setting leaves it out of what it reads and refuses to send it, so both documents go past
its model: what came on the wire is what is sent back.

https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UpdateUserPool.html
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from .functions import VERSIONED
from .template import TRIGGER_OUTPUT

# What DescribeUserPool calls otherwise than UpdateUserPool.
_RENAMED = {"Name": "PoolName"}
# What DescribeUserPool tells and UpdateUserPool does not take.
_READ_ONLY = frozenset(
    {"Id", "Arn", "Status", "CreationDate", "LastModifiedDate", "EstimatedNumberOfUsers", "SchemaAttributes"}
    | {"AliasAttributes", "UsernameAttributes", "UsernameConfiguration", "Domain", "CustomDomain"}
    | {"SmsConfigurationFailure", "EmailConfigurationFailure"}
)
# The service's names for these events, whatever boto3 calls the client.
_ANSWER = "before-parse.cognito-identity-provider.DescribeUserPool"
_REQUEST = "before-call.cognito-identity-provider.UpdateUserPool"


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
    """Changes only the named triggers. ``client`` is boto3's.

    Raises `ValueError` when the pool refuses the request, or shows after it that something else has changed.
    """
    pool = _described(client, pool_id)
    before = pool.get("LambdaConfig") or {}
    after = merged(before, triggers)
    changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    changes = {name: {"from": before.get(name), "to": after.get(name)} for name in changed}
    request = _request(pool)
    known = client.meta.service_model.operation_model("UpdateUserPool").input_shape
    unknown = _unknown({**request, "LambdaConfig": {**before, **after}}, known)
    if changes and not dry_run:
        try:
            _update(client, {**request, "UserPoolId": pool_id, "LambdaConfig": after})
        except ClientError as error:
            names = f"; settings that this boto3 does not know: {', '.join(unknown)}" if unknown else ""
            raise ValueError(f"the pool did not take it, and nothing has changed: {error}{names}") from error
        # A service that ignores a member would have reset that setting without a word.
        documents = (_request(pool), _request(_described(client, pool_id)))
        was, now = ({**it, **(it.get("LambdaConfig") or {}), "LambdaConfig": None} for it in documents)
        lost = [name for name, value in was.items() if name not in changes and now.get(name) != value]
        if lost:
            raise ValueError(f"the triggers are attached, but these settings have changed as well: {', '.join(lost)}")
    report = {"pool": pool_id, "changed": not dry_run and bool(changes), "triggers": changes, "unknown": unknown}
    return json.dumps(report, indent=2) + "\n"


def _request(pool: Mapping[str, Any]) -> dict[str, Any]:
    """The pool as UpdateUserPool takes it. A member that nobody here knows is a setting."""
    request = {_RENAMED.get(name, name): value for name, value in pool.items() if name not in _READ_ONLY}
    # The two settings for the life of a temporary password exclude each other, and the pool shows both.
    if "TemporaryPasswordValidityDays" in ((request.get("Policies") or {}).get("PasswordPolicy") or {}):
        admin = request.get("AdminCreateUserConfig") or {}
        request["AdminCreateUserConfig"] = {k: v for k, v in admin.items() if k != "UnusedAccountValidityDays"}
    return request


def _described(client: Any, pool_id: str) -> dict[str, Any]:
    """The pool as the service tells it."""
    bodies: list[bytes] = []

    def keep(response_dict: dict[str, Any], **_: Any) -> None:
        if response_dict["status_code"] == HTTPStatus.OK:
            bodies.append(response_dict["body"])
            response_dict["body"] = b"{}"

    client.meta.events.register(_ANSWER, keep)
    try:
        client.describe_user_pool(UserPoolId=pool_id)
    finally:
        client.meta.events.unregister(_ANSWER, keep)
    return dict(json.loads(bodies[-1])["UserPool"])


def _update(client: Any, request: Mapping[str, Any]) -> None:
    """Sends exactly ``request``: boto3 only finds the address, signs it and reads errors."""

    def replace(params: dict[str, Any], **_: Any) -> None:
        params["body"] = json.dumps(request).encode()

    client.meta.events.register(_REQUEST, replace)
    try:
        client.update_user_pool(UserPoolId=request["UserPoolId"])
    finally:
        client.meta.events.unregister(_REQUEST, replace)


def _unknown(value: Any, shape: Any, path: str = "") -> list[str]:
    """The members, by path, that boto3's model of the request does not have. Maps and lists have none of their own."""
    if shape.type_name != "structure" or not isinstance(value, dict):
        return []
    found: list[str] = []
    for name, item in value.items():
        member = shape.members.get(name)
        found += [path + name] if member is None else _unknown(item, member, f"{path}{name}.")
    return sorted(found)


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
