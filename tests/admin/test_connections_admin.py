"""The connections in the admin: edited by the rules of the checks, tried out, and their secrets never shown."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.socialaccount.models import SocialApp
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django.views.debug import SafeExceptionReporterFilter

from cognito_passwordless import connections
from cognito_passwordless.admin.connection_form import PoolConnectionForm
from cognito_passwordless.cognito.connection_rules import SETTINGS
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import ChallengeSession, ConnectionState, MigratedUser, PoolConnection

from .conftest import url

pytestmark = pytest.mark.django_db
SECRET = "a-secret-that-nobody-may-read-again"
OTHER_SECRET = "another-secret-of-the-client"
POOL = {"region": "eu-west-1", "user_pool_id": "eu-west-1_Main"}
EDIT = ("add_poolconnection", "change_poolconnection", "delete_poolconnection")
FORM: dict[str, Any] = {
    "provider_id": "main",
    "name": "Customers",
    "client_id": "client",
    "enabled": "on",
    **POOL,
    "routes": "otp",
    "otp_flow": "USER_AUTH",
    "first_factor": "none",
    "session_minutes": "3",
    "lookup": "try",
    "on_failure": "branch",
    "scope": "openid, email phone",
    "response_mode": "query",
    "migrated_attribute": "custom:migrated",
}


@pytest.fixture
def editor(staff: Callable[..., Client]) -> Client:
    return staff(*EDIT)


@pytest.fixture
def row() -> PoolConnection:
    return PoolConnection.objects.create(
        provider="cognito", provider_id="main", name="Customers", client_id="client", secret=SECRET, settings=POOL
    )


def page(row: PoolConnection, what: str = "change") -> str:
    return url("poolconnection", row.pk, what)


def mistakes(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 200
    found: dict[str, list[str]] = response.context["adminform"].form.errors
    return found


def of_settings(settings: Any, alias: str = "main", **chosen: Any) -> None:
    app = {"provider_id": alias, "name": "Customers", "client_id": "client", "secret": SECRET}
    settings.SOCIALACCOUNT_PROVIDERS = {"cognito": {"APPS": [app | {"settings": POOL | chosen}]}}


class TestList:
    """Every connection, wherever it is written."""

    def test_those_of_the_settings_and_of_the_table(self, looking: Client, row: PoolConnection, settings: Any) -> None:
        of_settings(settings, "other", domains=["example.com"], user_pool_id="eu-west-1_Other")
        ConnectionState.objects.create(alias="main", retired_at=timezone.now())
        entries = looking.get(url("poolconnection")).context["entries"]
        assert [(each.app.provider_id, bool(each.key), each.connection.retired) for each in entries] == [
            ("other", False, False),
            ("main", True, True),
        ]

    def test_one_that_cannot_be_read_says_why(self, looking: Client, row: PoolConnection) -> None:
        PoolConnection.objects.update(settings={"region": "nowhere"})
        shown = looking.get(url("poolconnection")).content.decode()
        assert "an AWS region like" in shown
        assert looking.get(page(row)).status_code == 200

    def test_what_the_checks_say_is_said_once(self, looking: Client, row: PoolConnection, settings: Any) -> None:
        of_settings(settings, routes=["otp"])
        told = [message.id.rpartition(".")[2] for message in looking.get(url("poolconnection")).context["told"]]
        assert told.count("E603") == told.count("E612") == 1

    def test_apps_of_other_providers_are_not_there(self, editor: Client) -> None:
        other = SocialApp.objects.create(provider="google", provider_id="google", client_id="c", secret=SECRET)
        assert editor.get(url("poolconnection")).context["entries"] == []
        assert editor.get(url("poolconnection", other.pk, "change")).status_code == 302
        assert editor.post(url("poolconnection", other.pk, "test")).status_code == 404

    def test_a_name_is_text(self, looking: Client, row: PoolConnection) -> None:
        PoolConnection.objects.update(name="<script>alert(1)</script>")
        assert "<script>alert(1)" not in looking.get(url("poolconnection")).content.decode()

    def test_the_figures_are_linked(self, looking: Client) -> None:
        assert "journeyevent/connections/" in looking.get(url("poolconnection")).content.decode()


class TestRights:
    """Nobody sees or does anything without the permission."""

    def test_without_any_everything_is_refused(
        self, staff: Callable[..., Client], row: PoolConnection, settings: Any
    ) -> None:
        of_settings(settings, "other")
        client = staff()
        User.objects.get().user_permissions.clear()
        pages = [
            url("poolconnection"),
            url("poolconnection", "add"),
            url("poolconnection", "settings", "other"),
            *(page(row, what) for what in ("change", "delete", "history")),
        ]
        tests = [page(row, "test"), url("poolconnection", "settings", "other", "test")]
        assert {client.get(each).status_code for each in [*pages, *tests]} == {403}
        assert {client.post(each, FORM).status_code for each in [*pages[1:5], *tests]} <= {403}

    def test_whoever_may_look_changes_and_tests_nothing(
        self, looking: Client, row: PoolConnection, settings: Any
    ) -> None:
        of_settings(settings, "other")
        assert looking.get(page(row)).status_code == 200
        for refused in (page(row), page(row, "test"), url("poolconnection", "settings", "other", "test")):
            assert looking.post(refused, FORM | {"name": "New"}).status_code == 403
        assert PoolConnection.objects.get().name == "Customers"

    def test_a_test_is_no_link(self, editor: Client, row: PoolConnection) -> None:
        assert editor.get(page(row, "test")).status_code == 405

    def test_one_of_the_settings_is_to_look_at(self, editor: Client, settings: Any) -> None:
        of_settings(settings)
        shown = editor.get(url("poolconnection", "settings", "main")).content.decode()
        assert "It can be changed only there" in shown
        assert "eu-west-1_Main" in shown
        assert SECRET not in shown
        assert editor.get(url("poolconnection", "settings", "nobody")).status_code == 404


class TestEditing:
    """The form knows every setting, and refuses what the checks would tell."""

    def test_it_has_a_field_for_every_setting(self) -> None:
        # A dotted path is imported: it belongs to those who write the settings, not to those who edit rows.
        assert SETTINGS.keys() - PoolConnectionForm.base_fields.keys() == {"client_metadata"}
        for name in ("otp_flow", "first_factor", "lookup", "on_failure", "response_mode"):
            for value, _label in PoolConnectionForm.base_fields[name].choices:  # type: ignore[attr-defined]
                assert SETTINGS[name](value) == value

    def test_a_connection_that_was_written_is_used(self, editor: Client) -> None:
        chosen = {"authorize_params": '{"lang": "de"}', "domains": "Example.com", "after_migration": ["mark"]}
        assert editor.post(url("poolconnection", "add"), FORM | chosen | {"new_secret": SECRET}).status_code == 302
        made = SocialApp.objects.get()
        assert (made.provider, made.secret) == ("cognito", SECRET)
        assert made.settings == {
            **POOL,
            "routes": ["otp"],
            "scope": ["openid", "email", "phone"],
            "domains": ["Example.com"],
            "after_migration": ["mark"],
            "authorize_params": {"lang": "de"},
        }
        found = connections.find("main")
        assert found is not None
        assert (found.domains, found.client_secret) == (("example.com",), SECRET)
        assert LogEntry.objects.get().is_addition()

    def test_what_is_not_set_is_an_empty_field(self, editor: Client) -> None:
        form = editor.get(url("poolconnection", "add")).context["adminform"].form
        assert {form[name].value() for name in ("claims", "authorize_params", "endpoints")} == {""}

    def test_what_is_shown_can_be_saved_as_it_is(self, editor: Client) -> None:
        settings = {**POOL, "enabled": False, "claims": {"userinfo": {}}, "endpoints": {}, "routes": ["oidc", "local"]}
        settings |= {"domain": "https://login.example.com", "acr_values": "urn:x", "global_sign_out": True}
        row = PoolConnection.objects.create(
            provider="cognito", provider_id="main", name="n", client_id="c", secret=SECRET, settings=settings
        )
        before = connections.find("main")
        form = editor.get(page(row)).context["adminform"].form
        posted = {}
        for name, field in form.fields.items():
            value = form[name].value()
            if value not in (None, False):
                posted[name] = value if isinstance(value, list | str) else "on" if value is True else json.dumps(value)
            assert field is not None
        assert editor.post(page(row), posted).status_code == 302
        assert connections.find("main") == before
        assert SocialApp.objects.get().secret == SECRET
        assert LogEntry.objects.get().get_change_message() == "No fields changed."

    @pytest.mark.parametrize(
        ("changed", "field", "told"),
        [
            ({"provider_id": ""}, "provider_id", "letters, digits"),
            ({"provider_id": "a b"}, "provider_id", "letters, digits"),
            ({"provider_id": "cognito"}, "provider_id", "provider of allauth"),
            ({"provider_id": "taken"}, "provider_id", "are called 'taken'"),
            ({"provider_id": "row"}, "provider_id", "are called 'row'"),
            ({"region": "nowhere"}, "region", "an AWS region"),
            ({"region": ""}, "region", "an AWS region"),
            ({"region": "eu-west-2"}, "region", "begins with"),
            ({"user_pool_id": ""}, "user_pool_id", "the pool's id"),
            ({"routes": ""}, "routes", "at least one"),
            ({"routes": "otp sms"}, "routes", "otp, oidc, local"),
            ({"scope": "email"}, "scope", "openid"),
            ({"domain": "http://login.example.com"}, "domain", "https://"),
            ({"claims": "{"}, "claims", "valid JSON"),
            ({"authorize_params": '{"state": "x"}'}, "authorize_params", "without"),
            ({"migrated_attribute": "email"}, "migrated_attribute", "custom:"),
            ({"first_factor": "password"}, "first_factor", "otp_flow"),
            ({"lookup": "guess"}, "lookup", "valid choice"),
            ({"client_id": "two words"}, "client_id", "app client"),
            ({"new_secret": "two words"}, "new_secret", "secret"),
            ({"domains": ""}, "__all__", "Several connections are tried"),
        ],
    )
    def test_a_mistake_is_told_in_words_and_nothing_is_written(
        self, editor: Client, settings: Any, changed: dict[str, str], field: str, told: str
    ) -> None:
        of_settings(settings, "taken", user_pool_id="eu-west-1_Taken", domains=["taken.example"])
        others = {"user_pool_id": "eu-west-1_Other", "region": "eu-west-1"}
        PoolConnection.objects.create(provider="cognito", provider_id="row", client_id="c", settings=others)
        given = FORM | {"domains": "example.com", "new_secret": SECRET} | changed
        found = editor.post(url("poolconnection", "add"), given)
        assert told in " ".join(mistakes(found)[field])
        assert SocialApp.objects.count() == 1
        assert SECRET not in found.content.decode()

    def test_an_alias_cannot_move_to_another_pool(self, editor: Client, row: PoolConnection) -> None:
        MigratedUser.objects.create(connection="main", pool="eu-west-1_Main", sub="1")
        told = mistakes(editor.post(page(row), FORM | {"user_pool_id": "eu-west-1_Other"}))
        assert "was another pool's" in told["user_pool_id"][0]

    def test_an_alias_by_which_somebody_came_keeps_its_name(self, editor: Client, row: PoolConnection) -> None:
        """Under another name a retired connection would be in use again."""
        ConnectionState.objects.create(alias="main", retired_at=timezone.now())
        assert editor.post(page(row), FORM | {"provider_id": "new", "retired": "on"}).status_code == 302
        found = connections.find("main")
        assert found is not None
        assert found.retired

    def test_what_is_worth_knowing_is_told_after_saving(self, editor: Client) -> None:
        saved = editor.post(url("poolconnection", "add"), FORM | {"routes": "otp oidc"}, follow=True)
        assert "offers hosted login and has no domain" in saved.content.decode()


class TestSecret:
    """It goes in and never comes out."""

    def everywhere(self, client: Client, row: PoolConnection) -> str:
        pages = [url("poolconnection"), page(row), page(row, "history"), page(row, "delete")]
        shown = [client.get(each).content.decode() for each in pages]
        return "".join([*shown, client.post(page(row, "test")).content.decode()])

    def test_it_is_on_no_page(self, admin_client: Client, row: PoolConnection) -> None:
        assert SECRET not in self.everywhere(admin_client, row)

    def test_whoever_may_only_look_does_not_see_it(self, looking: Client, row: PoolConnection) -> None:
        shown = looking.get(page(row)).content.decode()
        assert SECRET not in shown
        assert "stored, never shown" in shown

    def test_a_new_one_is_stored_and_not_shown(self, editor: Client, row: PoolConnection) -> None:
        saved = editor.post(page(row), FORM | {"new_secret": OTHER_SECRET}, follow=True).content.decode()
        assert SocialApp.objects.get().secret == OTHER_SECRET
        entry = LogEntry.objects.get()
        written = f"{entry.change_message} {entry.object_repr}"
        assert OTHER_SECRET not in saved + self.everywhere(editor, row) + written
        assert "Secret" in entry.get_change_message()

    def test_after_a_mistake_it_has_to_be_typed_again(self, editor: Client, row: PoolConnection) -> None:
        again = editor.post(page(row), FORM | {"new_secret": OTHER_SECRET, "region": "nowhere"})
        assert mistakes(again)
        assert OTHER_SECRET not in again.content.decode()
        assert SECRET not in again.content.decode()

    def test_empty_keeps_it_and_a_tick_removes_it(self, editor: Client, row: PoolConnection) -> None:
        editor.post(page(row), FORM | {"name": "New"})
        assert (SocialApp.objects.get().secret, SocialApp.objects.get().name) == (SECRET, "New")
        assert "clear_secret" in mistakes(editor.post(page(row), FORM | {"new_secret": "x", "clear_secret": "on"}))
        editor.post(page(row), FORM | {"clear_secret": "on"})
        assert SocialApp.objects.get().secret == ""
        assert "clear_secret" not in editor.get(page(row)).context["adminform"].form.fields

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("domain", "https://elsewhere.example"),
            ("issuer", "https://elsewhere.example"),
            ("issuers", "https://elsewhere.example"),
            ("endpoint_url", "https://elsewhere.example"),
            ("endpoints", '{"token_endpoint": "https://elsewhere.example/token"}'),
        ],
    )
    def test_it_is_sent_elsewhere_only_by_who_knows_it(
        self, editor: Client, row: PoolConnection, name: str, value: str
    ) -> None:
        assert "new_secret" in mistakes(editor.post(page(row), FORM | {name: value}))
        assert editor.post(page(row), FORM | {name: value, "new_secret": SECRET}).status_code == 302

    def test_an_error_report_has_none(self, editor: Client, row: PoolConnection, monkeypatch: Any) -> None:
        seen = []
        monkeypatch.setattr(
            "cognito_passwordless.admin.connections.PoolConnectionAdmin.save_model",
            lambda self, request, *rest: seen.append(SafeExceptionReporterFilter().get_post_parameters(request)),
        )
        editor.post(page(row), FORM | {"new_secret": OTHER_SECRET})
        (reported,) = seen
        assert "new_secret" in reported
        assert OTHER_SECRET not in str(reported)

    def test_allauths_own_page_no_longer_has_ours(self, admin_client: Client, row: PoolConnection) -> None:
        other = SocialApp.objects.create(provider="google", name="Google", client_id="c", secret="theirs")
        theirs = "/admin/socialaccount/socialapp/"
        assert [each.name for each in admin_client.get(theirs).context["cl"].queryset] == ["Google"]
        assert admin_client.get(f"{theirs}{row.pk}/change/").status_code == 302
        shown = admin_client.get(f"{theirs}{other.pk}/change/").content.decode()
        assert "theirs" in shown
        assert 'value="cognito"' not in shown


@pytest.mark.django_db(transaction=True)
class TestRetiring:
    """As `cognito_cutover` does it, and takes it back."""

    def open_challenge(self) -> ChallengeSession:
        now = timezone.now()
        return ChallengeSession.objects.create(
            handle_hash="h", identifier="ann@example.com", channel="email", connection="main", route="cognito_otp",
            pool_session="kept", key_fingerprint="f", code_length=6, created_at=now, last_sent_at=now,
            expires_at=now + timedelta(minutes=5),
        )  # fmt: skip

    def test_it_ends_the_open_sign_ins_of_the_pool(self, editor: Client, row: PoolConnection) -> None:
        challenge = self.open_challenge()
        assert editor.post(page(row), FORM | {"retired": "on"}).status_code == 302
        challenge.refresh_from_db()
        assert (challenge.outcome, challenge.pool_session) == ("superseded", "")
        assert connections.is_retired("main")
        assert "retired" not in SocialApp.objects.get().settings
        assert editor.get(page(row)).context["adminform"].form["retired"].value() is True

    def test_it_is_taken_back(self, editor: Client, row: PoolConnection) -> None:
        editor.post(page(row), FORM | {"retired": "on"})
        editor.post(page(row), FORM)
        assert not connections.is_retired("main")

    def test_what_the_row_itself_said_is_taken_back_too(self, editor: Client, row: PoolConnection) -> None:
        PoolConnection.objects.update(settings=POOL | {"retired": True})
        editor.post(page(row), FORM | {"retired": "on"})
        assert SocialApp.objects.get().settings["retired"] is True
        editor.post(page(row), FORM)
        found = connections.find("main")
        assert found is not None
        assert found.active

    def test_saving_something_else_leaves_a_cut_over_alone(self, editor: Client, row: PoolConnection) -> None:
        editor.post(page(row), FORM | {"retired": "on"})
        moment = ConnectionState.objects.get().retired_at
        editor.post(page(row), FORM | {"retired": "on", "name": "New"})
        assert ConnectionState.objects.get().retired_at == moment


class TestTest:
    """What works, what does not, what is unknown."""

    @pytest.fixture
    def served(self, cognito: LocalCognito, aws_identity: None) -> tuple[LocalPool, PoolConnection]:
        pool = cognito.create_pool("demo", auth_session_validity=15)
        where = {"region": cognito.region, "user_pool_id": pool.id, "endpoint_url": cognito.url, "issuer": pool.issuer}
        row = PoolConnection.objects.create(
            provider="cognito", provider_id="main", client_id=pool.client_id, secret=pool.client_secret or "",
            settings=where | {"routes": ["otp", "oidc"], "session_minutes": 15},
        )  # fmt: skip
        return pool, row

    def results(self, response: Any) -> dict[str, tuple[str, str]]:
        assert response.status_code == 200
        return {finding.name: (str(word), finding.fix) for word, finding in response.context["findings"]}

    def test_every_part_is_asked_and_nothing_is_written(
        self, editor: Client, cognito: LocalCognito, served: tuple[LocalPool, PoolConnection]
    ) -> None:
        pool, row = served
        before = len(cognito.calls)
        shown = editor.post(page(row, "test"))
        found = self.results(shown)
        for name in ("keys", "endpoints", "client secret", "flow", "hosted login"):
            assert found[name] == ("works", ""), name
        asked = {call.operation for call in cognito.calls[before:]}
        assert asked == {"DescribeUserPool", "DescribeUserPoolClient"}
        assert str(pool.client_secret) not in shown.content.decode()
        assert not LogEntry.objects.exists()

    def test_what_does_not_work_says_how_to_mend_it(
        self, editor: Client, served: tuple[LocalPool, PoolConnection]
    ) -> None:
        _pool, row = served
        PoolConnection.objects.update(secret="wrong")
        word, fix = self.results(editor.post(page(row, "test")))["client secret"]
        assert word == "does not work"
        assert "Copy the secret" in fix

    def test_what_may_not_be_asked_cannot_be_told(
        self, editor: Client, cognito: LocalCognito, served: tuple[LocalPool, PoolConnection]
    ) -> None:
        cognito.fail("DescribeUserPoolClient", "AccessDeniedException")
        word, fix = self.results(editor.post(page(served[1], "test")))["client"]
        assert word == "unknown"
        assert "DescribeUserPoolClient" in fix

    def test_a_pool_that_hangs_is_not_waited_for(
        self,
        editor: Client,
        cognito: LocalCognito,
        served: tuple[LocalPool, PoolConnection],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("cognito_passwordless.admin.connections.SECONDS", 0.5)
        cognito.fail("DescribeUserPool", "timeout")
        began = time.monotonic()
        found = self.results(editor.post(page(served[1], "test")))
        cognito.faults.release()
        assert time.monotonic() - began < 10
        assert found["pool"][0] == "unknown"

    def test_a_retired_one_is_not_called(
        self, editor: Client, cognito: LocalCognito, served: tuple[LocalPool, PoolConnection]
    ) -> None:
        ConnectionState.objects.create(alias="main", retired_at=timezone.now())
        before = len(cognito.calls)
        assert "its pool is never called" in editor.post(page(served[1], "test")).content.decode()
        assert len(cognito.calls) == before

    def test_one_of_the_settings_is_tried_too(self, editor: Client, pool: LocalPool, aws_identity: None) -> None:
        found = self.results(editor.post(url("poolconnection", "settings", "main", "test")))
        assert found["client secret"][0] == "works"

    def test_one_that_cannot_be_read_says_why(self, editor: Client, row: PoolConnection) -> None:
        PoolConnection.objects.update(settings={})
        assert "must be" in editor.post(page(row, "test")).content.decode()
