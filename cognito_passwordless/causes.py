"""The registry of causes: every word that this package records for why a step ended as it did, or was refused.

A word that is not here was made by a sender or by a later release; `explain` says so. docs/causes.md is this registry.
"""

from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Final, Literal

Category = Literal["flow", "configuration", "system"]
Audience = Literal["person", "operator"]


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """``category``: whose business it is: the sign-in's own, the setup's, or the network's and the provider's.
    ``audience``: "person" where a page may say so to anybody, for it tells nothing about any account (law 4).
    ``sentence`` is marked for translation, and translated where it is shown; ``remedy`` is for operators."""

    category: Category
    audience: Audience
    sentence: str
    remedy: str = ""

    @property
    def clause(self) -> str:
        """The sentence as the end of another one: "No code came because …"."""
        return self.sentence[0].lower() + self.sentence[1:].removesuffix(".")


def _(text: str) -> str:
    """Marks a text for ``makemessages``."""
    return text


_own = partial(Words, "flow", "person")
_flow = partial(Words, "flow", "operator")
_setup = partial(Words, "configuration", "operator")
_outage = partial(Words, "system", "person")

_ASK_THE_POOL: Final = "Look at the person in the pool's console, or use cognito_doctor --ask-pool."
_PASSWORD: Final = "Let them use hosted login, or add 'local' to 'routes'."  # noqa: S105 - an advice, not a password
_START_AGAIN: Final = "Let them start a new sign-in."
_CALLBACK: Final = "Check the app client, its callback URLs and the connection's scope."


