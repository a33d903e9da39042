"""Who may try which challenge, and what is pretended to those whom the pool does not have."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from .. import errors
from ..backend.directory import Client, Person, Pool
from ..messages.inbox import Medium

MEDIA: dict[str, tuple[Medium, str]] = {
    "EMAIL_OTP": ("EMAIL", "email"),
    "SMS_OTP": ("SMS", "phone_number"),
}
PASSWORDS = ("PASSWORD_SRP", "PASSWORD")


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks: one client of one pool, the name that was typed, and the ClientMetadata that came along."""

    pool: Pool
    client: Client
    username: str
    metadata: Mapping[str, str] | None = None


def admit(person: Person, client: Client) -> Person | None:
    """The person, if the pool lets them try; None if it only pretends to. Raises PoolError.

    PreventUserExistenceErrors hides who does *not* exist, so the states of people who do exist are
    told either way. The one exception AWS ever documented is a disabled person, who is told so
    only after proof (cognito-user-pool-managing-errors.html, 2019). Here the proof would be a
    code, and a disabled person is sent none: the challenge is simulated.
    """
    if not person.enabled or person.status == "ARCHIVED":
        if client.hides_unknown:
            return None
        raise errors.user_disabled()
    if person.status == "UNCONFIRMED":
        raise errors.user_unconfirmed()
    if person.status == "RESET_REQUIRED":
        raise errors.password_reset_required()
    if person.status in {"EXTERNAL_PROVIDER", "UNKNOWN"}:
        # They have no credentials of the pool's own; they come by their provider.
        raise errors.wrong_credentials()
    return person


def offers(pool: Pool, person: Person | None, username: str) -> tuple[str, ...]:
    """The challenges open to a person; None stands for one who has just what was typed."""
    if person is None:
        addresses = {"email"} if "@" in username else set()
        addresses |= {"phone_number"} if username.startswith("+") else set()
        addresses = addresses or {"email", "phone_number"}
        codes, password = True, True
    else:
        addresses = {name for name, value in person.attributes.items() if value}
        codes = not person.has_mfa and person.status != "FORCE_CHANGE_PASSWORD"
        password = person.has_password
    passwords = PASSWORDS if password and "PASSWORD" in pool.first_factors else ()
    # A code cannot be the first of two factors: user-pool-settings-mfa.html.
    if pool.mfa_required or not codes:
        return PASSWORDS
    by_code = [
        challenge
        for challenge, (_, attribute) in MEDIA.items()
        if challenge in pool.first_factors and attribute in addresses
    ]
    return (*passwords, *by_code)


def imagined(medium: Medium, asked: Asked) -> str:
    """Where a simulated code would have gone: the typed address, else a steady invention."""
    if medium == "EMAIL" and "@" in asked.username:
        return asked.username
    if medium == "SMS" and asked.username.startswith("+"):
        return asked.username
    digest = hashlib.sha256(f"{asked.pool.id}/{asked.username}".encode()).digest()
    letter = "abcdefghijklmnopqrstuvwxyz"[digest[0] % 26]
    return f"{letter}@example.com" if medium == "EMAIL" else f"+4915{int.from_bytes(digest[:4]) % 10**9:09d}"
