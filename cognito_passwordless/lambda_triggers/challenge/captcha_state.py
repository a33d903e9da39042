"""The state of a sign-in's captcha: when it was first shown, and how many answers were wrong."""

from ...otp.records import record, replace

KIND = "captcha1"


@record(frozen=True, slots=True, kw_only=True)
class CaptchaState:
    issued_at: float
    attempts: int = 0

    def write(self) -> str:
        return f"{KIND}|{int(self.issued_at)}|{self.attempts}"

    def spend(self) -> "CaptchaState":
        return replace(self, attempts=self.attempts + 1)


def read(text: object) -> CaptchaState | None:
    """The state that `CaptchaState.write` wrote, or None for anything else."""
    kind, _, rest = text.partition("|") if isinstance(text, str) else ("", "", "")
    issued_at, _, attempts = rest.partition("|")
    if kind != KIND or not (is_number(issued_at, 12) and is_number(attempts, 2) and int(issued_at)):
        return None
    return CaptchaState(issued_at=float(issued_at), attempts=int(attempts))


def is_number(word: str, digits: int) -> bool:
    """As `str` writes a number: no sign, no zeros in front, no digits of other scripts."""
    return 0 < len(word) <= digits and word.isascii() and word.isdigit() and (word == "0" or word[0] != "0")
