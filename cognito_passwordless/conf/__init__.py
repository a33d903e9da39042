"""The settings: `conf` reads ``COGNITO_PASSWORDLESS`` live and typed.

Laws: docs/laws.md; words: docs/glossary.md.
"""

from .defaults import DEFAULT_LIMITS, DEFAULT_RETENTION, DEFAULT_SENDERS, KEYS
from .settings import Limit, conf

__all__ = ["DEFAULT_LIMITS", "DEFAULT_RETENTION", "DEFAULT_SENDERS", "KEYS", "Limit", "conf"]
