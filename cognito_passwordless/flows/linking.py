"""Which Django user a proven pool person is: one that exists, by what was proven (law 7), or a new one."""

from collections.abc import Collection
from dataclasses import dataclass

from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.utils.module_loading import import_string

from ..cognito import CognitoProfile, Connection
from ..conf import conf
from ..exceptions import MigrationConflict
from ..identifiers import Identifier, is_normal, parse
from ..models import MigratedUser, PhoneNumber
from . import decisions
from .decisions import Decision
from .local_users import Ambiguous, Owner, claimants_of, is_privileged, owner_of
from .made import Made, values_of
from .mapping import apply_attributes
from .new_users import SignUp
from .ownership import mark_proven, take_over

Status = MigratedUser.Status


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which user somebody would become: None for a new one. ``owners`` has the owner of each address that somebody
    carries; ``by_sub`` says that the user carries the person's sub already."""

    user: AbstractBaseUser | None
    owners: dict[Identifier, Owner]
    by_sub: bool = False


def first_time(
    profile: CognitoProfile,
    connection: Connection,
    record: MigratedUser,
    made: Made,
    sign_up: SignUp = SignUp(),  # noqa: B008  (frozen)
) -> tuple[AbstractBaseUser, bool]:
    """The user of somebody whose record is not migrated yet, and whether there was none. ``made`` learns what was
    written. Raises `MigrationConflict`, and whatever the hooks of ``sign_up`` raise."""
    decision = Decision.of(record)
    if decision and decision.choice == "apart":
        return _apart(profile, addresses_of(profile), carriers_of(profile, connection, record), made, sign_up), True
    chosen = _as_decided(profile, connection, record) or choose(profile, connection, record)
    if chosen.user is None:
        trusted = _trusted(profile, connection)
        return create(profile, addresses_of(profile), sign_up, made, trusted=trusted), True
    _link(chosen.user, profile, chosen.owners, made, known_by_sub=chosen.by_sub)
    return chosen.user, False


def choose(profile: CognitoProfile, connection: Connection, record: MigratedUser) -> Chosen:
    """Whom this person would become by the rules alone, with the addresses that ``profile`` says are proven. Reads
    only. Raises `MigrationConflict`."""
    addresses = addresses_of(profile)
    by_sub = carriers_of(profile, connection, record)
    owners = {address: owner for address in addresses if (owner := owner_or_conflict(address))}
    users = {user.pk: user for user in (*by_sub, *(owner.user for owner in owners.values()))}
    if not users:
        return Chosen(None, {})
    if len(users) > 1:
        raise MigrationConflict("several_users")
    (user,) = users.values()
    _must_be_linkable(user, profile)
    proven = any(address.value in profile.proven for address in owners)
    if not by_sub and not proven and not _trusted_owner(profile, connection, owners):
        raise MigrationConflict("address_not_proven")
    return Chosen(user, owners, by_sub=bool(by_sub))


def _as_decided(profile: CognitoProfile, connection: Connection, record: MigratedUser) -> Chosen | None:
    """The user whom a human has given to this person; None where nobody has."""
    decision = Decision.of(record)
    if decision is None or not decision.user:
        return None
    addresses = addresses_of(profile)
    by_sub = carriers_of(profile, connection, record)
    user = decisions.user_of(decision, profile.proven, by_sub)
    _must_be_linkable(user, profile, merged=decision.choice == "merge")
    return Chosen(user, _owners_among(user, addresses), by_sub=bool(by_sub))


def _link(
    user: AbstractBaseUser,
    profile: CognitoProfile,
    owners: dict[Identifier, Owner],
    made: Made,
    *,
    known_by_sub: bool,
) -> None:
    for address in map(parse, sorted(profile.proven)):
        owner = owners.get(address)
        if owner is not None and owner.proven:
            continue
        if known_by_sub and (owner is not None or _may_be_added(user, address)):
            # Without it, the address would lead nobody into the account the next time.
            mark_proven(user, address)
        elif owner is not None:
            take_over(user, address)
    before = values_of(user)
    changed = apply_attributes(user, profile, policy="empty")
    if changed:
        user.save(update_fields=changed)
    made.filled(before, user, changed)


def _may_be_added(user: AbstractBaseUser, address: Identifier) -> bool:
    """An address that the pool user has proven, and nobody else. A user has one number only: a proven one stays."""
    if any(is_proven for other, is_proven in claimants_of(address).items() if other != user):
        return False
    rows = PhoneNumber.objects.filter(user_id=user.pk, verified=True)
    return address.channel == "email" or not rows.exclude(number=address.value).exists()


