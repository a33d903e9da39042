import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognito_passwordless.exceptions import InvalidIdentifier
from cognito_passwordless.identifiers import is_normal, mask, parse


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
    assert is_normal(identifier.value)


@given(st.emails())
def test_normalising_twice_changes_nothing(address: str) -> None:
    try:
        once = parse(address)
    except InvalidIdentifier:
        return
    assert parse(once.value) == once


def test_a_pool_address_that_normalising_would_change_is_noticed() -> None:
    assert is_normal("bob@example.com")
    assert not is_normal("Bob@example.com")
    assert not is_normal("nonsense")


@pytest.mark.parametrize("address", ["bob@example.com", "+4915123456789", "a@b.co", "+1", ""])
def test_a_masked_address_does_not_show_the_address(address: str) -> None:
    assert "•••" in mask(address)
    assert address == "" or address not in mask(address)
