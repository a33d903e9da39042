"""An address has been proven: it becomes the user's, and what an unproven holder left goes first (law 7)."""

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import AbstractBaseUser

from .. import compat
from ..identifiers import Identifier
from ..models import MigratedUser, PhoneNumber
from ..signals import ownership_proven
from .pool_records import is_verified, profile_of


def take_over(user: AbstractBaseUser, identifier: Identifier) -> None:
    """Gives an account whose address nobody had verified to the person who has just proven it.

    Somebody else may have made the account with this address, and wait. Their password, sessions, links, MFA and
    further unverified addresses go. A new unusable password ends every session, for Django signs sessions with it.
    """
    user.set_unusable_password()
    fields = ["password"]
    if identifier.channel == "email" and compat.email_field():
        setattr(user, compat.email_field(), identifier.value)
        fields.append(compat.email_field())
    user.save(update_fields=fields)
    compat.end_tracked_sessions(user)
    compat.remove_authenticators(user)
    _unlink(user, identifier)
    EmailAddress.objects.filter(user_id=user.pk).exclude(email=identifier.value).delete()
    PhoneNumber.objects.filter(user_id=user.pk).exclude(number=identifier.value).delete()
    mark_proven(user, identifier)
    ownership_proven.send(sender=type(user), user=user, address=identifier.value)


def _unlink(user: AbstractBaseUser, identifier: Identifier) -> None:
    """A pool person who came here by an address that they never proved must not come back by their sub either. Whose
    address the pool had verified is the one who proves it now: after a hosted login, say, that is how they return."""
    rows = list(MigratedUser.objects.filter(user_id=user.pk))
    theirs = [row for row in rows if is_verified(profile_of(row), identifier.value)]
    accounts = SocialAccount.objects.filter(user_id=user.pk)
    for row in theirs:
        accounts = accounts.exclude(provider=row.connection, uid=row.sub)
    accounts.delete()
    MigratedUser.objects.filter(pk__in=[row.pk for row in rows if row not in theirs]).update(
        user_id=None, status=MigratedUser.Status.CONFLICT, last_error="address_taken_over"
    )


def mark_proven(user: AbstractBaseUser, identifier: Identifier) -> None:
    """Records the address as verified. Raises `IntegrityError` when somebody else has verified it meanwhile."""
    if identifier.channel == "sms":
        PhoneNumber.objects.update_or_create(user_id=user.pk, defaults={"number": identifier.value, "verified": True})
        return
    address, created = EmailAddress.objects.get_or_create(
        user_id=user.pk,
        email=identifier.value,
        defaults={
            "verified": True,
            "primary": not EmailAddress.objects.filter(user_id=user.pk, primary=True).exists(),
        },
    )
    if not created and not address.verified:
        address.verified = True
        address.save(update_fields=["verified"])
