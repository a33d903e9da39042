"""Addresses as a log or a ``repr`` may show them: enough to recognise, not to use."""


def mask_email(address: str) -> str:
    """``alice@example.com`` becomes ``a***@e***``."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}***@{domain[:1]}***" if local else mask_text(address)


def mask_phone(number: str) -> str:
    """``+4915112345678`` becomes ``+***78``."""
    return f"+***{number[-2:]}" if number.startswith("+") else mask_text(number)


def mask_username(name: str) -> str:
    """A user name may be an address."""
    if "@" in name:
        return mask_email(name)
    return mask_phone(name) if name.startswith("+") else mask_text(name)


def mask_text(text: str) -> str:
    return f"{text[:1]}***" if text else ""
