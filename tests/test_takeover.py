"""An attacker who lives in the pool writes somebody else's address into their own attributes (law 13).

Mallory has a code sent to an address of hers, rewrites the address in the pool with her own access token, and enters
the code. Whatever the flow, the entrance, and the way the pool user was found: she is never signed in as the owner of
the other address, linked to them, or the holder of their address; and the timeline says why.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.core import context
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.messages.storage.fallback import FallbackStorage
from django.test import Client, RequestFactory

from cognito_passwordless import steps
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.local.own_triggers import attach
from cognito_passwordless.models import ChallengeSession, JourneyEvent, MigratedUser, PhoneNumber

from .local.caller import Caller

pytestmark = pytest.mark.django_db(transaction=True)
# The pool masks both in the same way, so that the mask alone tells nothing.
MALLORY, VICTIM = "mallory@evil.example", "mary@example.com"
HERS, THEIRS = "+4915112345678", "+4915122225678"
SECRET = {"OTP_SECRET": "a secret of the triggers that is long enough"}

FLOWS = {
    "EMAIL_OTP": {},
    "SMS_OTP": {},
    "custom by e-mail": {"otp_flow": "CUSTOM_AUTH", "own_triggers": True},
    "custom by SMS": {"otp_flow": "CUSTOM_AUTH", "own_triggers": True},
    "custom of others": {"otp_flow": "CUSTOM_AUTH", "own_triggers": False},
}


@dataclass
class Attack:
    """Mallory's pool user, in a pool that is asked by one flow and one lookup."""

    cognito: LocalCognito
    pool: LocalPool
    flow: str
    steps: bool
    client: Client
    username: str
    handle: str = ""
    identity: Any = None

    @property
    def by_sms(self) -> bool:
        return "SMS" in self.flow

    @property
    def hers(self) -> str:
        return HERS if self.by_sms else MALLORY

    @property
    def theirs(self) -> str:
        return THEIRS if self.by_sms else VICTIM

    def token(self) -> str:
        caller = Caller(self.cognito, self.pool)
        started = caller.start(self.username, "SMS_OTP" if self.by_sms else "EMAIL_OTP")
        code = self.cognito.last_code(self.hers)
        return str(caller.answer(self.username, started, code or "")["AuthenticationResult"]["AccessToken"])

    def rewrite(self, token: str, address: str = "", **more: str) -> None:
        rows = {"phone_number" if self.by_sms else "email": address} if address else more
        Caller(self.cognito, self.pool).boto.update_user_attributes(
            AccessToken=token, UserAttributes=[{"Name": name, "Value": value} for name, value in rows.items()]
        )

    def start(self, identifier: str) -> None:
        if self.steps:
            output = steps.generate("main", identifier)
            self.handle = output.handle if isinstance(output, steps.Generated) else ""
        else:
            self.client.post("/login/", {"identifier": identifier})

    def answer(self, address: str) -> None:
        """Enters the code that came to ``address``, and goes on as far as that leads."""
        code = self.cognito.last_code(address) or ""
        if not self.steps:
            self.client.post("/login/code/", {"code": code})
            return
        self.identity = steps.validate(self.handle, code)
        if isinstance(self.identity, steps.Identity):
            request = RequestFactory().post("/")
            request.session, request.user = self.client.session, AnonymousUser()
            request._messages = FallbackStorage(request)  # type: ignore[attr-defined]
            with context.request_context(request):
                steps.sign_in(request, self.identity)
            request.session.save()


MakeAttack = Callable[..., Attack]


@pytest.fixture
def attack(cognito: LocalCognito, connect: Callable[..., Any], aws_identity: None, client: Client) -> MakeAttack:
    def make(flow: str, lookup: str, *, by_steps: bool = False, username: str = "", **person: Any) -> Attack:
        # Her user name is her address, so that the pool knows her session again when the address has changed.
        by_sms = "SMS" in flow
        username = username or (HERS if by_sms else MALLORY)
        pool = cognito.create_pool("attack", client_secret=False)
        if flow.startswith("custom"):
            attach(cognito, pool, SECRET | {"OTP_CHANNEL": "sms" if by_sms else "email"})
        connect(pool, routes=["otp"], lookup=lookup, **FLOWS[flow])
        address = {"phone_number": HERS} if by_sms else {"email": MALLORY}
        sub = pool.add_user(username=username, **{**address, **person})
        if lookup == "imported":
            known = {"phone_number": HERS} if by_sms else {"email": MALLORY}
            row = {"connection": "main", "pool": pool.id, "sub": sub, "username": username}
            MigratedUser.objects.create(**row, **known, attributes={f"{name}_verified": "true" for name in known})
        return Attack(cognito, pool, flow, by_steps, client, username)

    return make


