"""The interface of a challenge: a question that one round of a sign-in asks, and the check of its answer.

A new one is a class with these two methods, and a line in `registry`.
"""

from collections.abc import Mapping

from ...otp.records import field, record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from ..core.deadline import Deadline
    from ..core.environment import Settings
    from ..messages.senders import Send
    from ..runtime import Note
    from .history import History
    from .limits import Limits

    class Challenge(Protocol):
        kind: str

        def present(self, due: "Round") -> "Presented":
            """The parameters for the client and the state of the round. Sends the message, if there is one."""

        def check(self, attempt: "Attempt") -> bool:
            """Whether the answer is right. Raises only `Unavailable` and `Misconfigured`."""

    class Ask(Protocol):
        """Whether the captcha's service calls the client's token solved. Raises `Unavailable`."""

        def __call__(self, token: str, *, settings: Settings, deadline: Deadline) -> bool: ...


@record(frozen=True, slots=True, kw_only=True)
class Presented:
    """``public`` goes to the client, ``state`` to Verify, ``metadata`` to every later Define and Create; an empty
    one is the state."""

    public: Mapping[str, str]
    state: str
    metadata: str = ""


@record(frozen=True, slots=True, kw_only=True)
class Round:
    """A round to present: the event, its history, and the means to do it."""

    event: object
    history: "History"
    settings: "Settings"
    now: float
    deadline: "Deadline"
    note: "Note"
    send: "Send | None" = None
    limits: "Limits | None" = None


@record(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An answer to check, the state of its round, and the means to do it."""

    event: object
    state: str
    answer: str = field(repr=False)
    settings: "Settings"
    now: float
    deadline: "Deadline"
    note: "Note"
    limits: "Limits | None" = None
    ask: "Ask | None" = None
