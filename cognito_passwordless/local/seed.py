"""Fill a pool with invented people, the same ones every time.

The first few are one of each kind, with addresses that name it, for trying things by hand; in the rest the kinds are
mixed as in a pool of some years.
"""

from __future__ import annotations

import csv
import json
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .backend.pools import LocalPool

# The same person has the same sub in every run, so that a site's database still fits.
_NAMESPACE = uuid.UUID("6f0d9c5e-3c0b-4d5b-9a53-6d2f1c1a7e10")
DOMAINS = ("example.com", "example.org", "example.net")
# Words in a row: one to a line would bury the module.
GIVEN = "Ada Ben Clara David Emma Felix Greta Hugo Ida Jonas Klara Leo Mia Noah Olga Paul".split()  # noqa: SIM905
FAMILY = "Musterfrau Mustermann Beispiel Fiktiv Nirgends Erfunden Attrappe Niemand".split()  # noqa: SIM905
GROUPS = ("customers", "editors", "support")


TEXTS = ("email", "phone_number", "status", "username", "sub")
FLAGS = ("enabled", "email_verified", "phone_number_verified", "mfa", "passwordless")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of person, and how many of a thousand are of it."""

    name: str
    share: int
    status: str = "CONFIRMED"
    enabled: bool = True
    email_verified: bool = True
    has_email: bool = True
    has_phone: bool = False
    mfa: bool = False


KINDS = (
    Kind("ann", 520),
    Kind("both", 180, has_phone=True),
    Kind("phone-only", 60, has_email=False, has_phone=True),
    Kind("unverified", 60, email_verified=False),
    Kind("force-change", 50, status="FORCE_CHANGE_PASSWORD"),
    Kind("unconfirmed", 40, status="UNCONFIRMED", email_verified=False),
    Kind("reset", 30, status="RESET_REQUIRED"),
    Kind("disabled", 20, enabled=False),
    Kind("mfa", 40, has_phone=True, mfa=True),
)


@dataclass(frozen=True, slots=True)
class Invented:
    """One person, not yet in any pool."""

    kind: Kind
    number: int
    given_name: str
    family_name: str
    email: str | None
    phone_number: str | None
    groups: tuple[str, ...]

    @property
    def sub(self) -> str:
        return str(uuid.uuid5(_NAMESPACE, str(self.number)))


def people(count: int, *, seed: int = 1) -> Iterator[Invented]:
    """The first `count` people: one of each kind, then the crowd. The same for the same seed."""
    dice = random.Random(seed)  # noqa: S311 - repeatable is the point; nothing here is secret
    shares = [kind.share for kind in KINDS]
    for number in range(count):
        cast = number < len(KINDS)
        kind = KINDS[number] if cast else dice.choices(KINDS, shares)[0]
        given, family = dice.choice(GIVEN), dice.choice(FAMILY)
        name = kind.name if cast else f"{given}.{family}.{number}".lower()
        domain = DOMAINS[0] if cast else dice.choice(DOMAINS)
        yield Invented(
            kind=kind,
            number=number,
            given_name=given,
            family_name=family,
            email=f"{name}@{domain}" if kind.has_email else None,
            # A valid number by its form; the zeros say that it is nobody's.
            phone_number=f"+49151000{number:05d}" if kind.has_phone else None,
            groups=tuple(sorted(dice.sample(GROUPS, dice.choice((0, 0, 0, 1, 2))))),
        )


def fill(pool: LocalPool, count: int, *, seed: int = 1) -> list[Invented]:
    """Add `count` invented people to `pool`, and return them."""
    crowd = list(people(count, seed=seed))
    for person in crowd:
        pool.add_user(
            person.email,
            phone_number=person.phone_number,
            status=person.kind.status,
            enabled=person.kind.enabled,
            email_verified=person.kind.email_verified,
            groups=person.groups,
            mfa=person.kind.mfa,
            attributes={"given_name": person.given_name, "family_name": person.family_name},
            sub=person.sub,
        )
    return crowd


def add_people(pool: LocalPool, path: Path) -> int:
    """Add the people of a file, and return how many: a JSON array of objects, or CSV whose header has the same names.

    The names are the parameters of `LocalPool.add_user`; `groups` is a list, in CSV with spaces between; `password` is
    the person's; every other name is an attribute. Raises ValueError for a file or a person that cannot be.
    """
    text = path.read_text(encoding="utf-8-sig")
    rows = json.loads(text) if path.suffix == ".json" else list(csv.DictReader(text.splitlines()))
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"{path} is no list of people")
    for row in rows:
        given = {name: value for name, value in row.items() if value is not None and value != ""}
        known: dict[str, Any] = {name: given.pop(name) for name in TEXTS if name in given}
        known |= {name: str(given.pop(name)).lower() == "true" for name in FLAGS if name in given}
        groups, password = given.pop("groups", ()), given.pop("password", None)
        known["groups"] = groups.split() if isinstance(groups, str) else groups
        attributes = {name: str(value) for name, value in given.items()}
        sub = pool.add_user(**known, attributes=attributes)
        if password is not None:
            pool.set_password(sub, str(password))
    return len(rows)
