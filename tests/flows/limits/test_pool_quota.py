"""The quota of changes to a pool, over processes that know nothing of each other, and one person in many hands.

The pool is a stand-in that notes when each call comes in.
"""

import json
import os
import secrets
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ...cognito.standin import Reply, Request, StandIn, reply
from ...gunicorn_site import ROOT, SETTINGS, Database

# Fewer a second than in production, so that a slow machine keeps to it for no other reason than ours.
PROCESSES, PEOPLE, PER_SECOND = 4, 10, 4
OPERATIONS = ("AdminUpdateUserAttributes", "AdminUserGlobalSignOut", "AdminDisableUser")
POOL_ID = "eu-west-1_Quota"
TELLER = [sys.executable, "-m", "tests.flows.pool_sync.teller"]


class Pool:
    """Notes the time and the person of each call."""

    def __init__(self, standin: StandIn) -> None:
        self.url = standin.url
        self.calls: list[tuple[float, str, str]] = []
        for operation in OPERATIONS:
            standin.says(operation, self._note)

    def _note(self, request: Request) -> Reply:
        self.calls.append((time.monotonic(), request.operation, request.body["Username"]))
        return reply({})

    def most_in_a_second(self) -> int:
        times = sorted(moment for moment, *_ in self.calls)
        return max(sum(first <= moment < first + 1 for moment in times) for first in times)


@pytest.fixture
def pool() -> Iterator[Pool]:
    with StandIn() as standin:
        yield Pool(standin)


@pytest.fixture
def environment(postgres_url: str, tmp_path: Path, pool: Pool) -> Iterator[dict[str, str]]:
    connection = {"after_migration": ["mark", "sign_out", "disable"]}
    with Database(tmp_path, postgres_url) as database:
        variables = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("COGNITO_", "REDIS_"))},
            "DJANGO_SETTINGS_MODULE": SETTINGS,
            "SECRET_KEY": secrets.token_urlsafe(40),
            "DATABASE_URL": database.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "COGNITO_REGION": "eu-west-1",
            "COGNITO_USER_POOL_ID": POOL_ID,
            "COGNITO_CLIENT_ID": "client",
            "COGNITO_ENDPOINT_URL": pool.url,
            "COGNITO_CONNECTION_JSON": json.dumps(connection),
            "COGNITO_PASSWORDLESS_JSON": json.dumps({"LIMITS": {"cognito_changes": f"{PER_SECOND}/1s"}}),
        }
        command = [sys.executable, "-m", "django", "migrate", "--verbosity=0"]
        subprocess.run(command, cwd=ROOT, env=variables, check=True)
        yield variables


@pytest.fixture
def people(environment: dict[str, str]) -> list[str]:
    """Migrated people of whom the pool has yet to be told."""
    command = [*TELLER, "make", POOL_ID, str(PEOPLE)]
    return subprocess.run(
        command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True
    ).stdout.split()


Run = Callable[[list[list[str]]], None]


@pytest.fixture
def run(environment: dict[str, str]) -> Run:
    def workers(shares: list[list[str]]) -> None:
        """One process per share; all begin at the same moment."""
        processes = [
            subprocess.Popen(
                [*TELLER, "tell", *share],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for share in shares
        ]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            process.communicate(timeout=120)
        assert [process.returncode for process in processes] == [0] * len(processes)

    return workers


def test_all_processes_together_keep_to_the_quota_and_tell_everybody_once(
    pool: Pool, people: list[str], run: Run
) -> None:
    run([people[start::PROCESSES] for start in range(PROCESSES)])
    assert len(pool.calls) == len(OPERATIONS) * PEOPLE
    assert set(Counter((operation, who) for _, operation, who in pool.calls).values()) == {1}
    times = sorted(moment for moment, *_ in pool.calls)
    assert times[-1] - times[0] >= (len(times) - 1) / PER_SECOND - 1
    # A call that was late for its place, and the next one that was not.
    assert pool.most_in_a_second() <= PER_SECOND + PROCESSES


def test_one_person_in_many_hands_is_told_of_once(pool: Pool, people: list[str], run: Run) -> None:
    run([people[:1]] * PROCESSES)
    assert sorted(operation for _, operation, _ in pool.calls) == sorted(OPERATIONS)
