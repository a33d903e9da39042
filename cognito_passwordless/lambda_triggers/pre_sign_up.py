"""Pre sign-up: who may sign up, and whether an address counts as verified before anybody has proven it.

https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-sign-up.html
"""

import hmac
from collections.abc import Callable, Mapping
from importlib import import_module

from .core.deadline import Deadline
from .core.environment import Settings
from .core.events import answered, attributes_of, mapping, request_of, source_of, text
from .errors import Misconfigured, not_allowed
from .runtime import Note, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    # A rule of the site's own: raises `Refused` (see `errors.not_allowed`) to refuse, returns to go on.
    Hook = Callable[[object, Settings, Deadline], object]

SIGN_UP, EXTERNAL = "PreSignUp_SignUp", "PreSignUp_ExternalProvider"
VERIFIABLE = {"email": ("email", "autoVerifyEmail"), "phone": ("phone_number", "autoVerifyPhone")}


def respond(event: object, *, settings: Settings, now: float, deadline: Deadline, note: Note) -> "dict[str, Any]":
    """``PRE_SIGN_UP_CONFIRM`` and ``PRE_SIGN_UP_VERIFY`` (email, phone) are off unless set, and apply to a person who
    signs up and to an attribute that is there. Users made by an administrator are only looked at by the hooks.
    """
    source = source_of(event)
    response = {"autoConfirmUser": False, "autoVerifyEmail": False, "autoVerifyPhone": False}
    if source == EXTERNAL:
        _external(event, settings, deadline, note)
    elif source == SIGN_UP:
        _check_domain(attributes_of(event), settings)
        _check_invitation(mapping(request_of(event).get("validationData")), settings)
    for path in settings.words("PRE_SIGN_UP_HOOKS"):
        _run(_hook(path), event, settings, deadline)
    if source == SIGN_UP and settings.flag("PRE_SIGN_UP_CONFIRM"):
        response["autoConfirmUser"] = True
        response |= _verified(attributes_of(event), settings)
    return answered(event, response)


def _verified(attributes: Mapping[str, str], settings: Settings) -> dict[str, bool]:
    wanted = settings.words("PRE_SIGN_UP_VERIFY")
    if not VERIFIABLE.keys() >= set(wanted):
        raise Misconfigured("PRE_SIGN_UP_VERIFY may hold email and phone")
    chosen = [VERIFIABLE[word] for word in wanted]
    return {flag: True for attribute, flag in chosen if attributes.get(attribute)}


def _check_domain(attributes: Mapping[str, str], settings: Settings) -> None:
    """``EMAIL_DOMAINS_ALLOWED`` and ``EMAIL_DOMAINS_DENIED``; a domain stands for those below it too."""
    domain = attributes.get("email", "").rpartition("@")[2].strip().rstrip(".").lower()
    allowed, denied = settings.words("EMAIL_DOMAINS_ALLOWED"), settings.words("EMAIL_DOMAINS_DENIED")
    if allowed and not _is_below(domain, allowed):
        raise not_allowed("domain")
    if domain and _is_below(domain, denied):
        raise not_allowed("domain")


def _is_below(domain: str, parents: tuple[str, ...]) -> bool:
    return any(f".{domain}".endswith(f".{parent.lower().lstrip('@.')}") for parent in parents)


def _check_invitation(validation: Mapping[str, object], settings: Settings) -> None:
    codes = settings.words("INVITATION_CODES")
    given = text(validation.get("invitation")).strip().encode()
    # Every code is looked at, so that the time tells nothing about which one is near.
    if codes and not sum(hmac.compare_digest(given, code.encode()) for code in codes):
        raise not_allowed("invitation")


def _external(event: object, settings: Settings, deadline: Deadline, note: Note) -> None:
    """Federated users are left alone; linking them to a user with the same proven address is a choice."""
    if settings.flag("PRE_SIGN_UP_LINK"):
        from .rules.federated_linking import link  # noqa: PLC0415  # few pools link

        note.add(linked=link(event, settings=settings, deadline=deadline))


def _run(hook: "Hook", event: object, settings: Settings, deadline: Deadline) -> None:
    deadline.call(lambda: hook(event, settings, deadline), "hook")


def _hook(path: str) -> "Hook":
    module, _, name = path.rpartition(".")
    try:
        found: Hook = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError):
        raise Misconfigured(f"PRE_SIGN_UP_HOOKS: there is no {path}") from None
    return found


def handler(event: object, context: object) -> "dict[str, Any]":
    return run("pre_sign_up", respond, event, context)
