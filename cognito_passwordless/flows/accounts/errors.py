"""What an undo, an erasure or a decision raises where nothing was changed."""

from ...exceptions import CognitoPasswordlessError


class ActionRefused(CognitoPasswordlessError):
    """An action on a pool user was refused, and nothing was changed. ``reason`` is a word of `causes`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
