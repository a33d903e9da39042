"""Bulk lookup: which of these pool users match an existing Django user by address, sub or link."""

from collections.abc import Collection
from dataclasses import dataclass

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
    """The addresses and subs of some pool users that Django users have. A person who has none of them is new without
    a further query; most people of most pools are."""

    emails: frozenset[str]
    phones: frozenset[str]
    subs: frozenset[str]
    everybody: bool = False

    @classmethod
    def lookup(cls, connection: Connection, records: Collection[MigratedUser]) -> "ExistingUsers":
        """A handful of statements for all of them. Spellings are those of `owners.read`."""
        users = get_user_model()._base_manager
        emails = {record.email_key for record in records if record.email_key}
        phones = {record.phone_key for record in records if record.phone_key}
        subs = {record.sub for record in records}
        known_emails = {*EmailAddress.objects.filter(email__in=emails).values_list("email", flat=True)}
        if name := compat.email_field():
            forms = {form.upper() for email in emails for form in spellings_of(email)}
            written = users.annotate(upper=Upper(name)).filter(upper__in=forms).values_list(name, flat=True)
            known_emails |= set(map(key_of, written))
        known_phones = {*PhoneNumber.objects.filter(number__in=phones).values_list("number", flat=True)}
        if name := user_fields.phone_field():
            spelt = {form: number for number in phones for form in forms_of_number(spellings_of(number))}
            numbers = users.filter(**{f"{name}__in": spelt}).values_list(name, flat=True)
            known_phones |= {spelt[str(number)] for number in numbers}
        aliases = (connection.alias, *connection.also_known_as)
        accounts = SocialAccount.objects.filter(provider__in=aliases, uid__in=subs)
        known_subs = {*accounts.values_list("uid", flat=True)}
        rule = conf.match_user or ""
        if rule and "." not in rule:
            known_subs |= set(map(str, users.filter(**{f"{rule}__in": subs}).values_list(rule, flat=True)))
        return cls(
            emails=frozenset(known_emails),
            phones=frozenset(known_phones),
            subs=frozenset(known_subs),
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
