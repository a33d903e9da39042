"""`manage.py cognito_doctor`: what it prints, and its exit status."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from cognito_passwordless.local import LocalCognito, LocalPool

pytestmark = pytest.mark.django_db
ANN = "ann@example.com"


def doctor(*arguments: str) -> tuple[int, str]:
    """The exit status and what was printed."""
    out = io.StringIO()
    try:
        call_command("cognito_doctor", *arguments, stdout=out, no_color=True)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue()
    return 0, out.getvalue()


def test_a_sound_site_ends_well(settings: Any) -> None:
    status, printed = doctor()
    assert status == 0
    assert "  ok       tables: all migrations are applied\n" in printed
    assert printed.endswith(", 0 problem, 0 unknown\n")


def test_a_problem_is_an_exit_status_and_says_how_to_mend_it(settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "LIMITS": {"sends": "none"}}
    status, printed = doctor()
    assert status == 1
    assert "  problem  E207:" in printed
    assert "           -> " in printed


def test_broken_settings_are_told_and_do_not_stop_it(settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = ["no", "dict"]
    status, printed = doctor()
    assert status == 1
    assert "E201" in printed
    with pytest.raises(CommandError, match="Fix the settings first"):
        doctor("--identifier", ANN)


def test_one_connection_alone(cognito: LocalCognito, connect: Callable[..., Any], aws_identity: None) -> None:
    connect(cognito.create_pool("one"), alias="one", routes=["otp"])
    connect(cognito.create_pool("two", plan="LITE"), alias="two", routes=["otp"])
    assert doctor("--connection", "one")[0] == 0
    status, printed = doctor("--connection", "two")
    assert status == 1
    assert "connection two" in printed
    assert "connection one" not in printed
    assert doctor()[0] == 1
    with pytest.raises(CommandError, match="'three'"):
        doctor("--connection", "three")


def test_as_json(pool: LocalPool, aws_identity: None) -> None:
    said = json.loads(doctor("--json")[1])
    assert {"area": "site", "name": "tables", "state": "ok", "text": "all migrations are applied", "fix": ""} in said[
        "findings"
    ]
    assert "connection main" in {finding["area"] for finding in said["findings"]}


def test_one_persons_case(make_user: Callable[..., User]) -> None:
    make_user(ANN, is_active=False)
    status, printed = doctor("--identifier", ANN, "--ip", "192.0.2.1")
    assert status == 1
    assert ANN not in printed
    assert "a•••@e•••.com" in printed
    said = json.loads(doctor("--identifier", ANN, "--unmasked", "--json")[1])
    assert said["conclusion"].startswith("No code came because none was requested")
    assert "the Django user is inactive" in said["advice"]
    assert ANN in str(said)


def test_an_ip_that_is_none() -> None:
    with pytest.raises(CommandError, match="--ip"):
        doctor("--identifier", ANN, "--ip", "home")


def test_it_only_reads(pool: LocalPool, cognito: LocalCognito, aws_identity: None) -> None:
    pool.add_user(ANN)
    before = len(cognito.calls)
    with CaptureQueriesContext(database) as captured:
        doctor()
        doctor("--identifier", ANN, "--ask-pool")
    # SQLite is asked about its tables by PRAGMA.
    assert {query["sql"].lstrip("(").split()[0] for query in captured.captured_queries} <= {"SELECT", "PRAGMA"}
    reads = {"DescribeUserPool", "DescribeUserPoolClient", "ListUsers", "AdminGetUser"}
    assert {call.operation for call in cognito.calls[before:]} <= reads
