"""Operators decide, undo, erase and retire while the people themselves sign in: no duplicate, no loss, nobody half."""

import json
import random
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest

from cognito_passwordless.local import LocalCognito, LocalPool

from ..gunicorn_site import Site
from ..http_browser import OTP, Browser, Reply
from .conftest import POOL_DOMAIN

pytestmark = pytest.mark.parametrize("site", ["postgresql", "sqlite"], indirect=True, scope="session")
ROUNDS = 5
LATEST = 0.08  # seconds by which one of two comes later than the other, at most

Ask = Callable[..., str]


class Meddler:
    """A process of the site that carries out one order after another."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        assert self._line() == "ready"

    def __call__(self, *order: Any) -> str:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._line()

    def _line(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "it died"
        return line.strip()

    def close(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        assert self._process.wait(30) == 0
        self._process.stdout.close()


@pytest.fixture
def meddlers(site: Site) -> Iterator[list[Meddler]]:
    """Two operators."""
    made = [Meddler(site.process("tests.races.intervening")) for _ in range(2)]
    yield made
    for meddler in made:
        meddler.close()


@pytest.fixture
def chance() -> random.Random:
    return random.Random(20261121)


def together(*acts: Callable[[], Any], chance: random.Random) -> list[Any]:
    """Begins all at the same moment, but for a little; the answers in their order."""
    gate, waits = Barrier(len(acts)), [chance.uniform(0, LATEST) for _ in acts]

    def begin(act: Callable[[], Any], wait: float) -> Any:
        gate.wait(30)
        time.sleep(wait)
        return act()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(begin, acts, waits))


class People:
    """One person of the pool, seen from outside."""

    def __init__(self, site: Site, cognito: LocalCognito, pool: LocalPool) -> None:
        self.site, self.cognito = site, cognito
        self.address = f"{secrets.token_hex(6)}@{POOL_DOMAIN}"
        self.sub = pool.add_user(self.address)

    def begun(self) -> Callable[[], Reply]:
        """A browser that has been sent a code, whoever sent it, and has yet to enter it."""
        browser, sent = Browser(self.site.port), len(self.site.messages(self.address))
        before = self.cognito.last_code(self.address)
        browser.start(self.address)
        ours = len(self.site.messages(self.address)) > sent
        code = self.site.code(self.address) if ours else (self.cognito.last_code(self.address) or "")
        assert ours or code != before, "nobody sent a code"
        return lambda: browser.ask("POST", OTP, {"code": code})

    def signs_in(self) -> Reply:
        return self.begun()()

    def rows(self) -> list[tuple[Any, ...]]:
        return self.site.database.rows(
            "SELECT id, status, user_id FROM cognito_passwordless_migrateduser WHERE sub = ?", self.sub
        )

    def pk(self) -> int:
        ((pk, _, _),) = self.rows()
        return int(pk)

    def users(self) -> list[int]:
        return [pk for (pk,) in self.site.database.rows("SELECT id FROM auth_user WHERE email = ?", self.address)]

    def accounts(self) -> list[int]:
        found = self.site.database.rows("SELECT user_id FROM socialaccount_socialaccount WHERE uid = ?", self.sub)
        return [user for (user,) in found]

    def is_whole(self) -> bool:
        """Migrated, with the one user and the one account; or not, and nothing of them is left over."""
        if not self.rows():
            return (self.users(), self.accounts()) == ([], [])
        ((_, status, user),) = self.rows()
        if status == "migrated":
            return self.users() == self.accounts() == [user]
        return (self.users(), self.accounts(), user) in (([], [], None), ([user], [user], user))

    def steps(self) -> int:
        return int(
            self.site.database.value(
                "SELECT count(*) FROM cognito_passwordless_journeyevent WHERE step IN ('undone', 'erased', 'decided')"
            )
        )


@pytest.fixture
def person_of_pool(site: Site, cognito: LocalCognito, race_pool: LocalPool) -> Callable[[], People]:
    return lambda: People(site, cognito, race_pool)


@pytest.mark.parametrize("choice", ["remove", "keep"])
def test_an_undo_while_they_sign_in(
    meddlers: list[Meddler], person_of_pool: Callable[[], People], chance: random.Random, choice: str
) -> None:
    one, two = meddlers
    for _ in range(ROUNDS):
        ann = person_of_pool()
        assert ann.signs_in().signed_in
        pk, enter = ann.pk(), ann.begun()
        together(enter, partial(one, "undo", pk, choice), partial(two, "undo", pk, choice), chance=chance)
        assert ann.is_whole(), (ann.rows(), ann.users(), ann.accounts())
        assert ann.signs_in().signed_in
        ((_, status, user),) = ann.rows()
        assert (status, [user]) == ("migrated", ann.users())
        assert ann.is_whole()


def test_an_undo_during_the_first_sign_in(
    meddlers: list[Meddler], person_of_pool: Callable[[], People], chance: random.Random
) -> None:
    for _ in range(ROUNDS):
        ann = person_of_pool()
        assert ann.signs_in().signed_in
        pk = ann.pk()
        assert meddlers[0]("undo", pk, "remove") == "user_removed"
        enter = ann.begun()
        together(enter, partial(meddlers[0], "undo", pk, "remove"), chance=chance)
        assert ann.is_whole()
        assert ann.signs_in().signed_in
        assert ann.is_whole()


def test_an_erasure_while_they_sign_in(
    meddlers: list[Meddler], person_of_pool: Callable[[], People], chance: random.Random
) -> None:
    one, two = meddlers
    for _ in range(ROUNDS):
        ann = person_of_pool()
        assert ann.signs_in().signed_in
        one("undo", ann.pk(), "remove")
        pk, enter = ann.pk(), ann.begun()
        _, *came = together(enter, partial(one, "erase", pk, True), partial(two, "erase", pk, True), chance=chance)
        assert "erased 1" in came
        assert (ann.rows(), ann.users(), ann.accounts()) == ([], [], []), came
        reply = ann.signs_in()
        assert (reply.status, reply.signed_in) == (403, False)
        assert (ann.rows(), ann.users()) == ([], [])


def test_decisions_about_twins_while_they_sign_in(
    site: Site, meddlers: list[Meddler], person_of_pool: Callable[[], People], chance: random.Random
) -> None:
    one, two = meddlers
    for _ in range(ROUNDS):
        ann = person_of_pool()
        assert ann.signs_in().signed_in
        first = ann.pk()
        one("undo", first, "remove")
        site.database.rows(
            "INSERT INTO cognito_passwordless_migrateduser (connection, pool, sub, username, email, email_key,"
            " phone_number, phone_key, attributes, pool_status, pool_enabled, status, method, last_error, digest,"
            " shares_address, changes)"
            " SELECT connection, pool, ?, ?, email, email_key, phone_number, phone_key, attributes,"
            " 'EXTERNAL_PROVIDER', pool_enabled, status, method, last_error, digest, shares_address, changes"
            " FROM cognito_passwordless_migrateduser WHERE id = ?",
            f"twin-{ann.sub}",
            f"google_{ann.sub}",
            first,
        )
        twin = site.database.value("SELECT id FROM cognito_passwordless_migrateduser WHERE sub = ?", f"twin-{ann.sub}")
        assert one("decide", first, "merge") == "pending"
        enter = ann.begun()
        together(
            enter,
            partial(one, "decide", twin, "merge"),
            partial(two, "decide", first, "merge"),
            chance=chance,
        )
        found = dict(
            site.database.rows(
                "SELECT status, user_id FROM cognito_passwordless_migrateduser WHERE id IN (?, ?)", first, twin
            )
        )
        assert set(found) in ({"migrated"}, {"pending"}), found
        assert ann.signs_in().signed_in
        (user,) = ann.users()
        assert site.database.rows(
            "SELECT DISTINCT status, user_id FROM cognito_passwordless_migrateduser WHERE id IN (?, ?)", first, twin
        ) == [("migrated", user)]


def test_an_import_brings_nobody_back_who_is_erased_meanwhile(
    site: Site, meddlers: list[Meddler], person_of_pool: Callable[[], People], chance: random.Random
) -> None:
    one, two = meddlers
    for _ in range(ROUNDS):
        ann = person_of_pool()
        assert ann.signs_in().signed_in
        pk = ann.pk()
        came, _ = together(
            partial(one, "erase", pk, True), partial(two, "import", ann.sub, ann.address), chance=chance
        )
        assert came == "erased 1"
        assert (ann.rows(), ann.users(), ann.accounts()) == ([], [], [])
        assert ann.address not in str(site.database.rows("SELECT email FROM cognito_passwordless_migrateduser"))


def test_a_cut_over_while_they_sign_in(
    meddlers: list[Meddler], person_of_pool: Callable[[], People], chance: random.Random
) -> None:
    one, two = meddlers
    for _ in range(ROUNDS):
        ann = person_of_pool()
        assert ann.signs_in().signed_in
        one("undo", ann.pk(), "remove")
        enter = ann.begun()
        try:
            reply, *_ = together(enter, partial(one, "retire", "main"), partial(two, "retire", "main"), chance=chance)
            assert reply.signed_in or reply.status == 200
            assert ann.is_whole()
            calls = len(ann.cognito.calls)
            assert ann.signs_in().signed_in
            assert len(ann.cognito.calls) == calls
            assert ann.is_whole()
        finally:
            one("unretire", "main")
    assert person_of_pool().signs_in().signed_in
