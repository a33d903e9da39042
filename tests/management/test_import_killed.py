"""``kill -9`` of the import, at 20 random moments, while the pool throttles and breaks: the result is that of an
undisturbed run. Real processes on PostgreSQL. ``SEED=…`` repeats a run, ``KILLS=…`` makes it longer."""

import json
import os
import random
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.local.seed import fill

from ..gunicorn_site import ROOT, Database

USERS = int(os.environ.get("USERS", "5000"))
KILLS = int(os.environ.get("KILLS", "20"))
PATIENCE = 60  # seconds
RUNS, PEOPLE = "cognito_passwordless_importrun", "cognito_passwordless_migrateduser"
PROBLEMS = "cognito_passwordless_importproblem"
# All but what says when, and by which run.
FACTS = (
    "connection, pool, sub, username, email, phone_number, attributes::text, pool_status, pool_enabled, "
    "pool_created_at, pool_modified_at, status, method, user_id, digest, shares_address, last_error"
)
COUNTS = "state, position, expected, seen, created, updated, unchanged, skipped, conflicts, problems"


def spoil(pool: LocalPool, moments: random.Random) -> int:
    """Adds what a pool of some years has: the same person twice, twins, and rows that are none. Returns how many."""
    users = pool._backend.user_pools[pool.id].users
    people = moments.sample([user.id for user in users.values()], 60)
    for number, sub in enumerate(people[:30]):
        pool.add_user(f"again{number}@example.com", sub=sub, username=f"again-{number}")
        users[f"again-{number}"].id = f"again-{number}"  # moto's page tokens are of these
    for number in range(30):
        pool.add_federated_user("Google", f"g{number}", f"twin{number}@example.com")
        pool.add_user(f"twin{number}@example.com")
    for number in range(10):
        users[pool.add_user(f"nobody{number}@example.com")].delete_attributes(["sub"])
        pool.add_user(f"{'a' * 250}{number}@example.com")
        pool.add_user(f"Odd{number}@Example.com")
        pool.add_user(f"nul{number}@example.com", attributes={"identities": "\0"})
    # In no order, as a pool lists them: the second of two may be many pages away from the first.
    rows = list(users.items())
    moments.shuffle(rows)
    users.clear()
    users.update(rows)
    return len(rows)


@contextmanager
def imports(site: dict[str, str], *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "tests.management.import_process", *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, env=site, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        assert process.stdin
        process.stdin.close()


def begin(process: "subprocess.Popen[str]") -> int:
    assert process.stdin
    assert process.stdout
    print(file=process.stdin, flush=True)
    return int(process.stdout.readline())


def end(process: "subprocess.Popen[str]") -> int:
    assert process.stdout
    return int(process.stdout.readline())


def result(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    return {
        "people": database.rows(f"SELECT {FACTS} FROM {PEOPLE} ORDER BY sub"),
        "runs": database.rows(f"SELECT {COUNTS} FROM {RUNS}"),
        "problems": database.rows(f"SELECT position, sub, reason, detail FROM {PROBLEMS} ORDER BY position, reason"),
    }


def site_of(cognito: LocalCognito, pool: LocalPool, database: Database) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COGNITO_", "REDIS_"))}
    return kept | {
        "DJANGO_SETTINGS_MODULE": "tests.site_settings",
        "SECRET_KEY": "only-for-this-test-and-long-enough-for-django",
        "DATABASE_URL": database.url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "COGNITO_REGION": cognito.region,
        "COGNITO_USER_POOL_ID": pool.id,
        "COGNITO_CLIENT_ID": pool.client_id,
        "COGNITO_ENDPOINT_URL": cognito.url,
        "COGNITO_ISSUER": pool.issuer,
        "COGNITO_PASSWORDLESS_JSON": json.dumps({"ATTRIBUTES": {"given_name": "first_name"}}),
    }


def migrate(site: dict[str, str]) -> None:
    subprocess.run([sys.executable, "-m", "django", "migrate", "--verbosity=0"], cwd=ROOT, env=site, check=True)


@pytest.mark.slow
def test_killed_and_continued_the_result_is_that_of_an_undisturbed_run(
    cognito: LocalCognito, postgres_url: str, tmp_path: Path
) -> None:
    seed = int(os.environ.get("SEED", secrets.randbits(32)))
    print(f"SEED={seed}")
    moments = random.Random(seed)
    pool = cognito.create_pool("killed")
    fill(pool, USERS)
    total = spoil(pool, moments)
    arguments = ("--rate", "1000", "--pages", "1")
    with Database(tmp_path, postgres_url) as killed, Database(tmp_path, postgres_url) as undisturbed:
        calm, wild = (site_of(cognito, pool, database) for database in (undisturbed, killed))
        for site in (calm, wild):
            migrate(site)
        with imports(calm, *arguments) as process:
            begin(process)
            assert end(process) == 0
        expected = result(undisturbed)

        # One kill for each of these, a little after the import has come so far.
        places = sorted(moments.randrange(total - 200) for _ in range(KILLS))
        resumed = set()
        held = f"SELECT coalesce(max(position), -1) FROM {RUNS} WHERE state = 'running' AND holder LIKE %s"
        with imports(wild, *arguments) as process, psycopg.connect(killed.url, autocommit=True) as looking:
            for place in places:
                cognito.faults.clear()
                error = moments.choice(["throttle", "500", "bad_json"])
                cognito.fail("ListUsers", error, times=moments.randint(1, 2), pool_id=pool.id)
                pid, deadline = begin(process), time.monotonic() + PATIENCE
                while looking.execute(held, [f"%:{pid}:%"]).fetchall()[0][0] < place:
                    assert time.monotonic() < deadline, place
                    time.sleep(0.005)
                time.sleep(moments.uniform(0, 0.03))
                os.kill(pid, signal.SIGKILL)
                assert end(process) == -signal.SIGKILL
                resumed.add(killed.value(f"SELECT position FROM {RUNS}"))
            begin(process)
            assert end(process) == 0
        assert result(killed) == expected
    (counted,) = expected["runs"]
    assert counted[:2] == ("done", total)
    assert {reason for _, _, reason, _ in expected["problems"]} == {"duplicate", "no_sub", "not_text", "too_long"}
    assert len(resumed) > KILLS / 2  # kills in a row may meet the same page
