"""Addresses and names as they may be shown to operators and in logs."""


def mask(text: str) -> str:
    """``j•••@e•••.com``, ``+49•••••67`` or ``j•••``: enough to recognise one's own, too little to read another's.

    Short texts show nothing; an empty text stays empty.
    """
    local, at, domain = text.rpartition("@")
    if at:
        top = domain[domain.rindex(".") :] if "." in domain else ""
        return f"{local[:1]}•••@{domain[:1]}•••{top}"
    if len(text) <= 7:
        return "•••" if text else ""
    return f"{text[:3]}•••••{text[-2:]}" if text.startswith("+") else f"{text[:1]}•••"
