"""The steps of a sign-in, as functions for sites that write their own views: docs/steps.md.

Laws: docs/laws.md; words: docs/glossary.md.
"""

from .api import answer, authenticate_callback, authenticate_url, generate, sign_in, start, validate
from .outputs import Departure, Generated, Identity, StepError

__all__ = [
    "Departure",
    "Generated",
    "Identity",
    "StepError",
    "answer",
    "authenticate_callback",
    "authenticate_url",
    "generate",
    "sign_in",
    "start",
    "validate",
]