def victim_of(attack: Attack, kind: str) -> User | None:
    if kind == "nobody":
        return None
    written = "" if attack.by_sms else VICTIM
    user = get_user_model().objects.create_user("mary", written, "a password of hers")
    if kind == "verified" and attack.by_sms:
        PhoneNumber.objects.create(user=user, number=THEIRS, verified=True)
    elif kind == "verified":
        EmailAddress.objects.create(user=user, email=VICTIM, verified=True, primary=True)
    return user


def assert_nothing_is_taken(attack: Attack, victim: User | None, *, claims_allowed: bool = False) -> None:
    """``claims_allowed``: she may have an unverified claim of the address, which opens nothing."""
    pk = victim.pk if victim else None
    others = get_user_model().objects.exclude(pk=pk)
    addresses = EmailAddress.objects.filter(email__iexact=VICTIM).exclude(user_id=pk)
    numbers = PhoneNumber.objects.filter(number=THEIRS).exclude(user_id=pk)
    assert not addresses.filter(verified=True).exists()
    assert not numbers.filter(verified=True).exists()
    if not claims_allowed:
        assert not addresses.exists()
        assert not numbers.exists()
        assert not others.filter(email__iexact=VICTIM).exists()
        assert not MigratedUser.objects.filter(email__iexact=VICTIM).exists()
        assert not MigratedUser.objects.filter(phone_number=THEIRS).exists()
    if isinstance(attack.identity, steps.Identity):
        assert attack.theirs not in attack.identity.profile.proven
    if victim:
        assert attack.client.session.get("_auth_user_id") != str(pk)
        assert not SocialAccount.objects.filter(user=victim).exists()
        assert not MigratedUser.objects.filter(user=victim).exists()
        victim.refresh_from_db()
        assert victim.check_password("a password of hers")


def why() -> str:
    return JourneyEvent.objects.filter(step="answered").latest("pk").cause


@pytest.mark.parametrize("victim", ["verified", "written", "nobody"])
@pytest.mark.parametrize("by_steps", [False, True], ids=["pages", "steps"])
@pytest.mark.parametrize("lookup", ["try", "imported", "list_users"])
@pytest.mark.parametrize("flow", FLOWS)
def test_an_address_that_is_changed_after_the_code_was_sent_is_not_proven(
    attack: MakeAttack, flow: str, lookup: str, by_steps: bool, victim: str
) -> None:
    mallory = attack(flow, lookup, by_steps=by_steps)
    mary = victim_of(mallory, victim)
    token = mallory.token()
    mallory.start(mallory.hers)
    assert ChallengeSession.objects.get().route == "cognito_otp"
    mallory.rewrite(token, mallory.theirs)
    mallory.answer(mallory.hers)
    assert_nothing_is_taken(mallory, mary)
    assert why() == ("destination_unknown" if flow == "custom of others" else "address_changed")


@pytest.mark.parametrize("by_steps", [False, True], ids=["pages", "steps"])
@pytest.mark.parametrize("flow", ["EMAIL_OTP", "SMS_OTP", "custom by e-mail", "custom by SMS"])
def test_a_pool_record_with_somebody_elses_address_proves_nothing_when_the_code_went_elsewhere(
    attack: MakeAttack, flow: str, by_steps: bool
) -> None:
    """She wrote the address before the import, and takes it out of the pool for the moment of sending."""
    mallory = attack(flow, "imported", by_steps=by_steps)
    row = MigratedUser.objects.get()
    setattr(row, "phone_number" if mallory.by_sms else "email", mallory.theirs)
    row.attributes = {}
    row.save()
    token = mallory.token()
    mallory.start(mallory.theirs)
    if not by_steps and flow.endswith("_OTP"):
        # Cognito's own codes go to verified addresses alone: ours goes to its owner.
        assert ChallengeSession.objects.get().route == "local"
        return
    assert ChallengeSession.objects.get().route == "cognito_otp"
    mary = victim_of(mallory, "verified")  # only now, or our own code would go to her
    mallory.rewrite(token, mallory.theirs)
    mallory.answer(mallory.hers)
    assert_nothing_is_taken(mallory, mary, claims_allowed=True)
    assert why() == "address_unconfirmed"


@pytest.mark.parametrize("by_steps", [False, True], ids=["pages", "steps"])
@pytest.mark.parametrize("flow", ["EMAIL_OTP", "custom by e-mail", "custom of others"])
def test_a_user_name_that_looks_like_somebody_elses_address_proves_nothing(
    attack: MakeAttack, flow: str, by_steps: bool
) -> None:
    """Where a pool signs in by user name, anybody can be called mary@example.com."""
    mallory = attack(flow, "try", by_steps=by_steps, username=VICTIM)
    token = mallory.token()
    mallory.start(VICTIM)
    assert ChallengeSession.objects.get().route == "cognito_otp"
    mary = victim_of(mallory, "verified")
    mallory.rewrite(token, VICTIM)
    mallory.answer(MALLORY)
    assert_nothing_is_taken(mallory, mary, claims_allowed=True)
    assert why() == ("destination_unknown" if flow == "custom of others" else "address_unconfirmed")


