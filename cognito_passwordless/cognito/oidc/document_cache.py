"""A cache of the documents that providers publish: signing keys and discovery documents.

One thread loads an address while the others wait for it, a load that failed is not repeated at once, and the number of
addresses is bounded.
"""

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ..errors import Cause, CognitoError

Document = TypeVar("Document")


@dataclass
class _Entry(Generic[Document]):
    """What is known of one address; ``lock`` makes one thread load and the others wait."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    document: Document | None = None
    loaded_at: float | None = None
    tried_at: float | None = None
    failure: CognitoError | None = None


class DocumentCache(Generic[Document]):
    """Documents by address; safe to share between threads. All times are in seconds.

    ``max_age``: after this time a document is loaded again. ``use_stale``: whether an older document is used while
    loading fails. ``interval``: the time between two loads of one address for the sake of content that the document
    lacks. ``retry_after``: the time between two loads that fail while no document can be used. ``max_entries``: how
    many addresses are kept; the one unused for longest goes first.
    """

    def __init__(
        self, *, interval: float, retry_after: float, max_age: float, max_entries: int, use_stale: bool = False
    ) -> None:
        self._interval = interval
        self._retry_after = retry_after
        self._max_age = max_age
        self._max_entries = max_entries
        self._use_stale = use_stale
        self._entries: dict[Hashable, _Entry[Document]] = {}
        self._guard = threading.Lock()

    def reset(self) -> None:
        """Forget every document and every failure, as a new process would."""
        with self._guard:
            self._entries.clear()

    def get(
        self,
        key: Hashable,
        load: Callable[[], Document],
        *,
        now: float,
        suffices: Callable[[Document], bool] = lambda document: True,
    ) -> Document:
        """Return the document of ``key``, calling ``load`` if there is none, or it is old, or it does not suffice.

        A document that does not suffice is still returned where it may not be loaded again yet. ``now`` is of any
        clock, the same for all calls. Raises ``CognitoError`` if there is no document to use.
        """
        with self._guard:
            # Removed and inserted again: the first key of the dict is the one unused for longest.
            entry = self._entries.pop(key, None) or _Entry()
            self._entries[key] = entry
            if len(self._entries) > self._max_entries:
                del self._entries[next(iter(self._entries))]
        # Read the document once: another thread may replace it. A fresh one is used without waiting for a load.
        fresh, document = _within(entry.loaded_at, self._max_age, now), entry.document
        if fresh and document is not None and suffices(document):
            return document
        with entry.lock:
            stale = not _within(entry.loaded_at, self._max_age, now)
            wait = self._retry_after if stale else self._interval
            due = stale or entry.document is None or not suffices(entry.document)
            if due and not _within(entry.tried_at, wait, now):
                entry.tried_at = now
                try:
                    entry.document, entry.loaded_at, entry.failure = load(), now, None
                except CognitoError as error:
                    entry.failure = error
            usable = self._use_stale or _within(entry.loaded_at, self._max_age, now)
            if entry.document is not None and usable:
                return entry.document
            failure = entry.failure
        # A copy: raising one exception again and again would chain the frames of every request to it.
        raise CognitoError(*failure.args) if failure else CognitoError(Cause.unavailable, "GET")


def _within(since: float | None, seconds: float, now: float) -> bool:
    # A clock that was set back makes the difference negative, and the time counts as over.
    return since is not None and 0 <= now - since < seconds
