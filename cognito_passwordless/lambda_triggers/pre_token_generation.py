"""Pre token generation, versions 1, 2 and 3: claims, groups, scopes and roles, from a mapping and from Django.

``TOKEN_CLAIMS`` is a JSON object; every key is optional::

    {"add": {"plan": "gold", "tenant": "$custom:tenant"}, "suppress": ["email"], "scopes": ["orders/read"],
     "suppress_scopes": ["aws.cognito.signin.user.admin"], "groups": ["staff"], "roles": ["arn:…"],
     "preferred_role": "arn:…", "id": {"add": {}, "suppress": []}, "access": {"add": {}, "suppress": []}}

``$name`` stands for an attribute of the user. With ``TOKEN_ASK_DJANGO`` the site's answer, of the same form, goes over
it.
https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html
"""

from collections.abc import Mapping

from .core.deadline import Deadline
from .core.environment import Settings
from .core.events import answered, attributes_of, mapping, request_of, text
from .errors import Unavailable
from .rules.tokens import Rules, merged, read
from .runtime import Note, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .site.client import Ask


def respond(
    event: object,
    *,
    settings: Settings,
    now: float,
    deadline: Deadline,
    note: Note,
    ask: "Ask | None" = None,
) -> "dict[str, Any]":
    """What the version of the event allows: version 1 has the ID token's claims only, and only strings."""
    rules = read(settings.table("TOKEN_CLAIMS"), attributes_of(event))
    if settings.flag("TOKEN_ASK_DJANGO"):
        rules = merged(rules, _from_django(event, settings, deadline, note, ask))
    version = text(mapping(event).get("version"))
    groups = _groups(rules, mapping(request_of(event).get("groupConfiguration")))
    if version in {"2", "3"}:
        return answered(event, {"claimsAndScopeOverrideDetails": _both_tokens(rules, groups)})
    details: dict[str, Any] = {
        "claimsToAddOrOverride": {
            name: value for name, value in {**rules.add, **rules.add_id}.items() if isinstance(value, str)
        },
        "claimsToSuppress": [*rules.suppress, *rules.suppress_id],
    }
    return answered(event, {"claimsOverrideDetails": details | groups})


def _both_tokens(rules: Rules, groups: "dict[str, Any]") -> "dict[str, Any]":
    return {
        "idTokenGeneration": {
            "claimsToAddOrOverride": {**rules.add, **rules.add_id},
            "claimsToSuppress": [*rules.suppress, *rules.suppress_id],
        },
        "accessTokenGeneration": {
            "claimsToAddOrOverride": {**rules.add, **rules.add_access},
            "claimsToSuppress": [*rules.suppress, *rules.suppress_access],
            "scopesToAdd": list(rules.scopes),
            "scopesToSuppress": list(rules.suppress_scopes),
        },
        **groups,
    }


def _groups(rules: Rules, before: "Mapping[str, Any]") -> "dict[str, Any]":
    """Leaving a part out of an override clears it, so what no rule touches is given back as it was."""
    if rules.groups is None and rules.roles is None and not rules.preferred_role:
        return {}
    groups = before.get("groupsToOverride") if rules.groups is None else list(rules.groups)
    roles = before.get("iamRolesToOverride") if rules.roles is None else list(rules.roles)
    preferred = rules.preferred_role or before.get("preferredRole")
    details = {"groupsToOverride": groups or [], "iamRolesToOverride": roles or []}
    return {"groupOverrideDetails": {**details, **({"preferredRole": preferred} if preferred else {})}}


def _from_django(event: object, settings: Settings, deadline: Deadline, note: Note, ask: "Ask | None") -> Rules:
    from .site import client  # noqa: PLC0415  # without a question no network

    try:
        answer = (ask or client.ask)("pre_token_generation", client.about(event), settings=settings, deadline=deadline)
    except Unavailable as error:
        note.add(django=error.cause)
        # A claim or a scope that should have been taken away must not slip through; a site may decide otherwise.
        if settings.choice("TOKEN_ON_ERROR", "closed", "open") == "open":
            return Rules()
        raise
    return read(answer, {})


def handler(event: object, context: object) -> "dict[str, Any]":
    return run("pre_token_generation", respond, event, context)
