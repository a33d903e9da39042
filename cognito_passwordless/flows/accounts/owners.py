"""The Django accounts that carry an address or a sub, as the rules of `identity` want to know them. Reads only."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Q
from django.utils.module_loading import import_string

from ... import compat, user_fields
from ...cognito import CognitoProfile, Connection
from ...conf import conf
from ...identifiers import Identifier, known
from ...identity import Action, Claim, Evidence, Held, Holder, Policy, Verdict, judge
from ...models import MigratedUser, PhoneNumber

Status = MigratedUser.Status
_Held = dict[AbstractBaseUser, dict[str, Held]]


@dataclass
class Accounts:
    """As the rules see them, and the users themselves by primary key."""

    holders: list[Holder] = field(default_factory=list)
    users: dict[Any, AbstractBaseUser] = field(default_factory=dict)

    def user_of(self, verdict: Verdict) -> AbstractBaseUser:
        return self.users[verdict.account]

    def holder_of(self, verdict: Verdict) -> Holder:
        return next(holder for holder in self.holders if holder.account == verdict.account)

    def verified_by_others(self, user: AbstractBaseUser) -> set[str]:
        """The addresses that belong to somebody else."""
        others = [holder.addresses for holder in self.holders if holder.account != user.pk]
        return {address for held in others for address, state in held.items() if state is Held.VERIFIED}


def is_privileged(user: AbstractBaseUser) -> bool:
    """Staff and superusers are reached by no migration, and by our code only where `STAFF_SIGN_IN` says so."""
    return bool(getattr(user, "is_staff", False) or getattr(user, "is_superuser", False))


def by_address(address: Identifier) -> Accounts:
    """The accounts that carry an address. One statement where it is verified, a few more where it is not."""
    return find_accounts({address: Claim.PROVEN})


def owner_by_code(address: Identifier, *, welcome: bool = False) -> tuple[Verdict, Accounts]:
    """What a code of ours to this address would come to, as far as the accounts have a say."""
    accounts = by_address(address)
    evidence = Evidence({address.value: Claim.PROVEN}, welcome=welcome)
    return judge(evidence, accounts.holders, Policy(staff_sign_in=conf.staff_sign_in)), accounts


def verified_owner(address: Identifier) -> AbstractBaseUser | None:
    """The active user, not of the staff, who has verified the address here; None where there is not exactly one."""
    verdict, accounts = owner_by_code(address)
    if verdict.action is not Action.ENTER:
        return None
    user = accounts.user_of(verdict)
    return None if is_privileged(user) else user


def find_accounts(
    addresses: Mapping[Identifier, Claim],
    *,
    carriers: Collection[AbstractBaseUser] = (),
    own: AbstractBaseUser | None = None,
    record: MigratedUser | None = None,
    everything: bool = False,
) -> Accounts:
    """The accounts that carry one of the addresses, and ``carriers``, who carry the sub of ``record``'s person; or
    ``own``, into which they have come before.

    Not read is what cannot matter: who else has an address written that somebody has verified (unless ``everything``),
    and what more there is to know of accounts where nobody is to be linked to one.
    """
    held = _verified_and_listed(addresses)
    shown = {address for states in held.values() for address, state in states.items() if state is Held.VERIFIED}
    for address in addresses if own is None else ():
        if everything or address.value not in shown:
            for user in _written_on(address):
                held[user].setdefault(address.value, Held.WRITTEN)
                held[user][address.value] = max(held[user][address.value], Held.WRITTEN)
    users = {user.pk: user for user in (*carriers, *held, *([own] if own else ()))}
    of_pk: dict[Any, dict[str, Held]] = defaultdict(dict)
    for user, states in held.items():
        of_pk[user.pk] |= states
    unproven = [pk for pk in users if Held.VERIFIED not in of_pk[pk].values()]
    asked = list(users) if record is not None else unproven
    if own is not None:
        asked = []
    more = _More(asked, unproven, addresses, record) if asked else None
    ages = sorted(users.values(), key=lambda user: (_joined(user), user.pk))
    carrying = {user.pk for user in carriers}
    return Accounts(
        [
            Holder(
                account=pk,
                addresses=of_pk[pk],
                carries_sub=pk in carrying,
                people=more.people[pk] if more else 0,
                twins=more.twins[pk] if more else 0,
                proven_elsewhere=bool(more and pk in more.proven_elsewhere),
                active=user.is_active,
                staff=is_privileged(user),
                second_factor=bool(more and pk in more.second_factor),
                joined=ages.index(user),
            )
            for pk, user in users.items()
        ],
        users,
    )


class _More:
    """What else is to be known of some accounts: whether somebody has come into them who is not ``record``'s person,
    whether another address was proven for them, and whether they have a second factor."""

    def __init__(
        self,
        pks: Collection[Any],
        unproven: Collection[Any],
        addresses: Mapping[Identifier, Claim],
        record: MigratedUser | None,
    ) -> None:
        self.people: dict[Any, int] = defaultdict(int)
        self.twins: dict[Any, int] = defaultdict(int)
        self.proven_elsewhere: set[Any] = set()
        # What the person merely wrote into the pool makes nobody their twin.
        self._keys = {address.value for address, claim in addresses.items() if claim > Claim.WRITTEN}
        # A bulk activation made or paired an account ahead of time: nobody has come into it by that.
        others = MigratedUser.objects.filter(user_id__in=pks, status=Status.MIGRATED).exclude(
            method=MigratedUser.Method.BULK
        )
        for row in others.exclude(pk=record.pk) if record else others:
            if record is not None and row.pool != record.pool:
                # Of another pool: no twin is among them, and nobody's account is only claimed.
                self.proven_elsewhere.add(row.user_id)
                continue
            self.people[row.user_id] += 1
            self.twins[row.user_id] += bool(self._keys & row.verified_keys)
        if unproven:
            spellings = {form for address in addresses for form in address.spellings}
            emails = EmailAddress.objects.filter(user_id__in=unproven, verified=True).exclude(email__in=spellings)
            numbers = PhoneNumber.objects.filter(user_id__in=unproven, verified=True).exclude(number__in=spellings)
            self.proven_elsewhere |= {*emails.values_list("user_id", flat=True)}
            self.proven_elsewhere |= {*numbers.values_list("user_id", flat=True)}
        self.second_factor = compat.with_authenticator(pks)


def _joined(user: AbstractBaseUser) -> float:
    joined = getattr(user, "date_joined", None)
    return joined.timestamp() if joined else 0.0


def _verified_and_listed(addresses: Iterable[Identifier]) -> _Held:
    held: _Held = defaultdict(dict)
    emails = {form.lower(): a.value for a in addresses if a.channel == "email" for form in a.spellings}
    numbers = [address.value for address in addresses if address.channel == "sms"]
    if emails:
        for row in EmailAddress.objects.filter(email__in=emails).select_related("user"):
            _strengthen(held[row.user], emails[row.email], Held.VERIFIED if row.verified else Held.LISTED)
    if numbers:
        for number in PhoneNumber.objects.filter(number__in=numbers).select_related("user"):
            _strengthen(held[number.user], number.number, Held.VERIFIED if number.verified else Held.LISTED)
    return held


def _strengthen(states: dict[str, Held], address: str, state: Held) -> None:
    states[address] = max(states.get(address, state), state)


def _written_on(address: Identifier) -> list[AbstractBaseUser]:
    """Accounts that have the address in the user model's own field, from before allauth."""
    if address.channel == "sms":
        return _with_number(address)
    name = compat.email_field()
    if not name:
        return []
    wanted = Q()
    for form in address.spellings:
        wanted |= Q(**{f"{name}__iexact": form})
    # The database's case folding is wider than ours (a dotless i equals an i to some): compare keys once more.
    written = get_user_model()._default_manager.filter(wanted)
    return [user for user in written if known(getattr(user, name)) == address]


