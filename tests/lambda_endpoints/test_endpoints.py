"""The Django side of the triggers' calls: the real client of the triggers against a live server."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.urls import include, path
from django.utils import timezone

from cognito_passwordless.delivery import Message
from cognito_passwordless.lambda_triggers import post_confirmation, user_migration
from cognito_passwordless.lambda_triggers.core.deadline import Deadline
from cognito_passwordless.lambda_triggers.core.environment import Settings
from cognito_passwordless.lambda_triggers.errors import Unavailable
from cognito_passwordless.lambda_triggers.runtime import Note
from cognito_passwordless.lambda_triggers.site.client import VERSION, ask, signature
from cognito_passwordless.models import JourneyEvent, MigratedUser
from cognito_passwordless.signals import pool_device_added, pool_user_confirmed
from tests.lambda_triggers.rounds import UNHURRIED, event

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
urlpatterns = [path("triggers/", include("cognito_passwordless.lambda_endpoints.urls"))]
KEY, OLD = "the current key, long enough", "the key that is being retired"
POOL = "eu-west-1_Example"
ANN = {"sub": "sub-1", "email": "ann@example.com"}


@pytest.fixture(autouse=True)
def _configured(settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "LAMBDA": {"HMAC_KEYS": [KEY, OLD]}}
    app = {
        "provider_id": "main",
        "name": "Cognito",
        "client_id": "client1",
        "settings": {"region": "eu-west-1", "user_pool_id": POOL},
    }
    settings.SOCIALACCOUNT_PROVIDERS = {"cognito": {"APPS": [app]}}


def call(client: Client, question: str, payload: Any, **changed: Any) -> Any:
    """A signed request, with anything about it changed after the signature."""
    body = json.dumps(payload).encode()
    where = f"/triggers/{question}/"
    moment = str(int(time.time()) + changed.pop("later", 0))
    nonce = changed.pop("nonce", f"{time.time_ns():032x}")
    key = changed.pop("key", KEY)
    mark = signature(key.encode(), moment=moment, nonce=nonce, path=changed.pop("signed_path", where), body=body)
    headers = {
        "X-Passwordless-Time": changed.pop("told_moment", moment),
        "X-Passwordless-Nonce": changed.pop("told_nonce", nonce),
        "X-Passwordless-Signature": changed.pop("signature", f"{VERSION}={mark}"),
    }
    data = changed.pop("body", body)
    assert not changed
    return client.post(where, data, content_type="application/json", headers=headers)


def about(**more: Any) -> dict[str, Any]:
    return {"source": "x", "pool": POOL, "client": "c", "username": "ann@example.com", "attributes": ANN, **more}


class TestBelieving:
    def test_a_signed_request_is_believed_once(self, client: Client) -> None:
        nonce = "0" * 32
        assert call(client, "pre_authentication", about(), nonce=nonce).json() == {"allow": True}
        assert call(client, "pre_authentication", about(), nonce=nonce).status_code == 403

    def test_a_key_that_is_being_retired_still_counts_and_another_does_not(self, client: Client) -> None:
        assert call(client, "pre_authentication", about(), key=OLD).status_code == 200
        assert call(client, "pre_authentication", about(), key="a key of somebody else").status_code == 403

    @pytest.mark.parametrize(
        "changed",
        [
            {"body": b"{}"},
            {"told_nonce": "1" * 32},
            {"told_nonce": ""},
            {"told_nonce": "x" * 32},
            {"told_moment": "1790000000"},
            {"told_moment": "now"},
            {"told_moment": "٣"},
            {"later": -120},
            {"later": 120},
            {"signed_path": "/triggers/user_migration/"},
            {"signature": ""},
            {"signature": "v1="},
            {"signature": "v2=" + "0" * 64},
            {"signature": "v1=é"},
        ],
    )
    def test_anything_else_is_not(self, client: Client, changed: dict[str, Any]) -> None:
        answer = call(client, "pre_authentication", about(), **changed)
        assert (answer.status_code, answer.json()) == (403, {"error": "forbidden"})

    def test_what_is_too_large_is_not_even_read(self, client: Client) -> None:
        assert call(client, "pre_authentication", about(filling="x" * 70_000)).status_code == 403

    def test_a_pool_that_is_not_ours_is_unknown(self, client: Client) -> None:
        assert call(client, "pre_authentication", about(pool="eu-west-1_Other")).status_code == 404

    @pytest.mark.parametrize("keys", [[], [""], ["short"], "the current key, long enough", None])
    def test_without_keys_nothing_is_believed(self, client: Client, settings: Any, keys: Any) -> None:
        from django.core.exceptions import ImproperlyConfigured

        settings.COGNITO_PASSWORDLESS = {"LAMBDA": {"HMAC_KEYS": keys}}
        with pytest.raises(ImproperlyConfigured):
            call(client, "pre_authentication", about())

    def test_only_post(self, client: Client) -> None:
        assert client.get("/triggers/pre_authentication/").status_code == 405


class TestPreAuthentication:
    def allow(self, client: Client, **payload: Any) -> bool:
        return call(client, "pre_authentication", about(**payload)).json()["allow"]

    @pytest.mark.parametrize(
        ("status", "allowed"),
        [("pending", True), ("failed", True), ("conflict", True), ("migrated", False), ("excluded", False)],
    )
    def test_who_has_been_migrated_goes_to_django(self, client: Client, status: str, allowed: bool) -> None:
        MigratedUser.objects.create(connection="main", pool=POOL, sub="sub-1", status=status)
        assert self.allow(client) is allowed

    def test_who_is_switched_off_in_django_is_refused(self, client: Client, make_user: Callable[..., User]) -> None:
        user = make_user("ann@example.com", is_active=False)
        MigratedUser.objects.create(connection="main", pool=POOL, sub="sub-1", user=user)
        assert self.allow(client) is False

    def test_nobody_in_particular_is_refused(self, client: Client) -> None:
        assert self.allow(client, attributes={}) is False


class TestUserMigration:
    def fetch(self, client: Client, **payload: Any) -> dict[str, Any]:
        return call(client, "user_migration", about(attributes={}, **payload)).json()

    def test_the_right_password_fetches_a_user(self, client: Client, make_user: Callable[..., User]) -> None:
        make_user("ann@example.com", password="right", first_name="Ann")
        found = {"email": "ann@example.com", "given_name": "Ann"}
        assert self.fetch(client, password="right") == {"found": True, "attributes": found, "verified": ["email"]}
        assert self.fetch(client, password="wrong") == {"found": False}
        assert self.fetch(client)["found"] is True

    @pytest.mark.parametrize("fields", [{"is_active": False}, {"is_staff": True}, {"is_superuser": True}])
    def test_some_are_never_fetched(
        self, client: Client, make_user: Callable[..., User], fields: dict[str, bool]
    ) -> None:
        make_user("ann@example.com", password="right", **fields)
        assert self.fetch(client, password="right") == {"found": False}
        assert self.fetch(client) == {"found": False}

    def test_an_unusable_password_fits_nothing(self, client: Client, make_user: Callable[..., User]) -> None:
        user = make_user("ann@example.com")
        user.set_unusable_password()
        user.save()
        assert self.fetch(client, password=user.password) == {"found": False}
        assert self.fetch(client, password="") == {"found": False}

    def test_an_address_that_django_has_not_verified_is_nobodys(
        self, client: Client, make_user: Callable[..., User]
    ) -> None:
        make_user("ann@example.com", verified=False, password="right")
        assert self.fetch(client, password="right") == {"found": False}

    def test_the_site_says_what_a_user_takes_along(
        self, client: Client, make_user: Callable[..., User], settings: Any
    ) -> None:
        make_user("ann@example.com", password="right")
        own = {"HMAC_KEYS": [KEY], "USER_MIGRATION": f"{__name__}.taken_along"}
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "LAMBDA": own}
        answer = self.fetch(client, password="right", client_metadata={"plan": "gold"})
        assert answer["attributes"] == {"email": "ann@example.com", "custom:plan": "gold"}
        assert (answer["verified"], answer["finalUserStatus"]) == (["email"], "RESET_REQUIRED")
        assert answer["enableSMSMFA"] is False
        assert "sub" not in answer


def taken_along(connection: Any, user: User, payload: Any) -> dict[str, Any]:
    assert "password" not in payload
    # An address cannot become another one this way, nor verified.
    attributes = {"custom:plan": payload["client_metadata"]["plan"], "email": "other@example.com"}
    options = {"finalUserStatus": "RESET_REQUIRED", "enableSMSMFA": False, "sub": "1", "verified": ["phone_number"]}
    return {"attributes": attributes, **options}


class TestPostConfirmation:
    def test_a_new_pool_user_is_pending_once(self, client: Client) -> None:
        heard = []
        receiver = lambda migrated_user, **_: heard.append(migrated_user.sub)  # noqa: E731
        pool_user_confirmed.connect(receiver)
        for _ in range(2):
            assert call(client, "post_confirmation", about()).json() == {}
        pool_user_confirmed.disconnect(receiver)
        record = MigratedUser.objects.get()
        assert (record.pool, record.sub, record.status, record.email) == (POOL, "sub-1", "pending", ANN["email"])
        assert heard == ["sub-1"]
        assert User.objects.count() == 0

    def test_who_is_known_stays_as_they_are(self, client: Client) -> None:
        MigratedUser.objects.create(connection="main", pool=POOL, sub="sub-1", status="migrated")
        call(client, "post_confirmation", about())
        assert MigratedUser.objects.get().status == "migrated"

    def test_a_spelling_is_kept_beside_its_key(self, client: Client) -> None:
        call(client, "post_confirmation", about(attributes={"sub": "1", "email": "Ann@Example.com"}))
        row = MigratedUser.objects.get()
        assert (row.status, row.email, row.email_key) == ("pending", "Ann@Example.com", "ann@example.com")

    def test_one_welcome_mail_where_it_is_asked_for(
        self, client: Client, settings: Any, outbox: list[Message]
    ) -> None:
        call(client, "post_confirmation", about())
        assert outbox == []
        MigratedUser.objects.all().delete()
        lambda_settings = {"HMAC_KEYS": [KEY], "WELCOME": True}
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "LAMBDA": lambda_settings}
        for _ in range(2):
            call(client, "post_confirmation", about())
        assert [message.subject for message in outbox] == ["Welcome to Example"]
        assert mail.outbox == []


class TestPostAuthentication:
    def test_a_sign_in_in_the_pool_shows_in_the_figures(self, client: Client) -> None:
        for _ in range(2):
            call(client, "post_authentication", about(new_device=False))
        stored = JourneyEvent.objects.filter(step="pool_sign_in", connection="main")
        assert stored.filter(at__gte=timezone.now() - timedelta(hours=1)).count() == 2
        assert "ann" not in json.dumps(list(stored.values_list("data", flat=True)))

    def test_a_new_device_is_signalled(self, client: Client) -> None:
        heard = []
        receiver = lambda sub, **_: heard.append(sub)  # noqa: E731
        pool_device_added.connect(receiver)
        call(client, "post_authentication", about(new_device=True))
        call(client, "post_authentication", about(new_device="true"))
        pool_device_added.disconnect(receiver)
        assert heard == ["sub-1"]

    class TestMail:
        VERIFIED = {**ANN, "email_verified": "true"}

        @pytest.fixture(autouse=True)
        def _asked_for(self, settings: Any) -> None:
            chosen = {"HMAC_KEYS": [KEY], "NEW_DEVICE_MAIL": True}
            settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "LAMBDA": chosen}

        def sign_in(self, client: Client, attributes: Any, *, new_device: bool = True) -> None:
            call(client, "post_authentication", about(attributes=attributes, new_device=new_device))

        def test_one_mail_tells_of_a_new_device_however_often_we_are_told(
            self, client: Client, outbox: list[Message]
        ) -> None:
            for _ in range(3):
                self.sign_in(client, self.VERIFIED)
            assert [(message.recipient, message.subject) for message in outbox] == [
                (ANN["email"], "A new device at Example")
            ]
            assert "sub-1" not in outbox[0].text

        def test_another_person_gets_their_own(self, client: Client, outbox: list[Message]) -> None:
            self.sign_in(client, self.VERIFIED)
            self.sign_in(client, {"sub": "sub-2", "email": "ben@example.com", "email_verified": "true"})
            assert [message.recipient for message in outbox] == [ANN["email"], "ben@example.com"]

        @pytest.mark.parametrize("flag", ["false", "True", "", None])
        def test_none_goes_to_an_address_that_nobody_has_proven(
            self, client: Client, outbox: list[Message], flag: str | None
        ) -> None:
            self.sign_in(client, {**ANN, "email_verified": flag})
            assert outbox == []

        def test_none_is_sent_for_a_device_that_is_known(self, client: Client, outbox: list[Message]) -> None:
            self.sign_in(client, self.VERIFIED, new_device=False)
            assert outbox == []

        def test_none_is_sent_unless_it_is_asked_for(
            self, client: Client, settings: Any, outbox: list[Message]
        ) -> None:
            settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "LAMBDA": {"HMAC_KEYS": [KEY]}}
            self.sign_in(client, self.VERIFIED)
            assert outbox == []

        def test_a_sender_that_fails_stops_nobody(
            self, client: Client, settings: Any, caplog: pytest.LogCaptureFixture
        ) -> None:
            senders = {"email": []}
            settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "SENDERS": senders}
            self.sign_in(client, self.VERIFIED)
            assert "device could not be sent" in caplog.text
            assert ANN["email"] not in caplog.text


def rules(connection: Any, payload: Any) -> dict[str, Any]:
    return {"add": {"pool": connection.alias, "who": payload["username"]}}


def test_the_site_says_what_goes_into_tokens(client: Client, settings: Any) -> None:
    assert call(client, "pre_token_generation", about()).json() == {}
    settings.COGNITO_PASSWORDLESS = {"LAMBDA": {"HMAC_KEYS": [KEY], "TOKEN_RULES": f"{__name__}.rules"}}
    assert call(client, "pre_token_generation", about()).json() == {"add": {"pool": "main", "who": "ann@example.com"}}


@pytest.mark.django_db(transaction=True)
class TestOverHttp:
    """The triggers' own client, on a real server."""

    def parts(self, live_server: Any, key: str = KEY) -> dict[str, Any]:
        environment = {"DJANGO_URL": f"{live_server.url}/triggers", "DJANGO_HMAC_KEY": key}
        return {"settings": Settings(environment), "deadline": Deadline(UNHURRIED)}

    def test_a_user_is_fetched(self, live_server: Any, make_user: Callable[..., User]) -> None:
        make_user("ann@example.com", password="right")
        asked = {
            **event("UserMigration_Authentication", {"password": "right"}, username="ann@example.com"),
            "userPoolId": POOL,
        }
        answer = user_migration.respond(asked, now=0, note=Note(), **self.parts(live_server))
        assert answer["response"]["userAttributes"]["email_verified"] == "true"

    def test_a_confirmation_is_told(self, live_server: Any) -> None:
        note = Note()
        asked = event("PostConfirmation_ConfirmSignUp", {"userAttributes": ANN})
        post_confirmation.respond(asked, now=0, note=note, **self.parts(live_server))
        assert note.outcome == "notified"
        assert MigratedUser.objects.get().sub == "sub-1"

    def test_a_wrong_key_is_not_believed(self, live_server: Any) -> None:
        with pytest.raises(Unavailable, match="django_http_403"):
            ask("pre_authentication", about(), **self.parts(live_server, "a key of somebody else"))


@pytest.mark.parametrize("bad", ["\0", "\ud800"])
def test_text_that_no_database_takes_is_not_believed(client: Client, bad: str) -> None:
    for payload in ({"pool": f"{POOL}{bad}"}, {"pool": POOL, "attributes": {**ANN, "email": f"a{bad}@example.com"}}):
        assert call(client, "post_confirmation", payload).status_code == 403
    assert not MigratedUser.objects.exists()
