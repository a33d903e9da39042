"""Recording addresses as verified that users have had since before this package, on the word of the site.

Only what is clear: an address that another account has as well is left to a human, and so is one that only a pool has
ever said. May run at any time beside sign-ins, end anywhere and be begun again: whoever has been adopted is skipped.
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
from ...models import MigratedUser, PhoneNumber
from ..accounts import locking
from ..accounts.owners import is_privileged
from . import written
from .choice import Chosen, listed

logger = logging.getLogger(__name__)
BATCH: Final = 1000  # users of one transaction


class Reason(StrEnum):
    """What becomes of an address, or of a user who has none."""

    ADOPTED = "adopted"
    ALREADY = "already"
    INACTIVE = "inactive"
    FROM_POOL = "from_pool"
    NO_ADDRESS = "no_address"
    UNREADABLE = "unreadable"
    ANOTHER_VERIFIED = "another_verified"
    TAKEN = "taken"
    SHARED = "shared"


# What a human has to look at, so each user is named.
NAMED: Final = frozenset({Reason.UNREADABLE, Reason.TAKEN, Reason.SHARED})


@dataclass(frozen=True, slots=True)
class LeftOut:
    """``others``: primary keys of the accounts that have the same address."""

    user: Any
    reason: Reason
    others: str = ""


@dataclass(slots=True)
class Batch:
    """What has become of some users. Of the adopted addresses: ``staff`` are of staff, and of ``unconfirmed`` allauth
    knew, and nobody had confirmed them."""

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
    """Records the addresses of the chosen users; yields what was done after each transaction. Without ``write`` it
    only says what would be done."""
    for keys in chosen.batches(size):
        if not write:
            yield _Facts(_users(keys), chosen.named).judge()
            continue
        try:
            yield _record(keys, chosen.named)
        except IntegrityError:
            # Somebody has proven one of these addresses meanwhile. The others are not theirs to stop.
            for key in keys:
                yield _alone(key, chosen.named)


def _alone(key: Any, named: Collection[Any]) -> Batch:
    try:
        return _record([key], named)
    except IntegrityError:
        return Batch(1, Counter({Reason.TAKEN: 1}), left_out=[LeftOut(key, Reason.TAKEN)])


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
    if lock:  # nobody changes their address meanwhile; rows that refer to them may be written
        users = users.select_for_update(of=("self",), no_key=True)
    return list(users.filter(pk__in=keys).order_by("pk"))


class _Facts:
    """What is known of some users, with a handful of statements for all of them."""

    def __init__(self, users: list[AbstractBaseUser], named: Collection[Any]) -> None:
        self._users, self._named = users, named
        keys = [user.pk for user in users]
        self._texts = {user.pk: written.texts(user) for user in users}
        read = {
            text: written.parse_written(channel, text)
            for texts in self._texts.values()
            for channel, text in texts.items()
        }
        self._read = read
        addresses = [address for address in read.values() if address]
        self._from_pool = set(MigratedUser.objects.filter(user_id__in=keys).values_list("user_id", flat=True))
        self._emails = defaultdict[Any, list[EmailAddress]](list)
        for row in EmailAddress.objects.filter(user_id__in=keys):
            self._emails[row.user_id].append(row)
        self._numbers = {row.user_id: row for row in PhoneNumber.objects.filter(user_id__in=keys)}
        self._written = written.carriers_of(addresses)
        self._verified: dict[str, Any] = {}
        self._see_rows(addresses)
        self._adopted: list[tuple[AbstractBaseUser, Identifier]] = []

    def _see_rows(self, addresses: Collection[Identifier]) -> None:
        """Who has an address verified, and who has it listed, which counts as written."""
        emails = {form.lower(): a.value for a in addresses if a.channel == "email" for form in a.spellings}
        numbers = [address.value for address in addresses if address.channel == "sms"]
        listed_rows = [
            *EmailAddress.objects.filter(email__in=emails).values_list("email", "user_id", "verified"),
            *PhoneNumber.objects.filter(number__in=numbers).values_list("number", "user_id", "verified"),
        ]
        for text, user, verified in listed_rows:
            key = emails.get(text, text)
            self._written.setdefault(key, set()).add(user)
            if verified:
                self._verified[key] = user

    def judge(self) -> Batch:
        batch = Batch(seen=len(self._users))
        for user in self._users:
            for address, reason, others in self._outcomes(user):
                batch.counted[reason] += 1
                if reason in NAMED:
                    batch.left_out.append(LeftOut(user.pk, reason, listed(others)))
                if reason is Reason.ADOPTED and address is not None:
                    self._adopted.append((user, address))
                    batch.staff += is_privileged(user)
                    batch.unconfirmed += self._is_listed(user, address)
        return batch

    def _outcomes(self, user: AbstractBaseUser) -> Iterator[tuple[Identifier | None, Reason, set[Any]]]:
        texts = self._texts[user.pk]
        if not user.is_active:
            yield None, Reason.INACTIVE, set()
        elif user.pk in self._from_pool:
            # The pool may have said this address, and nobody shown it. What they prove themselves is recorded then.
            yield None, Reason.FROM_POOL, set()
        elif not texts:
            yield None, Reason.NO_ADDRESS, set()
        else:
            for text in texts.values():
                address = self._read[text]
                yield (address, *(self._of_address(user, address) if address else (Reason.UNREADABLE, set[Any]())))

    def _of_address(self, user: AbstractBaseUser, address: Identifier) -> tuple[Reason, set[Any]]:
        owner = self._verified.get(address.value)
        if owner is not None:
            return (Reason.ALREADY, set()) if owner == user.pk else (Reason.TAKEN, {owner})
        if self._has_another(user, address):
            return Reason.ANOTHER_VERIFIED, set()
        others = self._written.get(address.value, set()) - {user.pk}
        if user.pk in self._named:  # then only whoever is named as well is in the way
            others &= set(self._named)
        return (Reason.SHARED, others) if others else (Reason.ADOPTED, others)

    def _has_another(self, user: AbstractBaseUser, address: Identifier) -> bool:
        """Whether they have verified another address of this kind: then the written one is out of date, and nobody
        takes the account over by it."""
        if address.channel == "sms":
            number = self._numbers.get(user.pk)
            return number is not None and number.verified
        return any(row.verified for row in self._emails[user.pk])

    def _is_listed(self, user: AbstractBaseUser, address: Identifier) -> bool:
        if address.channel == "sms":
            return user.pk in self._numbers and self._numbers[user.pk].number == address.value
        return any(known(row.email) == address for row in self._emails[user.pk])

    def write(self) -> None:
        """Records what has been judged. Raises `IntegrityError` when somebody has verified one of them meanwhile."""
        new, old, primary = list[EmailAddress](), [], []
        for user, address in self._adopted:
            if address.channel == "sms":
                PhoneNumber.objects.update_or_create(
                    user_id=user.pk, defaults={"number": address.value, "verified": True}
                )
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
