"""The queue of those who wait for a human: both sides of a case, and what may be decided. Reads only."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Exists, OuterRef, Q, QuerySet

from .. import connections
from ..identifiers import Identifier, is_normal, parse
from ..models import MigratedUser
from .decisions import may_be_given
from .linking import carriers_of, obstacle_to_linking
from .local_users import claimants_of
from .pool_records import has_second_factor, is_verified, profile_of
from .routing import FEDERATED

Status = MigratedUser.Status
SEVERAL = "several_pool_users"
DELETED = "user_deleted"


@dataclass(frozen=True, slots=True)
class Side:
    """A Django user that the pool user meets. ``addresses``: those they share, and whether Django had them verified.
    ``pool_users`` are others of the same pool who have become this user."""

    user: AbstractBaseUser
    addresses: dict[str, bool]
    carries_sub: bool
    obstacle: str


@dataclass(frozen=True, slots=True)
class Option:
    """Something to decide. ``why_not`` is empty where it is open; ``effects`` are what it comes to, in order."""

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
    """``twins`` are the other pool users who carry an address of this one and are not settled."""

    record: MigratedUser
    reason: str
    sides: list[Side]
    twins: list[MigratedUser]
    verified: frozenset[str]  # addresses of the record that the pool calls verified
    options: list[Option] = field(default_factory=list)

    def option(self, key: str) -> Option | None:
        return next((option for option in self.options if option.key == key and not option.why_not), None)


def waiting() -> "QuerySet[MigratedUser]":
    """Everybody who waits for a human to decide."""
    return undecided(MigratedUser.objects.filter(decision__isnull=True))


def undecided(rows: "QuerySet[MigratedUser]") -> "QuerySet[MigratedUser]":
    """Of these, who cannot come in as things are: a conflict, a failure, one of several with an address, or somebody
    whose Django user has gone."""
    others = MigratedUser.objects.exclude(pk=OuterRef("pk")).exclude(status=Status.EXCLUDED)
    by_email = others.filter(email=OuterRef("email")).exclude(email="")
    by_phone = others.filter(phone_number=OuterRef("phone_number")).exclude(phone_number="")
    is_twin = Q(status=Status.PENDING, shares_address=True) & (Exists(by_email) | Exists(by_phone))
    is_lost = Q(status=Status.MIGRATED, user__isnull=True)
    return rows.filter(Q(status__in=[Status.CONFLICT, Status.FAILED]) | is_twin | is_lost)


def reason_of(record: MigratedUser) -> str:
    """Why this one waits, as a word of the code; empty for somebody who does not."""
    if record.status == Status.MIGRATED:
        return DELETED if record.user_id is None else ""
    return record.last_error or (SEVERAL if record.shares_address else "")


def case_of(record: MigratedUser) -> Case:
    """Both sides and the choices. Reads only."""
    profile = profile_of(record)
    written = {address for address in (record.email, record.phone_number) if address}
    verified = frozenset(address for address in written if is_verified(profile, address))
    usable = [parse(address) for address in sorted(written) if is_normal(address)]
    claimants = {address: claimants_of(address) for address in usable}
    connection = connections.find(record.connection)
    carriers = carriers_of(profile, connection, record) if connection else []
    users = {user.pk: user for user in (*carriers, *(user for found in claimants.values() for user in found))}
    sides = [_side(record, user, claimants, carriers) for user in users.values()]
    case = Case(record, reason_of(record), sides, twins_of(record), verified)
    normal = len(usable) == len(written)
    lost = ("second_factor_goes",) if has_second_factor(record) else ()
    links = [_link(case, side, claimants, carriers) for side in sides]
    options = {o.key: o for o in (*links, _apart(case, claimants, carriers), *_merge(case, claimants, links))}
    if not normal:
        options = {key: _closed(option, "address_not_normal") for key, option in options.items()}
    case.options.extend(replace(option, effects=(*option.effects, *lost)) for option in options.values())
    case.options.extend([Option("retry", effects=("retried",)), Option("exclude", effects=("excluded",))])
    return case


def _closed(option: Option, why: str) -> Option:
    return Option(option.choice, option.user, why_not=why)


def _side(
    record: MigratedUser,
    user: AbstractBaseUser,
    claimants: dict[Identifier, dict[AbstractBaseUser, bool]],
    carriers: Sequence[AbstractBaseUser],
) -> Side:
    return Side(
        user,
        addresses={address.value: found[user] for address, found in claimants.items() if user in found},
        carries_sub=user in carriers,
        obstacle=obstacle_to_linking(user, pool=record.pool, sub=record.sub),
    )


def twins_of(record: MigratedUser) -> list[MigratedUser]:
    shared = Q(pk__in=[])
    if record.email:
        shared |= Q(email=record.email)
    if record.phone_number:
        shared |= Q(phone_number=record.phone_number)
    rows = MigratedUser.objects.filter(shared).exclude(pk=record.pk)
    return list(rows.exclude(status__in=[Status.MIGRATED, Status.EXCLUDED]).order_by("pk")[:20])


def _link(
    case: Case,
    side: Side,
    claimants: dict[Identifier, dict[AbstractBaseUser, bool]],
    carriers: Sequence[AbstractBaseUser],
) -> Option:
    """To this user. A user of another pool user becomes the account of both: they are called one person."""
    merges = side.obstacle == "linked_to_another"
    choice = "merge" if merges else "link"
    if side.obstacle and not merges:
        return Option(choice, side.user, why_not=side.obstacle)
    if any(carrier != side.user for carrier in carriers):
        return Option(choice, side.user, why_not="sub_is_anothers")
    given = [address.value for address, found in claimants.items() if may_be_given(side.user, found)]
    if not given and not side.carries_sub:
        return Option(choice, side.user, why_not="address_is_anothers")
    given.sort(key=lambda address: (address not in case.verified, not side.addresses[address]))
    effects = [f"{choice}_after_proof"]
    if given and not side.addresses[given[0]] and not side.carries_sub:
        effects.append("unproven_holder_goes")
    if given and given[0] not in case.verified:
        effects.append("pool_never_verified")
    return Option(
        choice, side.user, next(iter(given), ""), rows=(case.record.pk,) if merges else (), effects=(*effects,)
    )


def _apart(
    case: Case, claimants: dict[Identifier, dict[AbstractBaseUser, bool]], carriers: Sequence[AbstractBaseUser]
) -> Option:
    """A Django user of their own, with what nobody else carries."""
    free = [address.value for address, found in claimants.items() if not found]
    free.sort(key=lambda address: address not in case.verified)
    if carriers:
        return Option("apart", why_not="sub_is_anothers")
    if not free:
        return Option("apart", why_not="no_free_address" if claimants else "no_address")
    warning = () if free[0] in case.verified else ("pool_never_verified",)
    return Option("apart", address=free[0], effects=("apart_after_proof", "others_keep_theirs", *warning))


def _merge(
    case: Case, claimants: dict[Identifier, dict[AbstractBaseUser, bool]], links: Collection[Option]
) -> list[Option]:
    """This pool user and its twins are one person. Twins whose address their pool never verified are set aside:
    whoever wrote it there may be somebody else."""
    if not case.twins:
        return []
    shared = [
        address.value
        for address in claimants
        if any(address.value in (twin.email, twin.phone_number) for twin in case.twins)
    ]
    if not shared:
        return [Option("merge", why_not="address_not_normal")]
    address = shared[0]
    rows = [row for row in (case.record, *case.twins) if address in (row.email, row.phone_number)]
    good = [row for row in rows if row.pool_enabled and is_verified(profile_of(row), address)]
    if not good:
        return [Option("merge", why_not="no_twin_is_verified")]
    users = [side.user for side in case.sides if address in side.addresses]
    open_to = [option for option in links if not option.why_not and option.address == address]
    if len(users) > 1 or (users and not open_to):
        return [Option("merge", why_not="several_users" if len(users) > 1 else "address_is_anothers")]
    # Whom the pool made itself goes first: people who came by another provider cannot be sent a code by the pool.
    good.sort(key=lambda row: (row.pool_status == FEDERATED, row.pk))
    aside = tuple(row.pk for row in rows if row not in good)
    effects = ["twins_after_proof", *(["twins_set_aside"] if aside else [])]
    merged = tuple(row.pk for row in good)
    user = open_to[0].user if open_to else None
    return [Option("merge", user, address, merged, aside, effects=tuple(effects))]
