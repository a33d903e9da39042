"""The words of the flows as the admin shows them."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..causes import Reason, explain
from ..flows.doctor import State

# What the doctor found.
STATES: dict[State, Any] = {
    State.OK: _("works"),
    State.WARNING: _("works, but"),
    State.PROBLEM: _("does not work"),
    State.UNKNOWN: _("unknown"),
}

CHOICES: dict[str, Any] = {
    "link": _("Link to this Django user, after proof"),
    "merge": _("Same person: one Django user, after proof"),
    "separate": _("Keep separate: a Django user of their own, after proof"),
    "retry": _("Let them try again"),
    "exclude": _("Exclude"),
}

EFFECTS: dict[str, Any] = {
    "link_after_proof": _(
        "Nothing is linked now. The next sign-in that proves the address links this pool user to the Django user, "
        "once."
    ),
    "merge_after_proof": _(
        "Nothing is linked now. The next sign-in that proves the address gives this pool user the same Django user as "
        "the other pool user has: both open one account from then on."
    ),
    "twins_after_proof": _(
        "Nothing is linked now. The next sign-in that proves the address they share gives all of these pool users one "
        "Django user."
    ),
    "twins_set_aside": _(
        "Pool users whose address was never verified are excluded now: another person may have entered it."
    ),
    "unproven_holder_goes": _(
        "The Django user never proved the address. Its password, sessions and linked accounts are removed before the "
        "person gets in."
    ),
    "factor_is_asked": _("The Django user has a second factor. It is asked for first, and nothing is removed."),
    "pool_never_verified": _(
        "The pool never verified this address: the person who signs in there may not own it, and would get into this "
        "account. Ask the person before you decide."
    ),
    "second_factor_goes": _("Their second factor in the pool is not migrated."),
    "separate_after_proof": _(
        "Nothing is created now. The next sign-in that proves the address creates a Django user of their own."
    ),
    "others_keep_theirs": _("Addresses that other users have stay with them."),
    "retried": _("They are pending again. If nothing has changed, the next sign-in brings them back here."),
    "excluded": _("They cannot sign in as this pool user until an operator lets them try again."),
}

OUTCOMES: dict[str, Any] = {
    "user_removed": _("Pending again; the Django user that the migration made is removed."),
    "user_kept": _("Pending again; the Django user is kept as it is."),
    "link_removed": _("Pending again; what the migration added to the Django user is removed."),
}


def reason(word: str) -> str:
    """The sentence for a cause; the word itself where a site, or a later release, has one that is not known here."""
    return gettext(explain(word).sentence) if word in Reason.__members__ else word


def sentence(name: str, description: Any) -> Any:
    """The column that shows the sentence of a cause in place of its word."""

    @admin.display(description=description, ordering=name)
    def column(page: Any, row: Model) -> str:
        return reason(getattr(row, name)) or "-"

    return column
