"""A pool as real ones are, made small or large: who is in it, how they write their address, and what they try."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from allauth.account.models import EmailAddress
from django.contrib.auth.models import User

from cognito_passwordless.local import LocalPool

LONG = "Wolfeschlegelsteinhausenbergerdorff"
RIGHT_TO_LEFT = "محمد بن عبد الله"


@dataclass(frozen=True)
class Person:
    """``types`` is what they enter; ``federated`` people come by their provider. ``may_come``: whether the pool itself
    would let them in. ``pool_users`` are their subs."""

    name: str
    types: str
    pool_users: tuple[str, ...]
    federated: str = ""
    mfa: bool = False
    may_come: bool = True


def people(pool: LocalPool, count: int, *, seed: int = 7) -> Iterator[Person]:
    """60 % e-mail only, 20 % with a number too, 8 % number only, 10 % of another provider (half with a twin), the rest
    odd; of all, 5 % with capitals and 6 % unverified."""
    random = Random(seed)
    for number in range(count):
        yield _person(pool, number, random)


def _person(pool: LocalPool, number: int, random: Random) -> Person:
    share, name = random.random(), f"person{number}"
    email, phone = f"{name}@example.com", _phone(number, random)
    names = (
        {"given_name": LONG} if random.random() < 0.02 else {"given_name": RIGHT_TO_LEFT} if number % 50 == 1 else {}
    )
    if share < 0.08:
        kept, typed = phone
        return Person(name, typed, (pool.add_user(phone_number=kept, attributes=names),))
    if share < 0.18:
        subject = f"g-{number}"
        subs = [pool.add_federated_user("Google", subject, email, email_verified=random.random() < 0.3)]
        if random.random() < 0.5:
            subs.append(pool.add_user(email, attributes=names))
        return Person(name, email, tuple(subs), federated=subject)
    written = email.title() if random.random() < 0.05 else email
    verified = random.random() >= 0.06
    state = _state(random)
    sub = pool.add_user(
        written,
        # A pool sends a second code somewhere else than the first.
        phone_number=phone[0] if share < 0.38 or state.get("mfa") else None,
        phone_number_verified=bool(state.get("mfa")) or random.random() < 0.8,
        email_verified=verified,
        attributes=names,
        status=str(state.get("status", "CONFIRMED")),
        enabled=bool(state.get("enabled", True)),
        mfa=bool(state.get("mfa", False)),
    )
    may_come = bool(state.get("enabled", True)) and state.get("status") != "UNCONFIRMED"
    return Person(name, email, (sub,), mfa=bool(state.get("mfa")), may_come=may_come)


def _state(random: Random) -> dict[str, object]:
    share = random.random()
    if share < 0.02:
        return {"enabled": False}
    if share < 0.04:
        return {"status": "UNCONFIRMED"}
    if share < 0.06:
        return {"status": "FORCE_CHANGE_PASSWORD"}
    return {"mfa": True} if share < 0.08 else {}


def _phone(number: int, random: Random) -> tuple[str, str]:
    """As the pool has it, and as its owner types it."""
    kind = random.random()
    if kind < 0.2:
        return f"+52155{number:08d}", f"+52 55 {number:08d}"
    if kind < 0.3:
        return f"+5511{80_000_000 + number}", f"+55 11 9{80_000_000 + number}"
    return f"+4915{number:09d}", f"+49 15{number:09d}"


def existing_users(everybody: list[Person], make_user: Callable[..., User]) -> None:
    """One in eight has a Django user, of which two in five are the same person's as in the pool: half of those with an
    address that was never verified, as sites without allauth have it."""
    for number, person in enumerate(everybody):
        if number % 8 == 0:
            address = person.types if "@" in person.types and number % 40 in {0, 8} else f"local{number}@example.com"
            verified = number % 16 == 0
            user = make_user(address, verified=verified, password="a password")
            if number % 24 == 0 and not verified:
                EmailAddress.objects.create(user=user, email=f"second{number}@example.com", verified=False)
