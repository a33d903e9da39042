"""``python -m benchmarks.importing``: how fast a pool's directory comes into PostgreSQL, and with how much memory.

The real command in a process of its own, against a pool that lists invented users as fast as it is asked
(`benchmarks.directory`), into the PostgreSQL at ``TEST_POSTGRES_URL``. Twice: the second time nobody has changed.
Exits with 1 when a target is missed.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from .__main__ import ROOT, database

LEAST = 18_000  # users a second: ten times what ListUsers' quota of 30 calls with 60 users each can deliver
MOST_MEMORY = 200.0  # MiB
# Over the most in the first quarter of a run: what holds on to what it has seen would have four times as much.
MOST_GROWTH = 1.15
TICKS = os.sysconf("SC_CLK_TCK")
NOBODYS_LIMIT = "1e9"  # calls a second


@dataclass
class Run:
    """One run of the command. Memory in MiB, one number every tenth of a second; processor time in seconds."""

    users: int
    seconds: float
    own_seconds: float
    server_seconds: float
    memory: list[float] = field(repr=False)
    report: str = ""

    @property
    def rate(self) -> float:
        return self.users / self.seconds

    @property
    def growth(self) -> float:
        """The most memory of all over the most in the first quarter, without the start of the process."""
        settled = self.memory[len(self.memory) // 10 :] or self.memory
        return max(settled) / max(settled[: max(1, len(settled) // 4)])


@contextmanager
def directory(users: int) -> Iterator[str]:
    """The address of a pool with so many users."""
    command = [sys.executable, "-m", "benchmarks.directory", str(users)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdin
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.stdin.close()
            process.wait()


def environment(database_url: str, pool_url: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COGNITO_", "REDIS_"))}
    return kept | {
        "DJANGO_SETTINGS_MODULE": "example_project.settings",
        "SECRET_KEY": "only-for-the-benchmark-and-long-enough-for-django",
        "DATABASE_URL": database_url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "COGNITO_REGION": "eu-west-1",
        "COGNITO_USER_POOL_ID": "eu-west-1_Benchmark",
        "COGNITO_CLIENT_ID": "client",
        "COGNITO_ENDPOINT_URL": pool_url,
        "COGNITO_ROUTES": "otp",
        "COGNITO_PASSWORDLESS_JSON": json.dumps({"ATTRIBUTES": {"given_name": "first_name"}}),
    }


def run(users: int, site: dict[str, str]) -> Run:
    """The command from start to end. Of its time, Python's own start is a part."""
    command = [sys.executable, "-m", "django", "cognito_import", "--rate", NOBODYS_LIMIT]
    memory: list[float] = []
    before, began = _backends(site), time.monotonic()
    with subprocess.Popen(command, cwd=ROOT, env=site, stdout=subprocess.PIPE, text=True) as process:
        server: dict[int, float] = {}
        over = threading.Event()

        def watch() -> None:
            while not over.wait(0.1):
                memory.append(_resident(process.pid))
                server.update(_used_by(_backends(site) - before))

        watching = threading.Thread(target=watch)
        watching.start()
        assert process.stdout
        report = process.stdout.read()
        over.set()
        watching.join()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - began
    if process.returncode:
        raise SystemExit(f"The import ended with {process.returncode}: {report}")
    return Run(
        users,
        seconds,
        usage.ru_utime + usage.ru_stime,
        sum(server.values()),
        [size for size in memory if size],
        report.strip(),
    )


def measure(users: int) -> list[Run]:
    with directory(users) as pool_url, database("postgresql") as database_url:
        site = environment(database_url, pool_url)
        subprocess.run([sys.executable, "-m", "django", "migrate", "--verbosity=0"], cwd=ROOT, env=site, check=True)
        return [run(users, site), run(users, site)]


def missed(first: Run, second: Run) -> list[str]:
    found = []
    if first.rate < LEAST:
        found.append(f"{first.rate:,.0f} users a second, at least {LEAST:,} are wanted")
    if second.seconds >= first.seconds:
        found.append("a second run over unchanged users is not faster")
    for name, done in (("first", first), ("second", second)):
        if max(done.memory) > MOST_MEMORY:
            found.append(f"{max(done.memory):.0f} MiB in the {name} run, at most {MOST_MEMORY:.0f} are wanted")
        if done.growth > MOST_GROWTH:
            found.append(f"memory of the {name} run grew by {done.growth:.2f}, at most {MOST_GROWTH} is wanted")
    return found


def told(name: str, done: Run) -> str:
    million = 1e6 / done.users
    return (
        f"{name}: {done.seconds:.1f} s, {done.rate:,.0f} users a second, at most {max(done.memory):.0f} MiB "
        f"(growth {done.growth:.2f}); processor seconds for a million: {done.own_seconds * million:.0f} of the "
        f"command, {done.server_seconds * million:.0f} of PostgreSQL\n    {done.report}"
    )


def _resident(pid: int) -> float:
    """MiB; 0 for a process that has ended."""
    try:
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0


def _backends(site: dict[str, str]) -> set[int]:
    """The processes of PostgreSQL that serve this database, other than the one that is asked."""
    import psycopg  # noqa: PLC0415  (only for PostgreSQL)

    with psycopg.connect(site["DATABASE_URL"]) as connection:
        name = urlsplit(site["DATABASE_URL"]).path[1:]
        asked = "SELECT pid FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
        return {pid for (pid,) in connection.execute(asked, [name])}


def _used_by(pids: set[int]) -> dict[int, float]:
    """Seconds of processor time so far; nothing for a PostgreSQL on another machine."""
    used = {}
    for pid in pids:
        try:
            parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        used[pid] = (int(parts[11]) + int(parts[12])) / TICKS
    return used


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.importing", description=__doc__)
    parser.add_argument("--users", type=int, default=1_000_000, help="in the pool (1,000,000)")
    options = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors, {options.users:,} users")
    first, second = measure(options.users)
    print(told("everybody is new", first))
    print(told("nobody has changed", second))
    misses = missed(first, second)
    print("\n".join(["Missed targets:", *misses] if misses else ["All targets are met."]))
    return bool(misses)


if __name__ == "__main__":
    sys.exit(main())
