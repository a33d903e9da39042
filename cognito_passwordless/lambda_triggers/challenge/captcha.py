"""A captcha before the first message: an attacker has to solve one for every SMS.

``CAPTCHA_SITE_KEY``, ``CAPTCHA_SECRET`` (or ``…_ARN``), ``CAPTCHA_URL``: any service with the interface of
reCAPTCHA's ``siteverify`` (hCaptcha and Turnstile have it).
"""

from ..aws.secrets import secret
from ..core.deadline import Deadline
from ..core.environment import Settings
from . import captcha_state
from .captcha_state import CaptchaState
from .interface import Attempt, Presented, Round

DEFAULT_URL = "https://challenges.cloudflare.com/turnstile/v0/siteverify"
LONGEST_TOKEN = 4096


class CaptchaChallenge:
    kind = "captcha"

    def present(self, due: Round) -> Presented:
        before = due.history.captcha
        current = CaptchaState(issued_at=due.now) if before is None else before.spend()
        policy = due.settings.policy
        message = "captcha" if before is None else "wrong_captcha"
        due.note(message, attempts=current.attempts)
        return Presented(
            public={
                "kind": self.kind,
                "siteKey": due.settings.captcha_site_key,
                "message": message,
                "attemptsLeft": str(policy.max_attempts - current.attempts),
                "secondsLeft": str(max(0, int(current.issued_at + policy.ttl - due.now))),
            },
            state=current.write(),
        )

    def check(self, attempt: Attempt) -> bool:
        current, policy = captcha_state.read(attempt.state), attempt.settings.policy
        if (
            current is None
            or attempt.now >= current.issued_at + policy.ttl
            or current.attempts >= policy.max_attempts
            or not 0 < len(attempt.answer) <= LONGEST_TOKEN
        ):
            attempt.note("wrong", reason="captcha_state")
            return False
        ask = attempt.ask or verify
        solved = ask(attempt.answer, settings=attempt.settings, deadline=attempt.deadline) is True
        attempt.note("right" if solved else "wrong", kind=self.kind)
        return solved


def verify(token: str, *, settings: Settings, deadline: Deadline) -> bool:
    """Asks the captcha's service. Only a clear yes is True. Raises `Unavailable`."""
    import json  # noqa: PLC0415  # few pools ask for a captcha
    from urllib.parse import urlencode  # noqa: PLC0415

    from ..aws import http  # noqa: PLC0415

    key = secret("CAPTCHA_SECRET", settings=settings, deadline=deadline)
    answer = http.post(
        settings.text("CAPTCHA_URL", DEFAULT_URL),
        urlencode({"secret": key, "response": token}).encode(),
        {"Content-Type": "application/x-www-form-urlencoded"},
        deadline=deadline,
        what="captcha",
    )
    try:
        reply = json.loads(answer.body)
    except ValueError:
        return False
    return answer.ok and isinstance(reply, dict) and reply.get("success") is True
