"""Django users ahead of the first sign-in: who gets one, who does not, and that everybody still proves themselves."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import OperationalError
from django.http import HttpResponse
from django.test import Client

from cognito_passwordless import connections
from cognito_passwordless.flows import importing
from cognito_passwordless.flows.importing import Activation, Totals, activation
from cognito_passwordless.flows.lifecycle import undo
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import ImportProblem, ImportRun, MigratedUser, PhoneNumber
from cognito_passwordless.signals import user_migrated

from ...hooks import Asked
from ..people import ANN, SignIn
from ..progress.reading import reading_only
from .test_pipeline import NOW

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("aws_identity")]
PHONE = "+4915112345678"


def work(*, makes_users: bool = True, **chosen: Any) -> Activation:
    connection = connections.find("main")
    assert connection
    stop = chosen.pop("stop", None) or threading.Event()
    return Activation(connection=connection, makes_users=makes_users, stop=stop, clock=lambda: NOW, **chosen)


def imported() -> None:
    connection = connections.find("main")
    assert connection
    assert importing.import_directory(connection, stop=threading.Event(), rate=1e6).state == "done"


def activate(**chosen: Any) -> dict[tuple[str, str], int]:
    """What was done; a dry run just before has to have said the same, and to have written nothing."""
    foretold = preview(**chosen)
    run, found = importing.activate(work(**chosen))
    assert run.state == "done"
    assert run.seen == run.created + run.updated + run.unchanged + run.skipped == found.seen
    assert found.outcomes == foretold.outcomes
    return dict(found.outcomes)


def preview(**chosen: Any) -> Totals:
    with reading_only():
        return importing.preview_activation(work(**chosen))


def record(email: str = ANN) -> MigratedUser:
    return MigratedUser.objects.get(email=email)


def test_somebody_whom_nobody_knows_gets_a_user_and_is_not_in(pool: LocalPool) -> None:
    pool.add_user(ANN, phone_number=PHONE, phone_number_verified=True)
    imported()
    assert activate() == {("create", "nobody_known"): 1}
    user = User.objects.get()
    assert (user.email, user.has_usable_password()) == (ANN, False)
    assert list(EmailAddress.objects.values_list("email", "verified")) == [(ANN, False)]
    assert list(PhoneNumber.objects.values_list("number", "verified")) == [(PHONE, False)]
    row = record()
    assert (row.status, row.method, row.user, row.migrated_at, row.active_at) == ("migrated", "bulk", user, NOW, None)
    assert row.awaits_proof
    assert not SocialAccount.objects.exists()
    assert activate() == {}


@pytest.mark.parametrize("way", ["e-mail", "sms"])
def test_they_prove_themselves_at_their_first_sign_in(
    pool: LocalPool, sign_in: SignIn, way: str, cognito: LocalCognito
) -> None:
    pool.add_user(ANN if way == "e-mail" else None, phone_number=PHONE, phone_number_verified=True)
    imported()
    activate()
    user = User.objects.get()
    if way == "e-mail":
        sign_in.by_our_code(ANN)
        assert EmailAddress.objects.get(user=user).verified
    else:
        sign_in.by_our_code(PHONE)
        assert PhoneNumber.objects.get(user=user).verified
    row = MigratedUser.objects.get()
    assert (row.status, row.method, row.user, row.awaits_proof) == ("migrated", "local_otp", user, False)
    assert User.objects.count() == 1
    assert SocialAccount.objects.get().user == user


def test_trusted_addresses_are_verified_where_the_connection_says_so(
    cognito: LocalCognito, connect: Callable[..., Any], sign_in: SignIn
) -> None:
    pool = cognito.create_pool("trusted")
    connect(pool, trust_verified=True)
    pool.add_user(ANN)
    imported()
    activate()
    assert EmailAddress.objects.get().verified
    sign_in.by_our_code(ANN)
    assert (record().method, User.objects.count()) == ("local_otp", 1)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"email_verified": False}, "no_verified_address"),
        ({"enabled": False}, "disabled"),
        ({"status": "UNCONFIRMED"}, "not_confirmed"),
        ({"status": "ARCHIVED"}, "not_confirmed"),
        ({"status": "EXTERNAL_PROVIDER"}, "external_provider"),
        ({"pool_status": "SOMETHING_NEW"}, "not_confirmed"),
    ],
)
def test_who_could_be_somebody_else_gets_no_user(pool: LocalPool, fields: dict[str, Any], expected: str) -> None:
    status = fields.pop("pool_status", None)
    pool.add_user(ANN, **fields)
    imported()
    if status:
        MigratedUser.objects.update(pool_status=status)
    assert activate() == {("wait", expected): 1}
    assert not User.objects.exists()
    assert record().status == "pending"


def test_an_unverified_address_is_not_given_beside_a_verified_one(pool: LocalPool) -> None:
    pool.add_user(ANN, email_verified=False, phone_number=PHONE, phone_number_verified=True)
    imported()
    activate()
    assert (User.objects.get().email, EmailAddress.objects.count(), PhoneNumber.objects.count()) == ("", 0, 1)


@pytest.mark.parametrize(
    ("mfa", "kept", "expected"),
    [
        ("OPTIONAL", None, ("wait", "mfa_unknown")),
        ("ON", None, ("wait", "mfa_unknown")),
        ("OPTIONAL", "true", ("wait", "mfa")),
        ("OFF", "true", ("wait", "mfa")),
        ("OPTIONAL", "false", ("create", "nobody_known")),
        ("OFF", None, ("create", "nobody_known")),
    ],
)
def test_nobody_loses_a_second_factor(
    cognito: LocalCognito, connect: Callable[..., Any], mfa: str, kept: str | None, expected: tuple[str, str]
) -> None:
    pool = cognito.create_pool("factors", mfa=mfa)
    connect(pool)
    pool.add_user(ANN)
    imported()
    if kept:
        MigratedUser.objects.update(attributes={"email_verified": "true", "cognito:mfa_enabled": kept})
    assert activate() == {expected: 1}


def test_a_pool_that_does_not_say_whether_it_has_mfa_ends_it(pool: LocalPool, cognito: LocalCognito) -> None:
    pool.add_user(ANN)
    imported()
    cognito.fail("DescribeUserPool", "AccessDeniedException", pool_id=pool.id)
    run, _ = importing.activate(work())
    assert (run.state, User.objects.count()) == ("failed", 0)
    cognito.faults.clear()


def test_users_who_carry_the_sub_are_paired_and_nobody_is_made(
    pool: LocalPool, settings: Any, make_user: Callable[..., User], sign_in: SignIn
) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "MATCH_USER": "last_name"}
    sub = pool.add_user(ANN, mfa=True)
    pool.add_user("ben@example.com")
    user = make_user("else@example.com", last_name=sub)
    imported()
    foretold = preview(makes_users=False)
    assert foretold.examples["link", "carries_sub"] == [f"{sub} → user {user.pk}"]
    assert activate(makes_users=False) == {("link", "carries_sub"): 1, ("wait", "no_user_to_pair"): 1}
    assert (record().user, record().method, record().awaits_proof) == (user, "bulk", True)
    assert User.objects.count() == 1
    assert not EmailAddress.objects.filter(email=ANN).exists()


def test_who_was_paired_signs_in_at_the_pool_and_then_by_our_code(
    pool: LocalPool, settings: Any, make_user: Callable[..., User], sign_in: SignIn
) -> None:
    """The Django user does not even have the address."""
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "MATCH_USER": "last_name"}
    user = make_user("else@example.com", last_name=pool.add_user(ANN))
    imported()
    activate(makes_users=False)
    sign_in.at_pool(ANN)
    assert (record().user, record().method, record().awaits_proof) == (user, "cognito_otp", False)
    assert EmailAddress.objects.get(email=ANN).user == user
    sign_in.by_our_code(ANN)
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("verified", "trust", "expected"),
    [
        (True, False, ("wait", "address_not_proven")),
        (False, False, ("wait", "address_not_proven")),
        (False, True, ("wait", "address_not_proven")),
        (True, True, ("link", "verified_address")),
    ],
)
def test_an_address_alone_links_only_where_both_sides_verified_it_and_that_is_trusted(
    cognito: LocalCognito,
    connect: Callable[..., Any],
    make_user: Callable[..., User],
    verified: bool,
    trust: bool,
    expected: tuple[str, str],
) -> None:
    pool = cognito.create_pool("linking")
    connect(pool, trust_verified=trust)
    pool.add_user(ANN)
    user = make_user(ANN, verified=verified)
    imported()
    assert activate() == {expected: 1}
    assert record().user == (user if expected[0] == "link" else None)
    assert record().status == ("migrated" if expected[0] == "link" else "pending")


@pytest.mark.parametrize("right", ["is_staff", "is_superuser"])
def test_staff_are_never_reached(
    cognito: LocalCognito, connect: Callable[..., Any], settings: Any, make_user: Callable[..., User], right: str
) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "MATCH_USER": "last_name"}
    pool = cognito.create_pool("staff")
    connect(pool, trust_verified=True)
    sub = pool.add_user(ANN)
    make_user(ANN, last_name=sub, **{right: True})
    imported()
    assert activate() == {("conflict", "privileged_user"): 1}
    assert (record().status, record().last_error, record().user) == ("conflict", "privileged_user", None)


def test_twins_wait_for_a_human_also_when_the_import_was_broken_off(pool: LocalPool) -> None:
    for name in ("one", "two"):
        pool.add_user(ANN, username=name)
    imported()
    MigratedUser.objects.update(shares_address=False)
    run, found = importing.activate(work())
    assert (dict(found.outcomes), run.unchanged) == ({("wait", "several_pool_users"): 2}, 2)
    assert not User.objects.exists()


def test_whoever_proves_an_address_that_somebody_else_took_in_the_pool_keeps_them_out(
    pool: LocalPool, sign_in: SignIn, settings: Any
) -> None:
    """The attacker has a pool user with a verified number, and the victim's address unverified."""
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "SIGNUP": True}
    pool.add_user(ANN, email_verified=False, phone_number=PHONE, phone_number_verified=True)
    imported()
    activate()
    theirs = User.objects.get()
    sign_in.start(ANN)
    assert not EmailAddress.objects.filter(user=theirs, email=ANN).exists()


