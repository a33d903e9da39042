"""Loads the Django accounts that carry an address or a sub, as the rules of `identity` need them. Reads only."""

import hashlib
from collections import Counter, defaultdict
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
from ...identifiers import MAX_LENGTH, Identifier, known
from ...identity import Action, Claim, Evidence, Held, Holder, Policy, Verdict, judge
from ...models import MigratedUser, PhoneNumber

Status = MigratedUser.Status


@dataclass
class Accounts:
    """Accounts as the rules see them, and their users by primary key."""

    holders: list[Holder] = field(default_factory=list)
    users: dict[Any, AbstractBaseUser] = field(default_factory=dict)

    def user_of(self, verdict: Verdict) -> AbstractBaseUser:
        return self.users[verdict.account]

    def holder_of(self, verdict: Verdict) -> Holder:
        return next(holder for holder in self.holders if holder.account == verdict.account)

    def verified_by_others(self, user: AbstractBaseUser) -> set[str]:
        """The addresses that another account has verified."""
        others = [holder.addresses for holder in self.holders if holder.account != user.pk]
        return {address for held in others for address, state in held.items() if state is Held.VERIFIED}


def is_privileged(user: AbstractBaseUser) -> bool:
    """Whether the user is staff or a superuser: no migration reaches them, and our code only with `STAFF_SIGN_IN`."""
    return bool(getattr(user, "is_staff", False) or getattr(user, "is_superuser", False))


def account_key(kind: str, *parts: object) -> str:
    """What wrong answers on one account are counted under, whichever of its addresses was typed (law 3)."""
    key = " ".join((kind, *map(str, parts)))
    return key if len(key) <= MAX_LENGTH else f"{kind} {hashlib.sha256(key.encode()).hexdigest()}"


def account_of_row(row: MigratedUser) -> str:
    return account_key("pool", row.pool, row.sub) if row.user_id is None else account_key("user", row.user_id)


def owner_by_code(address: Identifier) -> tuple[Verdict, Accounts]:
    """The verdict on a person who proves this address by a code of ours, judged by the accounts alone.

    One statement if the address is verified, a few more if it is not.
    """
    accounts = find_accounts({address: Claim.PROVEN})
    evidence = Evidence({address.value: Claim.PROVEN})
    return judge(evidence, accounts.holders, Policy(staff_sign_in=conf.staff_sign_in)), accounts


def verified_owner(address: Identifier) -> AbstractBaseUser | None:
    """The active user, other than staff, who has verified the address here; None unless there is exactly one."""
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
    """The accounts that carry one of the addresses; ``carriers``, who carry the sub of ``record``'s person; and
    ``own``, the account that the person entered before.

    Skips what cannot matter: other accounts that have an address written that one has verified (unless
    ``everything``), and further facts about accounts that nobody will be linked to.
    """
    users = {user.pk: user for user in carriers}
    held: dict[Any, dict[str, Held]] = defaultdict(dict)

    def carries(user: AbstractBaseUser, address: str, state: Held) -> None:
        users[user.pk] = user
        held[user.pk][address] = max(state, held[user.pk].get(address, state))

    emails = {form.lower(): a.value for a in addresses if a.channel == "email" for form in a.spellings}
    numbers = [address.value for address in addresses if address.channel == "sms"]
    if emails:
        for row in EmailAddress.objects.filter(email__in=emails).select_related("user"):
            carries(row.user, emails[row.email], Held.VERIFIED if row.verified else Held.LISTED)
    if numbers:
        for number in PhoneNumber.objects.filter(number__in=numbers).select_related("user"):
            carries(number.user, number.number, Held.VERIFIED if number.verified else Held.LISTED)
    verified = {address for states in held.values() for address, state in states.items() if state is Held.VERIFIED}
    for address in addresses if own is None else ():
        if everything or address.value not in verified:
            for user in _written_on(address):
                carries(user, address.value, Held.WRITTEN)
    if own is not None:
        users[own.pk] = own
    unproven = [pk for pk in users if Held.VERIFIED not in held[pk].values()]
    asked: Collection[Any] = () if own is not None else users if record is not None else unproven
    facts = _OwnerFacts(asked, unproven, addresses, record)
    joined = {pk: getattr(user, "date_joined", None) for pk, user in users.items()}
    ages = sorted(users, key=lambda pk: (date.timestamp() if (date := joined[pk]) else 0.0, pk))
    carrying = {user.pk for user in carriers}
    hidden = _hidden_among(users)
    holders = [
        Holder(
            account=pk,
            addresses=held[pk],
            carries_sub=pk in carrying,
            people=facts.people[pk],
            twins=facts.twins[pk],
            proven_elsewhere=pk in facts.proven_elsewhere,
            active=user.is_active and pk not in hidden,
            staff=is_privileged(user),
            second_factor=pk in facts.second_factor,
            joined=ages.index(pk),
        )
        for pk, user in users.items()
    ]
    return Accounts(holders, users)


