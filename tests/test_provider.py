"""allauth's own pages, with the connections of this package on them."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.core import context
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount, SocialApp
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.core.exceptions import MultipleObjectsReturned
from django.test import Client, RequestFactory

from cognito_passwordless.models import MigratedUser, PhoneNumber

MakeUser = Callable[..., User]
pytestmark = pytest.mark.django_db
POOL = "eu-west-1_Main"


def app(alias: str, name: str = "", **chosen: Any) -> dict[str, Any]:
    settings = {"region": "eu-west-1", "user_pool_id": "eu-west-1_Main", **chosen}
    return {"provider_id": alias, "name": name or alias, "client_id": "client", "secret": "", "settings": settings}


@pytest.fixture
def connected(settings: Any) -> Callable[..., None]:
    """Configures these connections."""

    def configure(*apps: dict[str, Any]) -> None:
        settings.SOCIALACCOUNT_PROVIDERS = {"cognito": {"APPS": [*apps]}}

    return configure


@pytest.fixture
def migrated(make_user: MakeUser) -> Callable[..., User]:
    """Somebody who came by the connections of these names."""

    def make(*aliases: str, **fields: Any) -> User:
        user = make_user("ann@example.com", **fields)
        for alias in aliases:
            MigratedUser.objects.create(connection=alias, pool=f"{POOL}{alias}", sub="s", status="migrated", user=user)
            SocialAccount.objects.create(provider=alias, uid="s", user=user, extra_data={"pool": POOL, "sub": "s"})
        return user

    return make


class TestLoginPage:
    """``account_login``, where the site keeps it, lists the providers."""

    @pytest.fixture(autouse=True)
    def _kept(self, settings: Any) -> None:
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "ALLAUTH_PAGES": True}

    def test_every_open_connection_leads_to_our_login_page(self, client: Client, connected: Any) -> None:
        connected(app("one", "Customers"), app("two", "Partners"))
        page = client.get("/accounts/login/?next=/inbox/").content.decode()
        assert "Customers" in page
        assert "Partners" in page
        assert page.count('href="/login/?next=%2Finbox%2F"') == 2

    @pytest.mark.parametrize("closed", [{"retired": True}, {"enabled": False}, {"region": "nowhere"}])
    def test_nobody_is_sent_to_a_closed_connection(self, client: Client, connected: Any, closed: Any) -> None:
        connected(app("one", "Customers"), app("two", "Partners", **closed))
        page = client.get("/accounts/login/").content.decode()
        assert "Customers" in page
        assert "Partners" not in page

    def test_other_providers_stay(self, client: Client, connected: Any, settings: Any) -> None:
        connected()
        assert client.get("/accounts/login/").status_code == 200

    def test_a_redirect_that_allauth_begins_goes_to_our_login_page(self, connected: Any, rf: RequestFactory) -> None:
        connected(app("one"))
        request = rf.get("/accounts/anywhere/?next=/inbox/")
        with context.request_context(request):
            response = get_adapter().get_provider(request, "one").redirect_from_request(request)
        assert response.headers["Location"] == "/login/?next=%2Finbox%2F"


class TestConnectionsPage:
    """``socialaccount_connections`` lists the accounts, and removes one."""

    def test_several_connections(self, client: Client, connected: Any, migrated: Any) -> None:
        connected(app("one", "Customers"), app("two", "Partners"))
        client.force_login(migrated("one", "two"))
        page = client.get("/accounts/3rdparty/").content.decode()
        assert page.count('type="radio"') == 2
        assert "Customers" in page
        assert "Partners" in page
        # Linked by signing in with it, not by hand: nothing here would lead anywhere.
        assert 'href="/login/' not in page

    def test_a_removed_connection_is_named_and_can_be_removed(
        self, client: Client, connected: Any, migrated: Any
    ) -> None:
        connected(app("one", "Customers"))
        client.force_login(migrated("one", "gone"))
        page = client.get("/accounts/3rdparty/").content.decode()
        assert "gone (no longer used)" in page
        gone = SocialAccount.objects.get(provider="gone")
        assert f'value="{gone.pk}"' in page
        assert client.post("/accounts/3rdparty/", {"account": gone.pk}).status_code == 302
        assert not SocialAccount.objects.filter(provider="gone").exists()

    def test_a_removed_connection_over_ajax(self, client: Client, connected: Any, migrated: Any) -> None:
        connected()
        client.force_login(migrated("gone"))
        listed = client.get("/accounts/3rdparty/", headers={"x-requested-with": "XMLHttpRequest"}).json()
        assert listed["data"]["socialaccounts"][0]["name"] == "gone (no longer used)"

    @pytest.mark.parametrize("closed", [{"retired": True}, {"region": "nowhere"}])
    def test_a_closed_connection_keeps_its_name(
        self, client: Client, connected: Any, migrated: Any, closed: Any
    ) -> None:
        connected(app("one", "Customers", **closed))
        client.force_login(migrated("one"))
        assert "Customers" in client.get("/accounts/3rdparty/").content.decode()

    def test_one_alias_in_the_settings_and_in_the_admin(self, client: Client, connected: Any, migrated: Any) -> None:
        connected(app("one", "Customers"))
        SocialApp.objects.create(provider="cognito", **app("one", "Customers"))
        client.force_login(migrated("one"))
        assert client.get("/accounts/3rdparty/").status_code == 200

    def test_a_name_that_never_was_a_connection_stays_unknown(self, connected: Any, rf: RequestFactory) -> None:
        connected()
        with pytest.raises(SocialApp.DoesNotExist):
            get_adapter().get_provider(rf.get("/"), "nonsense")

    def test_other_providers_that_are_ambiguous_stay_so(self, settings: Any, rf: RequestFactory) -> None:
        SocialApp.objects.create(provider="other", provider_id="x", client_id="1")
        SocialApp.objects.create(provider="other", provider_id="x", client_id="2")
        with pytest.raises(MultipleObjectsReturned):
            get_adapter().get_provider(rf.get("/"), "x")

    def test_the_providers_own_name_leads_to_our_login_page_too(self, connected: Any, rf: RequestFactory) -> None:
        connected(app("one"), app("two"))
        assert get_adapter().get_provider(rf.get("/"), "cognito").get_login_url(rf.get("/")) == "/login/"


class TestDisconnecting:
    """The last account goes only where that locks nobody out."""

    def test_allauth_keeps_the_last_account_of_somebody_without_a_password(
        self, client: Client, connected: Any, migrated: Any
    ) -> None:
        connected(app("one"))
        client.force_login(migrated("one"))
        page = client.post("/accounts/3rdparty/", {"account": SocialAccount.objects.get().pk})
        assert page.status_code == 200
        assert SocialAccount.objects.exists()

    def test_somebody_with_a_password_and_a_proven_address_may_remove_it(
        self, client: Client, connected: Any, migrated: Any
    ) -> None:
        connected(app("one"))
        user = migrated("one", password="something long")
        client.force_login(user)
        response = client.post("/accounts/3rdparty/", {"account": SocialAccount.objects.get().pk})
        assert response.status_code == 302
        assert [str(message) for message in get_messages(response.wsgi_request)] != []
        assert not SocialAccount.objects.exists()

    def test_somebody_without_a_proven_address_keeps_the_last_account(
        self, client: Client, connected: Any, migrated: Any, settings: Any
    ) -> None:
        connected(app("one"))
        user = migrated("one", password="something long")
        EmailAddress.objects.update(verified=False)
        client.force_login(user)
        chosen = {"account": SocialAccount.objects.get().pk}
        assert client.post("/accounts/3rdparty/", chosen).status_code == 200
        assert SocialAccount.objects.exists()
        PhoneNumber.objects.create(user=user, number="+4915112345678", verified=True)
        assert client.post("/accounts/3rdparty/", chosen).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_a_person_who_disconnected_signs_in_by_our_code(
    client: Client, connected: Any, migrated: Any, sent_code: Callable[[], str]
) -> None:
    connected(app("one"))
    user = migrated("one")
    SocialAccount.objects.all().delete()
    client.post("/login/", {"identifier": "ann@example.com"})
    client.post("/login/code/", {"code": sent_code()})
    assert client.session["_auth_user_id"] == str(user.pk)
