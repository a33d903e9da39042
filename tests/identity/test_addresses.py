"""Spelling and key."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognito_passwordless.identity.addresses import (
    Channel,
    channel_of,
    clean,
    email_key,
    key_of,
    phone_key,
    spellings_of,
)


@pytest.mark.parametrize(
    ("pasted", "address"),
    [
        ("\u200bann@example.com", "ann@example.com"),
        ("\ufeffann@example.com", "ann@example.com"),
        ("\u202aann@example.com\u202c", "ann@example.com"),
        ("ann@example.com\u200e", "ann@example.com"),
        ("an\u00adn@exam\u2060ple.com", "ann@example.com"),
        ("\u00a0ann@example.com\u3000", "ann@example.com"),
        ("Ann <ann@example.com>", "ann@example.com"),
        ('"Ann, E." <ann@example.com>', "ann@example.com"),
        ("<ann@example.com>", "ann@example.com"),
        ("mailto:ann@example.com", "ann@example.com"),
        ("MAILTO:ann@example.com?subject=Hello", "ann@example.com"),
        ("ann@example.com.", "ann@example.com"),
        ("ann@example.com;", "ann@example.com"),
        ("Ann@Example.COM", "Ann@Example.COM"),
        ("\u2066+49 151 2345678\u2069", "+49 151 2345678"),
    ],
)
def test_what_people_paste_is_read(pasted: str, address: str) -> None:
    assert clean(pasted) == address


@pytest.mark.parametrize(
    ("spelling", "key"),
    [
        ("Ann@Example.com", "ann@example.com"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("ann@BÜCHER.example", "ann@xn--bcher-kva.example"),
        ("ann@XN--BCHER-KVA.example", "ann@xn--bcher-kva.example"),
        ("ann@example.com.", "ann@example.com"),
        ("ann+tag@example.com", "ann+tag@example.com"),
        ("o'neil@example.com", "o'neil@example.com"),
    ],
)
def test_the_case_of_letters_and_the_forms_of_a_domain_are_one(spelling: str, key: str) -> None:
    assert key_of(spelling) == key
    assert key_of(key) == key


@pytest.mark.parametrize(
    "lookalike",
    ["mıke@example.com", "ａnn@example.com", "аnn@example.com", "ann@example.com, eve@example.com", "@b.c"],
)
def test_a_lookalike_meets_nobody(lookalike: str) -> None:
    assert key_of(lookalike) == ""


def test_lookalikes_of_a_domain_stay_apart() -> None:
    assert key_of("ann@exаmple.com") not in {"", key_of("ann@example.com")}  # a Cyrillic a


@pytest.mark.parametrize(
    ("forms", "key"),
    [
        (["+525512345678", "+5215512345678", "+520445512345678", "+520455512345678"], "+525512345678"),
        (["+5491123456789", "+541123456789", "+54111523456789", "+549111523456789"], "+5491123456789"),
        (["+5493512345678", "+543512345678", "+54351152345678"], "+5493512345678"),
        (["+5492966412345", "+542966412345", "+54296615412345"], "+5492966412345"),
        (["+5511987654321", "+551187654321"], "+5511987654321"),
        (["+551132654321"], "+551132654321"),  # a fixed line has no ninth digit
        (["+4915123456789"], "+4915123456789"),
        (["+12024561111"], "+12024561111"),
    ],
)
def test_the_forms_that_a_renumbering_made_equal_are_one(forms: list[str], key: str) -> None:
    assert {phone_key(form) for form in forms} == {key}


def test_a_key_knows_its_other_spellings() -> None:
    assert spellings_of("+525512345678") == ("+525512345678", "+5215512345678")
    assert spellings_of("+5511987654321") == ("+5511987654321", "+551187654321")
    assert spellings_of("+5491123456789") == ("+5491123456789", "+541123456789", "+54111523456789")
    assert spellings_of("ann@xn--bcher-kva.example") == ("ann@xn--bcher-kva.example", "ann@bücher.example")
    assert spellings_of("ann@example.com") == ("ann@example.com",)


@pytest.mark.parametrize("number", ["0151 23456789", "15123456789", "+", "+0123456789", "+49", "+491512345678901234"])
def test_what_is_not_in_e164_has_no_key(number: str) -> None:
    assert phone_key(number) == ""


@given(st.one_of(st.emails(), st.from_regex(r"\+[0-9]{6,16}", fullmatch=True), st.text(max_size=60)))
def test_a_key_is_its_own_key_and_so_are_its_spellings(spelling: str) -> None:
    key = key_of(spelling)
    if key:
        assert {key_of(form) for form in spellings_of(key)} == {key}


@given(st.emails())
def test_case_never_makes_two(address: str) -> None:
    if address.isascii():
        assert email_key(address.upper()) == email_key(address.lower()) == email_key(address)


def test_the_examples_from_the_field_are_read() -> None:
    examples = Path(__file__).parents[3] / "shared" / "field" / "typed" / "identifiers.tsv"
    if not examples.exists():
        return
    for line in examples.read_text().splitlines()[1:]:
        typed, key = line.encode().decode("unicode_escape").split("\t")
        plain = clean(typed)
        assert key_of(plain if "@" in plain else plain.replace(" ", "")) == key


@pytest.mark.parametrize(
    ("address", "channel"),
    [("Ann@Example.com", Channel.EMAIL), ("+4915112345678", Channel.SMS), ("0151 12345678", Channel.SMS)],
)
def test_an_address_tells_its_channel_in_any_spelling(address: str, channel: Channel) -> None:
    assert channel_of(address) is channel
    assert channel_of(key_of(address) or address) is channel