def test_a_deleted_user_is_not_made_again(pool: LocalPool, sign_in: SignIn) -> None:
    pool.add_user(ANN)
    imported()
    activate()
    User.objects.all().delete()
    assert activate() == {}
    sign_in.at_pool(ANN, status=403)
    assert not User.objects.exists()


def test_it_is_undone_by_its_run_and_begins_anew(pool: LocalPool, sign_in: SignIn) -> None:
    pool.add_user(ANN)
    imported()
    run, _ = importing.activate(work())
    assert [dict(counted) for counted in undo.undo_run(run.pk, now=NOW)] == [{"user_removed": 1}]
    assert (User.objects.count(), record().status) == (0, "pending")
    sign_in.at_pool(ANN)
    assert (record().method, User.objects.count()) == ("cognito_otp", 1)


def test_the_signal_tells_each_person(pool: LocalPool) -> None:
    pool.add_user(ANN)
    imported()
    heard: list[tuple[bool, str]] = []

    def hear(created: bool, migrated_user: MigratedUser, **_: Any) -> None:
        heard.append((created, migrated_user.method))

    user_migrated.connect(hear)
    try:
        activate()
    finally:
        user_migrated.disconnect(hear)
    assert heard == [(True, "bulk")]


def people(pool: LocalPool, count: int) -> None:
    for number in range(count):
        pool.add_user(f"person{number}@example.com")
    imported()


