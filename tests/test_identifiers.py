from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognito_passwordless.exceptions import InvalidIdentifier
from cognito_passwordless.identifiers import known, looks_like_address, parse, typed
from cognito_passwordless.identity import Channel
from cognito_passwordless.models import CHANNEL_CHOICES


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Bob@Example.COM", "bob@example.com"),
        ("  bob@example.com\n", "bob@example.com"),
        ("ｂｏｂ@example.com", "bob@example.com"),
        ("bob@bücher.example", "bob@xn--bcher-kva.example"),
        ("BOB+tag@Example.com", "bob+tag@example.com"),
    ],
)
def test_an_email_address_is_stored_in_one_form(typed: str, stored: str) -> None:
    identifier = parse(typed)
    assert (identifier.value, identifier.channel) == (stored, "email")


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("+49 1512 3456789", "+4915123456789"),
        ("01512 3456789", "+4915123456789"),
        ("0049 1512 3456789", "+4915123456789"),
        ("＋４９ 1512 3456789", "+4915123456789"),
        ("+1 (202) 456-1111", "+12024561111"),
    ],
)
def test_a_phone_number_is_stored_as_e164_and_read_in_the_sites_own_country(typed: str, stored: str) -> None:
    identifier = parse(typed)
    assert (identifier.value, identifier.channel) == (stored, "sms")


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "bob",
        "bob@",
        "@example.com",
        "bob@example",
        "bob@@example.com",
        "a b@example.com",
        "mıke@example.com",  # a dotless i, which some databases take for an i
        "bob@example.com\nbcc: eve@example.com",
        "x" * 300 + "@example.com",
        "12",
        "+49",
        "+4915123456789 ext. 3",
        "+999123456789",
    ],
)
def test_what_is_neither_is_refused(typed: str) -> None:
    with pytest.raises(InvalidIdentifier):
        parse(typed)


@given(st.text(max_size=100))
def test_any_text_is_stored_normalised_or_refused(typed: str) -> None:
    try:
        identifier = parse(typed)
    except InvalidIdentifier:
        return
    assert parse(identifier.value) == identifier
    assert known(identifier.value) == identifier


@given(st.emails())
def test_normalising_twice_changes_nothing(address: str) -> None:
    try:
        once = parse(address)
    except InvalidIdentifier:
        return
    assert parse(once.value) == once


def test_a_pools_spelling_is_kept_beside_the_key() -> None:
    bob = known("Bob@Example.com")
    assert bob is not None
    assert (bob, bob.spelling) == (parse("bob@example.com"), "Bob@Example.com")
    assert bob.spellings == ("Bob@Example.com", "bob@example.com")
    assert known("nonsense") is None


@pytest.mark.parametrize(
    "typed", ["+52 1 55 1234 5678", "+52 55 1234 5678", "\u200b+52 55 1234 5678", "tel:+525512345678"]
)
def test_a_renumbered_phone_is_one_whatever_form_is_typed(typed: str) -> None:
    assert parse(typed).value == "+525512345678"


def test_a_national_form_is_read_in_the_sites_own_country(settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "SMS_COUNTRIES": ["MX"]}
    assert {parse(typed).value for typed in ("55 1234 5678", "1 55 1234 5678", "044 55 1234 5678")} == {
        "+525512345678"
    }


def test_a_channel_has_a_name_for_the_forms() -> None:
    assert [value for value, _ in CHANNEL_CHOICES] == list(Channel)


@pytest.mark.parametrize(
    ("text", "is_address"), [("ann@example.com", True), ("+4915112345678", True), ("ann", False), ("", False)]
)
def test_a_user_name_that_is_an_address_is_recognised(text: str, is_address: bool) -> None:
    assert looks_like_address(text) is is_address


SMS_ALONE = {"email": [], "sms": [{"BACKEND": "cognito_passwordless.delivery.memory.MemorySender"}]}


@pytest.mark.parametrize("text", ["ann@nowhere", "@ann", "+49", "+abc", "victim@example.com"])
@pytest.mark.parametrize("senders", [{}, SMS_ALONE])
def test_what_is_written_like_an_address_is_never_a_user_name(text: str, senders: Any, settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {"USERNAMES": ["main"], "SENDERS": senders, "SMS_COUNTRIES": ["DE"]}
    if text == "victim@example.com":
        assert typed(text) == parse(text)
    else:
        with pytest.raises(InvalidIdentifier):
            typed(text)
