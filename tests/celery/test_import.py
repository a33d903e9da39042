"""The import by real workers, one of which is killed in the middle of it."""

from pathlib import Path

from .. import services
from ..cognito.standin import StandIn
from ..flows.importing.directory import Directory, listed
from .stage import Stage, eventually, stage

PEOPLE = 7_000  # three pages
RATE = 30
STATE = "SELECT state, position, seen, created FROM cognito_passwordless_importrun"


def ask(running: Stage, times: int = 1) -> None:
    asking = f"[import_directory.delay('main', rate={RATE}) for _ in range({times})]"
    running.site.shell(f"from cognito_passwordless.tasks import import_directory; {asking}")


def test_a_worker_dies_two_messages_are_there_and_everybody_is_imported_once(tmp_path: Path) -> None:
    try:
        services.redis_binary()
    except services.Unavailable as unavailable:
        services.missing(str(unavailable))
    with StandIn() as standin:
        Directory(standin, [listed(number) for number in range(PEOPLE)])
        pool = {
            "COGNITO_REGION": "eu-west-1",
            "COGNITO_USER_POOL_ID": "eu-west-1_Abc123xyz",
            "COGNITO_CLIENT_ID": "client",
            "COGNITO_CLIENT_SECRET": "the-clients-secret",
            "COGNITO_ENDPOINT_URL": standin.url,
            "COGNITO_LOOKUP": "imported",
            "COGNITO_ROUTES": "otp",
        }
        with stage(tmp_path, **pool) as running:
            database = running.site.database
            ask(running)
            first = running.worker()
            eventually(lambda: database.rows(f"{STATE} WHERE position > 0"), "the first page")
            first.kill()
            ((state, position, *_),) = database.rows(STATE)
            assert (state, 0 < position < PEOPLE) == ("running", True)
            # As beat does, and somebody else in the same minute.
            workers = [running.worker(), running.worker()]
            ask(running, times=2)
            eventually(lambda: database.rows(f"{STATE} WHERE state = 'done'"), "the end of the import")
            assert database.rows(STATE) == [("done", PEOPLE, PEOPLE, PEOPLE)]
            assert database.value("SELECT count(*) FROM cognito_passwordless_migrateduser") == PEOPLE
            log = first.log + "".join(worker.log for worker in workers)
            assert "the-clients-secret" not in log
            assert "@example.com" not in log
