"""A pool is one identity, whatever its issuer and its region: a switch and a fail-over change nobody."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.utils import timezone

from cognito_passwordless import connections
from cognito_passwordless.checks.connections import unchanged_pools
from cognito_passwordless.cognito import CognitoError, CognitoProfile, Connection, verify_id_token
from cognito_passwordless.exceptions import MigrationRefused
from cognito_passwordless.flows import importing
from cognito_passwordless.flows.lifecycle import cutover, erase
from cognito_passwordless.flows.migration import Migrated, migrate
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import Erasure, MigratedUser

from ..people import SignIn

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("aws_identity")]

MIGRATED, ERASED, IMPORTED = range(100), range(100, 110), range(110, 210)


def address(number: int) -> str:
    return f"person{number}@example.com"


def sub_of(number: int) -> str:
    return str(UUID(int=number + 1, version=4))


@dataclass
class Site:
    """A site with one connection, whose pool is on loopback and writes Amazon's issuers."""

    cognito: LocalCognito
    pool: LocalPool
    settings: dict[str, Any]

    @property
    def connection(self) -> Connection:
        found = connections.find("main")
        assert found
        return found

    def moves(self, where: str, **settings: Any) -> None:
        """The pool's tokens name another issuer from now on, and the connection is changed by ``settings``."""
        self.cognito.issue_as(self.pool.id, where + self.pool.id)
        self.settings.update(settings)

    def imports(self) -> dict[str, int]:
        run = importing.import_directory(self.connection, stop=threading.Event(), rate=1e6)
        assert run.state == "done"
        return {name: getattr(run, name) for name in ("created", "updated", "unchanged", "skipped")}

    def comes(self, number: int) -> Migrated:
        """Somebody with the pool's token, which is verified with the keys that it publishes."""
        now, connection = timezone.now(), self.connection
        token = self.cognito._signer.sign(
            {
                "iss": self.cognito.issuer(self.pool.id),
                "sub": sub_of(number),
                "aud": self.pool.client_id,
                "token_use": "id",
                "iat": int(time.time()),
                "exp": int(time.time()) + 60,
                "email": address(number),
                "cognito:username": sub_of(number),
            }
        )
        claims = verify_id_token(connection, token, now=now.timestamp())
        profile = CognitoProfile.from_claims(
            claims, pool=connection.pool, scope=connection.scope, proven=[address(number)]
        )
        return migrate(profile, connection=connection, method=MigratedUser.Method.COGNITO_OTP, now=now)


def everybody() -> dict[str, Any]:
    """Who is there: records with what they are, users, proven addresses, linked accounts, tombstones."""
    return {
        "people": set(MigratedUser.objects.values_list("pk", "pool", "sub", "status", "user_id")),
        "users": set(User.objects.values_list("pk", "username")),
        "addresses": set(EmailAddress.objects.values_list("user_id", "email", "verified")),
        "accounts": set(SocialAccount.objects.values_list("provider", "uid", "user_id")),
        "erased": set(Erasure.objects.values_list("pk", "mark")),
    }


@pytest.fixture
def site(cognito: LocalCognito, connect: Callable[..., Any]) -> Site:
    """After 100 migrations, 100 imports and 10 erasures, by the issuer that the pool has had so far."""
    pool = cognito.create_pool("one")
    cognito.issue_as(pool.id, f"https://cognito-idp.eu-west-1.amazonaws.com/{pool.id}")
    app = connect(pool, issuer=None, endpoints={"jwks_uri": pool.jwks_uri})
    made = Site(cognito, pool, app["settings"])
    for number in (*MIGRATED, *ERASED, *IMPORTED):
        pool.add_user(address(number), sub=sub_of(number))
    assert made.imports()["created"] == 210
    for number in (*MIGRATED, *ERASED):
        assert made.comes(number).created
    for number in ERASED:
        erase.erase(MigratedUser.objects.get(sub=sub_of(number)).pk, remove_user=True, now=timezone.now(), by="7")
    return made


def test_nobody_is_new_nobody_is_there_twice_and_the_erased_stay_out(site: Site, sign_in: SignIn) -> None:
    before = everybody()
    assert [len(rows) for rows in before.values()] == [200, 100, 100, 100, 10]
    updated, replica = "https://issuer-cognito-idp.eu-west-1.amazonaws.com/", "eu-central-1"
    moves: list[tuple[str, dict[str, Any], range]] = [
        (updated, {}, MIGRATED),
        (f"https://cognito-idp.{replica}.amazonaws.com/", {"regions": [replica]}, MIGRATED[:5]),
        (f"https://cognito-idp.{replica}.amazonaws.com/", {"region": replica}, MIGRATED),
        (updated, {}, MIGRATED[:5]),
        ("https://login.example.com/", {"issuer": f"https://login.example.com/{site.pool.id}"}, MIGRATED[:5]),
        (updated, {"region": "eu-west-1"}, MIGRATED[:5]),
    ]
    for issuer, changed, coming in moves:
        site.moves(issuer, **changed)
        assert unchanged_pools(databases=["default"]) == []
        for number in coming:
            came = site.comes(number)
            assert (came.created, came.just_now) == (False, False)
        for number in ERASED:
            with pytest.raises(MigrationRefused, match="erased"):
                site.comes(number)
        assert everybody() == before
        assert cutover.pool_users(site.connection).count() == 200
    assert site.imports() == {"created": 0, "updated": 0, "unchanged": 200, "skipped": 10}

    # Over HTTP as well, in the other region. Whoever has been migrated needs no pool.
    site.moves(updated, region=replica)
    sign_in.at_pool(address(ERASED[0]), status=403)
    assert everybody() == before
    sign_in.at_pool(address(IMPORTED[0]))
    assert [len(rows) for rows in everybody().values()] == [200, 101, 101, 101, 10]


def test_another_pool_is_another_pool_though_the_subs_be_the_same(
    cognito: LocalCognito, connect: Callable[..., Any]
) -> None:
    pool, other = cognito.create_pool("one"), cognito.create_pool("other")
    app = connect(pool, issuer=None, endpoints={"jwks_uri": pool.jwks_uri})
    made = Site(cognito, pool, app["settings"])
    made.moves("https://cognito-idp.eu-west-1.amazonaws.com/")
    made.comes(0)
    cognito.issue_as(pool.id, f"https://cognito-idp.eu-west-1.amazonaws.com/{other.id}")
    with pytest.raises(CognitoError, match="wrong issuer"):
        made.comes(0)
    app["settings"]["user_pool_id"] = other.id
    assert [message.id for message in unchanged_pools(databases=["default"])] == ["cognito_passwordless.E605"]
    assert made.comes(0).just_now
    assert set(MigratedUser.objects.values_list("pool", flat=True)) == {pool.id, other.id}
