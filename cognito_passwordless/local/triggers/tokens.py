"""Let the pool's token trigger change claims, scopes, groups and roles.

It is called once for each sign-in, and its answer serves the ID token and the access token.
https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from ..backend.directory import Person, attributes_of
from .runner import Caller, Triggers

NAMES = ("PreTokenGenerationConfig", "PreTokenGeneration")
AUTHENTICATION = "TokenGeneration_Authentication"


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why tokens are issued; ``answers`` keeps the trigger's answers, by person."""

    source: str = AUTHENTICATION
    metadata: Mapping[str, Any] | None = None
    scopes: Sequence[str] | None = None
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)


_occasion: ContextVar[Occasion | None] = ContextVar("occasion", default=None)


@contextmanager
def issuing(
    source: str, metadata: Mapping[str, Any] | None = None, scopes: Sequence[str] | None = None
) -> Iterator[None]:
    """All tokens issued inside belong together. ``scopes`` replace those of the sign-in operations."""
    token = _occasion.set(Occasion(source, metadata, scopes))
    try:
        yield
    finally:
        _occasion.reset(token)


class TokenTrigger:
    def __init__(self, triggers: Triggers) -> None:
        self._triggers = triggers

    def shape(self, use: str, body: Mapping[str, Any], pool_id: str, client_id: str, person: Person) -> dict[str, Any]:
        """A token's claims as changed by the trigger; ``use`` is "id" or "access"."""
        occasion = _occasion.get() or Occasion()
        shaped = dict(body)
        if use == "access" and occasion.scopes is not None:
            shaped["scope"] = " ".join(occasion.scopes)
        name = next((name for name in NAMES if self._triggers.has(pool_id, name)), "")
        if not name:
            return shaped
        if person.key not in occasion.answers:
            occasion.answers[person.key] = self._ask(name, Caller(pool_id, client_id, person.key), person, shaped)
        details = occasion.answers[person.key]
        # Version 1 knows the ID token only, and does not name it.
        by_token = details if name == NAMES[0] else {"idTokenGeneration": details}
        changed = _changed(shaped, by_token.get(f"{use}TokenGeneration") or {})
        return _regrouped(changed, details.get("groupOverrideDetails"), use)

    def _ask(self, name: str, caller: Caller, person: Person, body: Mapping[str, Any]) -> dict[str, Any]:
        occasion = _occasion.get() or Occasion()
        newer = name == NAMES[0]
        key = "claimsAndScopeOverrideDetails" if newer else "claimsOverrideDetails"
        request: dict[str, Any] = {
            "userAttributes": attributes_of(person),
            "groupConfiguration": {
                "groupsToOverride": body.get("cognito:groups", []),
                "iamRolesToOverride": [],
                "preferredRole": None,
            },
            "clientMetadata": occasion.metadata,
        }
        if newer:
            request["scopes"] = str(body.get("scope", "")).split()
        version = "2" if newer else "1"
        answer = self._triggers.call(name, occasion.source, caller, request, (key,), version=version)
        return answer.get(key) or {}


def _changed(body: dict[str, Any], ours: Mapping[str, Any]) -> dict[str, Any]:
    shaped = {**body, **(ours.get("claimsToAddOrOverride") or {})}
    for claim in ours.get("claimsToSuppress") or []:
        shaped.pop(claim, None)
    if "scope" in shaped:
        gone = set(ours.get("scopesToSuppress") or [])
        scopes = dict.fromkeys((*str(shaped["scope"]).split(), *(ours.get("scopesToAdd") or [])))
        shaped["scope"] = " ".join(scope for scope in scopes if scope not in gone)
    return shaped


def _regrouped(body: dict[str, Any], override: Mapping[str, Any] | None, use: str) -> dict[str, Any]:
    """Replace groups and roles; those that an override leaves out are cleared."""
    if not override:
        return body
    shaped = {**body, "cognito:groups": override.get("groupsToOverride") or []}
    if use == "id":
        roles, preferred = override.get("iamRolesToOverride"), override.get("preferredRole")
        shaped |= {"cognito:roles": roles} if roles else {}
        shaped |= {"cognito:preferred_role": preferred} if preferred else {}
    return shaped
