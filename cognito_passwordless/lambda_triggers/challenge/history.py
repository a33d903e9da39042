"""Reads the rounds of a sign-in that Cognito reports. A history that is not exact is broken, and fails.

The law of this file: only a round of our own code challenge can be the last step, each round carries on the state of
the one before, and no round is forgotten. The table says which rounds of Cognito's own may come before ours.
"""

from ...otp.records import record
from . import captcha_state, state
from .state import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CUSTOM_CHALLENGE = "CUSTOM_CHALLENGE"
PASSWORD_VERIFIER = "PASSWORD_VERIFIER"  # noqa: S105  # the name of a challenge
PASSWORD = ("SRP_A", PASSWORD_VERIFIER)
# Rounds that Cognito adds after a password, for people with MFA or a remembered device.
AFTER_PASSWORD = frozenset(
    {"SMS_MFA", "EMAIL_OTP", "SOFTWARE_TOKEN_MFA", "DEVICE_SRP_AUTH", "DEVICE_PASSWORD_VERIFIER"}
)
# All of a session has to fit into 4,096 characters, so rounds that cost nothing are not endless either. Ten attempts
# and ten messages are 19 rounds.
MAX_ROUNDS = 20
# Characters of JSON that fit, encrypted and as base64; what the newest round's private parameters take of them; what
# a round takes beside its metadata; and the longest metadata of a first and of a later round of the code.
ROOM, PRIVATE, ENTRY, FIRST, LATER = 2304, 190, 90, 150, 20


@record(frozen=True, slots=True, kw_only=True)
class History:
    """``code`` is the newest round of the code challenge, ``captcha`` that of the captcha; ``right`` is the result of
    the newest round of all. ``password_due``: SRP has begun and the password is still to be proven. ``rounds_left`` is
    how many rounds more the session has room for."""

    rounds_left: int = MAX_ROUNDS
    password_due: bool = False
    captcha: "captcha_state.CaptchaState | None" = None
    captcha_passed: bool = False
    code: State | None = None
    right: bool = False


def read(session: object, *, password_first: bool) -> History | None:
    """The history in ``session`` (null on a first call), or None when it is broken."""
    rounds = [] if session is None else session
    if not isinstance(rounds, list) or len(rounds) > MAX_ROUNDS + len(PASSWORD) + len(AFTER_PASSWORD):
        return None
    entries = [entry if isinstance(entry, dict) else {} for entry in rounds]
    pairs = [(entry.get("challengeName"), entry.get("challengeResult")) for entry in entries]
    if password_first:
        begun = tuple(pairs[: len(PASSWORD)])
        if begun == ((PASSWORD[0], True),):
            return History(password_due=True)
        if begun != tuple((name, True) for name in PASSWORD):
            return None
        rounds, pairs = rounds[len(PASSWORD) :], pairs[len(PASSWORD) :]
        while pairs and pairs[0][0] in AFTER_PASSWORD and pairs[0][1] is True:
            rounds, pairs = rounds[1:], pairs[1:]
    elif pairs and pairs[0][0] == PASSWORD[0]:
        # Mobile SDKs begin with SRP unless told otherwise. By itself it proves nothing and spoils nothing.
        rounds, pairs = rounds[1:], pairs[1:]
    if len(rounds) > MAX_ROUNDS or any(
        name != CUSTOM_CHALLENGE or not isinstance(result, bool) for name, result in pairs
    ):
        return None
    room = ROOM - PRIVATE - sum(ENTRY + len(str(entry.get("challengeMetadata") or "")) for entry in entries)
    return _read_ours([(entry.get("challengeMetadata"), entry["challengeResult"]) for entry in rounds], room)


def _read_ours(rounds: "list[tuple[Any, bool]]", room: int) -> History | None:
    captcha: captcha_state.CaptchaState | None = None
    passed = False
    code: State | None = None
    right = False
    for metadata, result in rounds:
        newest = state.read(metadata) if code is None else code.follow(metadata)
        if newest is not None:
            if code is not None and right:
                return None
            code = newest
        else:
            captcha = captcha_state.read(metadata)
            # A captcha comes before the first code, and not again once it is solved.
            if captcha is None or passed or code is not None:
                return None
            passed = result
        right = result
    left = min(MAX_ROUNDS - len(rounds), (room if code else room - FIRST) // (ENTRY + LATER))
    return History(rounds_left=left, captcha=captcha, captcha_passed=passed, code=code, right=right)
