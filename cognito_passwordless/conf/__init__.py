"""The settings: `conf` reads ``COGNITO_PASSWORDLESS`` live and typed.

Laws: docs/laws.md; words: docs/glossary.md.
"""

from .defaults import DEFAULT_LIMITS, DEFAULT_RETENTION, DEFAULT_SENDERS
from .settings import IN_A_ROW, KEYS, MOST_FAILURES, Failures, Limit, conf

__all__ = [
    "DEFAULT_LIMITS",
    "DEFAULT_RETENTION",
    "DEFAULT_SENDERS",
    "IN_A_ROW",
    "KEYS",
    "MOST_FAILURES",
    "Failures",
    "Limit",
    "conf",
]
