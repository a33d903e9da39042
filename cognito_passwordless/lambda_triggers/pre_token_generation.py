"""Pre token generation, versions 1, 2 and 3: claims, groups, scopes and roles, from a mapping and from Django.

``TOKEN_CLAIMS`` is a JSON object; every key is optional::

    {"add": {"plan": "gold", "tenant": "$custom:tenant"}, "suppress": ["email"], "scopes": ["orders/read"],
     "suppress_scopes": ["aws.cognito.signin.user.admin"], "groups": ["staff"], "roles": ["arn:…"],
     "preferred_role": "arn:…", "id": {"add": {}, "suppress": []}, "access": {"add": {}, "suppress": []}}

``$name`` stands for an attribute of the user. With ``TOKEN_ASK_DJANGO`` the site's answer, of the same form, wins.
https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html
"""

from collections.abc import Mapping

from .core.deadline import Deadline
from .core.environment import Settings
from .core.events import answered, attributes_of, mapping, request_of, text
from .rules.tokens import Rules, merged, read
from .runtime import Note, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .site.client import Ask


def respond(
    event: object, *, settings: Settings, now: float, deadline: Deadline, note: Note, ask: "Ask | None" = None
) -> "dict[str, Any]":
    """What the version of the event allows: version 1 has the ID token's claims only, and only strings."""
    rules = read(settings.table("TOKEN_CLAIMS"), attributes_of(event))
    if settings.flag("TOKEN_ASK_DJANGO"):
        from .site import client  # noqa: PLC0415  # without a question no network

        answer = client.ask_or_go_on(
            "pre_token_generation",
            client.about(event),
            on_error="TOKEN_ON_ERROR",
            settings=settings,
            deadline=deadline,
            note=note,
            stand_in=ask,
        )
        rules = merged(rules, read(answer or {}, {}))
    groups = _groups(rules, mapping(request_of(event).get("groupConfiguration")))
    add, suppress = {**rules.add, **rules.add_id}, [*rules.suppress, *rules.suppress_id]
    if text(mapping(event).get("version")) not in {"2", "3"}:
        strings = {name: value for name, value in add.items() if isinstance(value, str)}
        details = {"claimsToAddOrOverride": strings, "claimsToSuppress": suppress, **groups}
        return answered(event, {"claimsOverrideDetails": details})
    details = {
        "idTokenGeneration": {"claimsToAddOrOverride": add, "claimsToSuppress": suppress},
        "accessTokenGeneration": {
            "claimsToAddOrOverride": {**rules.add, **rules.add_access},
            "claimsToSuppress": [*rules.suppress, *rules.suppress_access],
            "scopesToAdd": list(rules.scopes),
            "scopesToSuppress": list(rules.suppress_scopes),
        },
        **groups,
    }
    return answered(event, {"claimsAndScopeOverrideDetails": details})


def _groups(rules: Rules, before: "Mapping[str, Any]") -> "dict[str, Any]":
    """An override clears what it leaves out, so what no rule touches is given back unchanged."""
    if rules.groups is None and rules.roles is None and not rules.preferred_role:
        return {}
    groups = before.get("groupsToOverride") if rules.groups is None else list(rules.groups)
    roles = before.get("iamRolesToOverride") if rules.roles is None else list(rules.roles)
    preferred = rules.preferred_role or before.get("preferredRole")
    details = {"groupsToOverride": groups or [], "iamRolesToOverride": roles or []}
    return {"groupOverrideDetails": {**details, **({"preferredRole": preferred} if preferred else {})}}


def handler(event: object, context: object) -> "dict[str, Any]":
    return run("pre_token_generation", respond, event, context)
