"""The settings: `conf` reads ``COGNITO_PASSWORDLESS`` live and typed.

Laws: docs/laws.md; words: docs/glossary.md.
"""

from .settings import DEFAULT_LIMITS, DEFAULT_RETENTION, DEFAULT_SENDERS, KEYS, conf
from .values import Limit

__all__ = ["DEFAULT_LIMITS", "DEFAULT_RETENTION", "DEFAULT_SENDERS", "KEYS", "Limit", "conf"]
