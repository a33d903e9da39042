"""The words of the flows as the admin shows them."""

from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..causes import Reason, explain

CHOICES: dict[str, Any] = {
    "link": _("Link to this Django user, after proof"),
    "merge": _("They are one person: one Django user, after proof"),
    "apart": _("Keep apart: a Django user of their own, after proof"),
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
        "Those whose address the pool never verified are excluded now: whoever wrote it there may be somebody else."
    ),
    "unproven_holder_goes": _(
        "The Django user never proved the address. Their password, sessions and linked accounts go before the person "
        "comes in."
    ),
    "factor_is_asked": _("The Django user has a second factor. It is asked for first, and nothing of theirs goes."),
    "pool_never_verified": _(
        "The pool never verified this address, so whoever signs in there may be somebody else, and would come into "
        "this account. Ask the person before you decide."
    ),
    "second_factor_goes": _("In the pool they have a second factor. It does not come along."),
    "apart_after_proof": _(
        "Nothing is made now. The next sign-in that proves the address makes a Django user of their own."
    ),
    "others_keep_theirs": _("Addresses that others carry stay with them."),
    "retried": _("They are pending again. If nothing has changed, the next sign-in brings them back here."),
    "excluded": _("They cannot sign in by this pool user any more, until somebody lets them try again."),
}

OUTCOMES: dict[str, Any] = {
    "user_removed": _("Pending again; the Django user that the migration made is removed."),
    "user_kept": _("Pending again; the Django user is kept as it is."),
    "link_removed": _("Pending again; what the migration added to the Django user is taken back."),
}


def reason(word: str) -> str:
    """The sentence for a cause; the word itself where a site, or a later release, has one that is not known here."""
    return gettext(explain(word).sentence) if word in Reason.__members__ else word
