"""The triggers before and after every sign-in, in every flow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..backend.directory import Person, attributes_of
from .runner import Caller, Triggers

SOURCE = "Authentication"


@dataclass(frozen=True, slots=True)
class SignInUser:
    """A user who signs in at a client; ``name`` is what was typed, ``person`` None where the pool has no such user."""

    pool_id: str
    client_id: str
    name: str
    person: Person | None

    @property
    def caller(self) -> Caller:
        return Caller(self.pool_id, self.client_id, self.name if self.person is None else self.person.key)


class SignInTriggers:
    def __init__(self, triggers: Triggers) -> None:
        self._triggers = triggers

    def before(self, who: SignInUser, metadata: Mapping[str, str] | None) -> None:
        """Call PreAuthentication, which may refuse with a PoolError; ClientMetadata reaches it as validationData."""
        if self._triggers.has(who.pool_id, "PreAuthentication"):
            request = {
                "userAttributes": attributes_of(who.person),
                "validationData": metadata,
                "userNotFound": who.person is None,
            }
            self._triggers.call("PreAuthentication", SOURCE, who.caller, request)

    def after(self, who: SignInUser, metadata: Mapping[str, str] | None) -> None:
        """Call PostAuthentication, once there are tokens."""
        if self._triggers.has(who.pool_id, "PostAuthentication"):
            request = {
                "userAttributes": attributes_of(who.person),
                "newDeviceUsed": False,
                "clientMetadata": metadata,
            }
            self._triggers.call("PostAuthentication", SOURCE, who.caller, request)
