"""The rules of one-time codes: standard library only, no I/O, no clock.

Every host (Django's flows, the Lambda triggers) translates to and from these functions. Time, keys and
randomness come in as arguments. A name is loaded at its first use: a Lambda that only verifies a code does not
pay for what it never calls.

Laws: docs/laws.md; words: docs/glossary.md.
"""

TYPE_CHECKING = False

if TYPE_CHECKING:
    from .codes import Code, Key, Keyring, derive, matches
    from .entry import read_code
    from .machine import Challenge, Event, Phase, Refused, Verdict, accept, answer, claim, issue, phase, resend
    from .policy import Policy, PolicyError

_HOMES = {
    "codes": "Code Key Keyring derive matches",
    "entry": "read_code",
    "machine": "Challenge Event Phase Refused Verdict accept answer claim issue phase resend",
    "policy": "Policy PolicyError",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415  # a host that uses no rule does not pay for it

    value = globals()[name] = getattr(import_module(f".{home}", __name__), name)
    return value


__all__ = [
    "Challenge",
    "Code",
    "Event",
    "Key",
    "Keyring",
    "Phase",
    "Policy",
    "PolicyError",
    "Refused",
    "Verdict",
    "accept",
    "answer",
    "claim",
    "derive",
    "issue",
    "matches",
    "phase",
    "read_code",
    "resend",
]
