"""Who asks, before anything is proven."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Visitor:
    """What a request tells about who asks. ``handle`` is what the browser holds from an earlier start; ``ip`` is empty
    where it cannot be told: all of those share one budget."""

    handle: str = ""
    known_browser: str = ""
    ip: str = ""
    language: str = ""


class TooMany(Exception):
    """This network has started too many sign-ins; ``retry_after`` in seconds. The same for every identifier."""

    def __init__(self, retry_after: int) -> None:
        super().__init__()
        self.retry_after = retry_after
