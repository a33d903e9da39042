"""A mail server on loopback that behaves as a test tells it to."""

import asyncio
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

ACCEPTED = "250 OK"


@dataclass
class Handler:
    """``recipient`` and ``data`` are the answers to those steps; ``delay`` in seconds before the last one; ``drops``
    names the step at which it closes the connection: ``data``, or ``end`` once the message is accepted."""

    recipient: str = ACCEPTED
    data: str = ACCEPTED
    delay: float = 0
    drops: str = ""
    messages: list[EmailMessage] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        if self.recipient == ACCEPTED:
            envelope.rcpt_tos.append(address)
        return self.recipient

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.drops == "data":
            server.transport.abort()
        await asyncio.sleep(self.delay)
        if self.data == ACCEPTED and isinstance(envelope.content, bytes):
            self.messages.append(BytesParser(EmailMessage, policy=default).parsebytes(envelope.content))
        return self.data

    async def handle_QUIT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.drops == "end":
            server.transport.abort()
        return "221 Bye"


class MailServer(Controller):
    """For use as a context manager; `port` is a free one."""

    def __init__(self, **behaviour: Any) -> None:
        self.behaviour = Handler(**behaviour)
        super().__init__(self.behaviour, hostname="127.0.0.1", port=0)

    def _trigger_server(self) -> None:
        # The base class would connect to the port that it was given, and that is 0.
        assert self.server
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