class Reason(Enum):
    """The name of a member is the word that is recorded."""

    # What a pool answered (`cognito.Cause`).
    throttled = _outage(_("The pool throttled our calls."), "Lower LIMITS['cognito_starts'], or raise the AWS quota.")
    timeout = _outage(_("The pool did not answer in time."), "Check the AWS health page; ask for another code.")
    unavailable = _outage(_("The pool could not be reached."), "Check the network and the AWS health page.")
    unknown_user = _flow(_("The pool does not know the recorded user name."), _ASK_THE_POOL)
    wrong_code = _own(_("The code was wrong."))
    wrong_password = _own(_("The password was wrong."), "Let them type it again.")
    session_expired = _own(_("The pool's sign-in session had expired."), _START_AGAIN)
    session_used = _own(_("The pool's sign-in session had been used already."), _START_AGAIN)
    disabled = _flow(_("The person is disabled in the pool."), "Enable them there if they may sign in.")
    archived = _flow(_("The person is archived in the pool."), _ASK_THE_POOL)
    unconfirmed = _flow(_("The person never confirmed their account in the pool."), "Confirm it (AdminConfirmSignUp).")
    reset_required = _flow(_("The person has to reset their password in the pool first."), _PASSWORD)
    force_change_password = _flow(_("The person has to set their first password in the pool."), _PASSWORD)
    mfa_required = _flow(_("The person has MFA in the pool, which then sends no code first."), "Use hosted login.")
    otp_unavailable = _flow(_("The pool offers no code on this channel."), "Check factors and address there.")
    not_authorized = _flow(_("The pool refused the person without a reason."), _ASK_THE_POOL)
    misconfigured = _setup(_("The pool or its connection is misconfigured."), "Run cognito_doctor --connection.")
    lambda_refused = _flow(_("A trigger of the pool refused the person."), "Check the log of its PreAuthentication.")
    lambda_failed = _setup(_("A trigger of the pool failed."), "Check the logs of the pool's triggers.")
    limit_exceeded = _flow(_("The pool counted too many attempts."), "Wait a quarter of an hour.")
    token_invalid = _flow(_("The pool's token failed verification."), "The event's data has a detail.")

    # Why no code was sent, although it looked as if one were.
    unknown = _flow(_("Nobody is known by this address."), "Ask which address they use; import the pool.")
    ambiguous = _flow(_("Several accounts have this address with the same right."), "Leave it verified on one alone.")
    inactive = _flow(_("The Django user is inactive."), "Activate it, if that was not on purpose.")
    staff = _flow(
        _("The Django user is staff, who do not sign in by code here."),
        "Let them use their password and second factor, or set STAFF_SIGN_IN and have the address verified.",
    )
    no_such_channel = _flow(_("The person has no verified address on this channel."), "Let them choose another.")
    hosted_login_only = _flow(_("The connection offers hosted login only."), "Let them use it, or add 'otp'.")
    over_limit = _flow(
        _("Too many wrong codes were entered for this address."),
        "Let them open the link that they get within the hour, or use a browser that they signed in with before.",
    )
    link_sent = _flow(_("A link took the place of the code, as strangers have used up the codes."), "Let them use it.")
    link_used = _flow(_("The link that took the place of the code was opened."), "Let them enter the code sent then.")
    limit_number_type = _own(_("No SMS is sent to numbers of this type."), "Let them use another, or their e-mail.")
    limit_conversion = _flow(
        _("SMS to this range of numbers have stopped for a while, as their codes are no longer entered."),
        "It opens by itself. Look at the provider's reports for these numbers.",
    )
    limit_sms_country = _own(_("No SMS is sent to this country."), "Add it to SMS_COUNTRIES, if it may be.")

    # What became of a message.
    expired = _own(_("Its time was over."), "Check that workers keep up; ask for another code.")
    over = _own(_("The sign-in ended before the message was sent."), "Use the latest window.")
    copies_used = _flow(_("Two copies may have been sent already."), "Look for them, also in the spam folder.")
    key_unknown = _setup(_("The worker has another SECRET_KEY than the site."), "Share it; run cognito_workers.")
    key_retired = _setup(_("The SECRET_KEY of this sign-in was removed."), "Keep old keys in SECRET_KEY_FALLBACKS.")
    quota = _outage(_("The provider's quota was used up for too long."), "Raise it; find out who sends.")
    busy = _outage(_("The provider's quota was used up for the moment."), "Nothing: the worker tries again.")
    no_sender = _setup(_("No sender is configured for this channel."), "Configure SENDERS (docs/senders.md).")
    no_mailers = _setup(_("The sender names a mailer, and this Django has no MAILERS."), "Change SENDERS.")
    not_sent = _flow(_("No message was sent in this sign-in."), "Check the mail backend and the worker's log.")
    twilio_unreadable_answer = _outage(_("Twilio's answer could not be read: the message may be out."))
    password_first = _flow(
        _("The pool asks for the password before it sends its code."),
        "Let them type it below the code, or have it reset in the pool.",
    )
    password_not_asked = _flow(_("No pool waits for a password from this person."), _START_AGAIN)
    review_code = _flow(_("The reviewer's fixed code is never sent."), "It is in REVIEW_CODES.")

    # What became of an answer.
    locked = _own(_("All attempts of this code were used."), _START_AGAIN)
    no_pool_session = _flow(_("The pool opened no session for this sign-in."), _START_AGAIN)
    another_person = _flow(_("The pool signed in another user than the one asked for."), _ASK_THE_POOL)
    already_used = _own(_("The code had been used already."), _START_AGAIN)
    address_changed = _flow(
        _("The address in the pool was changed between the message and the code, so the code proved nobody."),
        "Let them ask for a new code: it goes to the new address. An attacker does this to enter as another person.",
    )
    address_unconfirmed = _flow(
        _("The pool has not verified the address, so the code proved the pool user alone."),
        "Have the address verified in the pool, or by our own code after the cut-over.",
    )
    destination_unknown = _flow(
        _("The pool did not say that its code went to a known address, so the code proved the pool user alone."),
        "Compare the address in the pool with what they type, and import the pool again.",
    )
    no_answer = _own(_("The hosted login sent no answer for this browser."), _START_AGAIN)
    state_missing = _own(_("The answer of the hosted login had no state."), _START_AGAIN)
    state_unknown = _own(_("The answer of the hosted login belongs to no sign-in of this site."), _START_AGAIN)
    state_used = _own(_("The answer of the hosted login had been used already."), _START_AGAIN)
    other_browser = _own(_("The answer of the hosted login came from another browser."), _START_AGAIN)
    other_connection = _own(_("The answer of the hosted login belongs to another connection."), _START_AGAIN)
    wrong_issuer = _own(_("The answer of the hosted login came from another issuer."), "Check the 'issuer' setting.")
    no_code = _own(_("The answer had no code."), _START_AGAIN)
    superseded = _own(_("A later sign-in in the same browser took its place."), "Let them use the latest window.")
    signed_in_already = _own(_("The browser was signed in already."), "Let them sign out first.")
    repeated_parameter = _own(_("The answer of the hosted login had a parameter twice."), _START_AGAIN)
    oversized_parameter = _own(_("The answer of the hosted login had a parameter that is too long."), _START_AGAIN)
    access_denied = _own(_("The person or the identity provider declined the hosted login."), _START_AGAIN)
    account_selection_required = _own(_("The hosted login needs the person to choose an account."), _START_AGAIN)
    consent_required = _own(_("The hosted login needs the person's consent."), _START_AGAIN)
    interaction_required = _own(_("The hosted login needs an answer from the person."), _START_AGAIN)
    login_required = _own(_("The hosted login needs the person to sign in."), _START_AGAIN)
    unmet_authentication_requirements = _own(_("The hosted login could not meet the required level."), _CALLBACK)
    server_error = _outage(_("The hosted login had an error of its own."), "Check the AWS health page.")
    temporarily_unavailable = _outage(_("The hosted login was overloaded or under maintenance."), "Wait a minute.")
    invalid_request = _setup(_("The hosted login called our request invalid."), _CALLBACK)
    invalid_scope = _setup(_("The hosted login refused the scope."), _CALLBACK)
    unauthorized_client = _setup(_("The hosted login does not allow this app client."), _CALLBACK)
    unsupported_response_type = _setup(_("The app client has no authorization code grant."), _CALLBACK)
    login_error = _own(_("The hosted login sent an error that OpenID does not define."), _CALLBACK)

    # Why a step of the site's own pages was not begun.
    no_connection = _setup(
        _("The connection is missing, disabled, retired or of another pool."),
        "Restore it under its old name, or retire it instead of disabling it.",
    )
    route_not_offered = _setup(_("The connection does not offer this route."), "Add the route to its 'routes'.")
    scope_not_allowed = _setup(_("The connection does not have this scope."), "Add it to the connection's 'scope'.")

    # Conflicts and refusals: why a person who is proven did not get in, or only in part.
    several_users = _flow(
        _("The addresses of this pool user belong to different Django users."), "Decide in the admin who it is."
    )
    several_pool_users = _flow(
        _("Several pool users carry the same address in different spellings: one person's, or several people's."),
        "Ask them. Decide that they are one person, or exclude the wrong one.",
    )
    ambiguous_address = _flow(_("Several Django users have verified this address."), "Remove it from the wrong one.")
    address_not_proven = _flow(
        _("A Django user has this address, and the sign-in did not prove it."), "Let them prove it by a code."
    )
    address_taken_over = _flow(
        _("Another person proved the address of the Django user that this pool user was linked to without a proof."),
        "Find out who that was; usually exclude the pool user.",
    )
    linked_to_another = _flow(
        _("The Django user belongs to another pool user already."), "Check whether they are one person."
    )
    privileged_user = _flow(
        _("The Django user is staff or a superuser, whom no migration reaches."), "Change it, or exclude."
    )
    inactive_user = _flow(_("The Django user is inactive."), "Activate it, or exclude the pool user.")
    user_deleted = _flow(_("The Django user has been deleted since."), "Undo, or set DELETED_USER_RETURNS.")
    value_taken = _flow(_("A value that must be unique is taken by another Django user."), "Fix the value.")
    value_refused = _flow(
        _("A value does not fit the user model, or a rule of the site refuses it."),
        "Check ATTRIBUTES, the user model's fields and the hooks of ACCOUNT_ADAPTER; let them try again.",
    )
    second_factor = _flow(
        _("A second factor, in the pool or of the Django user, would be lost: our code alone is fewer."),
        "Let them use hosted login while there is one, or decide after asking.",
    )
    sub_too_long = _flow(_("The pool's id of this person is too long to be stored."))
    pool_record_unusable = _flow(
        _("They proved the address to us, and may not come in as this pool user."), "Check the record."
    )
    decision_outdated = _flow(_("The people or addresses of an earlier decision have changed since."), "Decide again.")
    decision_withdrawn = _flow(_("An earlier decision was withdrawn."), "Decide again.")
    excluded = _flow(_("The pool user is excluded from the migration."), "Let them try again, if they may come in.")
    excluded_by_hand = _flow(_("An operator excluded the pool user."), "Let them try again, if they may come in.")
    twin_of_another = _flow(
        _("An operator decided for another pool user with this address."), "Withdraw that decision."
    )
    gone = _flow(_("The last full import did not see them in the pool."), "An admin action lets them sign in anyway.")
    not_seen = _flow(_("The pool has them no more: they would be marked as gone."))
    let_in = _flow(_("An operator let them sign in although the pool has them no more."))
    not_gone = _flow(_("They are not gone from the pool."))
    address_given_on = _flow(_("Another pool user has their address now: it is theirs."))
    set_aside = _flow(_("The pool user is excluded: another one with this address is the person."))
    erased = _flow(_("The person was erased."), "Lift the tombstone, if they want to come back.")
    address_dropped = _flow(
        _("An address that they did not prove belongs to another account, and was left out."),
        "Nothing: a proof of it opens the other account.",
    )
    address_is_anothers = _flow(
        _("Somebody else has proven the address, or this user has proven another one."),
        "Find out whose it is, and remove it from the other account.",
    )
    join_offered = _flow(_("One more proof would open an account that is there."), "Nothing: the page tells them.")
    signup_closed = _flow(
        _("Nobody is known by this address, and the account adapter's is_open_for_signup is False."),
        "Open it there, or close SIGNUP as well: then no code is sent.",
    )
    stopped_by_site = _flow(
        _("A hook or a receiver of the site stopped the sign-in with a response of its own."),
        "Look for ImmediateHttpResponse in the site's adapters and receivers.",
    )
    unexpected_error = _setup(
        _("An error was raised at the end of the sign-in, probably in a hook of the site."),
        "The log has the traceback.",
    )

    # Why a choice is closed, or an action changed nothing.
    sub_is_anothers = _flow(_("Another Django user carries the id of this pool user."))
    no_free_address = _flow(_("Every address of this pool user has been verified by a Django user."))
    no_address = _flow(_("This pool user has no address that could be proven."))
    no_twin_is_verified = _flow(_("The pool verified the address for none of them."))
    not_offered = _flow(_("This choice is no longer open: look at the case again."))
    no_such_person = _flow(_("The record has gone meanwhile."))
    migrated = _flow(_("They have been migrated already."))
    not_migrated = _flow(_("They are not migrated."))
    not_decided = _flow(_("Nothing had been decided."))
    protected_rows = _flow(_("Rows of the site forbid removing the Django user."), "Keep it, or remove them.")

    # What a dry run and an activation say of people.
    nobody_known = _flow(_("No Django user has their address or sub."))
    carries_sub = _flow(_("A Django user carries their sub."))
    verified_address = _flow(_("A Django user has verified their address."))
    unverified_address = _flow(_("A Django user has their address unverified: its credentials go first."))
    second_factor_asked = _flow(_("A Django user has their address unverified, and its second factor is asked for."))
    may_join = _flow(_("A proof of their address opens the account of a Django user instead of a new one."))
    same_person = _flow(_("Another pool user with the same verified address is the same person."))
    decided = _flow(_("An operator has decided about them already."))
    no_user_to_pair = _flow(_("No Django user carries their sub."))
    external_provider = _flow(_("They sign in at another provider."))
    not_confirmed = _flow(_("They are not confirmed in the pool."))
    mfa = _flow(_("They have a second factor in the pool, and have to sign in there first."))
    mfa_unknown = _flow(_("They may have a second factor in the pool: ListUsers does not tell (docs/importing.md)."))
    no_verified_address = _flow(_("The pool has verified no address of theirs."))


# OpenID Connect Core 3.1.2.6 and RFC 6749 4.1.2.1. A browser brings the answer and may have written it: no error in it
# opens another route, and one that is not in this list is not repeated anywhere.
LOGIN_ERRORS: Final = frozenset(
    {
        "access_denied",
        "account_selection_required",
        "consent_required",
        "interaction_required",
        "invalid_request",
        "invalid_scope",
        "login_required",
        "server_error",
        "temporarily_unavailable",
        "unauthorized_client",
        "unmet_authentication_requirements",
        "unsupported_response_type",
    }
)


def explain(word: str) -> Words:
    """The words for a recorded cause: of a budget by its name, and of a sender's own cause that it is one."""
    if word in Reason.__members__:
        return Reason[word].value
    if word.startswith("limit_"):
        remedy = "Wait until it is free again, or raise it in LIMITS after looking who sends."
        return _own(f"The budget {word.removeprefix('limit_')} was used up.", remedy)
    if not word:
        return _flow("The reason was not recorded.", "Check the log.")
    return _flow(f"A sender said {word!r}.", "docs/senders.md lists what senders say; the log has more.")
