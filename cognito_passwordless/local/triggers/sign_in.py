"""The triggers before and after every sign-in, whichever way somebody signs in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..backend.directory import Person, attributes_of
from .runner import Asking, Triggers

SOURCE = "Authentication"


@dataclass(frozen=True, slots=True)
class Who:
    """Who signs in where; ``name`` is what was typed, for somebody whom the pool does not have."""

    pool_id: str
    client_id: str
    name: str
    person: Person | None

    @property
    def asking(self) -> Asking:
        return Asking(self.pool_id, self.client_id, self.name if self.person is None else self.person.key)


class SignInTriggers:
    def __init__(self, triggers: Triggers) -> None:
        self._triggers = triggers

    def before(self, who: Who, metadata: Mapping[str, str] | None) -> None:
        """PreAuthentication, which may refuse with a PoolError; ClientMetadata reaches it as validationData."""
        if self._triggers.has(who.pool_id, "PreAuthentication"):
            request = {
                "userAttributes": attributes_of(who.person),
                "validationData": metadata,
                "userNotFound": who.person is None,
            }
            self._triggers.call("PreAuthentication", SOURCE, who.asking, request)

    def after(self, who: Who, metadata: Mapping[str, str] | None) -> None:
        """PostAuthentication, once tokens have been made."""
        if self._triggers.has(who.pool_id, "PostAuthentication"):
            request = {
                "userAttributes": attributes_of(who.person),
                "newDeviceUsed": False,
                "clientMetadata": metadata,
            }
            self._triggers.call("PostAuthentication", SOURCE, who.asking, request)
