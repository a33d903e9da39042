"""Users from before this package: what they would lose at their first code, and recording their addresses as verified
where the site knows that they are theirs.

Laws: docs/laws.md; words: docs/glossary.md.
"""

from .at_risk import ADOPT, AtRisk, count_at_risk
from .choice import Chosen, Problem, everybody, joined_before, of_file
from .recording import BATCH, Batch, LeftOut, Reason, adopt

__all__ = [
    "ADOPT",
    "BATCH",
    "AtRisk",
    "Batch",
    "Chosen",
    "LeftOut",
    "Problem",
    "Reason",
    "adopt",
    "count_at_risk",
    "everybody",
    "joined_before",
    "of_file",
]
