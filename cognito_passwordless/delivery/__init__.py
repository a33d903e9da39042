"""Messages and the senders that carry them: e-mail, SMS providers, memory, or a site's own by dotted path.

Laws: docs/laws.md; words: docs/glossary.md.
"""

from .base import Failure, Message, Sender, SendFailed
from .failover import Closed, Gate, Sent, deliver
from .messages import code_message, link_message, owner_message, unknown_address_message

__all__ = [
    "Closed",
    "Failure",
    "Gate",
    "Message",
    "SendFailed",
    "Sender",
    "Sent",
    "code_message",
    "deliver",
    "link_message",
    "owner_message",
    "unknown_address_message",
]
