"""Which challenge is due in a round, and which one an answer belongs to.

A round imports the one challenge that it needs: a cold start pays for every import.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..core.environment import Settings
    from .history import History
    from .interface import Challenge


def challenge_for(history: "History", settings: "Settings") -> "Challenge":
    """A captcha before the first message, where one is configured; then the code."""
    if settings.captcha_site_key and history.code is None and not history.captcha_passed:
        return _captcha()
    return _code()


def challenge_named(kind: str) -> "Challenge | None":
    return {"otp": _code, "captcha": _captcha}.get(kind, lambda: None)()


def _code() -> "Challenge":
    from .code import CodeChallenge  # noqa: PLC0415

    return CodeChallenge()


def _captcha() -> "Challenge":
    from .captcha import CaptchaChallenge  # noqa: PLC0415

    return CaptchaChallenge()
