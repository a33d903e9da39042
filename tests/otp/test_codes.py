import pickle
import uuid
from collections import Counter

import pytest

from cognito_passwordless.otp import Code, Key, Keyring, derive, matches

KEY = Key.from_secret("a secret")


def code(
    challenge: str = "c", *, key: Key = KEY, purpose: str = "sign_in", generation: int = 1, length: int = 6
) -> str:
    return derive(key, challenge, purpose=purpose, generation=generation, length=length).reveal()


def test_the_same_challenge_has_the_same_code_every_time() -> None:
    assert code("c") == code("c")


def test_the_code_depends_on_key_challenge_purpose_and_generation() -> None:
    codes = {
        code("c"),
        code("d"),
        code("c", purpose="other"),
        code("c", generation=2),
        code("c", key=Key.from_secret("another")),
    }
    assert len(codes) == 5


def test_fields_cannot_be_moved_into_each_other() -> None:
    assert code("1c", purpose="p", length=10) != code("c", purpose="p1", length=10)


def test_the_code_of_a_known_challenge_never_changes() -> None:
    """Codes under way survive an upgrade: changing the derivation is a breaking change."""
    assert code("0d1f2c1e-6b52-4f7a-9d0a-0c6a5f1f2b3c") == "770240"


@pytest.mark.parametrize("length", [6, 8, 10])
def test_every_digit_of_every_place_is_equally_likely(length: int) -> None:
    samples = 20_000
    places: list[Counter[str]] = [Counter() for _ in range(length)]
    for number in range(samples):
        drawn = code(str(uuid.UUID(int=number)), length=length)
        assert len(drawn) == length
        for place, digit in zip(places, drawn, strict=True):
            place[digit] += 1
    expected = samples / 10
    for place in places:
        assert set(place) == set("0123456789")
        chi_square = sum((seen - expected) ** 2 / expected for seen in place.values())
        # 9 degrees of freedom; p = 1e-6 is 45.1. The samples are fixed, so this never flickers.
        assert chi_square < 45


def test_leading_zeros_are_kept() -> None:
    assert any(code(str(number)).startswith("0") for number in range(100))


def test_a_code_does_not_show_itself() -> None:
    secret = Code("123456")
    for shown in (repr(secret), str(secret), f"{secret}", f"{[secret]}", "%s" % secret, "%r" % (secret,)):  # noqa: UP031
        assert "123456" not in shown


def test_a_code_cannot_be_put_at_rest() -> None:
    with pytest.raises(TypeError, match="at rest"):
        pickle.dumps(Code("123456"))


def test_an_empty_code_matches_nothing() -> None:
    assert not matches(Code(""), Code(""))
    assert not matches(Code("123456"), Code(""))


def test_codes_compare_by_their_digits() -> None:
    assert matches(Code("012345"), Code("012345"))
    assert not matches(Code("012345"), Code("12345"))
    assert not matches(Code("012345"), Code("०१२३४५"))
    assert Code("1") != "1"


def test_a_key_is_found_by_its_fingerprint_after_a_rotation() -> None:
    before = Keyring.from_secrets(["old"])
    after = Keyring.from_secrets(["new", "old"])
    assert after.current.fingerprint != before.current.fingerprint
    assert after.find(before.current.fingerprint) == before.current
    assert Keyring.from_secrets(["new"]).find(before.current.fingerprint) is None


def test_a_fingerprint_tells_nothing_of_the_key_and_the_key_nothing_of_the_secret() -> None:
    key = Key.from_secret("a secret")
    assert b"a secret" not in key.secret
    assert key.secret.hex() not in repr(key)
    assert not key.secret.hex().startswith(key.fingerprint)


@pytest.mark.parametrize("secrets", [[], [""], [b""], ["fine", ""]])
def test_an_empty_secret_makes_no_key(secrets: list[str]) -> None:
    with pytest.raises(ValueError, match="secret"):
        Keyring.from_secrets(secrets)
