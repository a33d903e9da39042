"""By which user names a pool is asked for a person whom no import knows."""

from typing import Literal

from ...cognito import CognitoError, Connection, PoolUser, find_users
from ...identifiers import Identifier
from ..accounts.pool_records import FEDERATED

# Spellings of one address that a pool is asked for in turn: most addresses have one.
MOST_SPELLINGS = 3


def usernames_at(connection: Connection, identifier: Identifier) -> list[str]:
    """The usernames to try there for a person whom no import knows, in order; empty where ``lookup`` allows none.

    A pool that looks at the case of letters, or knows a number by its old form only, wants its own spelling. Where
    there are several, its directory says which, if it may be asked: a pool that hides who exists knows everybody.
    """
    spellings = list(identifier.spellings[:MOST_SPELLINGS])
    if connection.lookup == "imported":
        return []
    if connection.lookup == "try" and len(spellings) == 1:
        return spellings
    attribute: Literal["username", "email", "phone_number"]
    attribute = "username" if identifier.is_user_name else "email" if identifier.domain else "phone_number"

    def rank(user: PoolUser) -> tuple[bool, bool]:
        # A verified address before one that is merely written, a user of the pool's own before another provider's.
        verified = user.email_verified if attribute == "email" else user.phone_number_verified
        return not verified, user.status == FEDERATED

    try:
        for spelling in spellings:
            users = sorted(find_users(connection, attribute=attribute, value=spelling), key=rank)
            # Of two users of the same rank, neither is meant.
            if users and (len(users) == 1 or rank(users[0]) != rank(users[1])):
                return [users[0].username]
    except CognitoError:
        if connection.lookup != "try":
            raise
    return spellings if connection.lookup == "try" else []
