"""The code challenge: sends a code that is stored nowhere, and compares the answer with it.

Unknown people, and people without an address to send to, get the same rounds in the same time, and no message.
"""

import os

from ...otp import machine
from ...otp.codes import Keyring, read_code
from ...otp.machine import Phase, Verdict
from ...otp.policy import Policy
from ...otp.records import replace
from ..aws.secrets import keyring
from ..core.events import is_unknown, pool_of, username_of
from . import resend, state
from .interface import Attempt, Presented, Round
from .limits import limits_of
from .state import PURPOSE, State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .delivery import Delivery


class CodeChallenge:
    kind = "otp"

    def present(self, due: Round) -> Presented:
        from .delivery import Delivery  # noqa: PLC0415  # Verify has nothing to deliver

        policy, keys = due.settings.policy, keyring(due.settings, due.deadline)
        reason: dict[str, str] = {}
        delivery = Delivery(due, policy, keys)
        before = due.history.code
        if before is None:
            current, message = self._begin(due, delivery, keys)
        elif not state.belongs(before, _key(keys, before), pool_of(due.event), username_of(due.event)):
            raise LookupError("the state is not this user's, or its key is gone")
        else:
            wish = resend.is_resend(due.event, before, policy)
            expired = machine.phase(before.challenge, policy, due.now) is Phase.EXPIRED
            # Verify may have compared the answer just before the code expired, so it costs an attempt all the same.
            current, message = before if wish else before.spend(), "wrong_code"
            if wish or (expired and due.settings.renews):
                current, message = self._resend(due, delivery, current, policy)
            reason = {"reason": "expired" if expired else "wrong"} if expired or not wish else {}
        due.note(message, attempts=current.challenge.attempts, sends=current.challenge.sends)
        # The client sees the same parameters for every person.
        public = {
            "kind": self.kind,
            "medium": delivery.medium,
            "destination": delivery.masked,
            "message": message,
            "attemptsLeft": str(policy.max_attempts - current.challenge.attempts),
            "secondsLeft": str(max(0, int(current.challenge.issued_at + policy.ttl - due.now))),
            **reason,
        }
        metadata = current.write() if before is None else current.change(before)
        return Presented(public=public, state=current.write(), metadata=metadata)

    def _begin(self, due: Round, delivery: "Delivery", keys: Keyring) -> tuple[State, str]:
        tag = state.owner_tag(keys.current.secret, pool_of(due.event), username_of(due.event))
        number = delivery.number()
        challenge = machine.issue(f"{tag}-{number}", purpose=PURPOSE, keyring=keys, now=due.now)
        begun = State(
            challenge=challenge, nonce=os.urandom(8).hex(), seen=resend.seen(due.event), live=delivery.deliverable
        )
        return delivery.send(begun, "code_sent")

    def _resend(self, due: Round, delivery: "Delivery", before: State, policy: Policy) -> tuple[State, str]:
        marked, it = replace(before, seen=resend.seen(due.event)), before.challenge
        renewing = due.settings.renews and machine.phase(it, policy, due.now) is Phase.EXPIRED
        try:
            following = machine.resend(replace(it, issued_at=due.now) if renewing else it, policy, due.now)
        except machine.Refused as refusal:
            return marked, {"cooldown": "resend_wait", "sends": "resend_limit"}.get(refusal.reason, "expired")
        if renewing:
            following = replace(following, generation=it.generation + 1)
        elif before.send_failed:
            # A failed message is sent again; only a code that arrived is worth replacing.
            following = replace(following, generation=it.generation)
        return delivery.send(replace(marked, challenge=following), "code_resent")

    def check(self, attempt: Attempt) -> bool:
        policy, keys = attempt.settings.policy, keyring(attempt.settings, attempt.deadline)
        current = state.read(attempt.state)
        reason = _refusal(attempt, current, policy, keys)
        given = read_code(attempt.answer)
        if current is None or reason or given is None:
            attempt.note("wrong", reason=reason or "unreadable")
            return False
        limits = attempt.limits or limits_of(attempt.settings, attempt.deadline)
        owner = state.limits_owner(keys, pool_of(attempt.event), username_of(attempt.event))
        # The attempt is claimed before anything is compared (law 2), for every person.
        if not limits.claim_attempt(owner, current.nonce, policy, attempt.now):
            attempt.note("wrong", reason="limit")
            return False
        _, verdict = machine.answer(current.challenge, policy, keys, given, attempt.now)
        right = verdict is Verdict.RIGHT and current.live and not is_unknown(attempt.event)
        if right:
            limits.clear(owner)
        attempt.note("right" if right else "wrong")
        return right


def _refusal(attempt: Attempt, current: State | None, policy: Policy, keys: Keyring) -> str:
    """Why the answer is not compared; empty if it is."""
    if current is None:
        return "state"
    if not state.belongs(current, _key(keys, current), pool_of(attempt.event), username_of(attempt.event)):
        return "owner"
    if resend.is_resend(attempt.event, current, policy):
        return "resend"
    phase = machine.phase(current.challenge, policy, attempt.now)
    return "" if phase is Phase.OPEN else phase.value


def _key(keys: Keyring, of: State) -> bytes:
    key = keys.find(of.challenge.fingerprint)
    # A key that is gone derives nothing: its challenge has no right answer any more.
    return key.secret if key else b"gone"
