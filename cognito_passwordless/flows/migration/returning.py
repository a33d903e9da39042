"""A person who was migrated before: what they prove now becomes theirs; the settings say what else is written."""

from collections.abc import Mapping
from datetime import datetime

from ... import keys
from ...cognito import CognitoProfile
from ...conf import conf
from ...identifiers import Identifier
from ...identity import Claim, Conflict, Verdict
from ...models import MigratedUser
from ..accounts import owners, takeover
from ..accounts.attributes import apply_groups, fill
from ..accounts.changes import MigrationChanges


def looked_at(record: MigratedUser, claims: Mapping[Identifier, Claim]) -> dict[Identifier, Claim]:
    """The addresses to look up: those that the person proves and, for the timeline alone, those that their record does
    not have. A claim writes nothing and has no say in the verdict. If the user was deleted, the person is about to get
    another account, where a claim would have a say."""
    on_record = {record.email_key, record.phone_key}
    return {
        address: claim
        for address, claim in claims.items()
        if claim is Claim.PROVEN or (record.user_id is not None and address.value not in on_record)
    }


def come_back(
    record: MigratedUser,
    profile: CognitoProfile,
    claims: Mapping[Identifier, Claim],
    verdict: Verdict,
    accounts: owners.Accounts,
    *,
    now: datetime,
) -> str:
    """Writes what a return writes. Returns the cause for the timeline if an address is new and another account has
    it, else an empty string."""
    MigratedUser.objects.filter(pk=record.pk).update(active_at=now)
    user, changes = accounts.user_of(verdict), MigrationChanges.load(record)
    gained = [address for address in claims if address.value in verdict.gains]
    takeover.give(user, gained)
    if gained:
        takeover.replace_old(user, gained, record, changes)
    fill(user, profile, changes, policy=conf.update_on_return)
    if conf.update_on_return != "none":
        changes.record_groups(apply_groups(user, profile))
    # An address of another account stays so at every later sign-in: the timeline mentions it once, and once more if
    # the person proves it.
    of_others = accounts.verified_by_others(user)
    marks = {
        keys.mark(f"{claim is Claim.PROVEN} {address}"): claim
        for address, claim in claims.items()
        if address.value in of_others
    }
    news = {mark: claim for mark, claim in marks.items() if mark not in changes.left_out}
    changes.left_out = sorted({*changes.left_out, *news})
    if changes != MigrationChanges.load(record):
        record.changes = changes.as_json()
        record.save(update_fields=["changes"])
    if Claim.PROVEN in news.values():
        return Conflict.ADDRESS_IS_ANOTHERS
    return "address_dropped" if news else ""
