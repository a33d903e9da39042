"""Who in Django owns an identifier."""

from dataclasses import dataclass
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser

from .. import compat, user_fields
from ..conf import conf
from ..identifiers import Identifier
from ..models import PhoneNumber


@dataclass(frozen=True, slots=True)
class Owner:
    """``proven``: Django had verified the address before. Otherwise it is only written on the account (`User.email`
    from before allauth, or an unverified `EmailAddress`), and law 7 applies when it is proven now."""

    user: AbstractBaseUser
    proven: bool

    @property
    def refusal(self) -> str:
        """Why this user may not sign in by code; empty where they may."""
        if not self.user.is_active:
            return "inactive"
        # An address that is only written on the account never reaches staff, whatever the setting (law 7).
        allowed = conf.staff_sign_in and self.proven
        return "staff" if is_privileged(self.user) and not allowed else ""


class Ambiguous(Exception):
    """Several accounts carry the address with the same right: only a human can say whose it is."""


def is_privileged(user: AbstractBaseUser) -> bool:
    """Staff and superusers are reached by no migration, and by our code only where `STAFF_SIGN_IN` says so."""
    return bool(getattr(user, "is_staff", False) or getattr(user, "is_superuser", False))


def owner_of(identifier: Identifier) -> Owner | None:
    """The user who owns the identifier. Raises `Ambiguous`. At most three statements, one for most."""
    if identifier.channel == "sms":
        number = PhoneNumber.objects.filter(number=identifier.value, verified=True).select_related("user").first()
        return Owner(number.user, proven=True) if number else _unproven_owner(identifier, set())
    addresses = list(EmailAddress.objects.filter(email=identifier.value).select_related("user"))
    verified = [address.user for address in addresses if address.verified]
    if len(verified) > 1:  # possible where ACCOUNT_UNIQUE_EMAIL is off
        raise Ambiguous
    if verified:
        return Owner(verified[0], proven=True)
    return _unproven_owner(identifier, {address.user for address in addresses})


def _unproven_owner(identifier: Identifier, claimants: set[AbstractBaseUser]) -> Owner | None:
    claimants |= _written_on(identifier)
    # An account with another address of its own that was proven belongs to whoever proved that one.
    candidates = [user for user in claimants if not has_proven_address(user)]
    if len(candidates) > 1:
        raise Ambiguous
    return Owner(candidates[0], proven=False) if candidates else None


def _written_on(identifier: Identifier) -> set[AbstractBaseUser]:
    if identifier.channel == "sms":
        return _with_number(identifier.value)
    field = compat.email_field()
    if not field:
        return set()
    # The database's case folding is wider than ours (a dotless i equals an i to some): compare once more.
    written = get_user_model()._default_manager.filter(**{f"{field}__iexact": identifier.value})
    return {user for user in written if getattr(user, field).lower() == identifier.value}


def _with_number(number: str) -> set[AbstractBaseUser]:
    """By the user model's own field, and by the site's own adapter where it looks for them."""
    field = user_fields.phone_field()
    found: set[Any] = set()
    if field:
        found = set(get_user_model()._default_manager.filter(**{f"{field}__in": spellings_of(number)}))
    if user_fields.adapter_finds_by_phone():
        found |= {compat.account_adapter().get_user_by_phone(number)} - {None}
    return found


def spellings_of(number: str) -> list[str]:
    """A number in E.164 as sites write it, in every form that needs no country to be understood."""
    return [number, number.removeprefix("+"), f"00{number.removeprefix('+')}"]


def claimants_of(identifier: Identifier) -> dict[AbstractBaseUser, bool]:
    """Everybody who carries the identifier, and whether they had proven it. For humans, who decide between them."""
    found: dict[AbstractBaseUser, bool] = dict.fromkeys(_written_on(identifier), False)
    if identifier.channel == "sms":
        numbers = PhoneNumber.objects.filter(number=identifier.value).select_related("user")
        return found | {number.user: number.verified for number in numbers.order_by("verified")}
    addresses = EmailAddress.objects.filter(email=identifier.value).select_related("user")
    return found | {address.user: address.verified for address in addresses.order_by("verified")}


def has_proven_address(user: AbstractBaseUser) -> bool:
    return (
        EmailAddress.objects.filter(user_id=user.pk, verified=True).exists()
        or PhoneNumber.objects.filter(user_id=user.pk, verified=True).exists()
    )


def proven_address(user: AbstractBaseUser, channel: str) -> str:
    """The user's verified address of a channel, the primary one first; empty where there is none."""
    if channel == "sms":
        return (
            PhoneNumber.objects.filter(user_id=user.pk, verified=True).values_list("number", flat=True).first() or ""
        )
    verified = EmailAddress.objects.filter(user_id=user.pk, verified=True).order_by("-primary")
    return verified.values_list("email", flat=True).first() or ""
