"""Law 4: whoever it is that an identifier belongs to, or does not, every page says the same and takes as long."""

import json
import math
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import lru_cache
from itertools import combinations
from statistics import NormalDist
from time import perf_counter, sleep
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.local.sign_in.choice import ChoiceSignIn
from cognito_passwordless.models import ChallengeSession, FailureCount, MigratedUser

from .gunicorn_site import Database, Site
from .http_browser import OTP, Browser

SESSION_OF_THE_POOL = 181  # seconds, after which Cognito knows its session no more
COOLDOWN = 31
WRONG = "00000000"


def unknown(address: str, world: "World") -> None:
    """Nobody has heard of them."""


def local(address: str, world: "World") -> None:
    world.make_user(address)


def local_with_an_unverified_address(address: str, world: "World") -> None:
    world.make_user(address, verified=False)


def inactive(address: str, world: "World") -> None:
    world.make_user(address, is_active=False)


def staff(address: str, world: "World") -> None:
    world.make_user(address, is_staff=True)


def ambiguous(address: str, world: "World") -> None:
    world.make_user(address, verified=False)
    User.objects.create_user(username="another", email=address)


def in_the_pool(address: str, world: "World") -> None:
    world.pool.add_user(address)


def pending(address: str, world: "World") -> None:
    world.record(address, world.pool.add_user(address))


def disabled_in_the_pool(address: str, world: "World") -> None:
    world.pool.add_user(address, enabled=False)


def pending_and_disabled(address: str, world: "World") -> None:
    world.record(address, world.pool.add_user(address, enabled=False), pool_enabled=False)


def pending_and_disabled_since(address: str, world: "World") -> None:
    world.record(address, world.pool.add_user(address, enabled=False))


def unconfirmed_in_the_pool(address: str, world: "World") -> None:
    world.pool.add_user(address, status="UNCONFIRMED")


def password_to_set(address: str, world: "World") -> None:
    world.record(address, world.pool.add_user(address, status="FORCE_CHANGE_PASSWORD"))


def conflict(address: str, world: "World") -> None:
    world.record(address, world.pool.add_user(address), status="conflict")


def excluded(address: str, world: "World") -> None:
    world.record(address, world.pool.add_user(address), status="excluded")


def several_in_the_pool(address: str, world: "World") -> None:
    world.record(address, "sub-1")
    world.record(address, "sub-2")


def over_their_limit(address: str, world: "World") -> None:
    world.make_user(address)
    FailureCount.objects.create(identifier=address, count=1000)


def unknown_and_over_their_limit(address: str, world: "World") -> None:
    FailureCount.objects.create(identifier=address, count=1000)


class World:
    """Where people come from."""

    def __init__(self, make_user: Callable[..., User], pool: LocalPool) -> None:
        self.make_user = make_user
        self.pool = pool

    def record(self, address: str, sub: str, **fields: Any) -> None:
        MigratedUser.objects.create(
            connection="main",
            pool=self.pool.id,
            sub=sub,
            username=sub,
            email=address,
            attributes={"email_verified": "true"},
            **fields,
        )


PEOPLE = [
    local,
    local_with_an_unverified_address,
    inactive,
    staff,
    ambiguous,
    in_the_pool,
    pending,
    disabled_in_the_pool,
    pending_and_disabled,
    pending_and_disabled_since,
    unconfirmed_in_the_pool,
    password_to_set,
    conflict,
    excluded,
    several_in_the_pool,
    over_their_limit,
    unknown_and_over_their_limit,
]


@pytest.fixture
def world(make_user: Callable[..., User], pool: LocalPool, settings: Any) -> World:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "LIMITS": {"starts_per_ip": "10000/1h"}}
    return World(make_user, pool)


