"""What a human decided about a conflict, until the person proves themselves: by itself it links nobody (law 7).

It is used once, by a sign-in that proves the address it names. Staff and superusers are reached by none.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from django.contrib.auth import get_user_model

from ... import identity
from ...models import MigratedUser

Choice = Literal["link", "separate", "merge"]
# Set aside by a merge: a pool user whose address another one has, and the pool never verified this one's.
TWIN = "twin_of_another"
# Gone from the pool, and welcome all the same: kept as the error of a pending record, so that no import overrules it.
LET_IN = "let_in"


@dataclass(frozen=True, slots=True)
class Decision:
    """``link`` to the Django user ``user``; ``separate``: a new user; ``merge``: the pool users ``rows`` are one
    person, who enters ``user`` if there is one. ``address`` has to be proven; if it is empty, a sign-in at the pool is
    the proof. ``aside`` are records that the decision excluded. ``by`` and ``at`` say who decided, and when."""

    choice: Choice
    address: str = ""
    user: str = ""
    rows: tuple[int, ...] = ()
    aside: tuple[int, ...] = ()
    by: str = ""
    at: str = ""

    @classmethod
    def of(cls, record: MigratedUser) -> Self | None:
        kept: dict[str, Any] | None = record.decision
        if not kept:
            return None
        return cls(**{**kept, **{name: tuple(kept.get(name, ())) for name in ("rows", "aside")}})

    def as_rule(self) -> identity.Decision:
        """As the rules want to know it."""
        account = get_user_model()._meta.pk.to_python(self.user) if self.user else None
        return identity.Decision(self.choice, account, self.address)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "rows": list(self.rows), "aside": list(self.aside)}
