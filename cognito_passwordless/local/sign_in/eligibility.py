"""Which challenges a person may try, and what is simulated for people whom the pool does not have."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from .. import errors
from ..backend.directory import Client, Directory, Person, Pool
from ..messages.inbox import Medium
from ..triggers.sign_in import SignInUser

MEDIA: dict[str, tuple[Medium, str]] = {"EMAIL_OTP": ("EMAIL", "email"), "SMS_OTP": ("SMS", "phone_number")}
PASSWORDS = ("PASSWORD_SRP", "PASSWORD")


@dataclass(frozen=True, slots=True)
class SignInRequest:
    """One sign-in request: a client of a pool, the name that was typed, the request's ClientMetadata and Session."""

    pool: Pool
    client: Client
    username: str
    metadata: Mapping[str, str] | None = None
    session: str = ""

    def who(self, person: Person | None) -> SignInUser:
        return SignInUser(self.pool.id, self.client.id, self.username, person)


def admit(person: Person, client: Client) -> Person | None:
    """Return the person, if the pool lets them try; None if it only simulates a challenge. Raises PoolError.

    PreventUserExistenceErrors hides who does *not* exist, so the pool reveals the states of people who do exist either
    way. The one exception AWS ever documented is a disabled person, who learns it only after proof
    (cognito-user-pool-managing-errors.html, 2019). Here the proof would be a code, and the pool sends no code to a
    disabled person: it simulates the challenge.
    """
    if not person.enabled or person.status == "ARCHIVED":
        if client.hides_unknown:
            return None
        raise errors.PoolError("NotAuthorizedException", "User is disabled.")  # seen
    if person.status == "UNCONFIRMED":
        raise errors.PoolError("UserNotConfirmedException", "User is not confirmed.")  # seen
    if person.status == "RESET_REQUIRED":
        raise errors.PoolError("PasswordResetRequiredException", "Password reset required for the user")  # seen
    if person.status in {"EXTERNAL_PROVIDER", "UNKNOWN"}:
        # The pool has no credentials of theirs; they sign in at their provider.
        raise errors.wrong_credentials()
    return person


def admitted(directory: Directory, sign_in: SignInRequest) -> Person | None:
    """The person who starts a sign-in; None where the pool simulates a challenge. Raises PoolError."""
    person = directory.person(sign_in.pool.id, sign_in.username)
    if person is None and not sign_in.client.hides_unknown:
        raise errors.user_unknown()
    return person and admit(person, sign_in.client)


def available_challenges(pool: Pool, person: Person | None, username: str) -> tuple[str, ...]:
    """The challenges available to a person; None stands for an unknown one, who has just what was typed."""
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
    by_code = [name for name, (_, address) in MEDIA.items() if name in pool.first_factors and address in addresses]
    return (*passwords, *by_code)


def simulated_destination(medium: Medium, sign_in: SignInRequest) -> str:
    """The destination of a simulated code: the typed address, else an invented one that stays the same."""
    if "@" in sign_in.username if medium == "EMAIL" else sign_in.username.startswith("+"):
        return sign_in.username
    digest = hashlib.sha256(f"{sign_in.pool.id}/{sign_in.username}".encode()).digest()
    letter = "abcdefghijklmnopqrstuvwxyz"[digest[0] % 26]
    return f"{letter}@example.com" if medium == "EMAIL" else f"+4915{int.from_bytes(digest[:4]) % 10**9:09d}"