def test_stopped_and_continued_everybody_is_activated_once(pool: LocalPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activation, "BATCH", 2)
    people(pool, 5)
    stop = threading.Event()
    half, _ = importing.activate(work(stop=stop, tell=lambda seen, total: stop.set() if seen >= 2 else None))
    assert (half.state, half.position, half.expected) == ("interrupted", 2, 5)
    rest, _ = importing.activate(work(), fresh=False)
    assert (rest.pk, rest.state, rest.created) == (half.pk, "done", 5)
    assert User.objects.count() == EmailAddress.objects.count() == 5


def test_what_dies_in_the_middle_of_a_batch_leaves_nothing_of_it(
    pool: LocalPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    people(pool, 3)
    calls = []

    def dies(*arguments: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*arguments, **named)

    real = activation.carry_out
    monkeypatch.setattr(activation, "carry_out", dies)
    with pytest.raises(KeyboardInterrupt):
        importing.activate(work())
    assert (User.objects.count(), ImportRun.objects.latest("pk").state) == (0, "interrupted")
    assert importing.activate(work())[0].created == 3


def test_a_deadlock_is_tried_again(pool: LocalPool, monkeypatch: pytest.MonkeyPatch) -> None:
    people(pool, 3)
    left = iter([OperationalError("deadlock detected")])

    def meets(*arguments: Any, **named: Any) -> Any:
        for error in left:
            raise error
        return real(*arguments, **named)

    real = activation.carry_out
    monkeypatch.setattr(activation, "carry_out", meets)
    assert importing.activate(work())[0].created == User.objects.count() == 3


def test_one_who_cannot_be_activated_is_a_problem_and_no_end(pool: LocalPool, settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "ATTRIBUTES": {"given_name": "username"}}
    pool.add_user(ANN, attributes={"given_name": "same"})
    pool.add_user("ben@example.com", attributes={"given_name": "same"})
    imported()
    run, found = importing.activate(work())
    assert (run.created, run.skipped, run.problems) == (1, 1, 1)
    assert found.outcomes["failed", "value_taken"] == 1
    problem = ImportProblem.objects.get()
    assert (problem.run, problem.reason, problem.detail) == (run, "failed", "value_taken")
    assert MigratedUser.objects.filter(status="pending").count() == 1
    assert User.objects.count() == 1


def test_hooks_are_told_that_there_is_no_request(pool: LocalPool, asked: Asked) -> None:
    pool.add_user(ANN)
    imported()
    importing.activate(work())
    assert {"account.new_user", "account.save_user", "account.populate_username"} <= {*asked}
    assert {*asked.requests} == {None}


@pytest.mark.parametrize(
    ("error", "reason"),
    [(ValidationError("no"), "value_refused"), (ImmediateHttpResponse(HttpResponse()), "stopped_by_site")],
)
def test_a_hook_that_refuses_one_of_them(pool: LocalPool, asked: Asked, error: Exception, reason: str) -> None:
    def refuse(request: object, user: User) -> None:
        if user.email == ANN:
            raise error

    asked.instead["account.populate_username"] = refuse
    pool.add_user(ANN)
    pool.add_user("ben@example.com")
    imported()
    _, found = importing.activate(work())
    assert found.outcomes == {("failed", reason): 1, ("create", "nobody_known"): 1}
    assert ImportProblem.objects.get().detail == reason
    assert User.objects.get().email == "ben@example.com"


def test_user_signed_up_is_sent_when_they_first_come_in(
    client: Client, pool: LocalPool, sent_code: Callable[[], str], signed_up: list[dict[str, Any]]
) -> None:
    pool.add_user(ANN)
    imported()
    importing.activate(work())
    assert signed_up == []
    for browser in (client, Client()):
        browser.post("/login/", {"identifier": ANN})
        browser.post("/login/code/", {"code": sent_code()})
    (told,) = signed_up
    assert (told["user"], told["request"].path) == (User.objects.get(), "/login/code/")
