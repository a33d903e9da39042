"""An operator's decision about a conflict, stored until the person proves themselves (law 7).

By itself it links nothing: a sign-in that proves its address uses it once. No decision reaches staff and superusers.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from django.contrib.auth import get_user_model

from ... import identity
from ...models import MigratedUser

Choice = Literal["link", "separate", "merge"]
# The error of a record that a merge set aside: another pool user has its address, and the pool never verified it here.
TWIN = "twin_of_another"
# Gone from the pool and let in all the same: the error of a pending record, so that no import overrules it.
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
        """As the rules need it."""
        account = get_user_model()._meta.pk.to_python(self.user) if self.user else None
        return identity.Decision(self.choice, account, self.address)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "rows": list(self.rows), "aside": list(self.aside)}
