"""The state of a sign-in between its rounds. Cognito carries it; it never holds a code.

Create writes it twice. Verify reads the whole state from a private parameter, which lives as long as its round. Define
and the next Create read ``challengeMetadata``, which Cognito keeps for every round, in a session of 4,096 characters:
in the first round it is the whole state, later only the change. Anything that does not read back exactly is no state,
and a sign-in without state fails.
"""

from hmac import compare_digest

from ...otp.records import record, replace
from ..aws.secrets import mark
from .captcha_state import is_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...otp.codes import Keyring
    from ...otp.machine import Challenge

PURPOSE = "custom_auth"
KIND, FIELDS = "otp1", 11
_HEX = frozenset("0123456789abcdef")


@record(frozen=True, slots=True, kw_only=True)
class State:
    """One challenge, as its newest round left it.

    ``nonce`` names this one sign-in to the limits table: the id may be shared by a repeat. ``seen`` is a hash of the
    last ``custom:resend`` that was acted upon. ``live`` is False for a decoy, which has no right answer.
    A ``last_sent_at`` of 0 says that the last message could not be sent.
    """

    challenge: "Challenge"
    nonce: str
    seen: str = ""
    live: bool = True

    @property
    def send_failed(self) -> bool:
        return self.challenge.last_sent_at == 0

    def write(self) -> str:
        it = self.challenge
        fields = (
            KIND,
            it.id,
            self.nonce,
            it.fingerprint,
            int(it.issued_at),
            int(it.last_sent_at),
            it.generation,
            it.attempts,
            it.sends,
            self.seen,
            int(self.live),
        )
        return "|".join(str(value) for value in fields)

    def change(self, before: "State") -> str:
        """What is new since the round before: counts that went up by one, a new code, the last message."""
        it, was = self.challenge, before.challenge
        ups = (("a", it.attempts - was.attempts), ("s", it.sends - was.sends), ("g", it.generation - was.generation))
        sent = "" if self.send_failed else int(it.last_sent_at) - int(it.issued_at)
        at = f"@{sent}" if int(it.last_sent_at) != int(was.last_sent_at) else ""
        new = f"e{int(it.issued_at) - int(was.issued_at)}" if int(it.issued_at) != int(was.issued_at) else ""
        seen = f"~{self.seen}" if self.seen != before.seen else ""
        return "+" + "".join(letter * up for letter, up in ups) + new + at + seen

    def follow(self, text: object) -> "State | None":
        """The state after this one whose `change` is ``text``, or None for anything else."""
        rest, tilde, seen = text.partition("~") if isinstance(text, str) else ("", "", "")
        rest, at, sent = rest.partition("@")
        ups, new, since = rest.partition("e")
        # No count goes up by more than one in a round, and time begins again only with a message and another code.
        if len(ups) != len({*ups}) or not all(is_number(word, 5) for word in (sent, since) if word):
            return None
        if new and not (since and {"s", "g"} <= {*ups}):
            return None
        it = replace(self.challenge, issued_at=self.challenge.issued_at + int(since or 0))
        challenge = replace(
            it,
            last_sent_at=(it.issued_at + int(sent) if sent else 0.0) if at else it.last_sent_at,
            attempts=it.attempts + ups.count("a"),
            sends=it.sends + ups.count("s"),
            generation=it.generation + ups.count("g"),
        )
        newer = replace(self, challenge=challenge, seen=seen if tilde else self.seen)
        return read(newer.write()) if newer.change(self) == text else None

    def spend(self) -> "State":
        """One attempt more."""
        return replace(self, challenge=replace(self.challenge, attempts=self.challenge.attempts + 1))


def read(text: object) -> State | None:
    """The state that `State.write` wrote, or None for anything else.

    No regular expression: compiling one takes longer than all the rest of a cold start of ours.
    """
    parts = text.split("|") if isinstance(text, str) else []
    if len(parts) != FIELDS or parts[0] != KIND:
        return None
    _, number, nonce, fingerprint, *counts, seen, live = parts
    owner, dash, own = number.partition("-")
    marks = ((owner, 32), (own, 32), (nonce, 16), (fingerprint, 16), (seen, len(seen) and 8))
    well_formed = all(len(word) == length and _HEX.issuperset(word) for word, length in marks)
    if not (dash and well_formed and live in {"0", "1"}):
        return None
    # issued at, last sent at, generation, attempts, sends
    if not all(is_number(count, digits) for count, digits in zip(counts, (12, 12, 2, 2, 2), strict=True)):
        return None
    issued_at, last_sent_at, generation, attempts, sends = map(int, counts)
    if not (issued_at and generation and sends):
        return None
    from ...otp.machine import Challenge  # noqa: PLC0415  # the first Define of a sign-in has no state to read

    challenge = Challenge(
        id=number,
        purpose=PURPOSE,
        fingerprint=fingerprint,
        issued_at=float(issued_at),
        last_sent_at=float(last_sent_at),
        generation=generation,
        attempts=attempts,
        sends=sends,
    )
    return State(challenge=challenge, nonce=nonce, seen=seen, live=live == "1")


def owner_tag(key: bytes, pool_id: str, username: str) -> str:
    """The first half of a challenge's id. It names the user, so that one user's state is useless to another."""
    return mark(key, "owner", pool_id, username)


def belongs(state: State, key: bytes, pool_id: str, username: str) -> bool:
    return compare_digest(state.challenge.id.partition("-")[0], owner_tag(key, pool_id, username))


def limits_owner(keys: "Keyring", pool_id: str, username: str) -> str:
    """The user of a count in the limits table, as a hash. The oldest key: a rotation must not reset the counts."""
    return mark(keys.keys[-1].secret, "limits", pool_id, username)
