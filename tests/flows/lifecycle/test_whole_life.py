"""One pool, its people and everything that may be done about them, one after the other: nobody is there twice, nobody
is lost, and the timeline tells all of it."""

import threading

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.utils import timezone

from cognito_passwordless import connections
from cognito_passwordless.flows import importing
from cognito_passwordless.flows.accounts import tombstones
from cognito_passwordless.flows.lifecycle import cutover, erase, undo
from cognito_passwordless.local import LocalPool
from cognito_passwordless.models import Erasure, ImportRun, JourneyEvent, MigratedUser

from ..people import ANN, SignIn

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("aws_identity")]
BEA = "bea@example.com"


def imported() -> ImportRun:
    connection = connections.find("main")
    assert connection
    run = importing.import_directory(connection, stop=threading.Event(), rate=1e6)
    assert (run.state, run.seen) == ("done", 2)
    return run


def ann() -> MigratedUser:
    return MigratedUser.objects.get(email=ANN)


def people() -> tuple[int, int, int, int]:
    """How many records, Django users, proven addresses and linked accounts there are."""
    return (
        MigratedUser.objects.count(),
        User.objects.count(),
        EmailAddress.objects.filter(verified=True).count(),
        SocialAccount.objects.count(),
    )


def test_imported_undone_erased_let_back_cut_over_and_brought_back(pool: LocalPool, sign_in: SignIn) -> None:
    for address in (ANN, BEA):
        pool.add_user(address)
    assert imported().created == 2
    sign_in.at_pool(ANN)
    assert people() == (2, 1, 1, 1)
    assert imported().unchanged == 2

    undo.undo(ann().pk, now=timezone.now(), by="7")
    assert (ann().status, people()) == ("pending", (2, 0, 0, 0))
    imported()
    sign_in.at_pool(ANN)
    assert (ann().status, people()) == ("migrated", (2, 1, 1, 1))

    erase.erase(ann().pk, now=timezone.now(), by="7")
    assert people() == (1, 0, 0, 0)
    assert imported().skipped == 1
    sign_in.at_pool(ANN, status=403)
    assert people() == (1, 0, 0, 0)
    tombstones.remove(Erasure.objects.get(), now=timezone.now(), by="7")
    assert imported().created == 1
    sign_in.at_pool(ANN)
    assert (ann().status, people()) == ("migrated", (2, 1, 1, 1))
    user = User.objects.get()

    connection = connections.find("main")
    assert connection
    cutover.retire(connection, now=timezone.now(), by="7")
    sign_in.by_our_code(ANN)
    sign_in.by_our_code(BEA)
    cutover.unretire(connection, now=timezone.now(), by="7")
    imported()
    sign_in.by_our_code(BEA)
    assert people() == (2, 2, 2, 2)
    assert ann().user == user

    told = JourneyEvent.objects.exclude(data=None).filter(data__has_key="by").order_by("pk")
    assert list(told.values_list("step", flat=True)) == ["undone", "erased", "erasure_lifted", "retired", "unretired"]
    migrated = JourneyEvent.objects.filter(step="migrated").order_by("pk").values_list("outcome", "cause")
    assert list(migrated) == [("ok", ""), ("ok", ""), ("refused", "erased"), ("ok", ""), ("ok", "")]
