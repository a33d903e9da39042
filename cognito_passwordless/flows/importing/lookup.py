"""Whether any Django user carries something of a person's, for thousands of them at once."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import get_user_model
from django.db.models.functions import Upper

from ... import compat, user_fields
from ...cognito import Connection
from ...conf import conf
from ...identity.addresses import key_of, spellings_of
from ...models import MigratedUser, PhoneNumber
from ..accounts.owners import forms_of_number


@dataclass(frozen=True)
class ExistingUsers:
    """What of some people is existing by Django users at all. Who carries nothing is new, without a further look; most
    people of most pools are."""

    emails: frozenset[str]
    phones: frozenset[str]
    subs: frozenset[str]
    everybody: bool = False

    @classmethod
    def lookup(cls, connection: Connection, records: Collection[MigratedUser]) -> "ExistingUsers":
        """A handful of statements for all of them."""
        emails = {record.email_key for record in records if record.email_key}
        phones = {record.phone_key for record in records if record.phone_key}
        subs = {record.sub for record in records}
        rule = conf.match_user or ""
        names = (connection.alias, *connection.also_known_as)
        accounts = SocialAccount.objects.filter(provider__in=names, uid__in=subs).values_list("uid", flat=True)
        matched: Iterable[Any] = ()
        if rule and "." not in rule:
            users = get_user_model()._default_manager.filter(**{f"{rule}__in": subs})
            matched = map(str, users.values_list(rule, flat=True))
        return cls(
            emails=frozenset({*_owned(emails), *_written(emails)}),
            phones=frozenset({*_numbers(phones), *_written_numbers(phones)}),
            subs=frozenset({*accounts, *matched}),
            everybody="." in rule or user_fields.adapter_finds_by_phone(),
        )

    def has(self, record: MigratedUser) -> bool:
        return (
            self.everybody
            or record.user_id is not None
            or record.sub in self.subs
            or record.email_key in self.emails
            or record.phone_key in self.phones
        )


def _owned(emails: Collection[str]) -> Iterator[str]:
    yield from EmailAddress.objects.filter(email__in=emails).values_list("email", flat=True)


def _numbers(phones: Collection[str]) -> Iterator[str]:
    yield from PhoneNumber.objects.filter(number__in=phones).values_list("number", flat=True)


def _written_numbers(phones: Collection[str]) -> Iterator[str]:
    name = user_fields.phone_field()
    if name:
        spelt = {form: number for number in phones for form in forms_of_number(spellings_of(number))}
        users = get_user_model()._default_manager.filter(**{f"{name}__in": spelt})
        yield from (spelt[str(written)] for written in users.values_list(name, flat=True))


def _written(emails: Collection[str]) -> Iterator[str]:
    """As `owners.read` looks for them, in one pass over the users."""
    name = compat.email_field()
    if name:
        users = get_user_model()._default_manager.annotate(upper=Upper(name))
        forms = {form.upper() for email in emails for form in spellings_of(email)}
        written = users.filter(upper__in=forms).values_list(name, flat=True)
        yield from map(key_of, written)
