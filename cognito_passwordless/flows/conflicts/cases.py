"""Cases that an operator has to decide: the two sides of each, and the safe choices. Reads only."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Exists, OuterRef, Q, QuerySet

from ... import connections
from ...identifiers import Identifier
from ...identity import Action, Claim, Conflict, Decision, Evidence, Held, Policy, Verdict, judge, obstacle_of
from ...models import MigratedUser
from ..accounts import owners
from ..accounts.decisions import Choice
from ..accounts.pool_records import FEDERATED, claims_of, has_second_factor, profile_of

Status = MigratedUser.Status
SEVERAL = "several_pool_users"
DELETED = "user_deleted"


@dataclass(frozen=True, slots=True)
class Side:
    """A Django user that a pool user could become. ``addresses``: those that they share, and whether Django verified
    them. ``obstacle``: why linking them is not open, else empty."""

    user: AbstractBaseUser
    addresses: dict[str, bool]
    carries_sub: bool
    obstacle: str


@dataclass(frozen=True, slots=True)
class Option:
    """A choice. ``why_not`` is empty if it is open; ``effects`` say what it will do, in order."""

    choice: str
    user: AbstractBaseUser | None = None
    address: str = ""
    rows: tuple[int, ...] = ()
    set_aside: tuple[int, ...] = ()
    why_not: str = ""
    effects: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return f"{self.choice}:{self.user.pk}" if self.user is not None else self.choice


@dataclass(frozen=True, slots=True)
class Case:
    """``twins``: other pool users with an address of this one who have not migrated."""

    record: MigratedUser
    reason: str
    sides: list[Side]
    twins: list[MigratedUser]
    verified: frozenset[str]  # addresses of the record that the pool calls verified
    options: list[Option] = field(default_factory=list)

    def option(self, key: str) -> Option | None:
        return next((option for option in self.options if option.key == key and not option.why_not), None)


def undecided(rows: "QuerySet[MigratedUser]") -> "QuerySet[MigratedUser]":
    """Of these, the records that cannot sign in before an operator decides: a conflict, a failure, or two people for
    whom their pool verified the same address in different spellings."""
    others = MigratedUser.objects.exclude(pk=OuterRef("pk")).exclude(status__in=MigratedUser.OUT)
    meets: Any = Q(pk__in=[])
    for key, spelling in (("email_key", "email"), ("phone_key", "phone_number")):
        verified = Q(**{f"attributes__{spelling}_verified": "true"})
        same = others.filter(verified, **{key: OuterRef(key)})
        meets |= verified & ~Q(**{key: ""}) & Exists(same.exclude(**{spelling: OuterRef(spelling)}))
    return rows.filter(
        Q(status__in=[Status.CONFLICT, Status.FAILED]) | (Q(status=Status.PENDING, shares_address=True) & meets)
    )


def reason_of(record: MigratedUser) -> str:
    """The cause why this record waits for a decision; empty if it does not."""
    if record.status == Status.MIGRATED:
        return DELETED if record.user_id is None else ""
    return record.last_error or (SEVERAL if record.shares_address else "")


def case_of(record: MigratedUser) -> Case:
    """Builds the case of a record: both sides and the choices. Reads only."""
    addresses = claims_of(profile_of(record))
    connection = connections.find(record.connection)
    carriers = owners.carriers_of(profile_of(record), connection, record) if connection else []
    accounts = owners.find_accounts(addresses, carriers=carriers, record=record, everything=True)
    world = _World(record, accounts, sorted(addresses, key=lambda a: (a.value not in record.verified_keys, a.value)))
    case = Case(
        record, reason_of(record), world.sides(), same_address_records(record), frozenset(record.verified_keys)
    )
    links = [world.link(side) for side in case.sides]
    options = {option.key: option for option in (*links, world.separate(), *world.merge(case, links))}
    lost = ("second_factor_goes",) if has_second_factor(record) else ()
    case.options.extend(replace(option, effects=(*option.effects, *lost)) for option in options.values())
    case.options.extend([Option("retry", effects=("retried",)), Option("exclude", effects=("excluded",))])
    return case


def sharing(record: MigratedUser) -> "QuerySet[MigratedUser]":
    """Other records with an address of this one, except excluded ones and people gone from the pool."""
    shared = Q(pk__in=[])
    if record.email_key:
        shared |= Q(email_key=record.email_key)
    if record.phone_key:
        shared |= Q(phone_key=record.phone_key)
    return MigratedUser.objects.filter(shared).exclude(pk=record.pk).exclude(status__in=MigratedUser.OUT)


def same_address_records(record: MigratedUser) -> list[MigratedUser]:
    """Those of `sharing` that have not migrated; the first 20."""
    return list(sharing(record).exclude(status=Status.MIGRATED).order_by("pk")[:20])


@dataclass(frozen=True)
class _World:
    """The person and the accounts that they could mean. An option is open if the rules of `identity` let the person
    in, supposing that an operator chose it and the person proved its address."""

    record: MigratedUser
    accounts: owners.Accounts
    addresses: Sequence[Identifier]  # those that the pool verified first

    def sides(self) -> list[Side]:
        sides = []
        for holder in self.accounts.holders:
            is_linked = holder.people and not holder.carries_sub
            obstacle = obstacle_of(holder) or (Conflict.LINKED_TO_ANOTHER if is_linked else "")
            addresses = {address: held is Held.VERIFIED for address, held in holder.addresses.items()}
            sides.append(Side(self.accounts.users[holder.account], addresses, holder.carries_sub, obstacle))
        return sides

    def _if(self, choice: Choice, account: Any = None, address: str = "") -> Verdict:
        claims = {found.value: Claim.WRITTEN for found in self.addresses}
        if address:
            claims[address] = Claim.PROVEN
        evidence = Evidence(claims, in_pool=True, decision=Decision(choice, account, address))
        return judge(evidence, self.accounts.holders, Policy())

    def link(self, side: Side) -> Option:
        """Link to this user. If another pool user has the account already, both are one person: a merge."""
        merges = side.obstacle == Conflict.LINKED_TO_ANOTHER
        choice: Choice = "merge" if merges else "link"
        if side.obstacle and not merges:
            return Option(choice, side.user, why_not=side.obstacle)
        if any(holder.carries_sub and holder.account != side.user.pk for holder in self.accounts.holders):
            return Option(choice, side.user, why_not="sub_is_anothers")
        carried = [found.value for found in self.addresses if found.value in side.addresses]
        carried.sort(key=lambda address: (address not in self.record.verified_keys, not side.addresses[address]))
        for address in (*carried, *([""] if side.carries_sub else [])):
            verdict = self._if(choice, side.user.pk, address)
            if verdict.comes_in and not verdict.case:
                effects = [f"{choice}_after_proof"]
                if verdict.action is not Action.ENTER:
                    effects.append("unproven_holder_goes" if verdict.action is Action.TAKE_OVER else "factor_is_asked")
                if address and address not in self.record.verified_keys:
                    effects.append("pool_never_verified")
                rows = (self.record.pk,) if merges else ()
                return Option(choice, side.user, address, rows=rows, effects=(*effects,))
        return Option(choice, side.user, why_not="address_is_anothers")

    def separate(self) -> Option:
        """A new Django user, with an address that no other account has verified."""
        if any(holder.carries_sub for holder in self.accounts.holders):
            return Option("separate", why_not="sub_is_anothers")
        for address in (found.value for found in self.addresses):
            verdict = self._if("separate", address=address)
            if verdict.comes_in and not verdict.case:
                warning = () if address in self.record.verified_keys else ("pool_never_verified",)
                return Option(
                    "separate", address=address, effects=("separate_after_proof", "others_keep_theirs", *warning)
                )
        return Option("separate", why_not="no_free_address" if self.addresses else "no_address")

    def merge(self, case: Case, links: Collection[Option]) -> list[Option]:
        """This pool user and its twins are one person. Twins whose address their pool never verified are set aside: it
        may have been written there by another person."""
        of_twins = {key for twin in case.twins for key in (twin.email_key, twin.phone_key)}
        address = next((found.value for found in self.addresses if found.value in of_twins), "")
        if not address:
            return []
        rows = [row for row in (case.record, *case.twins) if address in (row.email_key, row.phone_key)]
        good = [row for row in rows if row.pool_enabled and address in row.verified_keys]
        if not good:
            return [Option("merge", why_not="no_twin_is_verified")]
        users = [side.user for side in case.sides if address in side.addresses]
        open_to = [option for option in links if not option.why_not and option.address == address]
        if len(users) > 1 or (users and not open_to):
            return [Option("merge", why_not="several_users" if len(users) > 1 else "address_is_anothers")]
        # The pool's own users come first: it sends no code to people of another provider.
        good.sort(key=lambda row: (row.pool_status == FEDERATED, row.pk))
        aside = tuple(row.pk for row in rows if row not in good)
        effects = ["twins_after_proof", *(["twins_set_aside"] if aside else [])]
        merged = tuple(row.pk for row in good)
        user = open_to[0].user if open_to else None
        return [Option("merge", user, address, merged, aside, effects=tuple(effects))]
