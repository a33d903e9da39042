"""Who proves the person, and what each refusal of the pool leads to: the cause decides."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.test import Client

from cognito_passwordless import steps
from cognito_passwordless.flows.sign_in import verification
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import ChallengeSession, JourneyEvent, MigratedUser

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def start() -> Callable[..., ChallengeSession]:
    def post(identifier: str, client: Client | None = None) -> ChallengeSession:
        response = (client or Client()).post("/login/", {"identifier": identifier})
        assert response.status_code == 302
        return ChallengeSession.objects.latest("created_at")

    return post


def pending(pool: LocalPool, sub: str, email: str = "ann@example.com", **fields: Any) -> MigratedUser:
    return MigratedUser.objects.create(
        connection="main",
        pool=pool.id,
        sub=sub,
        username=sub,
        email=email,
        attributes={"email_verified": "true"},
        **fields,
    )


def test_a_local_user_proves_themselves_to_us_though_they_are_in_the_pool_too(
    start: Callable[..., ChallengeSession],
    make_user: Callable[..., User],
    pool: LocalPool,
    cognito: LocalCognito,
    sent_code: Callable[[], str],
) -> None:
    user = make_user("ann@example.com")
    record = pending(pool, pool.add_user("ann@example.com"))
    calls = len(cognito.calls)
    client = Client()
    assert start("ann@example.com", client).route == "local"
    client.post("/login/code/", {"code": sent_code()})
    record.refresh_from_db()
    assert (record.status, record.method, record.user_id) == ("migrated", "local_otp", user.pk)
    assert len(cognito.calls) == calls


def test_a_pool_record_whose_address_the_pool_never_verified_is_not_linked_by_our_code(
    start: Callable[..., ChallengeSession],
    make_user: Callable[..., User],
    pool: LocalPool,
    sent_code: Callable[[], str],
) -> None:
    """Whoever wrote this address into the pool could still sign in there, and would be in the account."""
    make_user("ann@example.com")
    record = pending(pool, pool.add_user("ann@example.com", email_verified=False))
    MigratedUser.objects.filter(pk=record.pk).update(attributes={"email_verified": "false"})
    client = Client()
    start("ann@example.com", client)
    client.post("/login/code/", {"code": sent_code()})
    assert "_auth_user_id" in client.session
    record.refresh_from_db()
    assert (record.status, record.user) == ("pending", None)


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({"pool_status": "UNCONFIRMED"}, "unconfirmed"),
        ({"pool_status": "ARCHIVED"}, "archived"),
        ({"pool_enabled": False}, "disabled"),
    ],
)
def test_a_pool_user_whom_the_pool_keeps_out_gets_no_account_by_an_address_that_they_only_wrote(
    start: Callable[..., ChallengeSession],
    pool: LocalPool,
    sent_code: Callable[[], str],
    state: dict[str, Any],
    reason: str,
) -> None:
    pending(pool, "kept-out", email="ann@example.com", pool_enabled=True)
    MigratedUser.objects.update(attributes={}, **{"pool_status": "CONFIRMED", **state})
    assert start("ann@example.com").decoy_reason == reason
    assert not User.objects.exists()
    # They stand in nobody's way: another one who wrote it, and whom the pool lets in, proves it to us.
    pending(pool, "let-in", email="ann@example.com", pool_status="CONFIRMED", pool_enabled=True)
    MigratedUser.objects.filter(sub="let-in").update(attributes={})
    client = Client()
    assert start("ann@example.com", client).route == "local"
    client.post("/login/code/", {"code": sent_code()})
    assert "_auth_user_id" in client.session


def test_a_pending_pool_user_proves_themselves_at_the_pool(
    start: Callable[..., ChallengeSession], pool: LocalPool, cognito: LocalCognito
) -> None:
    pending(pool, pool.add_user("ann@example.com"))
    assert start("ann@example.com").route == "cognito_otp"


def test_an_unknown_person_gets_nothing_where_only_imported_people_are_looked_up(
    start: Callable[..., ChallengeSession], cognito: LocalCognito, connect: Callable[..., Any]
) -> None:
    made = cognito.create_pool("imported")
    connect(made, lookup="imported")
    made.add_user("ann@example.com")
    calls = len(cognito.calls)
    challenge = start("ann@example.com")
    assert (challenge.route, challenge.decoy_reason) == ("", "unknown")
    assert len(cognito.calls) == calls


def test_list_users_finds_the_person_before_any_sign_in(
    start: Callable[..., ChallengeSession],
    cognito: LocalCognito,
    connect: Callable[..., Any],
    aws_identity: None,
) -> None:
    made = cognito.create_pool("listed")
    connect(made, lookup="list_users")
    sub = made.add_user("ann@example.com")
    assert start("ann@example.com").pool_username in {sub, "ann@example.com"}
    assert start("nobody@example.com").decoy_reason == "unknown"


def test_a_domain_rule_sends_an_address_to_its_own_pool(
    start: Callable[..., ChallengeSession], cognito: LocalCognito, connect: Callable[..., Any]
) -> None:
    one, two = cognito.create_pool("one"), cognito.create_pool("two")
    connect(one, "one", domains=["one.example"])
    connect(two, "two", domains=["two.example"])
    two.add_user("ann@two.example")
    assert start("ann@two.example").connection == "two"
    assert start("ann@three.example").decoy_reason == "unknown"


@pytest.mark.parametrize(
    ("pool_user", "cause"),
    [
        ({"enabled": False}, "disabled"),
        ({"status": "UNCONFIRMED"}, "unconfirmed"),
        ({"status": "RESET_REQUIRED"}, "reset_required"),
        ({"status": "FORCE_CHANGE_PASSWORD"}, "otp_unavailable"),
        ({"mfa": True}, "otp_unavailable"),
    ],
)
@pytest.mark.parametrize("routes", [["otp"], ["otp", "oidc"], ["otp", "local"]])
@pytest.mark.parametrize("signup", [False, True])
def test_a_person_whom_the_pool_refuses_comes_in_by_no_other_door(
    start: Callable[..., ChallengeSession],
    cognito: LocalCognito,
    connect: Callable[..., Any],
    settings: Any,
    pool_user: dict[str, Any],
    cause: str,
    routes: list[str],
    signup: bool,
    outbox: list[Any],
) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "SIGNUP": signup}
    made = cognito.create_pool("refusing", prevent_user_existence_errors=False, mfa="OPTIONAL")
    connect(made, routes=routes)
    made.add_user("ann@example.com", **pool_user)
    challenge = start("ann@example.com")
    assert challenge.route == ""
    assert challenge.decoy_reason == cause
    assert outbox == []
    assert not get_user_model().objects.exists()


@pytest.mark.parametrize("status", ["RESET_REQUIRED", "FORCE_CHANGE_PASSWORD"])
def test_a_password_yet_to_be_set_may_go_on_to_our_own_code_where_the_connection_says_so(
    start: Callable[..., ChallengeSession],
    cognito: LocalCognito,
    connect: Callable[..., Any],
    status: str,
    sent_code: Callable[[], str],
    aws_identity: None,
) -> None:
    made = cognito.create_pool("passwords", prevent_user_existence_errors=False)
    connect(made, routes=["otp", "local"])
    record = pending(made, made.add_user("ann@example.com", status=status), pool_status=status)
    client = Client()
    assert start("ann@example.com", client).route == "local"
    client.post("/login/code/", {"code": sent_code()})
    record.refresh_from_db()
    assert (record.status, record.method) == ("migrated", "local_otp")


@pytest.mark.parametrize("trouble", ["mfa", "no directory"])
@pytest.mark.parametrize("fault", ["PasswordResetRequiredException", "FeatureUnavailableInTierException"])
def test_our_code_replaces_the_pools_only_when_the_directory_confirms_that_no_factor_is_lost(
    start: Callable[..., ChallengeSession],
    cognito: LocalCognito,
    connect: Callable[..., Any],
    aws_identity: None,
    fault: str,
    trouble: str,
    outbox: list[Any],
) -> None:
    made = cognito.create_pool("factors", prevent_user_existence_errors=False, mfa="OPTIONAL")
    connect(made, routes=["otp", "local"], on_failure="branch")
    pending(made, made.add_user("ann@example.com", mfa=trouble == "mfa"))
    cognito.fail("InitiateAuth", fault, times=50, pool_id=made.id)
    if trouble == "no directory":
        cognito.fail("AdminGetUser", "AccessDeniedException", times=50, pool_id=made.id)
    assert start("ann@example.com").route == ""
    assert outbox == []


def test_a_status_imported_before_the_person_had_a_second_factor_lowers_nothing(
    start: Callable[..., ChallengeSession],
    cognito: LocalCognito,
    connect: Callable[..., Any],
    aws_identity: None,
    outbox: list[Any],
) -> None:
    made = cognito.create_pool("stale", prevent_user_existence_errors=False, mfa="OPTIONAL")
    connect(made, routes=["otp", "local"])
    pending(made, made.add_user("ann@example.com", mfa=True), pool_status="FORCE_CHANGE_PASSWORD")
    assert start("ann@example.com").decoy_reason == "mfa_required"
    assert outbox == []


@pytest.mark.parametrize("pool_user", [{"enabled": False}, {"status": "UNCONFIRMED"}, {"mfa": True}])
def test_a_known_person_whom_the_pool_refuses_is_not_let_in_by_our_code(
    start: Callable[..., ChallengeSession],
    cognito: LocalCognito,
    connect: Callable[..., Any],
    pool_user: dict[str, Any],
    outbox: list[Any],
) -> None:
    made = cognito.create_pool("refusing", prevent_user_existence_errors=False, mfa="OPTIONAL")
    connect(made, routes=["otp", "local"], on_failure="branch")
    pending(made, made.add_user("ann@example.com", **pool_user))
    assert start("ann@example.com").route == ""
    assert outbox == []


@pytest.mark.parametrize("fault", ["throttle", "500", "bad_json", "InternalErrorException", "ForbiddenException"])
@pytest.mark.parametrize("known", [False, True])
def test_no_outage_however_provoked_changes_the_route(
    start: Callable[..., ChallengeSession],
    cognito: LocalCognito,
    connect: Callable[..., Any],
    settings: Any,
    fault: str,
    known: bool,
    outbox: list[Any],
) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "SIGNUP": True}
    made = cognito.create_pool("failing")
    connect(made, routes=["otp", "local"], on_failure="branch")
    sub = made.add_user("ann@example.com")
    if known:
        pending(made, sub)
    cognito.fail("InitiateAuth", fault, times=50, pool_id=made.id)
    client = Client()
    challenge = start("ann@example.com", client)
    assert challenge.route == ""
    assert outbox == []
    event = JourneyEvent.objects.get(attempt=challenge.pk)
    assert event.outcome == "failed"
    assert event.cause in {"throttled", "unavailable"}
    assert client.get("/login/code/").status_code == 200
    assert client.post("/login/code/", {"code": "123456"}).status_code == 200
    assert not get_user_model().objects.exists()


@pytest.mark.parametrize("on_failure", ["abort", "branch"])
def test_a_pool_that_is_set_up_wrongly_goes_on_only_by_branch_and_only_for_known_people(
    start: Callable[..., ChallengeSession],
    cognito: LocalCognito,
    connect: Callable[..., Any],
    on_failure: str,
    aws_identity: None,
) -> None:
    made = cognito.create_pool("broken")
    connect(made, routes=["otp", "local"], on_failure=on_failure)
    pending(made, made.add_user("ann@example.com"))
    cognito.fail("InitiateAuth", "FeatureUnavailableInTierException", times=50, pool_id=made.id)
    assert start("ann@example.com").route == ("local" if on_failure == "branch" else "")
    assert start("stranger@example.com").route == ""


def test_a_retired_pool_is_never_called_and_its_people_prove_themselves_to_us(
    start: Callable[..., ChallengeSession],
    cognito: LocalCognito,
    connect: Callable[..., Any],
    sent_code: Callable[[], str],
) -> None:
    made = cognito.create_pool("retired")
    connect(made, retired=True)
    record = pending(made, made.add_user("ann@example.com"))
    disabled = pending(made, made.add_user("bea@example.com"), email="bea@example.com", pool_enabled=False)
    calls = len(cognito.calls)
    client = Client()
    assert start("ann@example.com", client).route == "local"
    client.post("/login/code/", {"code": sent_code()})
    record.refresh_from_db()
    assert record.status == "migrated"
    assert start(disabled.email).decoy_reason == "disabled"
    assert len(cognito.calls) == calls


@pytest.mark.parametrize(("person", "reason"), [({"is_active": False}, "inactive"), ({"is_staff": True}, "staff")])
def test_a_local_user_who_may_not_sign_in_gets_no_code(
    start: Callable[..., ChallengeSession],
    make_user: Callable[..., User],
    pool: LocalPool,
    outbox: list[Any],
    person: dict[str, Any],
    reason: str,
) -> None:
    make_user("bob@example.com", **person)
    pool.add_user("bob@example.com")
    assert start("bob@example.com").decoy_reason == reason
    assert outbox == []


# ---- who is gone from the pool, as far as the last import could see


def test_the_pool_itself_knows_better_who_is_gone(
    start: Callable[..., ChallengeSession], pool: LocalPool, cognito: LocalCognito
) -> None:
    record = pending(pool, pool.add_user("ann@example.com"), status="gone")
    client = Client()
    assert start("ann@example.com", client).route == "cognito_otp"
    client.post("/login/code/", {"code": cognito.last_code("ann@example.com")})
    record.refresh_from_db()
    assert (record.status, record.method) == ("migrated", "cognito_otp")


@pytest.mark.usefixtures("aws_identity")
def test_who_is_gone_indeed_is_a_stranger(
    start: Callable[..., ChallengeSession],
    cognito: LocalCognito,
    connect: Callable[..., Any],
    outbox: list[Any],
    settings: Any,
) -> None:
    made = cognito.create_pool("asked")
    connect(made, lookup="list_users")
    pending(made, "deleted", status="gone")
    assert start("ann@example.com").route == ""
    assert outbox == []
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "SIGNUP": True}
    assert start("ann@example.com").route == "local"


@pytest.mark.parametrize("lookup", ["imported", "try"])
def test_whoever_was_missed_by_an_import_is_asked_for_by_their_own_name(
    start: Callable[..., ChallengeSession], cognito: LocalCognito, connect: Callable[..., Any], lookup: str
) -> None:
    made = cognito.create_pool("missed")
    connect(made, lookup=lookup)
    pending(made, made.add_user("ann@example.com"), status="gone")
    assert start("ann@example.com").route == "cognito_otp"


def test_whoever_took_over_a_deleted_user_name_is_not_taken_for_the_old_one(
    start: Callable[..., ChallengeSession], pool: LocalPool, cognito: LocalCognito
) -> None:
    sub = pool.add_user("ann@example.com")
    MigratedUser.objects.filter(pk=pending(pool, "old", status="gone").pk).update(username="ann@example.com")
    client = Client()
    assert start("ann@example.com", client).pool_username == "ann@example.com"
    client.post("/login/code/", {"code": cognito.last_code("ann@example.com")})
    assert MigratedUser.objects.get(sub=sub).status == "migrated"
    assert MigratedUser.objects.get(sub="old").status == "gone"


def test_after_a_cut_over_whoever_is_gone_has_no_way_in(
    start: Callable[..., ChallengeSession], cognito: LocalCognito, connect: Callable[..., Any], outbox: list[Any]
) -> None:
    made = cognito.create_pool("retired")
    connect(made, retired=True)
    record = pending(made, made.add_user("ann@example.com"), status="gone")
    unverified = pending(made, "unverified", email="bea@example.com", status="gone")
    MigratedUser.objects.filter(pk=unverified.pk).update(attributes={})
    calls = len(cognito.calls)
    for email in (record.email, unverified.email):
        assert (start(email).route, ChallengeSession.objects.latest("created_at").decoy_reason) == ("", "gone")
    assert (outbox, len(cognito.calls)) == ([], calls)


@pytest.mark.parametrize("spelling", ["ann@example.com", "Ann@example.com"])
def test_after_a_cut_over_the_address_is_whose_it_is_now(
    start: Callable[..., ChallengeSession],
    cognito: LocalCognito,
    connect: Callable[..., Any],
    sent_code: Callable[[], str],
    spelling: str,
) -> None:
    made = cognito.create_pool("retired")
    connect(made, retired=True)
    old = pending(made, "old", email=spelling, status="gone", pool_enabled=False)
    new = pending(made, "new")
    client = Client()
    start("ann@example.com", client)
    client.post("/login/code/", {"code": sent_code()})
    for record in (old, new):
        record.refresh_from_db()
    assert (old.status, new.status) == ("gone", "migrated")
    assert client.session["_auth_user_id"] == str(new.user_id)


def test_after_a_cut_over_a_new_owner_of_the_address_may_sign_up_where_anybody_may(
    start: Callable[..., ChallengeSession],
    cognito: LocalCognito,
    connect: Callable[..., Any],
    sent_code: Callable[[], str],
    settings: Any,
) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "SIGNUP": True}
    made = cognito.create_pool("retired")
    connect(made, retired=True)
    old = pending(made, "old", status="gone", pool_enabled=False)
    client = Client()
    start("ann@example.com", client)
    client.post("/login/code/", {"code": sent_code()})
    old.refresh_from_db()
    assert "_auth_user_id" in client.session
    assert (old.status, old.user) == ("gone", None)


def test_who_is_marked_between_the_code_and_the_answer_does_not_come_in(
    start: Callable[..., ChallengeSession],
    cognito: LocalCognito,
    connect: Callable[..., Any],
    sent_code: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = cognito.create_pool("retired")
    connect(made, retired=True)
    record = pending(made, "old")
    real = verification.proven_locally

    def proven_locally(address: Any) -> Any:
        found = real(address)
        MigratedUser.objects.update(status="gone")  # at the latest moment
        return found

    client = Client()
    start("ann@example.com", client)
    monkeypatch.setattr(verification, "proven_locally", proven_locally)
    client.post("/login/code/", {"code": sent_code()})
    record.refresh_from_db()
    assert "_auth_user_id" not in client.session
    assert (record.status, record.user, User.objects.count()) == ("gone", None, 0)


def test_the_pool_that_a_site_names_is_asked_for_whoever_is_gone(pool: LocalPool) -> None:
    pending(pool, pool.add_user("ann@example.com"), status="gone")
    assert isinstance(steps.generate("main", "ann@example.com"), steps.Generated)
