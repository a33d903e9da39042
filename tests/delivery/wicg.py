"""A parser for origin-bound one-time codes, step by step as "Origin-bound one-time codes delivered via SMS" says it in
its section "Parsing" (https://wicg.github.io/sms-one-time-codes/#parsing). It shares nothing with the package."""

from dataclasses import dataclass

ASCII_WHITESPACE = "\t\n\f\r "  # https://infra.spec.whatwg.org/#ascii-whitespace


@dataclass(frozen=True)
class OriginBound:
    """The origins are ``("https", host, null, null)``, so their hosts are enough."""

    host: str
    code: str
    embedded_host: str | None = None


def parse(message: str) -> OriginBound | None:
    """What a browser reads in a message; None for "failure"."""
    line = _last_line(message)
    host, position = _extract_a_marked_token(line, 0, "@")
    if host is None or line[position : position + 1] != " ":
        return None
    code, position = _extract_a_marked_token(line, position + 1, "#")
    if code is None:
        return None
    embedded = None
    if line[position : position + 1] == " ":
        embedded, _ = _extract_a_marked_token(line, position + 1, "%")
    return OriginBound(host, code, embedded)


def _extract_a_marked_token(text: str, position: int, marker: str) -> tuple[str | None, int]:
    if text[position : position + 1] != marker:
        return None, position
    start = end = position + 1
    while end < len(text) and text[end] not in ASCII_WHITESPACE:
        end += 1
    return text[start:end] or None, end


def _last_line(text: str) -> str:
    normalised = text.replace("\r\n", "\n").replace("\r", "\n")
    return normalised.rsplit("\n", maxsplit=1)[-1]