def _with_number(address: Identifier) -> list[AbstractBaseUser]:
    """By the user model's own field, and by the site's own adapter where it looks for them."""
    name = user_fields.phone_field()
    found: dict[Any, AbstractBaseUser] = {}
    if name:
        rows = get_user_model()._default_manager.filter(**{f"{name}__in": forms_of_number(address.spellings)})
        found = {user.pk: user for user in rows}
    if user_fields.adapter_finds_by_phone():
        for form in address.spellings:
            user = compat.account_adapter().get_user_by_phone(form)
            if user is not None:
                found[user.pk] = user
    return list(found.values())


def forms_of_number(spellings: Iterable[str]) -> list[str]:
    """A number as sites write it, in every form that needs no country to be understood."""
    return [form for e164 in spellings for form in (e164, e164.removeprefix("+"), f"00{e164.removeprefix('+')}")]


def written_spelling(user: AbstractBaseUser, address: Identifier) -> str:
    """The address as the account's own field has it, for a message: a mail server may want the case of its letters."""
    written = getattr(user, compat.email_field() or "", "") or ""
    return written if written and known(written) == address else address.value


def proven_address(user: AbstractBaseUser, channel: str) -> str:
    """The user's verified address of a channel, the primary one first; empty where there is none."""
    if channel == "sms":
        return (
            PhoneNumber.objects.filter(user_id=user.pk, verified=True).values_list("number", flat=True).first() or ""
        )
    verified = EmailAddress.objects.filter(user_id=user.pk, verified=True).order_by("-primary")
    return verified.values_list("email", flat=True).first() or ""


def has_proven_address(user: AbstractBaseUser) -> bool:
    """Whether Django has verified any address of the user's."""
    return bool(proven_address(user, "email") or proven_address(user, "sms"))


def carriers_of(profile: CognitoProfile, connection: Connection, record: MigratedUser) -> list[AbstractBaseUser]:
    """Users that already carry this person's sub: by an earlier sign-in of allauth, by a migration that was undone, or
    in a field of their own."""
    names = (connection.alias, *connection.also_known_as)
    accounts = SocialAccount.objects.filter(provider__in=names, uid=profile.sub).select_related("user")
    users = [account.user for account in accounts]
    if record.user_id is not None and record.user is not None:
        users.append(record.user)
    rule = conf.match_user
    if not rule:
        return users
    if "." in rule:
        matched = import_string(rule)(profile)
        return [*users, matched] if matched is not None else users
    return [*users, *get_user_model()._default_manager.filter(**{rule: profile.sub})[:2]]
