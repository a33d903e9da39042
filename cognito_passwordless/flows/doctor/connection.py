"""One connection, looked at from every side: what anybody can see of it, its pool, its client, its AWS account."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from django.utils import timezone

from ...cognito import (
    ClientSetup,
    Connection,
    PoolSetup,
    describe_client,
    describe_function,
    describe_pool,
    describe_quota,
    endpoints_now,
    find_users,
    hosted_login_status,
    mail_account,
    published_keys,
    sms_account,
)
from . import aws_account, connectivity
from .client import CLIENT_CHECKS, password_flows
from .findings import Finding, Verdict, looked_at, ok, problem, warning
from .pool import POOL_CHECKS
from .probes import Unanswered, ask

Clock = Callable[[], datetime]
Named = Iterator[tuple[str, Verdict | None]]


def diagnose_connection(
    connection: Connection, *, clock: Clock = timezone.now, seconds: float | None = None
) -> list[Finding]:
    """What is right and wrong with one connection and its pool, and how to fix it. Only reads; never raises.

    Up to a dozen calls, all at once and in two rounds of ``seconds`` at most, whatever does not answer. Costs no
    statement. What this process's AWS identity may not ask is reported as ``unknown``.
    """
    area = f"connection {connection.alias}"
    if connection.retired:
        return [ok("retired: its pool is never called").on(area, "state")]
    state = ok("active") if connection.enabled else warning("disabled: no sign-in uses it", "Set 'enabled'.")
    longest = {} if seconds is None else {"seconds": seconds}
    now = clock().timestamp()
    questions: dict[str, Callable[[], Any]] = {
        "keys": lambda: (published_keys(connection), clock()),
        "pool": partial(describe_pool, connection),
        "client": partial(describe_client, connection),
    }
    if "oidc" in connection.routes:
        questions["endpoints"] = partial(endpoints_now, connection, now=now)
        questions["hosted login"] = partial(hosted_login_status, connection, now=now)
    if connection.lookup == "list_users":
        # An address that cannot exist: the question is whether the directory may be asked.
        questions["directory"] = partial(find_users, connection, attribute="email", value="nobody@doctor.invalid")
    answers = ask(questions, **longest)
    found = [("state", state), *_judged(connection, answers)]
    if isinstance(answers["pool"], PoolSetup):
        found += _account(connection, answers["pool"], longest)
        if isinstance(answers["client"], ClientSetup):
            found.append(("password flows", password_flows(answers["pool"], answers["client"])))
    return [verdict.on(area, name) for name, verdict in found if verdict is not None]


def _judged(connection: Connection, answers: Mapping[str, Any]) -> Named:
    keys = answers["keys"]
    published, heard_at = (keys, None) if isinstance(keys, Unanswered) else keys
    yield "keys", connectivity.keys(connection, published)
    if heard_at:
        yield "clock", connectivity.clock(published, heard_at)
    if "endpoints" in answers:
        yield "endpoints", connectivity.endpoints(connection, answers["endpoints"])
        if not isinstance(answers["endpoints"], Unanswered):
            yield "hosted login", connectivity.hosted_login(connection, answers["hosted login"])
    yield from _each(connection, answers["pool"], POOL_CHECKS, "pool", "DescribeUserPool")
    yield from _each(connection, answers["client"], CLIENT_CHECKS, "client", "DescribeUserPoolClient")
    directory = answers.get("directory")
    if isinstance(directory, Unanswered):
        text = f"'lookup' is 'list_users', and the pool's directory cannot be asked: {directory.reason}"
        fix = "Give the worker an AWS identity that may cognito-idp:ListUsers on this pool, or change 'lookup'."
        yield "directory", problem(text, fix)
    elif directory is not None:
        yield "directory", ok("the pool's directory can be asked")


def _each(
    connection: Connection, setup: Any, checks: Mapping[str, Callable[..., Verdict | None]], what: str, operation: str
) -> Named:
    if isinstance(setup, Unanswered):
        if setup.code == "ResourceNotFoundException":
            fix = "Check 'region', 'user_pool_id' and 'client_id', and which AWS account this process belongs to."
            yield what, problem(f"there is no such {what} in {connection.region}", fix)
        else:
            yield what, setup.verdict(f"cognito-idp:{operation}", ", ".join(checks))
        return
    for name, check in checks.items():
        yield name, looked_at(check, connection, setup)


def _account(connection: Connection, pool: PoolSetup, longest: Mapping[str, float]) -> Named:
    """The AWS account around the pool, in a second round of questions; none where the pool is a stand-in for AWS."""
    questions: dict[str, Callable[[], Any]] = {}
    if "otp" in connection.routes:
        questions["quota"] = partial(describe_quota, connection.region, aws_account.STARTS_QUOTA)
        if pool.sms_configured:
            questions["SNS"] = partial(sms_account, pool.sms_region)
        if pool.email_source_arn:
            questions["SES"] = partial(mail_account, region_of(pool.email_source_arn))
    if "PreSignUp" in pool.triggers:
        questions["pre sign-up"] = partial(describe_function, pool.triggers["PreSignUp"])
    answers = ask({} if connection.endpoint_url else questions, **longest)
    yield "pre sign-up", aws_account.pre_sign_up(connection, pool, answers.get("pre sign-up"))
    if "quota" in answers:
        yield "quota", looked_at(aws_account.starts_quota, answers["quota"])
    if "SNS" in answers:
        yield "pool's SNS", aws_account.sms(pool.sms_region, answers["SNS"])
    if "SES" in answers:
        yield "pool's SES", aws_account.mail(region_of(pool.email_source_arn), answers["SES"])


def region_of(arn: str) -> str:
    """``eu-west-1`` of ``arn:aws:ses:eu-west-1:…``; empty for anything else."""
    parts = arn.split(":")
    return parts[3] if len(parts) > 5 else ""
