"""Who there is to sign in as. Nobody of them exists."""

from dataclasses import dataclass

from cognito_passwordless.local.seed import Invented

ADMIN = "admin"
LOCAL = "local@example.com"
POOL = "ann@example.com"
CUSTOM = "cem@custom.example"
HOSTED = "both@example.com"


@dataclass(frozen=True, slots=True)
class Account:
    """What to type, and what happens then."""

    identifier: str
    note: str


DJANGO = (
    Account(LOCAL, "lives in Django: our code"),
    Account("legacy@example.com", "lives in Django, address never verified: our code"),
    Account("inactive@example.com", "lives in Django, inactive: the same answer, and no code"),
)
NOBODY = Account("nobody@example.com", "nobody knows them: the same answer, and no code")
# Whose way in is neither the local one nor the pool's code.
OTHER_WAYS = (
    Account(CUSTOM, "lives in a second pool, whose code our own triggers send (CUSTOM_AUTH)"),
    Account(HOSTED, "Cognito's hosted login: at /login/cognito/main/, or by the link below the code"),
)
SHOWN = 12
# By the names of the kinds in `cognito_passwordless.local.seed`.
_POOL_NOTES = {
    "ann": "lives in the pool: Cognito's code, migrated, from then on our code",
    "both": "pool, e-mail and phone: either way",
    "phone-only": "pool, phone only: Cognito's code by SMS",
    "unverified": "pool, address not verified there: Cognito's code proves it",
    "force-change": "pool, has never set a password: Cognito sends no code",
    "disabled": "pool, disabled: the same answer, and no code",
    "mfa": "pool, with MFA there: no code as the only factor",
}


def crowd_of(crowd: list[Invented]) -> list[str]:
    """Some of the many who have nothing special about them."""
    ordinary = [person.email for person in crowd if person.email and person.kind.name not in _POOL_NOTES]
    return ordinary[:SHOWN]


def of_pool(crowd: list[Invented]) -> list[Account]:
    """One of each kind that is worth a try."""
    found: dict[str, Account] = {}
    for person in crowd:
        note = _POOL_NOTES.get(person.kind.name)
        address = person.email or person.phone_number
        if note and address:
            found.setdefault(person.kind.name, Account(address, note))
    return list(found.values())
