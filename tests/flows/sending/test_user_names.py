"""People who sign in by the user name that they have in a pool (`USERNAMES`)."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.test import Client

from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import ChallengeSession, FailureCount, JourneyEvent, MigratedUser

from ...local.caller import Caller

pytestmark = pytest.mark.django_db(transaction=True)
ANN, VICTIM = "ann@example.com", "victim@example.com"


@pytest.fixture(autouse=True)
def _names(settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {
        **settings.COGNITO_PASSWORDLESS,
        "USERNAMES": ["main", "other"],
        "SMS_COUNTRIES": [],
    }


def start(typed: str, client: Client | None = None, **more: str) -> ChallengeSession:
    response = (client or Client()).post("/login/", {"identifier": typed, **more})
    assert response.status_code == 302, response.content
    return ChallengeSession.objects.latest("created_at")


def imported(pool: LocalPool, sub: str, username: str = "ann", **fields: Any) -> MigratedUser:
    row = {"connection": "main", "email": ANN, "attributes": {"email_verified": "true"}}
    return MigratedUser.objects.create(pool=pool.id, sub=sub, username=username, **{**row, **fields})


def enter(client: Client, code: str | None) -> Any:
    client.post("/login/code/", {"code": code or ""})
    return User.objects.filter(pk=client.session.get("_auth_user_id")).first()


def verified() -> set[str]:
    return set(EmailAddress.objects.filter(verified=True).values_list("email", flat=True))


class TestKnownToThePoolAlone:
    def test_the_pool_sends_its_code_and_proves_who_it_is_but_no_address(
        self, pool: LocalPool, cognito: LocalCognito
    ) -> None:
        """Nobody has told in full where the code went (law 13)."""
        sub = pool.add_user(ANN, username="ann.lee")
        client = Client()
        challenge = start("ann.lee", client)
        assert (challenge.route, challenge.recipient) == ("cognito_otp", "")
        user = enter(client, cognito.last_code(ANN))
        assert MigratedUser.objects.get(sub=sub).user == user
        assert user is not None
        assert verified() == set()
        answered = JourneyEvent.objects.get(step="answered", outcome="ok")
        assert answered.cause == "destination_unknown"
        # The next time it goes to the pool again, as no address of theirs has been proven here.
        again = Client()
        assert start("ann.lee", again).route == "cognito_otp"
        assert enter(again, cognito.last_code(ANN)) == user

    def test_nothing_of_an_existing_account_opens_to_a_name(
        self, pool: LocalPool, cognito: LocalCognito, make_user: Any
    ) -> None:
        """Mallory's pool user has the victim's address written, and verified by an operator's mistake."""
        victim = make_user(VICTIM)
        pool.add_user("mallory@evil.example", username="mallory")
        client = Client()
        start("mallory", client)
        code = cognito.last_code("mallory@evil.example")
        rows = [{"Name": "email", "Value": VICTIM}, {"Name": "email_verified", "Value": "true"}]
        Caller(cognito, pool).boto.admin_update_user_attributes(
            UserPoolId=pool.id, Username="mallory", UserAttributes=rows
        )
        entered = enter(client, code)
        assert entered != victim
        assert EmailAddress.objects.get(email=VICTIM).user == victim

    def test_directories_are_asked_for_the_name(self, cognito: LocalCognito, connect: Any, aws_identity: None) -> None:
        pool = cognito.create_pool("names")
        connect(pool, lookup="list_users")
        pool.add_user(ANN, username="Ann.Lee")
        assert start("Ann.Lee").pool_username == "Ann.Lee"
        assert start("bob").decoy_reason == "unknown"

    def test_an_unknown_name_sends_nothing_wherever_sign_up_is_open(
        self, cognito: LocalCognito, connect: Any, settings: Any, outbox: list[Any]
    ) -> None:
        connect(cognito.create_pool("names", prevent_user_existence_errors=False))
        chosen = {"SIGNUP": True, "UNKNOWN_ADDRESS_MESSAGE": True}
        for wanted in (chosen, {**chosen, "SIGNUP": False}):
            settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, **wanted}
            challenge = start("nobody")
            assert (challenge.route, challenge.decoy_reason) == ("", "unknown")
        assert outbox == []