def plain(response: HttpResponse, address: str) -> tuple[Any, ...]:
    """An answer without its tokens and times."""
    body = response.content.decode().replace(address, "ADDRESS")
    body = re.sub(r'(name="csrfmiddlewaretoken" value=)"\w+"', r"\1TOKEN", body)
    body = re.sub(r"\b\d+ second", "N second", body)
    body = re.sub(r'("seconds_\w+": )\d+', r"\1N", body)
    body = re.sub(r'(data-[\w-]*seconds[\w-]*=)"\d+"', r'\1"N"', body)
    headers = {name: value for name, value in response.items() if name not in {"Retry-After", "Expires"}}
    cookies = sorted(
        (name, len(morsel.value), morsel["max-age"], morsel["path"], morsel["httponly"], morsel["samesite"])
        for name, morsel in response.cookies.items()
    )
    return response.status_code, body, headers, cookies


def cool_down() -> None:
    for challenge in ChallengeSession.objects.all():
        challenge.last_sent_at -= timedelta(seconds=COOLDOWN)
        challenge.save(update_fields=["last_sent_at"])


def answers(address: str, before_answering: Callable[[], None]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Everything that somebody who types this address can see without a code."""
    client = Client(enforce_csrf_checks=True)

    def ask(name: str, method: str, path: str, **fields: str) -> tuple[str, tuple[Any, ...]]:
        if method == "get":
            return name, plain(client.get(path), address)
        token = client.cookies["csrftoken"].value
        return name, plain(client.post(path, {**fields, "csrfmiddlewaretoken": token}), address)

    yield ask("the login page", "get", "/login/")
    yield ask("start", "post", "/login/", identifier=address)
    yield ask("the code page", "get", OTP)
    yield ask("status", "get", "/login/code/status/")
    before_answering()
    yield ask("a wrong code", "post", OTP, code=WRONG)
    yield ask("an entry that is no code", "post", OTP, code="?")
    yield ask("a resend too soon", "post", "/login/code/resend/")
    yield ask("a retry too soon", "post", "/login/code/retry/")
    cool_down()
    yield ask("a resend", "post", "/login/code/resend/")
    yield ask("status after it", "get", "/login/code/status/")
    yield ask("another wrong code", "post", OTP, code="111111")
    yield ask("the last wrong code", "post", OTP, code="2222222222")
    yield ask("a code when none is allowed any more", "post", OTP, code=WRONG)
    yield ask("status when none is allowed any more", "get", "/login/code/status/")
    cool_down()
    yield ask("a resend that has to start afresh", "post", "/login/code/resend/")
    yield ask("the page of the fresh challenge", "get", OTP)
    before_answering()
    yield ask("a wrong code for it", "post", OTP, code=WRONG)
    cool_down()
    yield ask("a retry", "post", "/login/code/retry/")
    cool_down()
    yield ask("a retry by SMS", "post", "/login/code/retry/", channel="sms")
    yield ask("the page of the retry", "get", OTP)
    yield ask("a wrong code for the retry", "post", OTP, code=WRONG)
    ChallengeSession.objects.update(expires_at=timezone.now())
    yield ask("the page when the code has expired", "get", OTP)
    yield ask("a code that has expired", "post", OTP, code=WRONG)
    yield ask("status when it has expired", "get", "/login/code/status/")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("waiting", [0, SESSION_OF_THE_POOL], ids=["at_once", "after_the_pools_session"])
@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.__name__)
def test_every_answer_is_the_one_that_nobody_gets(
    person: Callable[[str, World], None], waiting: int, world: World, cognito: LocalCognito
) -> None:
    somebody = "somebody@example.com"
    person(somebody, world)

    def wait() -> None:
        cognito.advance(waiting)

    nobodys = nobodys_answers(wait, waiting)
    for step, theirs in answers(somebody, wait):
        assert theirs == nobodys[step], step


@lru_cache
def _remembered() -> dict[int, dict[str, tuple[Any, ...]]]:
    return {}


def nobodys_answers(wait: Callable[[], None], waiting: int) -> dict[str, tuple[Any, ...]]:
    """What a stranger gets to see: the same for every test."""
    if waiting not in _remembered():
        _remembered()[waiting] = dict(answers("stranger@example.com", wait))
    return _remembered()[waiting]


# Timings


TRIES = 200
DISTANCE = 0.06  # seconds that a real pool is further away than loopback
FLOOR = 0.25  # seconds; long enough for such a pool on a machine that has other things to do
SURE = 1e-4
KINDS = {
    "local": "local@example.com",
    "unknown": "nobody@example.com",
    "pool": "ann@pool.example",
    "unknown to the pool": "nobody@pool.example",
}
MAKE_LOCAL_USER = """
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
user = User.objects.create(username="local", email="local@example.com")
EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
"""


@pytest.fixture(scope="module")
def _distant_pool() -> Iterator[None]:
    answer = ChoiceSignIn.enter

    def answer_from_afar(*arguments: Any) -> dict[str, Any]:
        sleep(DISTANCE)
        return answer(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ChoiceSignIn, "enter", answer_from_afar)
        yield


@pytest.fixture(scope="module")
def timed_site(tmp_path_factory: pytest.TempPathFactory, cognito: LocalCognito, _distant_pool: None) -> Iterator[Site]:
    """A site whose pool answers for one domain: a wrong code goes to the pool, to our own code, or nowhere."""
    pool = cognito.create_pool("timing")
    pool.add_user(KINDS["pool"])
    directory = tmp_path_factory.mktemp("timing")
    chosen = {
        "DISPATCH": "inline",
        "REFUSAL_FLOOR": FLOOR,
        "OTP": {"MAX_ATTEMPTS": 10},
        # 75 wrong codes for each kind of person, which the highest failure limit there may be still compares.
        "LIMITS": {"failures": "100/1h", "starts_per_ip": "100000/1h", "sends": "100000/1h"},
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
    with Database(directory) as database, Site(database, directory, **environment) as site:
        site.shell(MAKE_LOCAL_USER)
        yield site


def refusals(site: Site, tries: int, *, floor: bool) -> dict[str, list[float]]:
    """Seconds that the answers to wrong codes take by kind of person, the kinds taking turns. With a floor, that is
    the checking page's redirect, and no refusal is seen before the floor."""
    taken: dict[str, list[float]] = {kind: [] for kind in KINDS}
    browsers: dict[str, Browser] = {}
    for number in range(tries // len(KINDS)):
        for kind, address in KINDS.items():
            if number % 10 == 0:
                browsers[kind] = Browser(site.port)
                browsers[kind].start(address)
                if not floor:
                    site.database.rows("UPDATE cognito_passwordless_challengesession SET refusal_floor = 0")
            began = perf_counter()
            reply = browsers[kind].ask("POST", OTP, {"code": WRONG})
            taken[kind].append(perf_counter() - began)
            page = browsers[kind].verdict(reply)
            assert "not right" in page.body
            assert not floor or perf_counter() - began >= FLOOR
    return taken


def same_distribution(these: list[float], those: list[float]) -> float:
    """The two-sided p-value of Mann and Whitney's test, by its normal approximation (good from 20 values on)."""
    above = sum((a > b) + (a == b) / 2 for a in these for b in those)
    n, m = len(these), len(those)
    z = (above - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12)
    return 2 * NormalDist().cdf(-abs(z))


def test_200_wrong_codes_by_turns_do_not_tell_who_is_known(timed_site: Site) -> None:
    with ThreadPoolExecutor(2) as lanes:
        halves = list(lanes.map(lambda half: refusals(timed_site, half, floor=True), [TRIES // 2] * 2))
    taken = {kind: [*halves[0][kind], *halves[1][kind]] for kind in KINDS}
    doubts = {pair: same_distribution(taken[pair[0]], taken[pair[1]]) for pair in combinations(KINDS, 2)}
    assert min(doubts.values()) > SURE, doubts


def test_without_the_floor_the_same_test_does_tell_them_apart(timed_site: Site) -> None:
    pairs = (("local", "pool"), ("unknown", "unknown to the pool"))
    taken: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for _ in range(6):  # a busy machine hides the difference from one round
        for kind, times in refusals(timed_site, TRIES // 2, floor=False).items():
            taken[kind] += times
        doubts = [same_distribution(taken[these], taken[those]) for these, those in pairs]
        if max(doubts) < SURE:
            break
    assert max(doubts) < SURE
