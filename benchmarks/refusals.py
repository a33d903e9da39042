"""What 500 wrong codes that wait for their verdict do to other people: ``python -m benchmarks.refusals``.

A site of 16 threads on PostgreSQL, with a pool that does not answer; prints the median time of right codes alone, and
while the others wait.
"""

import json
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from time import perf_counter

from cognito_passwordless.local import LocalCognito
from tests.gunicorn_site import CODE, Database, Site
from tests.http_browser import CHECKING, OTP, Browser

from .__main__ import POSTGRES_URL

WRONG, RIGHT, FLOOR = 500, 20, 5.0
MAKE_USERS = """
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
for number in range(40):
    user = User.objects.create(username=str(number), email=f"{number}@example.com")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
"""


def started(site: Site, address: str) -> Browser:
    browser = Browser(site.port)
    browser.start(address)
    return browser


def right_code(site: Site, browser: Browser, address: str) -> float:
    found = CODE.search(site.messages(address)[-1])
    assert found
    began = perf_counter()
    reply = browser.post(OTP, code=found.group())
    assert reply.signed_in, reply
    return perf_counter() - began


def main() -> int:
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        cognito = stack.enter_context(LocalCognito())
        pool = cognito.create_pool("slow")
        for number in range(WRONG):
            pool.add_user(f"{number}@pool.example")
        database = stack.enter_context(Database(directory, POSTGRES_URL))
        chosen = {
            "DISPATCH": "inline",
            "REFUSAL_FLOOR": FLOOR,
            "LIMITS": {"starts_per_ip": "100000/1h", "emails_per_day": "100000/1d"},
        }
        environment = {
            "COGNITO_PASSWORDLESS_JSON": json.dumps(chosen),
            "COGNITO_REGION": cognito.region,
            "COGNITO_USER_POOL_ID": pool.id,
            "COGNITO_CLIENT_ID": pool.client_id,
            "COGNITO_CLIENT_SECRET": pool.client_secret or "",
            "COGNITO_ENDPOINT_URL": cognito.url,
            "COGNITO_ISSUER": pool.issuer,
            "COGNITO_ROUTES": "otp",
            "COGNITO_CONNECTION_JSON": json.dumps({"domains": ["pool.example"]}),
        }
        site = stack.enter_context(Site(database, directory, **environment))
        site.shell(MAKE_USERS)
        crowd = stack.enter_context(ThreadPoolExecutor(16))
        people = [f"{number}@example.com" for number in range(2 * RIGHT)]
        owners = [(started(site, address), address) for address in people]
        guessers = list(crowd.map(lambda number: started(site, f"{number}@pool.example"), range(WRONG)))
        alone = [right_code(site, *owner) for owner in owners[:RIGHT]]
        cognito.fail("RespondToAuthChallenge", "timeout", times=10 * WRONG, pool_id=pool.id)
        replies = list(crowd.map(lambda browser: browser.post(OTP, code="00000000"), guessers))
        assert {reply.location for reply in replies} == {CHECKING}
        rows = "SELECT count(*) FROM cognito_passwordless_challengesession"
        waiting = f"{rows} WHERE answered_at IS NOT NULL AND verdict = '' AND outcome = 'open'"
        before = database.value(waiting)
        beside = [right_code(site, *owner) for owner in owners[RIGHT:]]
        print(
            f"alone {median(alone) * 1000:.0f} ms; beside {before} to {database.value(waiting)} wrong codes", end=" "
        )
        print(f"{median(beside) * 1000:.0f} ms: {median(beside) / median(alone):.2f} times")
        cognito.release()
    return int(median(beside) > 2 * median(alone))


if __name__ == "__main__":
    sys.exit(main())
