"""The server's half of the Secure Remote Password protocol, for Amazon Cognito's clients.

moto accepts any password here; a pool that asks for a password before its custom challenge must not. The group is the
3,072-bit one of RFC 5054; everything else follows what public clients (pycognito, Amplify) send.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

# RFC 5054, appendix A, 3072-bit group: a prime built from pi, so it can be computed rather than copied:
# 2^3072 - 2^3008 - 1 + 2^64 * (floor(2^2942 * pi) + 1690314).
GENERATOR = 2
INFO = b"Caldera Derived Key"


def _pi(bits: int) -> int:
    """floor(pi * 2^bits), by Machin's formula with bits to spare."""
    unit = 1 << (bits + 64)

    def arctan_of_inverse(number: int) -> int:
        term = total = unit // number
        divisor, sign = 1, 1
        while term:
            term //= number * number
            divisor, sign = divisor + 2, -sign
            total += sign * (term // divisor)
        return total

    return (4 * (4 * arctan_of_inverse(5) - arctan_of_inverse(239))) >> 64


PRIME = (1 << 3072) - (1 << 3008) - 1 + (1 << 64) * (_pi(2942) + 1690314)


def padded(number: int) -> bytes:
    """The bytes that the clients hash: with a zero byte in front where the number would read as negative."""
    raw = number.to_bytes((number.bit_length() + 7) // 8 or 1, "big")
    return b"\0" + raw if raw[0] & 0x80 else raw


def _hash(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha256(b"".join(parts)).digest(), "big")


MULTIPLIER = _hash(b"\0" + PRIME.to_bytes(384, "big"), bytes([GENERATOR]))


def public_value(text: str) -> int | None:
    """The client's ``SRP_A``; None if it is no number, or one that would reveal the key."""
    try:
        value = int(text, 16)
    except ValueError:
        return None
    return value if value > 0 and value % PRIME else None


@dataclass(frozen=True, slots=True)
class Exchange:
    """One exchange, from ``SRP_A`` to the proof. ``key`` is None where there is no password to prove."""

    pool_name: str
    name: str
    salt: int
    server_value: int
    secret_block: bytes = field(repr=False)
    key: bytes | None = field(repr=False)

    @classmethod
    def begin(cls, pool_id: str, name: str, password: str | None, client_value: int) -> Exchange:
        pool_name = pool_id.partition("_")[2]
        salt, private = secrets.randbits(128), secrets.randbelow(PRIME)
        # Without a password everything looks the same, and nothing can be proved.
        identity = hashlib.sha256(f"{pool_name}{name}:{password or secrets.token_hex()}".encode()).digest()
        verifier = pow(GENERATOR, _hash(padded(salt), identity), PRIME)
        server_value = (MULTIPLIER * verifier + pow(GENERATOR, private, PRIME)) % PRIME
        mix = _hash(padded(client_value), padded(server_value))
        shared = pow(client_value * pow(verifier, mix, PRIME), private, PRIME)
        seed = hmac.digest(padded(mix), padded(shared), "sha256")
        key = hmac.digest(seed, INFO + b"\x01", "sha256")[:16]
        return cls(pool_name, name, salt, server_value, secrets.token_bytes(256), None if password is None else key)

    def parameters(self) -> dict[str, str]:
        return {
            "SALT": f"{self.salt:x}",
            "SRP_B": f"{self.server_value:x}",
            "SECRET_BLOCK": base64.b64encode(self.secret_block).decode(),
        }

    def proves(self, responses: Mapping[str, str]) -> bool:
        """Whether the client knew the password."""
        if self.key is None:
            return False
        message = f"{self.pool_name}{self.name}".encode() + self.secret_block
        message += responses.get("TIMESTAMP", "").encode()
        expected = base64.b64encode(hmac.digest(self.key, message, "sha256")).decode()
        claimed = responses.get("PASSWORD_CLAIM_SIGNATURE", "")
        return hmac.compare_digest(expected.encode(), claimed.encode())
