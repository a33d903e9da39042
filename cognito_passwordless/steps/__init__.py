"""The steps of a sign-in at a pool, as functions for sites that write their own views: docs/steps.md.

Laws: docs/laws.md; words: docs/glossary.md.
"""

from .api import authenticate_callback, authenticate_url, generate, sign_in, validate
from .outputs import Departure, Generated, Identity, StepError

__all__ = [
    "Departure",
    "Generated",
    "Identity",
    "StepError",
    "authenticate_callback",
    "authenticate_url",
    "generate",
    "sign_in",
    "validate",
]
