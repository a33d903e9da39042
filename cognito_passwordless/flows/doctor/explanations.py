"""The short words on challenges, deliveries, events and migrated users, in whole sentences: why, and what to do."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from ...cognito import Cause


class Words(NamedTuple):
    """``why`` ends the sentence "No code came, because …"."""

    why: str
    mend: str = ""


_ASK_THE_POOL: Final = "Look at the person in the pool's console, or run this again with --ask-pool."

CAUSES: Final[Mapping[str, Words]] = {
    # Why nothing was sent on purpose (`flows.sending.routing`).
    "unknown": Words(
        "nobody of that address is known to Django or to a pool, and sign-up is closed",
        "Ask which address they signed up with; import the pool; or open SIGNUP.",
    ),
    "unknown_user": Words("the pool does not know the user name that we have for them", _ASK_THE_POOL),
    "over_limit": Words(
        "too many wrong codes were entered for this address",
        "Wait until the count is over, or let them use hosted login or a browser they signed in with before.",
    ),
    "ambiguous": Words(
        "several accounts carry this address with the same right",
        "Decide whose it is: leave it verified on one account, and remove it from the others.",
    ),
    "inactive": Words("their account is switched off (is_active)", "Switch it on, if that was not on purpose."),
    "staff": Words(
        "they are staff, who may not sign in by code",
        "Let them use their password and second factor, or set STAFF_SIGN_IN and have the address verified.",
    ),
    "no_such_channel": Words(
        "they asked for it on the other channel, where they have no proven address",
        "Let them ask for the code where they have an address that was verified.",
    ),
    "several_pool_users": Words(
        "several pool users carry this address", "Decide which one is theirs: exclude the others in the admin."
    ),
    "excluded": Words("their pool record is excluded from migration", "Set it back to pending, if they may come."),
    "gone": Words(
        "the last full import did not see them in the pool any more",
        "If they may come, let them sign in anyway: an action of the list of migrated users in the admin.",
    ),
    "no_connection": Words(
        "the connection of their pool is gone, switched off, or another pool's now",
        "Bring the connection back under its old name, or retire it instead of switching it off.",
    ),
    "hosted_login_only": Words(
        "their connection has hosted login alone", "Let them use that button, or add 'otp' to its 'routes'."
    ),
    "pool_record_unusable": Words(
        "their pool record cannot be used, and a second account is not made instead",
        "Look at the record's status and last error.",
    ),
    # What a pool answered (`cognito.causes`).
    Cause.throttled: Words("the pool was throttling us", "Lower LIMITS['cognito_starts'], or have the quota raised."),
    Cause.timeout: Words("the pool did not answer in time", "Look at AWS's health page, and ask for another code."),
    Cause.unavailable: Words("the pool could not be reached", "Look at the network, and at AWS's health page."),
    Cause.disabled: Words("they are disabled in the pool", "Enable them there, if they may sign in."),
    Cause.archived: Words("they are archived in the pool", _ASK_THE_POOL),
    Cause.unconfirmed: Words(
        "they never confirmed their account in the pool", "Confirm it there (AdminConfirmSignUp)."
    ),
    Cause.reset_required: Words(
        "they have to reset their password in the pool first", "Let them use hosted login, or add 'local' to 'routes'."
    ),
    Cause.force_change_password: Words(
        "they have to set their first password in the pool", "Let them use hosted login, or add 'local' to 'routes'."
    ),
    Cause.mfa_required: Words(
        "they have MFA in the pool, where no code is sent as the first factor", "Let them use hosted login."
    ),
    Cause.otp_unavailable: Words(
        "the pool offers them no code on this channel", "Look at the pool's first factors and at their address there."
    ),
    Cause.not_authorized: Words("the pool refused them without a reason", _ASK_THE_POOL),
    Cause.misconfigured: Words("the pool or its connection is set up wrongly", "Run cognito_doctor without a person."),
    Cause.lambda_refused: Words("a trigger of the pool refused them", "Look at the log of its PreAuthentication."),
    Cause.lambda_failed: Words("a trigger of the pool failed", "Look at the triggers' logs."),
    Cause.wrong_password: Words("the password that they typed is not theirs in the pool", "Let them type it again."),
    Cause.limit_exceeded: Words("the pool says that they tried too often", "Wait a quarter of an hour."),
    # What became of a message (`flows.sending.send_code`, `flows.sending.execute`, `delivery`).
    "expired": Words("it was not sent before its time was over", "Look whether workers run and keep up."),
    "over": Words("the sign-in was over before it was sent", "Use the latest browser window, and ask for one code."),
    "copies_used": Words("two copies may have gone out already", "Look for the first ones, also among the spam."),
    "key_unknown": Words(
        "the worker has another SECRET_KEY than the site", "Give both the same; run cognito_workers."
    ),
    "quota": Words(
        "the provider's quota was used up for longer than a worker waits", "Have it raised; look who sends."
    ),
    "no_sender": Words("no sender is configured for this channel", "Configure SENDERS (docs/senders.md)."),
    "not_sent": Words("the mail backend took no message", "Look at the mail backend."),
    "password_first": Words(
        "their pool wants the password first, and sends its code to who has typed it right",
        "Let them type it below the code, or have it reset in the pool.",
    ),
    "review_code": Words("they have a fixed review code, which is never sent", "It is in REVIEW_CODES."),
    "limit_sms_country": Words("no SMS goes to that country", "Add it to SMS_COUNTRIES, if it may."),
    # What a right code of a pool's proved (`identity.pool_code`).
    "address_changed": Words(
        "their address in the pool was changed between the message and the code, so the code proved nobody",
        "Let them ask for a new code: it goes to the new address. An attacker does this to enter as somebody else.",
    ),
    "address_dropped": Words(
        "an address of theirs that they did not prove belongs to another account, and was left out",
        "Nothing: they have an account without it. Whoever proves it gets into the other one.",
    ),
    "join_offered": Words(
        "one more proof would open an account that is there, and they were asked for it",
        "Nothing: the page says what to do.",
    ),
    "address_is_anothers": Words(
        "they proved an address that another account has verified",
        "Find out whose it is, and remove it from the other account.",
    ),
    "address_unconfirmed": Words(
        "the pool has their address unverified, so that their code proved the pool user and no address",
        "Have them verify the address in the pool, or by our own code after the cut-over.",
    ),
    "destination_unknown": Words(
        "the pool did not say that its code went to an address that we know, so that it proved the pool user alone",
        "Look whether the address in the pool is another one than they type, and import the pool again.",
    ),
    # Why a proven person was not let in (`flows.migration`).
    "several_users": Words("several Django users fit this pool user", "Decide in the admin who it is."),
    "address_not_proven": Words("a Django user has the address, and it was not proven in that sign-in", "Decide."),
    "privileged_user": Words("the Django user with that address is staff", "No migration reaches staff. Decide."),
    "inactive_user": Words("the Django user with that address is switched off", "Switch it on, or decide."),
    "linked_to_another": Words("that Django user is another pool user's already", "Decide in the admin who it is."),
    "value_taken": Words("a unique value of theirs belongs to somebody else", "Look at ATTRIBUTES."),
    "value_refused": Words(
        "a value of theirs does not fit the user model, or a rule of the site refuses it",
        "Look at ATTRIBUTES, at the user model's fields, and at the hooks of ACCOUNT_ADAPTER.",
    ),
    "signup_closed": Words(
        "nobody of that address is known, and is_open_for_signup of the account adapter says that sign-up is closed",
        "Open it there, or close SIGNUP as well: then no code is sent.",
    ),
    "stopped_by_site": Words(
        "a hook or a receiver of the site's stopped the sign-in with a page of its own",
        "Look for ImmediateHttpResponse in the site's adapters and receivers.",
    ),
    "unexpected_error": Words(
        "an error was raised at the end of the sign-in, which most likely is a mistake in a hook of the site's",
        "Look at the log: it has the traceback.",
    ),
    "user_deleted": Words("their Django user was deleted", "Undo the migration, or leave it."),
}
_BUDGETS: Final = Words(
    "the budget {} was used up", "Wait until it is free again, or raise it in LIMITS after looking who sends."
)


def in_words(cause: str) -> Words:
    """The sentence for a short word; the word itself where it is a provider's own."""
    if cause in CAUSES:
        return CAUSES[cause]
    if cause.startswith("limit_"):
        return Words(_BUDGETS.why.format(cause.removeprefix("limit_")), _BUDGETS.mend)
    if not cause:
        return Words("of something that was not written down", "Look at the log.")
    return Words(f"a sender said {cause!r}", "docs/senders.md tells what senders say; the log has more.")