class TestImported:
    def test_the_pool_sends_to_the_address_that_the_import_has_and_it_is_proven(
        self, pool: LocalPool, cognito: LocalCognito
    ) -> None:
        imported(pool, pool.add_user(ANN, username="ann"))
        client = Client()
        assert start("Ann", client).recipient == ANN
        assert enter(client, cognito.last_code(ANN)).email == ANN
        assert verified() == {ANN}

    def test_our_code_goes_to_the_address_that_the_pool_has_verified(
        self, cognito: LocalCognito, connect: Any, sent_code: Callable[[], str], outbox: list[Any]
    ) -> None:
        pool = cognito.create_pool("gone")
        connect(pool, retired=True)
        row = imported(pool, "sub-of-ann")
        client = Client()
        assert start("ann", client).recipient == ANN
        assert outbox[-1].recipient == ANN
        user = enter(client, sent_code())
        row.refresh_from_db()
        assert (row.user, row.method) == (user, "local_otp")
        assert verified() == {ANN}

    def test_no_code_goes_to_an_address_that_they_only_wrote(
        self, cognito: LocalCognito, connect: Any, outbox: list[Any]
    ) -> None:
        pool = cognito.create_pool("gone")
        connect(pool, retired=True)
        imported(pool, "sub-of-mallory", email=VICTIM, attributes={})
        assert start("ann").decoy_reason == "no_such_channel"
        assert outbox == []

    @pytest.mark.parametrize(
        ("state", "reason"),
        [
            ({"status": "excluded"}, "excluded"),
            ({"pool_enabled": False}, "disabled"),
            ({"pool_enabled": False, "attributes": {}}, "disabled"),
            ({"pool_status": "UNCONFIRMED", "attributes": {}}, "unconfirmed"),
        ],
    )
    def test_whom_the_pool_or_an_operator_keeps_out_gets_nothing(
        self, pool: LocalPool, state: dict[str, Any], reason: str
    ) -> None:
        imported(pool, pool.add_user(ANN, username="ann"), **state)
        assert start("ann").decoy_reason == reason


class TestMigrated:
    def migrated(self, pool: LocalPool, user: User, **fields: Any) -> MigratedUser:
        return imported(pool, "sub-of-ann", status="migrated", method="cognito_otp", user=user, **fields)

    def test_our_code_goes_to_the_address_that_they_have_proven_here(
        self, pool: LocalPool, make_user: Any, sent_code: Callable[[], str], cognito: LocalCognito
    ) -> None:
        user = make_user("new@example.com")
        self.migrated(pool, user)
        client = Client()
        calls = len(cognito.calls)
        assert start("ann", client).recipient == "new@example.com"
        assert enter(client, sent_code()) == user
        assert len(cognito.calls) == calls

    @pytest.mark.parametrize(("fields", "reason"), [({"is_active": False}, "inactive"), ({"is_staff": True}, "staff")])
    def test_whom_this_site_keeps_out_gets_nothing(
        self, pool: LocalPool, make_user: Any, fields: dict[str, bool], reason: str
    ) -> None:
        self.migrated(pool, make_user(ANN, **fields))
        assert start("ann").decoy_reason == reason

    def test_after_the_pool_has_been_retired_too(
        self, cognito: LocalCognito, connect: Any, make_user: Any, sent_code: Callable[[], str]
    ) -> None:
        user = make_user(ANN)
        self.migrated(cognito.create_pool("gone"), user)  # whose connection is configured no more
        client = Client()
        start("ann", client)
        assert enter(client, sent_code()) == user