@pytest.mark.parametrize("flow", ["EMAIL_OTP", "custom by e-mail"])
def test_a_preferred_username_is_nobodys_name(attack: MakeAttack, flow: str) -> None:
    """Users write it themselves: it must not stand for the person who was asked for."""
    mallory = attack(flow, "try")
    mallory.start(MALLORY)
    ChallengeSession.objects.update(pool_username="another-user-of-the-pool")
    mallory.rewrite(mallory.token(), preferred_username="another-user-of-the-pool")
    event = answer_tokens_of(mallory)
    assert event == "another_person"


def answer_tokens_of(attack: Attack) -> str:
    """The cause when a challenge that asked for one person is answered by the tokens of another."""
    from django.utils import timezone

    from cognito_passwordless.flows.sign_in import errors, verification
    from cognito_passwordless.otp import read_code

    challenge = ChallengeSession.objects.get()
    caller = Caller(attack.cognito, attack.pool)
    started = caller.start(attack.username)
    tokens = caller.answer(attack.username, started, attack.cognito.last_code(MALLORY) or "")["AuthenticationResult"]
    code = read_code("12345678")
    assert code
    with pytest.MonkeyPatch.context() as patch:
        from cognito_passwordless.cognito import Tokens

        given = Tokens(tokens["IdToken"], tokens["AccessToken"])
        patch.setattr(verification.pool_codes, "answer", lambda *_: given)
        with pytest.raises(errors.NotProven) as refused:
            verification.verify(challenge, code, timezone.now())
    return refused.value.cause


@pytest.mark.parametrize("flow", ["EMAIL_OTP", "SMS_OTP", "custom by e-mail", "custom by SMS"])
@pytest.mark.parametrize("lookup", ["try", "imported", "list_users"])
def test_the_address_that_the_code_went_to_is_proven(attack: MakeAttack, flow: str, lookup: str) -> None:
    """The same without an attack: the record, and what it gives."""
    honest = attack(flow, lookup)
    honest.start(honest.hers)
    assert ChallengeSession.objects.get().recipient == honest.hers
    honest.answer(honest.hers)
    user = get_user_model().objects.get(pk=honest.client.session["_auth_user_id"])
    if honest.by_sms:
        assert PhoneNumber.objects.get(user=user, verified=True).number == HERS
    else:
        assert EmailAddress.objects.get(user=user, verified=True).email == MALLORY
    assert why() == ""


@pytest.mark.parametrize("flow", ["EMAIL_OTP", "SMS_OTP"])
def test_who_changed_the_address_during_the_sign_in_comes_in_with_the_next_code(
    attack: MakeAttack, flow: str, client: Client
) -> None:
    """An owner who did so honestly: the next code goes to the new address, and nothing but the pool user is proven."""
    honest = attack(flow, "imported")
    token = honest.token()
    honest.start(honest.hers)
    new = "+4915133339999" if honest.by_sms else "new@example.net"
    honest.rewrite(token, new)
    honest.answer(honest.hers)
    assert "_auth_user_id" not in client.session
    client.cookies.clear()
    honest.start(honest.hers)
    assert ChallengeSession.objects.latest("created_at").recipient == ""
    honest.answer(new)
    assert "_auth_user_id" in client.session
    assert why() == "destination_unknown"
    assert not EmailAddress.objects.filter(verified=True).exists()
    assert not PhoneNumber.objects.filter(verified=True).exists()


def test_somebody_whose_address_the_pool_never_verified_comes_in_and_it_stays_unverified(
    attack: MakeAttack, client: Client
) -> None:
    honest = attack("EMAIL_OTP", "try", email_verified=False)
    honest.start(MALLORY)
    honest.answer(MALLORY)
    assert "_auth_user_id" in client.session
    assert [(row.email, row.verified) for row in EmailAddress.objects.all()] == [(MALLORY, False)]
    assert why() == "address_unconfirmed"


def test_a_pool_that_does_not_say_where_it_sent_to_proves_no_address(
    attack: MakeAttack, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cognito_passwordless.local.sign_in.choice.masked", lambda medium, destination: "")
    honest = attack("EMAIL_OTP", "try")
    honest.start(MALLORY)
    honest.answer(MALLORY)
    assert "_auth_user_id" in client.session
    assert not EmailAddress.objects.filter(verified=True).exists()
    assert why() == "destination_unknown"


def test_no_address_is_in_the_clear_on_the_timeline(attack: MakeAttack, settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "EVENT_DATA": "io"}
    mallory = attack("EMAIL_OTP", "imported")
    token = mallory.token()
    mallory.start(MALLORY)
    mallory.rewrite(token, VICTIM)
    mallory.answer(MALLORY)
    told = str(list(JourneyEvent.objects.values_list("cause", "data")))
    assert not re.search("mallory@|mary@", told)
