"""What the outcomes of a dry run, and of an activation, mean to whoever reads them in a terminal."""

from collections.abc import Iterator, Mapping

from ..models import ImportProblem
from .terminal import plain

Outcome = tuple[str, str]
REASONS: Mapping[str, str] = {
    "nobody_known": "no Django user has their address or sub",
    "carries_sub": "a Django user carries their sub",
    "verified_address": "a Django user has verified their address",
    "second_factor": "a Django user has their address unverified and a second factor, which is asked for first",
    "same_person": "another pool user with the same verified address is the same person",
    "may_join": "a Django user has their address, and a proof of it opens that account instead of a new one",
    "unverified_address": "a Django user has their address unverified: what that user left goes first",
    "several_pool_users": "several pool users carry the same address in different spellings",
    "several_users": "their addresses and sub belong to different Django users",
    "ambiguous_address": "several Django users have verified the address",
    "privileged_user": "the Django user is staff or a superuser",
    "inactive_user": "the Django user is switched off",
    "linked_to_another": "the Django user belongs to another pool user already",
    "address_not_proven": "a Django user has their address, and only a sign-in can prove it",
    "value_taken": "a value that must be unique is taken by another Django user",
    "value_refused": "a value does not fit the user model, or a rule of the site refuses it",
    "stopped_by_site": "a hook of the site's adapter stopped it with a response of its own",
    "refused": "the database refuses it",
    "migrated": "migrated already",
    "excluded": "excluded by a human",
    "not_seen": "the pool has them no more: they would be marked as gone",
    "decided": "a human has decided about them already",
    "erased": "erased",
    "disabled": "disabled in the pool",
    "unconfirmed": "unconfirmed in the pool",
    "archived": "archived in the pool",
    "no_user_to_pair": "no Django user carries their sub",
    "external_provider": "they sign in at another provider",
    "not_confirmed": "not confirmed in the pool",
    "mfa": "they have a second factor in the pool: they have to sign in there first",
    "mfa_unknown": "they may have a second factor in the pool, which ListUsers does not tell (see docs/importing.md)",
    "no_address": "they have no address that a code could go to",
    "no_verified_address": "the pool has verified no address of theirs",
}


def lines(outcomes: Mapping[Outcome, int], examples: Mapping[Outcome, list[str]]) -> Iterator[str]:
    """A line for each kind of outcome, with some of the people."""
    for outcome, count in sorted(outcomes.items()):
        if not count:
            continue
        kind, reason = outcome
        named = [plain(each) for each in examples.get(outcome, [])]
        such_as = f" ({', '.join(named)}{', …' if count > len(named) else ''})" if named else ""
        yield f"  {kind:8} {count:>9,}  {_told(reason)}{such_as}"


def _told(reason: str) -> str:
    if reason in REASONS:
        return REASONS[reason]
    known = dict(ImportProblem.Reason.choices)
    return str(known.get(reason, reason))
