"""What the outcomes of a dry run, and of an activation, mean to whoever reads them in a terminal."""

from collections.abc import Iterator, Mapping

from ..causes import explain
from ..models import ImportProblem
from .terminal import plain

Outcome = tuple[str, str]


def lines(outcomes: Mapping[Outcome, int], examples: Mapping[Outcome, list[str]]) -> Iterator[str]:
    """A line for each kind of outcome, with some of the people."""
    labels = {str(word): str(label) for word, label in ImportProblem.Reason.choices}
    for outcome, count in sorted(outcomes.items()):
        if not count:
            continue
        kind, reason = outcome
        named = [plain(each) for each in examples.get(outcome, [])]
        such_as = f" ({', '.join(named)}{', …' if count > len(named) else ''})" if named else ""
        yield f"  {kind:8} {count:>9,}  {labels.get(reason) or explain(reason).clause}{such_as}"