def _owners_among(user: AbstractBaseUser, addresses: Collection[Identifier]) -> dict[Identifier, Owner]:
    """The addresses that a chosen user carries; those of others stay theirs."""
    carried = {address: claimants_of(address) for address in addresses}
    return {
        address: Owner(user, proven=claimants[user])
        for address, claimants in carried.items()
        if decisions.may_be_given(user, claimants)
    }


def _apart(
    profile: CognitoProfile,
    addresses: Collection[Identifier],
    by_sub: Collection[AbstractBaseUser],
    made: Made,
    sign_up: SignUp,
) -> AbstractBaseUser:
    """An account of their own, with the addresses that nobody else carries; one of them must have been proven."""
    if by_sub:
        raise MigrationConflict("decision_outdated")
    free = [address for address in addresses if not claimants_of(address)]
    if not any(address.value in profile.proven for address in free):
        raise MigrationConflict("address_not_proven" if free else "decision_outdated")
    return create(profile, free, sign_up, made)


def _must_be_linkable(user: AbstractBaseUser, profile: CognitoProfile, *, merged: bool = False) -> None:
    obstacle = obstacle_to_linking(user, issuer=profile.issuer, sub=profile.sub)
    if obstacle and not (merged and obstacle == "linked_to_another"):
        raise MigrationConflict(obstacle)


def obstacle_to_linking(user: AbstractBaseUser, *, issuer: str, sub: str) -> str:
    """Why this pool person may not become this user, whatever is proven; empty where they may."""
    if is_privileged(user):
        return "privileged_user"
    if not user.is_active:
        return "inactive_user"
    others = MigratedUser.objects.filter(issuer=issuer, user_id=user.pk, status=Status.MIGRATED)
    return "linked_to_another" if others.exclude(sub=sub).exists() else ""


def addresses_of(profile: CognitoProfile) -> list[Identifier]:
    """The profile's addresses, the proven ones too. One that normalising would change is another address to Django:
    two pool users could meet on it."""
    written = {address for address in (profile.email, profile.phone_number, *profile.proven) if address}
    if not all(is_normal(address) for address in written):
        raise MigrationConflict("address_not_normal")
    return [parse(address) for address in sorted(written)]


def owner_or_conflict(address: Identifier) -> Owner | None:
    """`owner_of`, where several are a conflict."""
    try:
        return owner_of(address)
    except Ambiguous:
        raise MigrationConflict("ambiguous_address") from None


def carriers_of(profile: CognitoProfile, connection: Connection, record: MigratedUser) -> list[AbstractBaseUser]:
    """Users that already carry this person's sub: by an earlier sign-in of allauth, by a migration that was undone, or
    in a field of their own."""
    accounts = SocialAccount.objects.filter(provider=connection.alias, uid=profile.sub).select_related("user")
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


def _trusted(profile: CognitoProfile, connection: Connection) -> frozenset[str]:
    """The addresses that the pool calls verified, where the connection says that this may count."""
    if not connection.trust_verified:
        return frozenset()
    email = profile.email if profile.email_verified else None
    phone = profile.phone_number if profile.phone_number_verified else None
    return frozenset(address for address in (email, phone) if address)


def _trusted_owner(profile: CognitoProfile, connection: Connection, owners: dict[Identifier, Owner]) -> bool:
    trusted = _trusted(profile, connection)
    return any(owner.proven and address.value in trusted for address, owner in owners.items())


def create(
    profile: CognitoProfile,
    addresses: Collection[Identifier],
    sign_up: SignUp,
    made: Made | None = None,
    trusted: frozenset[str] = frozenset(),
) -> AbstractBaseUser:
    """A new user with these addresses; verified are those proven now, and those that may be trusted."""
    verified = profile.proven | trusted
    emails = sorted((a.value for a in addresses if a.channel == "email"), key=lambda email: email not in verified)
    number = next((a.value for a in addresses if a.channel == "sms"), "")
    user, rows = sign_up.save(emails, number, verified, lambda user: apply_attributes(user, profile, policy="all"))
    if number:
        proven = {"number": number, "verified": number in verified}
        PhoneNumber.objects.update_or_create(user_id=user.pk, defaults=proven)
    if made is not None:
        made.user, made.phone, made.account = True, bool(number), sign_up.login is not None
        made.emails = [str(row.pk) for row in rows]
    return user
