"""Right answers at the same moment: one sign-in, one user, one migrated row."""

import secrets

from cognito_passwordless.local import LocalCognito, LocalPool

from ..gunicorn_site import Site
from ..http_browser import OTP, Browser, at_once
from .conftest import POOL_DOMAIN


def users(site: Site, email: str) -> int:
    return int(site.database.value("SELECT count(*) FROM auth_user WHERE email = ?", email))


def addresses(site: Site, email: str) -> list[tuple[object, ...]]:
    return site.database.rows("SELECT verified FROM account_emailaddress WHERE email = ?", email)


def migrated(site: Site, sub: str) -> list[tuple[object, ...]]:
    return site.database.rows("SELECT status, method FROM cognito_passwordless_migrateduser WHERE sub = ?", sub)


def outcomes(site: Site, identifier: str) -> list[str]:
    return sorted(
        outcome
        for (outcome,) in site.database.rows(
            "SELECT outcome FROM cognito_passwordless_challengesession WHERE identifier = ?", identifier
        )
    )


def test_16_right_codes_at_once_give_one_sign_in_and_one_new_user(site: Site, browser: Browser, person: str) -> None:
    browser.start(person)
    replies = browser.at_once(OTP, [{"code": site.code(person)}] * 16)
    assert sum(reply.signed_in for reply in replies) == 1
    assert (users(site, person), len(addresses(site, person))) == (1, 1)
    assert outcomes(site, person) == ["verified"]


def test_16_browsers_of_one_new_person_sign_in_at_once_as_one_user(site: Site, person: str) -> None:
    requests = []
    for _ in range(16):
        browser = Browser(site.port)
        browser.start(person)
        requests.append((browser, OTP, {"code": site.code(person)}))
    replies = at_once(requests)
    assert all(reply.signed_in for reply in replies)
    assert (users(site, person), len(addresses(site, person))) == (1, 1)


def test_16_people_sign_in_at_once_for_the_first_time(site: Site, person: str) -> None:
    requests = []
    for number in range(16):
        address = f"{number}.{person}"
        browser = Browser(site.port)
        browser.start(address)
        requests.append((browser, OTP, {"code": site.code(address)}))
    assert all(reply.signed_in for reply in at_once(requests))


def test_16_right_codes_of_a_pool_user_at_once_migrate_them_once(
    site: Site, browser: Browser, cognito: LocalCognito, race_pool: LocalPool
) -> None:
    address = f"{secrets.token_hex(6)}@{POOL_DOMAIN}"
    sub = race_pool.add_user(address)
    browser.start(address)
    replies = browser.at_once(OTP, [{"code": cognito.last_code(address) or ""}] * 16)
    assert sum(reply.signed_in for reply in replies) == 1
    assert migrated(site, sub) == [("migrated", "cognito_otp")]
    assert (users(site, address), len(addresses(site, address))) == (1, 1)


def test_two_browsers_of_one_pool_user_at_once_migrate_them_once(
    site: Site, cognito: LocalCognito, race_pool: LocalPool
) -> None:
    address = f"{secrets.token_hex(6)}@{POOL_DOMAIN}"
    sub = race_pool.add_user(address)
    requests = []
    for _ in range(2):
        browser = Browser(site.port)
        browser.start(address)
        requests.append((browser, OTP, {"code": cognito.last_code(address) or ""}))
    replies = at_once(requests)
    assert [reply.signed_in for reply in replies] == [True, True]
    assert migrated(site, sub) == [("migrated", "cognito_otp")]
    assert (users(site, address), len(addresses(site, address))) == (1, 1)
    accounts = site.database.value("SELECT count(*) FROM socialaccount_socialaccount WHERE uid = ?", sub)
    assert accounts == 1
