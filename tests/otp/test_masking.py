import pytest

from cognito_passwordless.otp.masking import mask


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("jane@example.com", "j•••@e•••.com"),
        ("a@b.co", "a•••@b•••.co"),
        ("jane@localhost", "j•••@l•••"),
        ('"j@ne"@example.com', '"•••@e•••.com'),
        ("+4915123456767", "+49•••••67"),
        ("+1", "•••"),
        ("a", "•••"),
        ("johnsmith", "j•••"),
        ("6f0d9c5e-3c0b-4d5b-9a53-6d2f1c1a7e10", "6•••"),
        ("", ""),
    ],
)
def test_a_masked_text_shows_little(text: str, shown: str) -> None:
    assert mask(text) == shown
    assert not text or text not in shown
