"""Reads the addresses in the user model's own fields."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

import phonenumbers
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import QuerySet
from django.db.models.functions import Lower

from ... import compat, user_fields
from ...conf import conf
from ...exceptions import InvalidIdentifier
from ...identifiers import Identifier, known, parse
from ...identity import Channel
from ..accounts.owners import forms_of_number


def fields() -> dict[Channel, str]:
    """The user model's fields for addresses, by channel."""
    named: dict[Channel, str] = {Channel.EMAIL: compat.email_field(), Channel.SMS: user_fields.phone_field()}
    return {channel: name for channel, name in named.items() if name}


def texts(user: AbstractBaseUser) -> dict[Channel, str]:
    """The texts in these fields."""
    found = {channel: str(getattr(user, name) or "").strip() for channel, name in fields().items()}
    return {channel: text for channel, text in found.items() if text}


def parse_written(channel: Channel, text: str) -> Identifier | None:
    """The address that a field holds; None if it cannot be typed, or if reading it would be a guess."""
    found = known(_international(text) if channel == "sms" else text)
    if found is None or found.channel != channel:
        return None
    try:
        parse(found.value)
    except InvalidIdentifier:
        return None
    return found


def _international(text: str) -> str:
    """The number in E.164. Ten digits may be one country's number without its code and another's with it: without
    ``+`` or ``00``, only numbers of countries count to which this site sends SMS."""
    if text.startswith("+") or not (text.isascii() and text.isdigit()):
        return text
    if text.startswith("00"):
        return f"+{text[2:]}"
    try:
        country = phonenumbers.region_code_for_number(phonenumbers.parse(f"+{text}"))
    except phonenumbers.NumberParseException:
        return text
    return f"+{text}" if country in conf.sms_countries else text


def carriers_of(addresses: Collection[Identifier]) -> dict[str, set[Any]]:
    """The primary keys of the users who have these written, by the addresses' keys. One statement for each field."""
    users, found = get_user_model()._default_manager.all(), defaultdict[str, set[Any]](set)
    for channel, name in fields().items():
        wanted = [address for address in addresses if address.channel == channel]
        if not wanted:
            continue
        if channel == "email":
            keys = {form.lower(): address.value for address in wanted for form in address.spellings}
            rows: QuerySet[Any] = users.alias(folded=Lower(name)).filter(folded__in=keys)
        else:
            keys = {form: address.value for address in wanted for form in forms_of_number(address.spellings)}
            rows = users.filter(**{f"{name}__in": keys})
        for pk, text in rows.values_list("pk", name):
            key = keys.get(str(text).lower())
            # The database's case folding is wider than ours: see `flows.accounts.owners`.
            if key and (channel == "sms" or known(str(text)) == Identifier(key, Channel.EMAIL)):
                found[key].add(pk)
    return found
