"""The oracle of `test_messages`, held against the examples of the text that it is written from."""

import pytest

from .wicg import OriginBound, parse


@pytest.mark.parametrize(
    ("message", "read"),
    [
        (
            "747723 is your ExampleCo authentication code.\n\n@example.com #747723",
            OriginBound("example.com", "747723"),
        ),
        ("Code.\r\n\r\n@example.com #747723", OriginBound("example.com", "747723")),
        (
            "Code.\n\n@example.com #747723 %ecommerce.example",
            OriginBound("example.com", "747723", "ecommerce.example"),
        ),
        ("@example.com #747723 %ecommerce.example $future", OriginBound("example.com", "747723", "ecommerce.example")),
        ("something @example.com #747723", None),
        ("#747723 %ecommerce.example @example.com", None),
        ("@example.com code #747723", None),
        ("@example.com  #747723", None),
        ("@example.com #747723\n", None),
        ("@example.com #747723\nthank you", None),
        ("@ #747723", None),
        ("@example.com #", None),
        ("", None),
    ],
)
def test_the_examples_of_the_text(message: str, read: OriginBound | None) -> None:
    assert parse(message) == read
