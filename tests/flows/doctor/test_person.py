"""One person's case, after what really happened to them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cognito_passwordless.flows.doctor import Case, diagnose_person
from cognito_passwordless.flows.limits import budgets
from cognito_passwordless.flows.sign_in import login
from cognito_passwordless.flows.sign_in.context import Visitor
from cognito_passwordless.identifiers import parse
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import ChallengeSession, FailureCount, MigratedUser, PhoneNumber

from ..started import ANN, after, held

pytestmark = pytest.mark.django_db(transaction=True)
NUMBER = "+4915112345678"


@pytest.fixture
def configure(settings: Any) -> Callable[..., None]:
    def choose(**chosen: Any) -> None:
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, **chosen}

    return choose


def start(text: str, **chosen: Any) -> ChallengeSession:
    return login.start(parse(text), Visitor(), now=timezone.now(), **chosen).challenge


def case(text: str = ANN, **chosen: Any) -> Case:
    return diagnose_person(text, now=timezone.now(), **chosen)


def finding(of: Case, name: str) -> tuple[str, str]:
    (found,) = [item for item in of.findings if item.name == name]
    return str(found.state), found.text


def pending(pool: LocalPool, **chosen: Any) -> MigratedUser:
    values = {"connection": "main", "pool": pool.id, "sub": "1", "email": ANN, "pool_status": "CONFIRMED"}
    return MigratedUser.objects.create(**values | chosen)


def test_a_code_that_was_sent_has_a_provider_and_a_time(make_user: Callable[..., User]) -> None:
    make_user(ANN)
    start(ANN)
    found = case()
    assert found.conclusion.startswith("A code was handed to MemorySender at ")
    assert "spam" in found.advice
    assert finding(found, "route now") == ("ok", "our own code, to a•••@e•••.com")
    assert finding(found, "sends") == ("ok", "1 of 10 used; all free again in 60 minutes")
    assert finding(found, "account")[0] == "ok"


def test_nobody_of_that_address() -> None:
    start(ANN)
    found = case()
    assert found.conclusion.startswith("No code came because nobody is known by this address")
    assert finding(found, "account") == ("ok", "no Django user owns this address")


@pytest.mark.parametrize(
    ("fields", "why"),
    [({"is_active": False}, "the Django user is inactive"), ({"is_staff": True}, "the Django user is staff")],
)
def test_a_person_who_may_not(make_user: Callable[..., User], fields: dict[str, bool], why: str) -> None:
    make_user(ANN, **fields)
    start(ANN)
    found = case()
    assert why in found.conclusion
    assert finding(found, "account")[0] == finding(found, "route now")[0] == "problem"


def test_an_address_that_several_merely_claim(make_user: Callable[..., User]) -> None:
    make_user(ANN, verified=False)
    EmailAddress.objects.create(user=make_user("b@example.com", verified=False), email=ANN)
    start(ANN)
    assert finding(case(), "account")[1].endswith("only written on the account, not verified")


def test_a_budget_that_is_used_up(make_user: Callable[..., User], configure: Callable[..., None]) -> None:
    make_user(ANN)
    configure(LIMITS={"sends": "1/1h"})
    start(ANN)
    start(ANN)
    found = case()
    assert found.conclusion == (
        "No code came because a link took the place of the code, as strangers have used up the codes."
    )
    start(ANN)
    assert case().conclusion == "No code came because the budget sends was used up."
    assert finding(found, "sends")[0] == "problem"
    assert "minutes" in finding(found, "sends")[1]


def test_a_prefix_and_a_country_are_shown_with_their_limits(
    make_user: Callable[..., User], configure: Callable[..., None]
) -> None:
    PhoneNumber.objects.create(user=make_user(ANN), number=NUMBER, verified=True)
    configure(LIMITS={"sms_per_prefix": "1/1h"})
    start(NUMBER)
    start(NUMBER)
    found = case("0151 12345678")
    assert found.conclusion == "No code came because the budget sms_per_prefix was used up."
    assert finding(found, "sms_per_prefix") == ("problem", "1 of 1 used; all free again in 60 minutes")
    assert finding(found, "sms_per_country")[1].startswith("1 of 2000 used")


def test_too_many_wrong_codes(make_user: Callable[..., User], configure: Callable[..., None]) -> None:
    make_user(ANN)
    configure(LIMITS={"failures": "3"})
    FailureCount.objects.create(identifier=ANN, count=3)
    start(ANN)
    found = case()
    assert "a link took the place of the code" in found.conclusion
    assert "too many wrong codes" in found.advice
    assert finding(found, "failures")[0] == "problem"
    FailureCount.objects.update(count=2)
    assert finding(case(), "failures")[1].startswith("2 of 3")


def test_a_sender_that_fails(make_user: Callable[..., User], configure: Callable[..., None]) -> None:
    make_user(ANN)
    options = {"backend": "django.core.mail.backends.smtp.EmailBackend", "host": "127.0.0.1", "port": 1}
    sender = {"BACKEND": "cognito_passwordless.delivery.email.DjangoEmailSender", "OPTIONS": options}
    configure(SENDERS={"email": [sender]})
    start(ANN)
    assert case().conclusion == "No code came because a sender said 'ConnectionRefusedError'."


def test_no_worker(make_user: Callable[..., User], configure: Callable[..., None]) -> None:
    make_user(ANN)
    configure(DISPATCH=f"{__name__}.nowhere")
    start(ANN)
    assert case().conclusion == "No code came yet because it was asked for just now."
    late = diagnose_person(ANN, now=timezone.now() + timedelta(seconds=90))
    assert late.conclusion == "No code came because no worker has taken the message."


def test_a_resend_that_no_worker_takes(make_user: Callable[..., User]) -> None:
    """The first message went out, and says nothing about the second."""
    make_user(ANN)
    challenge = start(ANN)
    ChallengeSession.objects.filter(pk=challenge.pk).update(sends=2, sending="queued")
    late = diagnose_person(ANN, now=timezone.now() + timedelta(seconds=90))
    assert late.conclusion == "No code came because no worker has taken the message."


def nowhere(challenge_id: str, generation: int, channel: str) -> None:
    """A queue that nobody reads."""


def test_nobody_asked(configure: Callable[..., None]) -> None:
    found = case()
    assert found.conclusion.startswith("No code came because none was requested for this address")
    assert "--ip" in found.advice


def test_a_network_that_has_used_up_its_starts(configure: Callable[..., None]) -> None:
    configure(LIMITS={"starts_per_ip": "1/1h"})
    budgets.spend("starts_per_ip", "192.0.2.1", timezone.now())
    found = case(ip="192.0.2.1")
    assert found.conclusion == "No code came because their network has used up its starts."


def test_a_country_that_is_not_served() -> None:
    assert "no SMS is sent to this country: US" in case("+12065550100").conclusion


def test_what_is_no_address() -> None:
    found = case("ann at example")
    assert found.conclusion == "No code came because what they typed is not a phone number."


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"status": "excluded"}, "the pool user is excluded"),
        ({"pool_enabled": False}, "the person is disabled in the pool"),
        ({"connection": "gone"}, "the connection is missing"),
    ],
)
def test_a_pool_record_that_stops_them(pool: LocalPool, fields: dict[str, Any], why: str) -> None:
    row = pending(pool, **fields)
    start(ANN)
    found = case()
    assert why in found.conclusion
    assert finding(found, f"pool record {row.pk}")[1].startswith(f"{row.connection}, 1: {row.status}")


def test_a_pool_record_shows_its_last_error_in_words(pool: LocalPool) -> None:
    row = pending(pool, status="conflict", last_error="several_users")
    state, text = finding(case(), f"pool record {row.pk}")
    assert (state, "belong to different Django users" in text) == ("warning", True)


def test_a_record_that_writes_the_address_otherwise_is_found_too(pool: LocalPool) -> None:
    row = pending(pool, email="Ann@Example.com")
    assert finding(case(), f"pool record {row.pk}")[0] == "ok"


def test_the_pools_own_code(pool: LocalPool) -> None:
    pool.add_user(ANN)
    start(ANN)
    found = case()
    assert "The pool 'main' said at" in found.conclusion
    assert finding(found, "route now") == ("ok", "the pool's own code, by main")


@pytest.mark.parametrize(
    ("fields", "state", "why"),
    [
        ({}, "ok", "CONFIRMED, enabled, e-mail verified"),
        ({"mfa": True}, "problem", "the person has MFA in the pool"),
        ({"status": "FORCE_CHANGE_PASSWORD"}, "problem", "the person has to set their first password"),
        ({"enabled": False}, "problem", "disabled"),
        (None, "problem", "the pool has no user"),
    ],
)
def test_the_pool_is_asked_only_when_told_to(
    pool: LocalPool,
    cognito: LocalCognito,
    aws_identity: None,
    fields: dict[str, Any] | None,
    state: str,
    why: str,
) -> None:
    if fields is not None:
        pool.add_user(ANN, **fields)
    before = len(cognito.calls)
    case()
    assert len(cognito.calls) == before
    assert finding(case(ask_pool=True), "in the pool of main")[0] == state
    found = case(ask_pool=True)
    assert why in finding(found, "in the pool of main")[1]
    assert (why in found.advice) is (state == "problem")
    assert {call.operation for call in cognito.calls[before:]} <= {"ListUsers", "AdminGetUser"}


def test_a_lookup_in_the_directory_waits_for_ask_pool(
    cognito: LocalCognito, connect: Callable[..., Any], aws_identity: None
) -> None:
    made = cognito.create_pool("demo")
    connect(made, lookup="list_users")
    made.add_user(ANN)
    assert finding(case(), "route now")[0] == "unknown"
    assert finding(case(ask_pool=True), "route now") == ("ok", "the pool's own code, by main")


def test_a_pool_that_cannot_be_asked_is_unknown(pool: LocalPool, cognito: LocalCognito, aws_identity: None) -> None:
    cognito.fail("ListUsers", "AccessDeniedException")
    found = case(ask_pool=True)
    assert finding(found, "in the pool of main")[0] == "unknown"


def test_hosted_login(cognito: LocalCognito, connect: Callable[..., Any]) -> None:
    made = cognito.create_pool("demo")
    connect(made, routes=["oidc"], domain=None)
    start(ANN)
    found = case()
    assert found.conclusion == "No code came because they were sent to the hosted login, which has its own."
    assert "hosted login of main" in finding(found, "route now")[1]


def test_addresses_are_masked_and_codes_never_shown(
    make_user: Callable[..., User], sent_code: Callable[[], str]
) -> None:
    make_user(ANN)
    start(ANN)
    masked, full = str(case()), str(case(unmasked=True))
    assert ANN not in masked
    assert ANN in full
    assert sent_code() not in masked + full


def test_it_writes_nothing(
    make_user: Callable[..., User], pool: LocalPool, cognito: LocalCognito, aws_identity: None
) -> None:
    make_user(ANN)
    row = pending(pool, email="bob@example.com")
    for identifier in (ANN, row.email, "nobody@example.com", NUMBER):
        held(identifier, created_at=after(0))
    before = len(cognito.calls)
    with CaptureQueriesContext(database) as captured:
        for identifier in (ANN, row.email, "nobody@example.com", NUMBER):
            case(identifier, ask_pool=True, ip="192.0.2.1")
    assert captured.captured_queries
    assert {query["sql"].lstrip("(").split()[0] for query in captured.captured_queries} == {"SELECT"}
    assert {call.operation for call in cognito.calls[before:]} <= {"ListUsers", "AdminGetUser"}
