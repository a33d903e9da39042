"""The exceptions of the triggers, and the only sentences that reach a client."""


class Refused(Exception):
    """A refusal meant for Cognito: it stops the call, and its text is shown to the client word for word.

    ``reason`` is for our log and never leaves it.
    """

    def __init__(self, sentence: str, reason: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.reason = reason


class Misconfigured(Exception):
    """A variable of the environment that cannot be used. It closes, it never opens (law 10)."""


class Unavailable(Exception):
    """A service that a trigger calls did not answer in time, or not as agreed.

    ``cause`` is a short word for the log, without any content. ``personal``: the recipient is the reason of the
    failure, which only the log may say (law 4).
    """

    def __init__(self, cause: str, *, personal: bool = False) -> None:
        super().__init__(cause)
        self.cause = cause
        self.personal = personal


NOT_POSSIBLE_NOW = "This is not possible at the moment. Please try again later."
NOT_ALLOWED = "This is not allowed."


def unavailable(reason: str) -> Refused:
    """The refusal after any error of ours: one fixed sentence."""
    return Refused(NOT_POSSIBLE_NOW, reason)


def not_allowed(reason: str) -> Refused:
    """The refusal for what a rule forbids, without saying which."""
    return Refused(NOT_ALLOWED, reason)
