"""Whose account a person enters: the one table of verdicts. docs/identity.md shows it.

The law (7 and 13 of docs/laws.md): an account is entered by a proof, never by a claim. A proof is an address to which
this sign-in's code was sent, or the sub of a pool person whom the pool has just signed in. What is only written, on an
account or in a pool, neither links nor blocks. Two proofs that lead to different accounts, or a proof of an address
that another account has verified, are a case for an operator; the person is in meanwhile if one of the proofs alone
would have let them in. No row reaches staff, and no verdict removes a second factor.

The first row that fits counts:

| what is known | verdict |
|---|---|
| the pool user is erased, excluded by an operator, or gone from the pool and the proof was given to us | refuse |
| the pool user has been migrated before | enter that account; refuse where it was deleted |
| an operator decided, and the proof that it waits for is here | as decided |
| one account carries the sub, or has a proven address verified | enter it |
| several do | conflict; enter the one that has the proven address verified meanwhile |
| the connection trusts the pool, and one account has verified what the pool calls verified | enter it |
| an account without an owner carries a proven address | take it over, or ask its second factor first |
| a pool person, or a proven address of a person whom the site welcomes | create |
| anything else | refuse |
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum, StrEnum

from .evidence import Account, Claim, Decision, Evidence, Held, Holder, Policy, Record


class Action(Enum):
    ENTER = "enter"
    # Enter an account whose owner nobody knows: what they may have left there goes first (law 7).
    TAKE_OVER = "take over"
    CREATE = "create"
    # Enter `Verdict.account` once its second factor has been shown, and keep all that is there.
    ASK_SECOND_FACTOR = "ask a second factor"
    CONFLICT = "conflict"
    REFUSE = "refuse"


class Conflict(StrEnum):
    """A case for an operator to decide."""

    SEVERAL_USERS = "several_users"
    AMBIGUOUS_ADDRESS = "ambiguous_address"
    PRIVILEGED_USER = "privileged_user"
    INACTIVE_USER = "inactive_user"
    LINKED_TO_ANOTHER = "linked_to_another"
    ADDRESS_IS_ANOTHERS = "address_is_anothers"
    ADDRESS_NOT_PROVEN = "address_not_proven"
    DECISION_OUTDATED = "decision_outdated"
    SECOND_FACTOR = "second_factor"


class Refusal(StrEnum):
    """The sign-in is refused; there is nothing to decide."""

    UNKNOWN = "unknown"
    INACTIVE = "inactive"
    STAFF = "staff"
    EXCLUDED = "excluded"
    GONE = "gone"
    ERASED = "erased"
    USER_DELETED = "user_deleted"


@dataclass(frozen=True, slots=True)
class Verdict:
    """``account`` to enter. ``case``: what an operator should look at although the person comes in; the pool user is
    not linked until then. ``gains``: addresses that become verified on the account. ``writes``: addresses that are
    written on a new account without being verified.

    Of a new account, what one more proof would open instead: ``joins`` are claimed addresses whose proof opens an
    account, ``owned`` are accounts that have a proven address written and belong to people of a pool.
    """

    action: Action
    account: Account = None
    reason: Conflict | Refusal | None = None
    case: Conflict | None = None
    gains: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    joins: frozenset[str] = frozenset()
    owned: frozenset[Account] = frozenset()

    @property
    def comes_in(self) -> bool:
        return self.action not in {Action.CONFLICT, Action.REFUSE}


def judge(evidence: Evidence, holders: Iterable[Holder], policy: Policy) -> Verdict:
    """The verdict on one person. ``holders`` are all accounts that carry their sub or one of their addresses, in any
    order."""
    world = _World(evidence, tuple(holders), policy)
    verdict = world.of_pool_person() if evidence.in_pool else world.of_address()
    if verdict.action is not Action.CONFLICT or verdict.reason is None:
        return verdict
    # Whatever is unclear about the pool user: the proof of an address that Django had verified opens its account.
    own = world.of_verified_address()
    if own is None or own.action is not Action.ENTER or not world.may_be_entered_by(own.account):
        return verdict
    return replace(own, case=Conflict(verdict.reason), gains=frozenset())


@dataclass(frozen=True)
class _World:
    evidence: Evidence
    holders: tuple[Holder, ...]
    policy: Policy

    def of_address(self) -> Verdict:
        """A person of no pool, who has proven an address to us."""
        found = self.of_verified_address() or self._of_claimants()
        if found:
            return found
        if any(self._may_be_taken_over(holder) for holder in self.holders):
            return _conflict(Conflict.SECOND_FACTOR)  # they cannot show it
        if self.evidence.welcome:
            return self._create()
        staff = any(holder.staff and self._carries_proven(holder) for holder in self.holders)
        return _refuse(Refusal.STAFF if staff else Refusal.UNKNOWN)

    def of_verified_address(self) -> Verdict | None:
        """By a proven address that Django had verified before; None if there is none."""
        owners = self._verified(Claim.PROVEN)
        if not owners:
            return None
        return self._allowed(owners[0]) if len(owners) == 1 else _conflict(Conflict.AMBIGUOUS_ADDRESS)

    def may_be_entered_by(self, account: Account) -> bool:
        """Staff sign in by our code alone, if the site allows it."""
        holder = self._holder(account)
        return holder is not None and (not holder.staff or self.evidence.by_our_code)

    def of_pool_person(self) -> Verdict:
        record = self.evidence.record
        if record in {Record.ERASED, Record.EXCLUDED}:
            return _refuse(Refusal.ERASED if record is Record.ERASED else Refusal.EXCLUDED)
        if record is Record.GONE and self.evidence.by_our_code:
            return _refuse(Refusal.GONE)
        if record is Record.MIGRATED:
            own = self._holder(self.evidence.account)
            if own is not None:
                return self._back_to(own)
            if not self.policy.deleted_may_return:
                return _refuse(Refusal.USER_DELETED)
        if self.evidence.decision is not None:
            return self._as_decided(self.evidence.decision)
        carriers = [holder for holder in self.holders if holder.carries_sub]
        owners = self._verified(Claim.PROVEN)
        proven = {holder.account: holder for holder in (*carriers, *owners)}
        if len(proven) > 1:
            return _conflict(Conflict.SEVERAL_USERS if carriers else Conflict.AMBIGUOUS_ADDRESS)
        for holder in proven.values():
            return self._linked(holder)
        trusted = self._verified(Claim.BY_POOL) if self.policy.trust_verified else []
        if len(trusted) == 1 and not self._in_the_way(trusted[0]):
            return self._linked(trusted[0])
        return self._of_claimants() or self._keeping_factors(None, self._create())

    def _back_to(self, own: Holder) -> Verdict:
        """The return of a migrated person. What they prove becomes theirs, unless another account has it verified."""
        verdict = self._allowed(own)
        if verdict.action is not Action.ENTER:
            return verdict
        anothers = [holder for holder in self._verified(Claim.PROVEN) if holder.account != own.account]
        return replace(verdict, case=Conflict.ADDRESS_IS_ANOTHERS) if anothers else verdict

    def _as_decided(self, decision: Decision) -> Verdict:
        carriers = [holder for holder in self.holders if holder.carries_sub]
        proven = self.evidence.proven
        if decision.address and decision.address not in proven:
            return _conflict(Conflict.ADDRESS_NOT_PROVEN)
        if decision.choice == "separate":
            free = any(not self._verified_at(address) for address in proven)
            if carriers or not free:
                return _conflict(Conflict.DECISION_OUTDATED if carriers or proven else Conflict.ADDRESS_NOT_PROVEN)
            return self._create()
        if decision.account is None:  # the pool users are one person, who has no account yet
            undecided = replace(self.evidence, decision=None, fewer_factors=False)
            return replace(self, evidence=undecided).of_pool_person()
        holder = self._holder(decision.account)
        if holder is None or any(carrier.account != decision.account for carrier in carriers):
            return _conflict(Conflict.DECISION_OUTDATED)
        obstacle = obstacle_of(holder)
        if obstacle:
            return _conflict(obstacle)
        if decision.choice == "link" and holder.people and not holder.carries_sub:
            return _conflict(Conflict.LINKED_TO_ANOTHER)
        return self._given(holder, decision.address)

    def _given(self, holder: Holder, address: str) -> Verdict:
        """An account that an operator gives to this person, by an address that they prove, or by their sub."""
        owners = self._verified_at(address)
        if (holder.carries_sub and not address) or owners == [holder]:
            return self._enter(holder)
        if owners or address not in holder.addresses or holder.is_proven_elsewhere(address):
            return _conflict(Conflict.DECISION_OUTDATED)
        return self._enter(holder) if holder.carries_sub else self._take_over(holder)

    def _linked(self, holder: Holder) -> Verdict:
        obstacle = self._in_the_way(holder)
        return _conflict(obstacle) if obstacle else self._keeping_factors(holder, self._enter(holder))

    def _in_the_way(self, holder: Holder) -> Conflict | None:
        """Why this pool person may not enter this account, whatever is proven."""
        # Several pool users are one person if each has proven the address or its pool has verified it.
        is_anothers = holder.people > holder.twins and not holder.carries_sub
        return obstacle_of(holder) or (Conflict.LINKED_TO_ANOTHER if is_anothers else None)

    def _keeping_factors(self, holder: Holder | None, verdict: Verdict) -> Verdict:
        """Our code alone is one factor: a person with two in the pool loses one only by an operator's decision."""
        is_fewer = self.evidence.fewer_factors and not (holder and holder.second_factor)
        return _conflict(Conflict.SECOND_FACTOR) if is_fewer else verdict

    def _of_claimants(self) -> Verdict | None:
        """By a proven address that is only written on accounts. Of several, the oldest that has it in the user model's
        own field: an attacker who writes the address on another account later changes nothing."""
        declined, shown, proven = self.evidence.declined, self.evidence.shown, self.evidence.proven
        candidates = [h for h in self.holders if self._may_be_taken_over(h) and h.account not in declined]
        if not candidates:
            return None

        def rank(holder: Holder) -> tuple[bool, int, int, str]:
            strength = max(held for address, held in holder.addresses.items() if address in proven)
            return holder.account not in shown, -strength, holder.joined, str(holder.account)

        best = min(candidates, key=rank)
        return self._keeping_factors(best, self._take_over(best))

    def _take_over(self, holder: Holder) -> Verdict:
        if holder.account in self.evidence.declined:
            return _conflict(Conflict.SECOND_FACTOR)
        if holder.account in self.evidence.shown:
            return self._enter(holder)
        action = Action.ASK_SECOND_FACTOR if holder.second_factor else Action.TAKE_OVER
        return Verdict(action, holder.account, gains=self._gains(holder))

    def _may_be_taken_over(self, holder: Holder) -> bool:
        return obstacle_of(holder) is None and not holder.has_owner and self._carries_proven(holder)

    def _carries_proven(self, holder: Holder) -> bool:
        return any(address in holder.addresses for address in self.evidence.proven)

    def _allowed(self, holder: Holder) -> Verdict:
        if not holder.active:
            return _refuse(Refusal.INACTIVE)
        if holder.staff and not self.policy.staff_sign_in:
            return _refuse(Refusal.STAFF)
        return self._enter(holder)

    def _enter(self, holder: Holder) -> Verdict:
        return Verdict(Action.ENTER, holder.account, gains=self._gains(holder))

    def _create(self) -> Verdict:
        claimed = frozenset(self.evidence.claims) - self.evidence.proven
        carried = frozenset(address for holder in self.holders for address in holder.addresses)
        open_to_proof = [holder for holder in self.holders if obstacle_of(holder) is None]
        joins = frozenset(
            address
            for holder in open_to_proof
            for address, state in holder.addresses.items()
            if address in claimed and (state is Held.VERIFIED or not holder.has_owner)
        )
        owned = frozenset(holder.account for holder in open_to_proof if holder.people and self._carries_proven(holder))
        return Verdict(Action.CREATE, gains=self._gains(), writes=claimed - carried, joins=joins, owned=owned)

    def _gains(self, own: Holder | None = None) -> frozenset[str]:
        """Proven addresses that no account has verified; for a new account also what a trusted pool calls verified."""
        least = Claim.BY_POOL if own is None and self.policy.trust_verified else Claim.PROVEN
        shown = {address for address, claim in self.evidence.claims.items() if claim >= least}
        return frozenset(address for address in shown if not self._verified_at(address))

    def _verified(self, least: Claim) -> list[Holder]:
        """Accounts that have an address verified for which the person has at least this claim."""
        shown = {address for address, claim in self.evidence.claims.items() if claim >= least}
        return [h for h in self.holders if any(h.addresses.get(address) is Held.VERIFIED for address in shown)]

    def _verified_at(self, address: str) -> list[Holder]:
        return [holder for holder in self.holders if holder.addresses.get(address) is Held.VERIFIED]

    def _holder(self, account: Account) -> Holder | None:
        return next((holder for holder in self.holders if holder.account == account), None)


def obstacle_of(holder: Holder) -> Conflict | None:
    """Why no pool person may enter this account, or take it over."""
    if holder.staff:
        return Conflict.PRIVILEGED_USER
    return None if holder.active else Conflict.INACTIVE_USER


def _conflict(reason: Conflict) -> Verdict:
    return Verdict(Action.CONFLICT, reason=reason)


def _refuse(reason: Refusal) -> Verdict:
    return Verdict(Action.REFUSE, reason=reason)
