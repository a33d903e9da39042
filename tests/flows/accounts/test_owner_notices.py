"""What the owner of an account is told when it is taken over; a sign-in neither waits for it nor fails by it."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount, SocialApp
from celery.exceptions import Retry
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.utils import translation
from kombu.exceptions import OperationalError

from cognito_passwordless import tasks
from cognito_passwordless.delivery import Failure, Message, SendFailed
from cognito_passwordless.delivery.memory import MemorySender
from cognito_passwordless.flows.accounts.owner_notices import tell_owner
from cognito_passwordless.flows.accounts.takeover import take_over
from cognito_passwordless.identifiers import parse

pytestmark = pytest.mark.django_db(transaction=True)
ANN = parse("ann@example.com")


@pytest.fixture
def ann(make_user: Callable[..., User]) -> User:
    return make_user("ann@example.com", verified=False, password="a long password")


@pytest.fixture
def by_celery(settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "DISPATCH": "celery"}


def test_a_password_that_went(ann: User, outbox: list[Message]) -> None:
    take_over(ann, ANN)
    (mail,) = outbox
    assert mail.recipient == "ann@example.com"
    assert mail.subject == "Your account at Example has changed"
    for text in (mail.text, mail.html):
        assert "the password" in text
        assert "Forgot your password?" in text
        assert "the sign-in with" not in text
        assert "https://www.example.com" in text
    assert "?" not in mail.html.partition("href=")[2].partition(">")[0], "a link without a token"


def test_links_that_went_are_named_as_people_know_them(ann: User, outbox: list[Message]) -> None:
    ann.set_unusable_password()
    ann.save()
    SocialApp.objects.create(provider="openid_connect", provider_id="staff-login", name="Our <intranet>")
    for provider in ("cognito", "staff-login", "gone"):
        SocialAccount.objects.create(user=ann, provider=provider, uid="1")
    take_over(ann, ANN)
    (mail,) = outbox
    assert "the sign-in with Amazon Cognito, Our <intranet>, gone" in mail.text
    assert "Our &lt;intranet&gt;" in mail.html
    assert "the password" not in mail.text


def test_in_the_persons_language(ann: User, outbox: list[Message]) -> None:
    with translation.override("de"):
        take_over(ann, ANN)
    assert "Passwort" in outbox[0].text
    assert 'lang="de"' in outbox[0].html


def test_nobody_is_told_who_had_nothing_to_lose(ann: User, outbox: list[Message]) -> None:
    ann.set_unusable_password()
    ann.save()
    take_over(ann, ANN)
    assert outbox == []


def test_nobody_is_told_by_sms(ann: User, outbox: list[Message]) -> None:
    take_over(ann, parse("+4915112345678"))
    assert outbox == []


def test_nothing_is_told_before_it_is_true(ann: User, outbox: list[Message]) -> None:
    with transaction.atomic():
        take_over(ann, ANN)
        assert outbox == []
    assert len(outbox) == 1


def test_nothing_is_told_that_was_taken_back(ann: User, outbox: list[Message]) -> None:
    with transaction.atomic():
        take_over(ann, ANN)
        transaction.set_rollback(True)
    assert outbox == []


class TestASignIn:
    def test_does_not_fail_where_the_mail_cannot_be_sent(
        self,
        client: Client,
        ann: User,
        sent_code: Callable[[], str],
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        client.post("/login/", {"identifier": "ann@example.com"})
        code = sent_code()

        def down(sender: MemorySender, message: Message) -> str:
            raise SendFailed("down", Failure.LATER)

        monkeypatch.setattr(MemorySender, "send", down)
        client.post("/login/code/", {"code": code})
        assert client.session["_auth_user_id"] == str(ann.pk)
        assert "An owner could not be told (taken_over): down" in caplog.text

    @pytest.mark.usefixtures("by_celery")
    def test_does_not_fail_where_no_worker_takes_it(
        self, ann: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def down(*arguments: Any, **options: Any) -> None:
            raise OperationalError

        monkeypatch.setattr(tasks.tell_owner, "apply_async", down)
        take_over(ann, ANN)
        assert "An owner is not told (taken_over): no worker takes the mail" in caplog.text


@pytest.mark.usefixtures("by_celery")
class TestAWorker:
    @pytest.fixture
    def queued(self, ann: User, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, dict[str, Any]]:
        queued: list[tuple[Any, dict[str, Any]]] = []

        def take(arguments: Any, **options: Any) -> None:
            queued.append((arguments, options))

        monkeypatch.setattr(tasks.tell_owner, "apply_async", take)
        take_over(ann, ANN)
        (one,) = queued
        return one

    def test_gets_it_on_the_queue_of_mails_and_nobody_can_read_it_there(self, queued: Any, outbox: Any) -> None:
        arguments, options = queued
        assert options["queue"] == "cognito_email"
        assert "ann@" not in json.dumps(arguments)
        tasks.tell_owner.apply(arguments, throw=True)
        assert outbox[0].recipient == "ann@example.com"

    @pytest.mark.parametrize(
        ("failure", "before", "again"),
        [
            (Failure.LATER, 0, True),
            (Failure.LATER, tasks.NOTICE_TRIES - 1, False),
            (Failure.UNKNOWN, 0, False),  # it may be out
            (Failure.REFUSED, 0, False),
        ],
    )
    def test_tries_again_what_may_go_better_later(
        self, queued: Any, monkeypatch: pytest.MonkeyPatch, failure: Failure, before: int, again: bool
    ) -> None:
        def down(sender: MemorySender, message: Message) -> str:
            raise SendFailed("down", failure)

        monkeypatch.setattr(MemorySender, "send", down)
        task: Any = tasks.tell_owner
        monkeypatch.setattr(task, "retry", lambda **options: Retry())
        task.push_request(args=queued[0], retries=before, is_eager=False)
        try:
            with pytest.raises(Retry) if again else nullcontext():
                task.run(*queued[0])
        finally:
            task.pop_request()

    def test_without_the_sites_key_says_so(
        self, queued: Any, settings: Any, caplog: pytest.LogCaptureFixture, outbox: list[Message]
    ) -> None:
        settings.SECRET_KEY = "another-key-that-is-long-enough-for-everything"
        tasks.tell_owner.apply(queued[0], throw=True)
        assert outbox == []
        assert "lacks the site's SECRET_KEY" in caplog.text


def test_it_is_sent_here_where_sign_ins_go_to_something_of_the_sites_own(settings: Any, outbox: list[Message]) -> None:
    """Nobody may listen to Celery there."""
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "DISPATCH": "mysite.queue.put"}
    tell_owner("ann@example.com", "taken_over", {"password": True, "links": []})
    assert len(outbox) == 1
