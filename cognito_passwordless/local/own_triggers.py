"""Our own triggers (`cognito_passwordless.lambda_triggers`) as handlers of a local pool.

    attach(cognito, pool, {"OTP_SECRET": "…", "OTP_CHANNEL": "email"})

They run as in the cloud, with their own environment variables, but their messages go to the local inbox and their
clock is the local Cognito's. No other module of the room imports this one: the room works without our triggers.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from cryptography.fernet import InvalidToken

from ..lambda_triggers import (
    create_auth_challenge,
    custom_email_sender,
    custom_message,
    custom_sms_sender,
    define_auth_challenge,
    inbound_federation,
    post_authentication,
    post_confirmation,
    pre_authentication,
    pre_sign_up,
    pre_token_generation,
    user_migration,
    verify_auth_challenge_response,
)
from ..lambda_triggers.core.deadline import Deadline
from ..lambda_triggers.core.environment import Settings
from ..lambda_triggers.errors import Unavailable
from ..lambda_triggers.messages.senders import Message
from ..lambda_triggers.runtime import run
from . import LocalCognito, LocalPool
from .messages.inbox import Inbox, Medium, sent
from .testing.clock import Clock
from .triggers.cipher import Encrypt, LocalKey
from .triggers.runner import Handler

if TYPE_CHECKING:
    from ..lambda_triggers.messages.senders import Send

_CODE = re.compile(r"(?<!\d)\d{6,10}(?!\d)")
logger = logging.getLogger(__name__)

Write = Callable[[str], object]


def attach(
    cognito: LocalCognito,
    pool: LocalPool,
    environment: Mapping[str, str],
    *,
    custom_senders: bool = False,
    encrypt: Encrypt | None = None,
    write: Write = logger.info,
) -> None:
    """Attach our own triggers to a pool, as far as ``environment`` configures them. ``write`` gets their log lines.

    Codes go to the senders that the environment names, else to the local inbox. With ``custom_senders`` our triggers
    send the pool's own messages too, encrypted by a key of the local Cognito; with ``encrypt``, which must encrypt as
    Cognito does, KMS decrypts them as in the cloud.
    """
    send = inbox_sender(pool.id, cognito.messages, cognito.clock)
    handlers = challenge_handlers(environment, send=send, clock=cognito.clock, write=write)
    handlers |= other_handlers(environment, clock=cognito.clock, write=write)
    if custom_senders or encrypt:
        key = None if encrypt else cognito.triggers.key
        handlers |= sender_handlers(environment, send=send, key=key, clock=cognito.clock, write=write)
    cognito.attach_triggers(pool, handlers, encrypt=encrypt)


def challenge_handlers(
    environment: Mapping[str, str], *, send: Send, clock: Clock, write: Write
) -> dict[str, Handler]:
    """Define, Create and Verify with ``environment`` as their variables."""
    settings = Settings(environment)
    create: Any = create_auth_challenge.respond
    if not environment.get("OTP_SENDERS"):
        create = partial(create, send=send)
    named = {
        "DefineAuthChallenge": (define_auth_challenge, define_auth_challenge.respond),
        "CreateAuthChallenge": (create_auth_challenge, create),
        "VerifyAuthChallengeResponse": (verify_auth_challenge_response, verify_auth_challenge_response.respond),
    }
    return {name: _handler(trigger, respond, settings, clock, write) for name, (trigger, respond) in named.items()}


# Each trigger with the variables that enable it; those without any change nothing unless they are configured.
OTHERS = {
    "PreSignUp": (pre_sign_up, ""),
    "CustomMessage": (custom_message, ""),
    "PreAuthentication": (pre_authentication, "PRE_AUTH_REFUSE PRE_AUTH_ASK_DJANGO"),
    "PreTokenGenerationConfig": (pre_token_generation, "TOKEN_CLAIMS TOKEN_ASK_DJANGO"),
    "InboundFederation": (inbound_federation, "FEDERATION_MAP"),
    "UserMigration": (user_migration, "DJANGO_URL"),
    "PostConfirmation": (post_confirmation, "DJANGO_URL"),
    "PostAuthentication": (post_authentication, "DJANGO_URL"),
}


def other_handlers(environment: Mapping[str, str], *, clock: Clock, write: Write) -> dict[str, Handler]:
    """The triggers beside the challenge, as far as ``environment`` configures them."""
    return {
        name: _handler(trigger, trigger.respond, Settings(environment), clock, write)
        for name, (trigger, needed) in OTHERS.items()
        if not needed or any(environment.get(variable) for variable in needed.split())
    }


def sender_handlers(
    environment: Mapping[str, str], *, send: Send, key: LocalKey | None, clock: Clock, write: Write
) -> dict[str, Handler]:
    """Both custom senders; a ``key`` replaces KMS."""
    named = {
        "CustomEmailSender": (custom_email_sender, "EMAIL_SENDERS"),
        "CustomSMSSender": (custom_sms_sender, "SMS_SENDERS"),
    }
    handlers = {}
    for name, (trigger, variable) in named.items():
        respond: Any = trigger.respond
        if key is not None:
            respond = partial(respond, decrypt=partial(_decrypt, key=key))
        if not environment.get(variable):
            respond = partial(respond, send=send)
        handlers[name] = _handler(trigger, respond, Settings(environment), clock, write)
    return handlers


def _decrypt(ciphertext: bytes, *, settings: Settings, deadline: Deadline, key: LocalKey) -> str:
    try:
        return key.decrypt(ciphertext)
    except InvalidToken:
        raise Unavailable("local_key") from None


def _handler(trigger: Any, respond: Any, settings: Settings, clock: Clock, write: Write) -> Handler:
    """The module's own ``handler``, with other variables and another clock."""
    name = trigger.__name__.rpartition(".")[2]
    fallback = getattr(trigger, "unchanged", None) or getattr(trigger, "fail", None)
    return lambda event, context: run(
        name, respond, event, context, fallback=fallback, settings=settings, now=clock.now, write=write
    )


def inbox_sender(pool_id: str, inbox: Inbox, clock: Clock) -> Send:
    """A sender of the triggers that puts messages into the local inbox."""

    def send(message: Message, *, settings: Settings, deadline: Deadline) -> str:
        code = _CODE.search(message.text)
        medium: Medium = "SMS" if message.channel == "sms" else "EMAIL"
        inbox.deliver(
            sent(
                medium,
                message.recipient,
                code.group() if code else "",
                at=clock.now(),
                username="",
                pool_id=pool_id,
                text=message.text,
            )
        )
        return "local"

    return send
