"""Records addresses as verified that users have had since before this package, if the site vouches for them.

Only clear cases: an address that another account has as well is left to the operator, and so is one that only a pool
claims. Runs beside sign-ins, and after an interruption a new run skips the users that are done.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from allauth.account.models import EmailAddress
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, router, transaction

from ...identifiers import Identifier, known
from ...identity import Channel
from ...models import MigratedUser, PhoneNumber
from ..accounts import locking
from ..accounts.owners import is_privileged
from . import written
from .choice import Chosen, listed

logger = logging.getLogger(__name__)
BATCH: Final = 1000  # users of one transaction


class Reason(StrEnum):
    """The outcome for an address, or for a user who has none."""

    ADOPTED = "adopted"
    ALREADY = "already"
    INACTIVE = "inactive"
    FROM_POOL = "from_pool"
    NO_ADDRESS = "no_address"
    UNREADABLE = "unreadable"
    ANOTHER_VERIFIED = "another_verified"
    TAKEN = "taken"
    SHARED = "shared"


# Outcomes that an operator has to look at, so each user is named.
NAMED: Final = frozenset({Reason.UNREADABLE, Reason.TAKEN, Reason.SHARED})


@dataclass(frozen=True, slots=True)
class LeftOut:
    """``others``: primary keys of the accounts that have the same address."""

    user: Any
    reason: Reason
    others: str = ""


@dataclass(slots=True)
class Batch:
    """The outcomes of some users. Of the adopted addresses, ``staff`` belong to staff, and ``unconfirmed`` were listed
    by allauth without confirmation."""

    seen: int = 0
    counted: Counter[Reason] = field(default_factory=Counter)
    staff: int = 0
    unconfirmed: int = 0
    left_out: list[LeftOut] = field(default_factory=list)

    def add(self, other: "Batch") -> None:
        self.seen += other.seen
        self.counted += other.counted
        self.staff += other.staff
        self.unconfirmed += other.unconfirmed


def adopt(chosen: Chosen, *, write: bool, size: int = BATCH) -> Iterator[Batch]:
    """Records the addresses of the chosen users; yields the outcomes of each transaction. Without ``write`` it yields
    what would be done."""
    for keys in chosen.batches(size):
        if not write:
            yield _Facts(_users(keys), chosen.named).judge()
            continue
        try:
            yield _record(keys, chosen.named)
        except IntegrityError:
            # Another user has proven one of these addresses meanwhile. That stops no other user of the batch.
            for key in keys:
                try:
                    batch = _record([key], chosen.named)
                except IntegrityError:
                    batch = Batch(1, Counter({Reason.TAKEN: 1}), left_out=[LeftOut(key, Reason.TAKEN)])
                yield batch


@locking.retry_on_deadlock
def _record(keys: Collection[Any], named: Collection[Any]) -> Batch:
    with transaction.atomic(using=router.db_for_write(EmailAddress)):
        locking.take_write_lock()
        facts = _Facts(_users(keys, lock=True), named)
        batch = facts.judge()
        facts.write()
    if batch.counted[Reason.ADOPTED]:
        logger.info("%s addresses of users were recorded as verified", batch.counted[Reason.ADOPTED])
    return batch


def _users(keys: Collection[Any], *, lock: bool = False) -> list[AbstractBaseUser]:
    users: Any = get_user_model()._default_manager.using(router.db_for_write(get_user_model()))
    if lock:  # their addresses may not change meanwhile; rows that refer to them may be written
        users = users.select_for_update(of=("self",), no_key=True)
    return list(users.filter(pk__in=keys).order_by("pk"))


class _Facts:
    """What is known of some users, with a handful of statements for all of them."""

    def __init__(self, users: list[AbstractBaseUser], named: Collection[Any]) -> None:
        self._users, self._named = users, named
        self._adopted: list[tuple[AbstractBaseUser, Identifier]] = []
        keys = [user.pk for user in users]
        texts = {user.pk: written.texts(user) for user in users}
        # None stands for a text that is no readable address.
        self._own = {
            pk: [written.parse_written(channel, text) for channel, text in found.items()]
            for pk, found in texts.items()
        }
        self._from_pool = set(MigratedUser.objects.filter(user_id__in=keys).values_list("user_id", flat=True))
        self._emails = defaultdict[Any, list[EmailAddress]](list)
        self._listed, self._has_verified = set[tuple[Any, Identifier | None]](), set[tuple[Any, Channel]]()
        for row in EmailAddress.objects.filter(user_id__in=keys):
            self._emails[row.user_id].append(row)
            self._listed.add((row.user_id, known(row.email)))
            if row.verified:
                self._has_verified.add((row.user_id, Channel.EMAIL))
        for number in PhoneNumber.objects.filter(user_id__in=keys):
            self._listed.add((number.user_id, Identifier(number.number, Channel.SMS)))
            if number.verified:
                self._has_verified.add((number.user_id, Channel.SMS))
        # Who has one of the addresses written, and who has it verified. A listed address counts as written.
        addresses = [address for own in self._own.values() for address in own if address]
        self._written = written.carriers_of(addresses)
        self._verified: dict[str, Any] = {}
        emails = {form.lower(): a.value for a in addresses if a.channel == "email" for form in a.spellings}
        numbers = [address.value for address in addresses if address.channel == "sms"]
        for text, user, verified in (
            *EmailAddress.objects.filter(email__in=emails).values_list("email", "user_id", "verified"),
            *PhoneNumber.objects.filter(number__in=numbers).values_list("number", "user_id", "verified"),
        ):
            key = emails.get(text, text)
            self._written.setdefault(key, set()).add(user)
            if verified:
                self._verified[key] = user

    def judge(self) -> Batch:
        batch = Batch(seen=len(self._users))
        for user in self._users:
            own = self._own[user.pk]
            if not user.is_active:
                batch.counted[Reason.INACTIVE] += 1
            elif user.pk in self._from_pool:
                # The pool may have claimed this address without proof. What the users prove is recorded at sign-in.
                batch.counted[Reason.FROM_POOL] += 1
            elif not own:
                batch.counted[Reason.NO_ADDRESS] += 1
            else:
                for address in own:
                    reason, others = self._of_address(user, address) if address else (Reason.UNREADABLE, set[Any]())
                    batch.counted[reason] += 1
                    if reason in NAMED:
                        batch.left_out.append(LeftOut(user.pk, reason, listed(others)))
                    if reason is Reason.ADOPTED and address is not None:
                        self._adopted.append((user, address))
                        batch.staff += is_privileged(user)
                        batch.unconfirmed += (user.pk, address) in self._listed
        return batch

    def _of_address(self, user: AbstractBaseUser, address: Identifier) -> tuple[Reason, set[Any]]:
        """What becomes of an address, and the accounts that are in the way."""
        owner = self._verified.get(address.value)
        if owner is not None:
            return (Reason.ALREADY, set()) if owner == user.pk else (Reason.TAKEN, {owner})
        # With another verified address of this channel the written one is out of date, and no proof of it takes the
        # account over.
        if (user.pk, address.channel) in self._has_verified:
            return Reason.ANOTHER_VERIFIED, set()
        others = self._written.get(address.value, set()) - {user.pk}
        if user.pk in self._named:  # then only an account that is named as well is in the way
            others &= set(self._named)
        return (Reason.SHARED, others) if others else (Reason.ADOPTED, others)

    def write(self) -> None:
        """Records what has been judged. Raises `IntegrityError` if another user has verified one of them meanwhile."""
        new, old, primary = list[EmailAddress](), [], []
        for user, address in self._adopted:
            if address.channel == "sms":
                number = {"number": address.value, "verified": True}
                PhoneNumber.objects.update_or_create(user_id=user.pk, defaults=number)
                continue
            rows = self._emails[user.pk]
            is_first = not any(row.primary for row in rows)
            there = next((row for row in rows if row.email == address.value), None)
            if there is None:
                new.append(EmailAddress(user=user, email=address.value, verified=True, primary=is_first))
                continue
            old.append(there.pk)
            if is_first:
                primary.append(there.pk)
        EmailAddress.objects.filter(pk__in=old).update(verified=True)
        EmailAddress.objects.filter(pk__in=primary).update(primary=True)
        EmailAddress.objects.bulk_create(new)
