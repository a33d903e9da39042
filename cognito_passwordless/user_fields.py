"""The fields of the site's own user model that hold an address by which people are known."""

from typing import Any, Final, cast

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import CharField

from . import compat

# Names of fields for phone numbers; "phone" is allauth's own word.
_PHONE_FIELDS: Final = frozenset(
    {"phone", "phone_number", "phonenumber", "mobile", "mobile_number", "mobile_phone", "telephone", "msisdn"}
)


def phone_field() -> str:
    """The user model's own field for the phone number by which people are known: its ``USERNAME_FIELD``, or the one
    such field of a model without an e-mail address. Empty if there is none: elsewhere a number is only a note."""
    model = get_user_model()
    found = [
        field.name
        for field in model._meta.concrete_fields
        if isinstance(field, CharField) and (field.name in _PHONE_FIELDS or type(field).__name__ == "PhoneNumberField")
    ]
    if model.USERNAME_FIELD in found:
        return model.USERNAME_FIELD
    return found[0] if len(found) == 1 and not compat.email_field() else ""


def phone_of(user: AbstractBaseUser) -> str:
    """The phone number in the user model's own field."""
    return str(getattr(user, phone_field() or "", None) or "")


def adapter_finds_by_phone() -> bool:
    """Whether the site's own adapter looks for the users who have a phone number."""
    hook = compat.account_adapter().get_user_by_phone
    return hook.__module__.partition(".")[0] not in {"allauth", "cognito_passwordless"}


def write_addresses(user: AbstractBaseUser, email: str | None, number: str) -> None:
    """Sets the user model's own fields; saves nothing. Raises `ValidationError` for a number that does not fit, or if
    the model requires a number and there is none."""
    compat.write_email(user, email)
    name = phone_field()
    field = cast("CharField[Any, Any]", user._meta.get_field(name)) if name else None
    if field is not None and (number or not field.null):
        setattr(user, name, field.clean(number, user))
