"""Define auth challenge: the next step of a sign-in. It makes no network call and holds no key.

https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-define-auth-challenge.html
"""

from ..otp.policy import Policy
from .challenge import history, resend
from .challenge.history import CUSTOM_CHALLENGE, PASSWORD_VERIFIER, History
from .core.deadline import Deadline
from .core.environment import Settings
from .core.events import answered, is_unknown, request_of
from .runtime import Note, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TOKENS, FAIL = "tokens", "fail"


def respond(event: object, *, settings: Settings, now: float, deadline: Deadline, note: Note) -> "dict[str, Any]":
    """Tokens after a right answer in time and within the limit, another round, or the end."""
    policy, password_first = settings.policy, settings.password_first
    past = history.read(request_of(event).get("session"), password_first=password_first)
    step, why = _next(event, past, policy, now, settings)
    if step == CUSTOM_CHALLENGE and past is not None and past.rounds_left < 1:
        step, why = FAIL, "rounds"
    note(step, reason=why)
    return _answer(event, step)


def _next(event: object, past: History | None, policy: Policy, now: float, settings: Settings) -> tuple[str, str]:
    """The next step, and why. Decoys go through the same rounds and end at the same limit."""
    if past is None:
        return FAIL, "history"
    if past.password_due:
        return PASSWORD_VERIFIER, "password"
    if past.code is None:
        return _before_code(past, policy, now)
    if settings.captcha_site_key and not past.captcha_passed:
        return FAIL, "captcha"
    renews = settings.renews and not past.right and past.code.challenge.sends < policy.max_sends
    if now >= past.code.challenge.issued_at + policy.ttl and not renews:
        return FAIL, "expired"
    if past.code.challenge.attempts >= policy.max_attempts:
        return FAIL, "attempts"
    wants_resend = resend.is_resend(event, past.code, policy)
    if past.right:
        # Verify accepts none of these, so such a history is not ours.
        return (FAIL, "history") if wants_resend or not past.code.live or is_unknown(event) else (TOKENS, "right")
    if not wants_resend and past.code.challenge.attempts + 1 >= policy.max_attempts:
        return FAIL, "attempts"
    return CUSTOM_CHALLENGE, "again"


def _before_code(past: History, policy: Policy, now: float) -> tuple[str, str]:
    captcha = past.captcha
    if captcha is None or past.captcha_passed:
        return CUSTOM_CHALLENGE, "begin"
    if now >= captcha.issued_at + policy.ttl:
        return FAIL, "expired"
    return (FAIL, "attempts") if captcha.attempts + 1 >= policy.max_attempts else (CUSTOM_CHALLENGE, "again")


def _answer(event: object, step: str) -> "dict[str, Any]":
    going_on = step not in {TOKENS, FAIL}
    response: dict[str, Any] = {"issueTokens": step == TOKENS, "failAuthentication": step == FAIL}
    return answered(event, {**response, "challengeName": step} if going_on else response)


def fail(event: object) -> "dict[str, Any]":
    """The answer after an error of ours: the sign-in is over."""
    return _answer(event, FAIL)


def handler(event: object, context: object) -> "dict[str, Any]":
    return run("define_auth_challenge", respond, event, context, fallback=fail)