class TestWhoseNameItIs:
    """Two people may have one name: in two pools, or in one that looks at the case of letters."""

    def test_the_first_pool_of_the_setting_has_the_say(
        self, pool: LocalPool, cognito: LocalCognito, connect: Any
    ) -> None:
        """Else a stranger who may sign up at the second takes the names of the first."""
        other = cognito.create_pool("other")
        connect(other, "other")
        imported(
            other,
            other.add_user("stranger@example.com", username="ann"),
            connection="other",
            email="stranger@example.com",
        )
        assert start("ann").connection == "other"
        imported(pool, pool.add_user(ANN, username="Ann"), "Ann")
        assert start("ann").connection == "main"
        assert cognito.last_code(ANN)

    def test_the_spelling_that_was_typed_says_which(self, pool: LocalPool) -> None:
        imported(pool, pool.add_user(ANN, username="Ann"), "Ann")
        imported(pool, pool.add_user("annie@example.com", username="ann"), email="annie@example.com")
        assert start("Ann").pool_username == "Ann"
        assert start("ann").pool_username == "ann"
        assert start("ANN").decoy_reason == "several_pool_users"

    def test_failures_count_whatever_the_case(self, pool: LocalPool) -> None:
        for typed in ("ann", "ANN"):
            client = Client()
            start(typed, client)
            enter(client, "00000000")
        assert dict(FailureCount.objects.values_list("identifier", "count")) == {"ann": 2, f"pool {pool.id} ann": 2}

    def test_a_browser_is_known_as_the_person_of_one_spelling(self, pool: LocalPool, cognito: LocalCognito) -> None:
        imported(pool, pool.add_user(ANN, username="ann"))
        client = Client()
        start("ann", client)
        assert enter(client, cognito.last_code(ANN))
        client.post("/accounts/logout/")
        client.cookies.pop("sessionid", None)
        assert start("ANN", client).known_browser == ""
        assert start("ann", client).known_browser != ""

    def test_a_name_that_is_written_like_an_address_is_an_address(
        self, pool: LocalPool, cognito: LocalCognito, make_user: Any, sent_code: Callable[[], str], outbox: list[Any]
    ) -> None:
        """A takeover attempt: the pool user of this name is Mallory's, and her codes come to her."""
        victim = make_user(VICTIM)
        imported(pool, pool.add_user("m2@evil.example", username=VICTIM), VICTIM, email="m2@evil.example")
        assert start(VICTIM).recipient == VICTIM
        assert outbox[-1].recipient == VICTIM
        assert cognito.last_code("m2@evil.example") is None
        assert EmailAddress.objects.get(email=VICTIM).user == victim

    def test_nor_is_that_address_proven_where_the_pool_alone_is_asked(
        self, pool: LocalPool, cognito: LocalCognito
    ) -> None:
        pool.add_user("mallory@evil.example", username=VICTIM)
        client = Client()
        start(VICTIM, client)
        enter(client, cognito.last_code("mallory@evil.example"))
        assert VICTIM not in verified()
        assert not User.objects.filter(email=VICTIM).exists()


class TestThePages:
    def test_all_names_have_one_answer(self, pool: LocalPool, make_user: Any) -> None:
        imported(pool, pool.add_user(ANN, username="ann"))
        imported(
            pool, "sub-of-bob", "bob", email="bob@example.com", status="migrated", user=make_user("bob@example.com")
        )
        pages = []
        for name in ("ann", "bob", "eve"):
            client = Client()
            start(name, client)
            page = client.get("/login/code/").content.decode()
            page = re.sub(r'csrfmiddlewaretoken" value="\w+"|data-seconds-[\w-]+="\d+"|within \d+ \w+', "", page)
            pages.append(page.replace(f">{name}<", ">…<"))
            assert enter(client, "00000000") is None
        assert pages[0] == pages[1] == pages[2]

    def test_the_form_says_so(self, client: Client, settings: Any) -> None:
        assert "User name or e-mail address" in client.get("/login/").content.decode()
        assert "a user name has no spaces" in client.post("/login/", {"identifier": "ann lee"}).content.decode()
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "USERNAMES": []}
        assert client.post("/login/", {"identifier": "ann"}).status_code == 200
        assert not ChallengeSession.objects.exists()

    def test_digits_are_a_name_where_no_sms_are_sent_and_a_number_where_they_are(
        self, settings: Any, client: Client
    ) -> None:
        assert start("03012345678").identifier == "03012345678"
        sms = {
            "SMS_COUNTRIES": ["DE"],
            "SENDERS": {"sms": [{"BACKEND": "cognito_passwordless.delivery.memory.MemorySender"}]},
        }
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, **sms}
        assert start("015112345678").identifier == "+4915112345678"


class TestASiteWithoutEmail:
    @pytest.fixture(autouse=True)
    def _by_sms(self, settings: Any) -> None:
        senders = {"email": [], "sms": [{"BACKEND": "cognito_passwordless.delivery.memory.MemorySender"}]}
        chosen = {"SENDERS": senders, "SMS_COUNTRIES": ["DE"], "USERNAMES": []}
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, **chosen}

    def test_speaks_of_numbers_alone(self, client: Client) -> None:
        page = client.get("/login/").content.decode()
        assert "Phone number" in page
        assert "mail" not in page.replace("autocomplete", "")
        assert "Enter a phone number" in client.post("/login/", {"identifier": ANN}).content.decode()
        assert not ChallengeSession.objects.exists()
        start("+4915112345678", client)
        page = client.get("/login/code/").content.decode()
        assert "e-mail" not in page

    def test_sends_by_sms_to_who_typed_a_name(self, settings: Any, pool: LocalPool) -> None:
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "USERNAMES": ["main"]}
        number = {"phone_number": "+4915112345678", "attributes": {"phone_number_verified": "true"}}
        sub = pool.add_user(phone_number="+4915112345678", username="ann")
        imported(pool, sub, email="", **number)
        challenge = start("ann")
        assert (challenge.channel, challenge.recipient) == ("sms", "+4915112345678")
