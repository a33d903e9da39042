"""Takeover: when a person proves an address that Django had not verified, credentials set up by the unverified account
holder (password, sessions, links) are removed before it becomes theirs. Also creates accounts."""

from collections.abc import Collection

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import AbstractBaseUser

from ... import compat
from ...cognito import CognitoProfile
from ...conf import conf
from ...identifiers import Identifier
from ...identity import Verdict
from ...models import MigratedUser, PhoneNumber
from ...otp.masking import mask
from ...signals import ownership_proven
from .attributes import apply_attributes
from .changes import MigrationChanges
from .new_users import SignUp
from .owner_notices import tell_owner
from .owners import written_spelling


def take_over(user: AbstractBaseUser, address: Identifier) -> None:
    """Gives an account whose address was not verified to the person who has just proven it.

    An attacker may have created the account with this address, and wait. Its password, sessions, links and further
    unverified addresses are removed. A new unusable password ends every session, because Django signs sessions with
    it. An account with a second factor is never taken over: the factor is asked for, and its holder keeps everything.

    The account may as well be the owner's own, from before addresses were verified here: a mail says what was removed.
    """
    recipient = written_spelling(user, address)
    had_password = bool(user.password) and user.has_usable_password()
    user.set_unusable_password()
    fields = ["password"]
    if address.channel == "email" and compat.email_field():
        setattr(user, compat.email_field(), address.value)
        fields.append(compat.email_field())
    user.save(update_fields=fields)
    compat.end_tracked_sessions(user)
    # A pool user who came in by an address that they never proved must not return by their sub either. One whose pool
    # verified the address is the person who proves it now: a hosted login, for example, returns by that link.
    accounts, unproven = SocialAccount.objects.filter(user_id=user.pk), []
    for row in MigratedUser.objects.filter(user_id=user.pk):
        if address.value in row.verified_keys:
            accounts = accounts.exclude(provider=row.connection, uid=row.sub)
        else:
            unproven.append(row.pk)
    links = sorted({compat.provider_name(name) for name in accounts.values_list("provider", flat=True)})
    accounts.delete()
    MigratedUser.objects.filter(pk__in=unproven).update(
        user_id=None, status=MigratedUser.Status.CONFLICT, last_error="address_taken_over"
    )
    EmailAddress.objects.filter(user_id=user.pk).exclude(email=address.value).delete()
    PhoneNumber.objects.filter(user_id=user.pk).exclude(number=address.value).delete()
    mark_proven(user, address)
    ownership_proven.send(sender=type(user), user=user, address=address.value)
    if address.channel == "email" and (had_password or links):
        tell_owner(recipient, "taken_over", {"password": had_password, "links": links})


def give(user: AbstractBaseUser, addresses: Collection[Identifier]) -> None:
    """Records addresses as verified. A user has one number: a number that was verified before stays."""
    for address in sorted(addresses, key=str):
        if address.channel == "sms":
            rows = PhoneNumber.objects.filter(user_id=user.pk, verified=True)
            if rows.exclude(number=address.value).exists():
                continue
        mark_proven(user, address)


def replace_old(
    user: AbstractBaseUser, gained: Collection[Identifier], record: MigratedUser, changes: MigrationChanges
) -> None:
    """The person has proven a new address of the pool's: one that only the migration had written no longer opens the
    account. The new one becomes primary with ``UPDATE_ON_RETURN`` ``all``, and if the primary one was removed.

    Both addresses get a mail, because an attacker may have changed it in the pool. Each mail shows the other address
    masked: the reader of one mailbox has not proven the other."""
    emails = [address.value for address in gained if address.channel == "email"]
    if not emails:
        return
    rows = EmailAddress.objects.filter(user_id=user.pk, pk__in=changes.emails).exclude(email__in=emails)
    brought = list(rows)
    rows.delete()
    changes.emails = []
    # A primary address is in the user model's own field too, where a password reset would still find it.
    if conf.update_on_return == "all" or any(row.primary for row in brought):
        EmailAddress.objects.get(user_id=user.pk, email=emails[0]).set_as_primary()
    for row in brought:
        # An address that was not verified, here or in the pool, never opened the account and may be a stranger's.
        if row.verified or row.email in record.verified_keys:
            tell_owner(row.email, "old_address", {"addresses": [mask(email) for email in emails]})
    for email in emails if brought else []:
        tell_owner(email, "new_address", {"addresses": [mask(row.email) for row in brought]})


def mark_proven(user: AbstractBaseUser, address: Identifier) -> None:
    """Records the address as verified. Raises `IntegrityError` if another account has verified it meanwhile."""
    if address.channel == "sms":
        PhoneNumber.objects.update_or_create(user_id=user.pk, defaults={"number": address.value, "verified": True})
        return
    is_first = not EmailAddress.objects.filter(user_id=user.pk, primary=True).exists()
    new = {"verified": True, "primary": is_first}
    row, created = EmailAddress.objects.get_or_create(user_id=user.pk, email=address.value, defaults=new)
    if not created and not row.verified:
        row.verified = True
        row.save(update_fields=["verified"])


def create(
    profile: CognitoProfile,
    addresses: Collection[Identifier],
    verdict: Verdict,
    sign_up: SignUp,
    changes: MigrationChanges,
) -> AbstractBaseUser:
    """Creates a user with the addresses that the verdict gives and writes, and records it in ``changes``."""
    ours = [address for address in addresses if address.value in verdict.gains | verdict.writes]
    ours.sort(key=lambda address: (address.value not in verdict.gains, address.value))
    emails = [address.value for address in ours if address.channel == "email"]
    number = next((address.value for address in ours if address.channel == "sms"), "")
    user, rows = sign_up.save(
        emails, number, verdict.gains, lambda user: apply_attributes(user, profile, policy="all")
    )
    if number:
        proven = {"number": number, "verified": number in verdict.gains}
        PhoneNumber.objects.update_or_create(user_id=user.pk, defaults=proven)
    changes.user, changes.phone, changes.account = True, bool(number), sign_up.login is not None
    changes.emails = [str(row.pk) for row in rows]
    return user