def _hidden_among(keys: Collection[Any]) -> set[Any]:
    """Users whom the model's default manager leaves out, as sites do that keep deleted users. They sign in nowhere, as
    Django would not find them in the next request, and yet their unique values are taken. No statement for a manager
    without a filter."""
    shown = get_user_model()._default_manager.all()
    if not keys or not shown.query.where:
        return set()
    return {*keys} - {*shown.filter(pk__in=keys).values_list("pk", flat=True)}


class _OwnerFacts:
    """Who else came into some accounts (``people``, and of them ``twins``, see `Holder`), which have another verified
    address, and which have a second factor. No statement for no accounts."""

    def __init__(
        self,
        pks: Collection[Any],
        unproven: Collection[Any],
        addresses: Mapping[Identifier, Claim],
        record: MigratedUser | None,
    ) -> None:
        self.people, self.twins = Counter[Any](), Counter[Any]()
        self.proven_elsewhere, self.second_factor = set[Any](), set[Any]()
        if not pks:
            return
        # An address that the person merely wrote into the pool makes no other person their twin.
        keys = {address.value for address, claim in addresses.items() if claim > Claim.WRITTEN}
        # A bulk activation created or paired an account ahead of time: no person has entered it.
        others = MigratedUser.objects.filter(user_id__in=pks, status=Status.MIGRATED)
        others = others.exclude(method=MigratedUser.Method.BULK)
        for row in others.exclude(pk=record.pk) if record else others:
            if record is not None and row.pool != record.pool:
                # People of another pool are no twins, and their account is not merely claimed.
                self.proven_elsewhere.add(row.user_id)
                continue
            self.people[row.user_id] += 1
            self.twins[row.user_id] += bool(keys & row.verified_keys)
        if unproven:
            spellings = {form for address in addresses for form in address.spellings}
            emails = EmailAddress.objects.filter(user_id__in=unproven, verified=True).exclude(email__in=spellings)
            numbers = PhoneNumber.objects.filter(user_id__in=unproven, verified=True).exclude(number__in=spellings)
            self.proven_elsewhere |= {*emails.values_list("user_id", flat=True)}
            self.proven_elsewhere |= {*numbers.values_list("user_id", flat=True)}
        self.second_factor = compat.with_authenticator(pks)


def _written_on(address: Identifier) -> list[AbstractBaseUser]:
    """Accounts that have the address in the user model's own field, from before allauth. Numbers are also looked up by
    the site's own adapter, if it can."""
    rows = get_user_model()._base_manager
    if address.channel == "sms":
        name, users = user_fields.phone_field(), list[AbstractBaseUser]()
        if name:
            users += rows.filter(**{f"{name}__in": forms_of_number(address.spellings)})
        if user_fields.adapter_finds_by_phone():
            users += filter(None, map(compat.account_adapter().get_user_by_phone, address.spellings))
        return users
    name = compat.email_field()
    if not name:
        return []
    wanted = Q()
    for form in address.spellings:
        wanted |= Q(**{f"{name}__iexact": form})
    # The database's case folding is wider than ours (a dotless i equals an i to some): compare keys once more.
    return [user for user in rows.filter(wanted) if known(getattr(user, name)) == address]


def forms_of_number(spellings: Iterable[str]) -> list[str]:
    """The forms in which sites store a number, of those that need no country to be understood."""
    return [form for e164 in spellings for form in (e164, e164.removeprefix("+"), f"00{e164.removeprefix('+')}")]


def written_spelling(user: AbstractBaseUser, address: Identifier) -> str:
    """The address as the account's own field spells it, to send a message to: a mail server may need the case of its
    letters."""
    written = getattr(user, compat.email_field() or "", "") or ""
    return written if written and known(written) == address else address.value


def proven_address(user: AbstractBaseUser, channel: str) -> str:
    """The user's verified address of a channel, the primary one first; empty if there is none."""
    if channel == "sms":
        numbers = PhoneNumber.objects.filter(user_id=user.pk, verified=True)
        return numbers.values_list("number", flat=True).first() or ""
    verified = EmailAddress.objects.filter(user_id=user.pk, verified=True).order_by("-primary")
    return verified.values_list("email", flat=True).first() or ""


def has_proven_address(user: AbstractBaseUser) -> bool:
    """Whether Django has verified any address of the user's."""
    return bool(proven_address(user, "email") or proven_address(user, "sms"))


def carriers_of(profile: CognitoProfile, connection: Connection, record: MigratedUser) -> list[AbstractBaseUser]:
    """Users that already carry this person's sub: by an earlier sign-in of allauth, an undone migration, or a field of
    the user model (`MATCH_USER`)."""
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
    return [*users, *get_user_model()._base_manager.filter(**{rule: profile.sub})[:2]]
