"""Creates a Django user as allauth does: calls the hooks of its adapters in its order, with the request.

docs/new-users.md lists the hooks that are called, and those that are not because there is no form.
"""

import copy
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.models import SocialLogin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest
from django.utils.crypto import get_random_string

from ... import compat, user_fields
from ...exceptions import MigrationRefused
from ...identifiers import Identifier

# What a database says of a value that must be unique: PostgreSQL's SQLSTATE, SQLite's names.
_TAKEN: Final = frozenset({"23505", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"})


def reason_of(error: Exception) -> str:
    """The cause that is recorded when a model, the database or a hook refuses a user."""
    if isinstance(error, ImmediateHttpResponse):
        return "stopped_by_site"
    database = error.__cause__
    codes = {getattr(database, name, None) for name in ("sqlstate", "pgcode", "sqlite_errorname")}
    return "value_taken" if codes & _TAKEN else "value_refused"


@dataclass(frozen=True, slots=True)
class SignUp:
    """The request that creates a user (None for a bulk activation), and the hosted login, if there was one."""

    request: HttpRequest | None = None
    login: SocialLogin | None = None

    def must_be_open(self, address: Identifier) -> None:
        """For a person of no pool: the site may refuse sign-ups, or this address. People of a pool signed up long ago.
        Raises `MigrationRefused` and `ValidationError`."""
        adapter = compat.account_adapter(self.request)
        if not adapter.is_open_for_signup(self.request):
            raise MigrationRefused("signup_closed")
        (adapter.clean_email if address.channel == "email" else adapter.clean_phone)(address.value)

    def save(
        self,
        emails: Sequence[str],
        number: str,
        verified: Collection[str],
        fill: Callable[[AbstractBaseUser], object],
    ) -> tuple[AbstractBaseUser, list[EmailAddress]]:
        """A saved user with these addresses, the primary one first, and its rows. ``fill`` writes the fields that the
        site maps."""
        rows = [
            EmailAddress(email=email, verified=email in verified, primary=not position)
            for position, email in enumerate(emails)
        ]
        email = emails[0] if emails else None
        user: AbstractBaseUser
        if self.login is None:
            adapter = compat.account_adapter(self.request)
            user = adapter.new_user(self.request)
            user_fields.write_addresses(user, email, number)
            fill(user)
            _avoid_hidden_name(user, self.request)
            user = adapter.save_user(self.request, user, compat.SignUpForm(user, email, number)) or user
            if self.request is not None:
                compat.set_up_addresses(self.request, user, rows)
            if number in verified and compat.keeps_phones():
                adapter.set_phone_verified(user, number)
        else:
            # `new_user` and `populate_user` were called when the login arrived. The transaction may be repeated: each
            # time a copy is saved, or the key of a row that was rolled back would overwrite another user's.
            login = copy.copy(self.login)
            login.user, login.account = copy.copy(login.user), copy.copy(login.account)
            user_fields.write_addresses(login.user, email, number)
            fill(login.user)
            compat.drop_unusable_username(login.user, self.request)
            _avoid_hidden_name(login.user, self.request)
            login.email_addresses = [copy.copy(row) for row in rows]
            login.phone, login.phone_verified = number or None, number in verified
            compat.social_adapter().save_user(self.request, login, form=None)
            user = login.user
        for row in rows:
            row.user_id = user.pk
        return user, compat.keep_addresses(user, rows)


def _avoid_hidden_name(user: AbstractBaseUser, request: HttpRequest | None) -> None:
    """Chooses a user name that no hidden user has: allauth asks the model's default manager, which on sites that keep
    deleted users does not tell of them, and the database would refuse the name at every try."""
    name, users = compat.user_model_fields()["USERNAME"], get_user_model()
    if not name or not users._default_manager.all().query.where:
        return
    compat.account_adapter(request).populate_username(request, user)
    wanted = str(getattr(user, name))
    while users._base_manager.filter(**{f"{name}__iexact": getattr(user, name)}).exists():
        setattr(user, name, f"{wanted[:100]}{get_random_string(6, '0123456789')}")
