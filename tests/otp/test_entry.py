import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognito_passwordless.otp import read_code


@pytest.mark.parametrize(
    "typed",
    [
        "123456",
        " 123 456 ",
        "123-456",
        "123\u2013456",
        "123\u00a0456",
        "1 2 3 4 5 6",
        "１２３４５６",
        "١٢٣٤٥٦",
        "\u200e123456\u200f",
        "123.456",
        "123456 is your Example code.",
        "Your code for Example:\n\n    123456\n\nIt can be used for 10 minutes.",
        "123 456 is your code",
        "123456 is your Example code. Valid 10 minutes.\n\n@www.example.com #123456",
        "Order 998877 code 123456\n@example.com #123456",
    ],
)
def test_a_code_is_read_however_it_is_written(typed: str) -> None:
    code = read_code(typed)
    assert code is not None
    assert code.reveal() == "123456"


def test_cognitos_eight_digits_are_read_as_well() -> None:
    code = read_code("1234 5678")
    assert code is not None
    assert code.reveal() == "12345678"


@pytest.mark.parametrize("typed", ["", "   ", "123", "12345678901", "abcdef", "no code here", "111111 or 222222"])
def test_what_is_no_code_or_could_be_two_is_not_read(typed: str) -> None:
    assert read_code(typed) is None


@given(st.text(max_size=300))
def test_any_text_is_read_without_an_error_and_gives_only_ascii_digits(typed: str) -> None:
    code = read_code(typed)
    assert code is None or (code.reveal().isascii() and code.reveal().isdigit() and 4 <= len(code.reveal()) <= 10)


@given(st.from_regex(r"[0-9]{6,8}", fullmatch=True), st.sampled_from(["", " ", "-", "\u00a0"]))
def test_every_code_survives_being_grouped(digits: str, separator: str) -> None:
    code = read_code(f"{digits[:3]}{separator}{digits[3:]}")
    assert code is not None
    assert code.reveal() == digits
