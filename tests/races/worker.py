"""A worker process that takes the same task several times, at a moment that the test chooses.

``python -m tests.races.worker <challenge> <generation> <times>`` says "ready", and begins when its input ends.
"""

import sys
from concurrent.futures import ThreadPoolExecutor

import django
from django.db import connection


def work(challenge: str, generation: int) -> None:
    """One delivery of the task, as Celery would run it."""
    from cognito_passwordless.tasks import send_code  # after `setup`

    try:
        send_code.apply((challenge, generation), throw=True)
    finally:
        connection.close()


def main(challenge: str, generation: str, times: str) -> None:
    django.setup()
    print("ready", flush=True)
    sys.stdin.read()
    with ThreadPoolExecutor(int(times)) as threads:
        for done in [threads.submit(work, challenge, int(generation)) for _ in range(int(times))]:
            done.result()


if __name__ == "__main__":
    main(*sys.argv[1:])
