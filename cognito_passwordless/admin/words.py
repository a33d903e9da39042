"""What the words of the flows mean, for people who decide."""

from typing import Any

from django.utils.translation import gettext_lazy as _

# Why somebody waits in the queue, and why a choice is closed.
REASONS: dict[str, Any] = {
    "several_users": _("The addresses of this pool user belong to different Django users."),
    "several_pool_users": _(
        "Several pool users carry the same address in different spellings: one person's, or several people's."
    ),
    "address_not_proven": _("A Django user has this address, and the sign-in did not prove it."),
    "address_taken_over": _(
        "Somebody else proved the address of the Django user that this pool user had been linked to without a proof."
    ),
    "ambiguous_address": _("Several Django users have verified this address."),
    "linked_to_another": _("The Django user belongs to another pool user already."),
    "privileged_user": _("The Django user is staff or a superuser, whom no migration reaches."),
    "inactive_user": _("The Django user is switched off."),
    "user_deleted": _("The Django user has been deleted since."),
    "value_taken": _("A value that must be unique is taken by another Django user."),
    "value_refused": _("A value does not fit the user model, or a rule of the site refuses it."),
    "pool_record_unusable": _("They proved the address to us, and may not come in as this pool user."),
    "decision_outdated": _("The people or addresses of an earlier decision have changed since."),
    "decision_withdrawn": _("An earlier decision was withdrawn."),
    "second_factor": _("They have a second factor in the pool, and none here: our code alone would be fewer."),
    "sub_too_long": _("The pool's id of this person is too long to be stored."),
    "excluded": _("They are excluded."),
    "staff": _("The Django user is staff, who do not sign in by code here."),
    "inactive": _("The Django user is switched off."),
    "unknown": _("Nobody is known by this address."),
    # Why a choice is closed.
    "address_is_anothers": _("Somebody else has proven the address, or this user has proven another one."),
    "sub_is_anothers": _("Another Django user carries the id of this pool user."),
    "no_free_address": _("Every address of this pool user has been verified by a Django user."),
    "no_address": _("This pool user has no address that could be proven."),
    "no_twin_is_verified": _("The pool verified the address for none of them."),
    # Why nothing was changed.
    "not_offered": _("This choice is no longer open: look at the case again."),
    "no_such_person": _("The record has gone meanwhile."),
    "migrated": _("They have been migrated meanwhile."),
    "not_migrated": _("They are not migrated."),
    "address_given_on": _("Another pool user has their address now: it is theirs."),
    "not_gone": _("They are not gone from the pool."),
    "not_decided": _("Nothing had been decided."),
    "protected_rows": _("Rows of the site forbid removing the Django user."),
}

CHOICES: dict[str, Any] = {
    "link": _("Link to this Django user, after proof"),
    "merge": _("They are one person: one Django user, after proof"),
    "separate": _("Keep apart: a Django user of their own, after proof"),
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
    "separate_after_proof": _(
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


def told(words: dict[str, Any], word: str) -> Any:
    """The words for a word; the word itself where a site, or a later release, has one that is not known here."""
    return words.get(word, word)
