"""How many parts an SMS takes, by 3GPP TS 23.038 (alphabets) and TS 23.040 (concatenation)."""

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = "^{}\\[~]|€\f"  # an escape and a septet each


def septets(text: str) -> int | None:
    """The length in the GSM 7-bit alphabet; None where a character is not in it."""
    if not all(character in BASIC + EXTENDED for character in text):
        return None
    return sum(2 if character in EXTENDED else 1 for character in text)


def parts(text: str) -> int:
    """How many messages are paid for."""
    length = septets(text)
    if length is not None:
        return 1 if length <= 160 else -(-length // 153)
    units = len(text.encode("utf-16-be")) // 2
    return 1 if units <= 70 else -(-units // 67)
