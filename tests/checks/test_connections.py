"""Connections: each mistake is told by one id, wherever the connection is written."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialApp
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cognito_passwordless.checks.connections import people_left_out
from cognito_passwordless.models import MigratedUser

from .conftest import POOL, Find, app

OTHER = {"user_pool_id": "eu-west-1_Other"}
NOWHERE = {"provider_id": "main", "client_id": "client", "settings": {}}

# id, connections, our settings
CASES: list[tuple[str, Any, dict[str, Any]]] = [
    ("E601", {"main": {}}, {}),
    ("E601", ["main"], {}),
    ("E602", [app("")], {}),
    ("E603", [app(), app(**OTHER)], {"SIGNUP": False}),
    ("E604", [app("cognito")], {}),
    ("E606", [NOWHERE], {}),
    ("E606", [app(routes=["sms"])], {}),
    ("E606", [app(enabled="false")], {}),
    ("W607", [app(domain=None)], {}),
    ("W608", [app(scope=["openid", "email"])], {}),
    ("E606", [app(after_migration=["forget"])], {}),
    ("E606", [app(migrated_attribute="email")], {}),
    ("E606", [app(first_factor="password")], {}),
    ("W609", [app(routes=["oidc", "otp"], after_migration=["disable"])], {}),
    ("E611", [app()], {"SIGNUP": True}),
    ("E612", [app(), app("other", **OTHER)], {}),
    ("E612", [app(domains=["a.com", "b.com"]), app("other", domains=["b.com"], **OTHER)], {}),
    ("E616", [app(otp_flow="CUSTOM_AUTH", first_factor="password")], {"OTP": {"MAX_ATTEMPTS": 1}}),
    ("W613", [app()], {"REFUSAL_FLOOR": 0}),
    ("W614", [app(), app("again", domains=["example.com"])], {}),
]
FIXED: list[tuple[Any, dict[str, Any]]] = [
    ([], {"SIGNUP": True, "REFUSAL_FLOOR": 0}),
    ([app(), app("other", domains=["example.com"], **OTHER)], {}),
    ([app(), app("other", lookup="imported", **OTHER)], {}),
    ([app(), app("other", retired=True, **OTHER)], {}),
    ([app(), app("other", routes=["oidc"], **OTHER)], {}),
    ([app(domains=["example.com"])], {"SIGNUP": True}),
    ([app(lookup="list_users")], {"SIGNUP": True}),
    ([app(enabled=False)], {"SIGNUP": True, "REFUSAL_FLOOR": 0}),
    ([app(after_migration=["disable", "mark"]), app("o", routes=["oidc"], after_migration=["mark"], **OTHER)], {}),
    ([app(domain=None, routes=["otp"])], {}),
    ([app(otp_flow="CUSTOM_AUTH", first_factor="password")], {}),
    ([app(scope=["openid"])], {"SMS_COUNTRIES": []}),
    ([app(domain=None, endpoints={"authorization_endpoint": "https://id.example.com/a"})], {}),
]


@pytest.mark.parametrize(("number", "apps", "ours"), CASES)
def test_a_mistake_is_told_once(number: str, apps: Any, ours: dict[str, Any], find: Find, settings: Any) -> None:
    settings.SOCIALACCOUNT_PROVIDERS = {"cognito": {"APPS": apps}}
    settings.COGNITO_PASSWORDLESS |= ours
    assert sorted({*find()} - IMPLIED.get(number, set())) == [number]


# Two connections of one name are also tried one after the other.
IMPLIED = {"E603": {"E612"}}


@pytest.mark.parametrize(("apps", "ours"), FIXED)
def test_sound_connections_have_none(apps: Any, ours: dict[str, Any], find: Find, settings: Any) -> None:
    settings.SOCIALACCOUNT_PROVIDERS = {"cognito": {"APPS": apps}}
    settings.COGNITO_PASSWORDLESS |= ours
    assert find() == []


def test_a_password_first_without_its_extra(find: Find, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cognito_passwordless.cognito.sign_in.password.AWSSRP", None)
    chosen = {"otp_flow": "CUSTOM_AUTH", "first_factor": "password"}
    settings.SOCIALACCOUNT_PROVIDERS = {"cognito": {"APPS": [app(**chosen)]}}
    assert find() == ["E615"]
    settings.SOCIALACCOUNT_PROVIDERS = {"cognito": {"APPS": [app(**chosen, enabled=False)]}}
    assert find() == []


def test_an_alias_that_is_another_providers_id(find: Find, settings: Any) -> None:
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "allauth.socialaccount.providers.openid_connect"]
    settings.SOCIALACCOUNT_PROVIDERS = {"cognito": {"APPS": [app("openid_connect")]}}
    from allauth.socialaccount.providers import registry

    registry.loaded = False
    try:
        assert find() == ["E604"]
    finally:
        registry.provider_map.pop("openid_connect", None)


def test_a_secret_is_never_told(find: Find, settings: Any) -> None:
    from django.core import checks

    settings.SOCIALACCOUNT_PROVIDERS = {"cognito": {"APPS": [{**app(), "secret": "two words", "client_id": ""}]}}
    told = " ".join(f"{message.msg} {message.hint}" for message in checks.run_checks())
    assert "client_secret" in told
    assert "two words" not in told


@pytest.mark.django_db
class TestDatabase:
    """What only the tables can tell."""

    def test_rows_are_only_read_where_the_database_may_be_asked(self, find: Find, settings: Any) -> None:
        settings.SOCIALACCOUNT_PROVIDERS = {"cognito": {"APPS": [app()]}}
        settings.COGNITO_PASSWORDLESS |= {"GROUPS": {"editors": "editors"}}
        with CaptureQueriesContext(connection) as captured:
            assert find() == []
        # Django's own checks may ask what the database can do.
        assert not [query for query in captured.captured_queries if "FROM" in query["sql"]]

    def test_a_connection_of_the_admin_that_cannot_be_read(self, find: Find) -> None:
        SocialApp.objects.create(provider="cognito", provider_id="main", client_id="client", settings={})
        assert find(databases=["default"]) == ["E606"]

    def test_one_alias_in_the_settings_and_in_the_admin(self, find: Find, settings: Any) -> None:
        settings.SOCIALACCOUNT_PROVIDERS = {"cognito": {"APPS": [app()]}}
        SocialApp.objects.create(provider="cognito", **app(**OTHER, domains=["example.com"]))
        assert find(databases=["default"]) == ["E603"]

    def test_an_alias_that_changed_its_pool(self, find: Find, settings: Any) -> None:
        settings.SOCIALACCOUNT_PROVIDERS = {"cognito": {"APPS": [app()]}}
        MigratedUser.objects.create(connection="main", pool="eu-west-1_Main", sub="1")
        assert find(databases=["default"]) == []
        MigratedUser.objects.create(connection="main", pool="eu-west-1_Older", sub="2")
        assert find(databases=["default"]) == ["E605"]

    @pytest.mark.parametrize(
        ("chosen", "told"),
        [
            ({"routes": ["otp"]}, "2 pending people with MFA and 3 who"),
            ({"routes": ["otp", "local"]}, "2 pending people with MFA and 0 who"),
            ({"routes": ["otp", "oidc"]}, ""),
            ({"routes": ["local"]}, ""),
            ({"routes": ["otp"], "otp_flow": "CUSTOM_AUTH"}, ""),
            ({"routes": ["otp"], "enabled": False}, ""),
        ],
    )
    def test_people_whom_a_connection_by_codes_alone_leaves_out(
        self, find: Find, settings: Any, chosen: dict[str, Any], told: str
    ) -> None:
        settings.SOCIALACCOUNT_PROVIDERS = {"cognito": {"APPS": [app(**chosen)]}}
        mfa = {"cognito:mfa_enabled": "true"}
        rows: list[dict[str, Any]] = [
            {"attributes": mfa, "pool_status": "CONFIRMED"},
            {"attributes": mfa, "pool_status": "RESET_REQUIRED"},
            {"pool_status": "RESET_REQUIRED"},
            *[{"pool_status": "FORCE_CHANGE_PASSWORD"}] * 2,
            {"pool_status": "CONFIRMED", "attributes": {"cognito:mfa_enabled": "false"}},
            {"pool_status": "FORCE_CHANGE_PASSWORD", "pool_enabled": False},
            {"pool_status": "FORCE_CHANGE_PASSWORD", "status": "migrated"},
        ]
        for number, row in enumerate(rows):
            MigratedUser.objects.create(connection="main", pool=POOL["user_pool_id"], sub=str(number), **row)
        assert find(databases=["default"]) == (["W617"] if told else [])
        messages = people_left_out(databases=["default"])
        assert all(told in str(message.msg) for message in messages)

    def test_groups_that_do_not_exist(self, find: Find, settings: Any) -> None:
        settings.COGNITO_PASSWORDLESS |= {"GROUPS": {"editors": "editors"}}
        assert find(databases=["default"]) == ["W239"]
        Group.objects.create(name="editors")
        assert find(databases=["default"]) == []

    def test_users_who_would_lose_something_at_their_first_code(self, find: Find) -> None:
        ann = User.objects.create_user("ann", "ann@example.com", "a long password")
        assert find() == []
        assert find(databases=["default"]) == ["W243"]
        EmailAddress.objects.create(user=ann, email="ann@example.com", verified=True)
        assert find(databases=["default"]) == []

    @pytest.mark.parametrize("model", [EmailAddress, SocialAccount, MigratedUser])
    def test_nobody_is_counted_before_the_tables_are_there(
        self, find: Find, monkeypatch: pytest.MonkeyPatch, model: Any
    ) -> None:
        User.objects.create_user("ann", "ann@example.com", "a long password")
        monkeypatch.setattr(model._meta, "db_table", "not_yet_made")
        assert "W243" not in find(databases=["default"])
