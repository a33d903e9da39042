"""What a code of a pool's own proves (law 13).

The law: an address is proven when this sign-in's code was sent to it, and that is recorded when the code is sent. The
tokens at the end may confirm the record. They can never replace it: a user writes ``email`` and ``phone_number`` in
the pool with an access token of their own (UpdateUserAttributes of the Cognito API), between the code and its entry as
well, and a token says what the pool holds at the moment it is issued.

The pool never says in full where a code went. Two signs together do:

- at the start, the masked destination that the pool tells fits the address. Alone it is weak: an attacker can own an
  address with the same mask, and can sign in by a user name or an alias that is written like somebody else's address.
- at the end, the token has that same address and calls it verified. Whatever a user writes into the attribute is
  unverified until they have received a code there, so an address that is verified at the end was not put there by
  somebody who cannot read it.
"""

import re
from enum import StrEnum
from fnmatch import fnmatchcase

from .addresses import key_of, spellings_of


class Proof(StrEnum):
    """What a right code proves of its address; each value but `PROVEN` is the cause that the timeline shows."""

    PROVEN = ""
    # The token has another address than the one that the code went to: the person changed it during the sign-in.
    CHANGED = "address_changed"
    # The token has the address, unverified, or has none.
    UNCONFIRMED = "address_unconfirmed"
    # The pool did not say where the code went, or it was to no address that we know.
    UNKNOWN = "destination_unknown"


def proof_of_code(*, sent_to: str, claimed: str, verified: bool) -> Proof:
    """Judges the address of a right code.

    ``sent_to``: the address on record for the code, ``claimed``: the token's address of the same channel, both
    normalised and empty where there is none; ``verified``: whether the token calls its address verified.
    """
    if not sent_to:
        return Proof.UNKNOWN
    if claimed and claimed != sent_to:
        return Proof.CHANGED
    return Proof.PROVEN if claimed and verified else Proof.UNCONFIRMED


def could_have_gone_to(address: str, masked: str) -> bool:
    """Whether a destination that a pool has masked (``j***@e***``, ``+*******1234``) can be this address.

    False where the mask shows no letter and no digit: then the pool has not said where.
    """
    pattern = re.sub(r"[?[]", r"[\g<0>]", masked.casefold())  # only the star stands for something else
    says_where = any(character.isalnum() for character in masked)
    return says_where and any(
        fnmatchcase(form.casefold(), pattern) for form in (address, *spellings_of(key_of(address)))
    )
