"""Is this site, is this pool set up right, and why did one person get no code? Reads everything and writes nothing.

Laws: docs/laws.md; words: docs/glossary.md.
"""

from .connection import diagnose_connection
from .findings import Finding, State, has_problem
from .person import Case, diagnose_person
from .senders import diagnose_senders
from .site import diagnose_site

__all__ = [
    "Case",
    "Finding",
    "State",
    "diagnose_connection",
    "diagnose_person",
    "diagnose_senders",
    "diagnose_site",
    "has_problem",
]
