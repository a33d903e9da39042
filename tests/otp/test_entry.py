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
        # As people paste it, and as pages, mails and spreadsheets leave it.
        "Your code is 123\u00a0456. It expires in 10 minutes.",
        "code 12 34 56 thanks",
        "123456123456",
        "123456 123456",
        "123 456 123 456",
        "123456 123456 123456",
        "Your code is 123456123456.",
        "1\ufe0f\u20e32\ufe0f\u20e33\ufe0f\u20e34\ufe0f\u20e35\ufe0f\u20e36\ufe0f\u20e3",
        "Code: 1\u20e32\u20e33\u20e34\u20e35\u20e36\u20e3 \U0001f44d",
        "123\u00ad456",
        "Your code: 1\u200b2\u200b3\u200b4\u200b5\u200b6",
        "123/456",
        "12.34.56",
        "Your code is 123.456.",
        "Your code is 123\u2011456",
        "G-123456 is your verification code",
        "123&nbsp;456",
        "Code: 123&#160;456",
        "123&#xa0;456",
        "123%20456",
        "123&shy;456",
        "Your code is <b>123</b><wbr>456",
        "<p>Hello,</p><p>123456</p><p>10 minutes</p>",
        "<span>1</span><span>2</span><span>3</span><span>4</span><span>5</span><span>6</span>",
        "①②③④⑤⑥",
        "\u00b9\u00b2\u00b3\u2074\u2075\u2076",
        "❶❷❸❹❺❻",
        "① enter 123456",
        "𝟏𝟐𝟑𝟒𝟓𝟔",
        "१२३४५६",
        "验证码：123456，10分钟内有效",
        "Votre code : 123456 10 min",
        "123456 or 123 456",
    ],
)
def test_a_code_is_read_however_it_is_written(typed: str) -> None:
    code = read_code(typed)
    assert code is not None
    assert code.reveal() == "123456"


def test_cognitos_eight_digits_are_read_as_well() -> None:
    for typed in ("1234 5678", "Your code is 1234 5678", "123 456 78", "1234 5678 1234 5678", "12 34 56 78"):
        code = read_code(typed)
        assert code is not None, typed
        assert code.reveal() == "12345678", typed


@pytest.mark.parametrize(
    "typed",
    [
        *("", "   ", "123", "12345678901", "abcdef", "no code here", "111111 or 222222"),
        *("111111222222", "111111 222222", "111111\n222222", "123456 123457 123456"),
        # A telephone number, alone or beside the code.
        *("+4915112345678", "+15550100", "+1 555 010 0123", "(555) 010-0123", "555 010 0123", "0151 12345678"),
        *("123456, call +49 151 1234567", "Code 123456 or call 0151 1234567", "Call 1 555 010 0123"),
        # A year or a date.
        *("123456 2024", "2024 123456", "© 2024 Example. Your code is 123456", "12/05/2024", "2024-05-12"),
        *("Sent 12.05.2024: 123456", "2024-05-12 123456"),
        # Digits that may be a part of it, or a note.
        *("123456\u00b9", "①23456", "1234 5678\u00b2", "①②③④⑩", "<p>123456</p><p>2024</p>"),
        *("Enter 1 12 1234 5", "1234 5678 9012 3456", "&#99999999;"),
    ],
)
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
