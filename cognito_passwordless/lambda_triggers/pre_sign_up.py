"""Pre sign-up: who may sign up, and whether an address counts as verified before a person has proven it.

https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-sign-up.html
"""

import hmac
from collections.abc import Callable
from functools import partial

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
    """``PRE_SIGN_UP_CONFIRM`` and ``PRE_SIGN_UP_VERIFY`` (email, phone) are off unless set. They apply to a person who
    signs up, and to attributes that the person has. Users that an administrator creates pass the hooks only.
    """
    source, attributes = source_of(event), attributes_of(event)
    response = {"autoConfirmUser": False, "autoVerifyEmail": False, "autoVerifyPhone": False}
    if source == EXTERNAL and settings.flag("PRE_SIGN_UP_LINK"):
        from .rules.federated_linking import link  # noqa: PLC0415  # few pools link

        note.add(linked=link(event, settings=settings, deadline=deadline))
    if source == SIGN_UP:
        _check_sign_up(event, settings)
    for path in settings.words("PRE_SIGN_UP_HOOKS"):
        hook: Hook = settings.function("PRE_SIGN_UP_HOOKS", path)
        deadline.call(partial(hook, event, settings, deadline), "hook")
    if source == SIGN_UP and settings.flag("PRE_SIGN_UP_CONFIRM"):
        wanted = settings.words("PRE_SIGN_UP_VERIFY")
        if not VERIFIABLE.keys() >= set(wanted):
            raise Misconfigured("PRE_SIGN_UP_VERIFY may hold email and phone")
        chosen = [VERIFIABLE[word] for word in wanted]
        response |= {flag: True for attribute, flag in chosen if attributes.get(attribute)}
        response["autoConfirmUser"] = True
    return answered(event, response)


def _check_sign_up(event: object, settings: Settings) -> None:
    """``EMAIL_DOMAINS_ALLOWED`` and ``EMAIL_DOMAINS_DENIED``, which include subdomains, and ``INVITATION_CODES``."""
    domain = attributes_of(event).get("email", "").rpartition("@")[2].strip().rstrip(".").lower()
    allowed, denied = settings.words("EMAIL_DOMAINS_ALLOWED"), settings.words("EMAIL_DOMAINS_DENIED")
    if (allowed and not _is_below(domain, allowed)) or (domain and _is_below(domain, denied)):
        raise not_allowed("domain")
    codes = settings.words("INVITATION_CODES")
    said = mapping(request_of(event).get("validationData"))
    given = (text(said.get("invitation")) or text(said.get("invitationCode"))).strip().encode()
    # Every code is compared, so that the time does not reveal which one is near.
    if codes and not sum(hmac.compare_digest(given, code.encode()) for code in codes):
        raise not_allowed("invitation")


def _is_below(domain: str, parents: tuple[str, ...]) -> bool:
    return any(f".{domain}".endswith(f".{parent.lower().lstrip('@.')}") for parent in parents)


def handler(event: object, context: object) -> "dict[str, Any]":
    return run("pre_sign_up", respond, event, context)
