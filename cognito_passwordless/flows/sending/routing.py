"""Choosing who proves the person. The worker does this: the request looks up no person (law 4)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ... import connections
from ...cognito import Cause, CognitoError, Connection, get_user
from ...conf import conf
from ...identifiers import Identifier, known, stored
from ...identity import Action, Channel, Conflict, Held, Refusal
from ...identity.pool_users import NoMatch
from ...models import ChallengeSession, MigratedUser
from ...otp import Code
from ..accounts import owners, pool_records, user_names
from ..accounts.pool_records import FEDERATED
from .pool_names import usernames_at

Status = MigratedUser.Status


@dataclass(frozen=True, slots=True)
class ByOurCode:
    """Our code to ``recipient``."""

    recipient: str


@dataclass(frozen=True, slots=True)
class ByPool:
    """The pool's own code; ``candidates`` in order, each with the username to sign in as.

    ``known`` is the person's record where there is one, and ``resumed`` a pool that has sent a code before: both say
    that the person is in that pool, so "unknown user" ends it instead of going on.
    """

    candidates: tuple[tuple[Connection, str], ...] = field(repr=False)
    known: MigratedUser | None = None
    resumed: bool = False

    @property
    def expected(self) -> bool:
        return self.known is not None or self.resumed


@dataclass(frozen=True, slots=True)
class Decoy:
    """Nothing is sent, and the reason stays here."""

    reason: str


Decision = ByOurCode | ByPool | Decoy


def choose(challenge: ChallengeSession) -> Decision:
    """Who proves this person, in the order of the design: a local user, a pending pool user, the pool by ``lookup``,
    sign-up. Puts the account that it finds on the challenge, to be written with the route.

    Raises `CognitoError` when the pool had to be asked (``list_users``) and did not answer.
    """
    identifier = identifier_of(challenge)
    if identifier.is_user_name:
        return _by_user_name(challenge, identifier)
    verdict, accounts = pool_records.by_our_code(identifier)
    if verdict.action in {Action.ENTER, Action.TAKE_OVER, Action.ASK_SECOND_FACTOR}:
        user, is_verified = accounts.user_of(verdict), verdict.action is Action.ENTER
        challenge.account = owners.account_key("user", user.pk)
        if challenge.channel == identifier.channel:
            return ByOurCode(identifier.value if is_verified else owners.written_spelling(user, identifier))
        other = owners.proven_address(user, challenge.channel) if is_verified else ""
        return ByOurCode(other) if other else Decoy("no_such_channel")
    rows = pool_records.carrying(identifier)
    if verdict.reason is Conflict.AMBIGUOUS_ADDRESS:
        # Where an operator has said whose the address is that several accounts have verified, its pool user proves it.
        rows = [row for row in rows if pool_records.is_wanted(row, identifier)]
        return (rows and _pending(challenge, identifier, rows)) or Decoy("ambiguous")
    is_verified = any(Held.VERIFIED in holder.addresses.values() for holder in accounts.holders)
    if verdict.reason in {Refusal.INACTIVE, Refusal.STAFF} and is_verified:
        return Decoy(str(verdict.reason))
    if rows and (decision := _pending(challenge, identifier, rows)):
        return decision
    # The pool knows better who is gone; but a person who has the address there now comes first.
    candidates = [*_to_be_asked(identifier), *_perhaps_there(identifier, rows)]
    if candidates:
        return ByPool(tuple(candidates))
    if rows and not conf.signup:
        return Decoy(NoMatch.GONE.value)
    return Decoy("staff") if verdict.reason is Refusal.STAFF and not conf.signup else unknown(challenge)


def _to_be_asked(identifier: Identifier) -> list[tuple[Connection, str]]:
    """The pools that may know a person whom no import knows, each with the usernames to try there."""
    return [
        (connection, username)
        for connection in connections.answering_for(identifier, connections.active())
        if "otp" in connection.routes
        for username in usernames_at(connection, identifier)
    ]


def _by_user_name(challenge: ChallengeSession, name: Identifier) -> Decision:
    """Our code to an address that this person has proven here, else as for a pool user whose verified address was
    typed; without one, the pool is asked."""
    row = pool_records.meant(pool_records.carrying(name), name)
    if row is NoMatch.UNKNOWN:
        candidates = _to_be_asked(name)
        return ByPool(tuple(candidates)) if candidates else Decoy(row.value)
    if isinstance(row, NoMatch):
        return Decoy(row.value)
    challenge.account = owners.account_of_row(row)
    user = None if row.awaits_proof else row.user
    if address := user and known(owners.proven_address(user, challenge.channel)):
        verdict, _ = pool_records.by_our_code(address)
        return ByOurCode(address.value) if verdict.action is Action.ENTER else Decoy(str(verdict.reason))
    connection = connections.find(row.connection)
    if address := user_names.reached_at(row, challenge.channel):
        return _pending(challenge, address, [row]) or Decoy(NoMatch.GONE.value)
    if obstacle := pool_records.not_admitted(row):
        return Decoy(obstacle)
    if connection is None or not connection.active or connection.pool != row.pool or _gets_no_code(connection, row):
        return Decoy("no_such_channel")
    return ByPool(((connection, row.username),), known=row)


def at_the_named_pool(challenge: ChallengeSession) -> Decision:
    """The pool that a site's own view has named for this step, and no other way: our own code would not be what was
    asked for. Raises `CognitoError` as `choose` does."""
    identifier = identifier_of(challenge)
    connection = connections.find(challenge.connection)
    if connection is None or not connection.active:
        return Decoy("no_connection")
    rows = [row for row in pool_records.carrying(identifier) if row.pool == connection.pool]
    row = pool_records.meant(rows, identifier)
    if row in {NoMatch.UNKNOWN, NoMatch.GONE}:
        pool = tuple((connection, username) for username in usernames_at(connection, identifier))
        pool += tuple(each for each in _perhaps_there(identifier, rows) if each[0] == connection)
        return ByPool(pool, resumed=True) if pool else Decoy("unknown")
    if isinstance(row, NoMatch):
        return Decoy(row.value)
    challenge.account = owners.account_of_row(row)
    if not row.pool_enabled:
        return Decoy("disabled")
    return ByPool(((connection, row.username or identifier.value),), resumed=True)


def identifier_of(challenge: ChallengeSession) -> Identifier:
    """What the person typed; it was normalised when the challenge started."""
    return stored(challenge.identifier, challenge.spelling)


def review_code(identifier: Identifier, now: datetime) -> Code | None:
    """The fixed code of an app store's reviewer (`REVIEW_CODES`), which takes the place of ours until its day is over.

    It proves no address, so it opens only an account whose address Django has verified before, and never one of staff,
    whatever `STAFF_SIGN_IN` says. No statement for people who are not on the list.
    """
    entries = [entry for entry in conf.review_codes if entry.identifier == identifier.value and entry.is_valid(now)]
    return entries[0].code if entries and owners.verified_owner(identifier) is not None else None


def unknown(challenge: ChallengeSession) -> Decision:
    """An unknown person: sign-up where it is open, else nothing."""
    identifier = identifier_of(challenge)
    opens = conf.signup and not identifier.is_user_name
    return _our_code(challenge, identifier) if opens else Decoy("unknown")


def _our_code(challenge: ChallengeSession, identifier: Identifier, spelling: str = "") -> Decision:
    if challenge.channel != identifier.channel:
        return Decoy("no_such_channel")
    return ByOurCode(spelling or identifier.value)


def _pending(challenge: ChallengeSession, identifier: Identifier, rows: list[MigratedUser]) -> Decision | None:
    """None where all of them are gone from their pools."""
    row = pool_records.meant(rows, identifier)
    if row is NoMatch.GONE:
        return None
    if isinstance(row, NoMatch):
        # Excluded is a pool user, not a person who proves an address that this one merely wrote.
        is_open = conf.signup and not pool_records.keeps_out(rows, identifier)
        return unknown(challenge) if row is NoMatch.UNKNOWN or is_open else Decoy(row.value)
    wanted = pool_records.is_wanted(row, identifier)
    is_merely_written = not wanted and identifier.value not in row.verified_keys
    if is_merely_written and pool_records.not_admitted(row):
        # Another one who wrote it may be let in by the pool.
        row = next(
            (it for it in rows if pool_records.meant([it], identifier) is it and not pool_records.not_admitted(it)),
            row,
        )
    challenge.account = owners.account_of_row(row)
    connection = connections.find(row.connection)
    usable = connection is not None and connection.enabled and connection.pool == row.pool
    spelling = row.email if identifier.channel == Channel.EMAIL else row.phone_number
    if is_merely_written:
        return _merely_written(challenge, identifier, row, connection if usable else None)
    if not row.pool_enabled:
        return Decoy("disabled")
    if connection is None or not usable:
        return Decoy("no_connection")
    came = row.status == Status.MIGRATED and not row.awaits_proof
    if connection.retired or ((wanted or came) and _gets_no_code(connection, row)):
        return _our_code(challenge, identifier, spelling)
    if "otp" not in connection.routes:
        return _instead_of_hosted_login(challenge, identifier, connection, row)
    return ByPool(((connection, row.username or spelling),), known=row)


def _gets_no_code(connection: Connection, row: MigratedUser) -> bool:
    """Whether the pool sends this pool user no code."""
    return "otp" not in connection.routes or row.pool_status == FEDERATED


def _merely_written(
    challenge: ChallengeSession, identifier: Identifier, row: MigratedUser, connection: Connection | None
) -> Decision:
    """The address is written on a pool user who never proved it to the pool. Triggers of a pool's own may send a code
    there all the same, and then prove who it is; Cognito's own codes go to verified addresses alone. Else ours proves
    the address, whosever it is."""
    obstacle = pool_records.not_admitted(row) or ("no_connection" if connection is None else "")
    if obstacle or connection is None:
        return unknown(challenge) if conf.signup else Decoy(obstacle)
    if connection.active and connection.otp_flow == "CUSTOM_AUTH" and not _gets_no_code(connection, row):
        return ByPool(((connection, row.username or identifier.value),), known=row)
    return _our_code(challenge, identifier)


def _instead_of_hosted_login(
    challenge: ChallengeSession, identifier: Identifier, connection: Connection, row: MigratedUser
) -> Decision:
    """Our code, where this sign-in goes on from a hosted login that was found to be set up wrongly
    (`hosted_login.fallback`), our code is the route after it, and the directory confirms that no factor is lost."""
    goes_on = challenge.connection == connection.alias and connection.on_failure == "branch"
    if not goes_on or connection.route_after("oidc") != "local":
        return Decoy("hosted_login_only")
    obstacle = _obstacle_now(connection, row, Cause.misconfigured)
    allowed = _PASSWORD_TO_SET | {None}
    return _our_code(challenge, identifier) if obstacle in allowed else Decoy(str(obstacle))


def _perhaps_there(identifier: Identifier, gone: Sequence[MigratedUser]) -> list[tuple[Connection, str]]:
    """People who are gone, to be asked for all the same: an import may have missed them. A directory that is asked for
    the address has not."""
    return [
        (connection, row.username)
        for row in gone
        for connection in connections.active()
        if (connection.alias, connection.pool) == (row.connection, row.pool)
        and (row.username and row.pool_enabled and identifier.value in row.verified_keys)
        and not (_gets_no_code(connection, row) or connection.lookup == "list_users")
    ]


def after_pool_refusal(
    challenge: ChallengeSession, connection: Connection, error: CognitoError, record: MigratedUser | None
) -> Decision:
    """The cause decides where a sign-in goes when the pool will not send a code.

    Only two kinds of causes may change the route, and only to routes that the connection names: a password that the
    person has yet to set, and a pool that is set up wrongly. Everything that an attacker could provoke (throttling,
    time-outs, 5xx, a firewall) and everything about the person (disabled, unconfirmed, MFA) stays where it is.
    """
    if record is None or connection.route_after("otp") != "local":
        return Decoy(str(error.cause))
    if error.cause in _POOL_SET_UP_WRONGLY and connection.on_failure == "branch":
        allowed: frozenset[Cause | None] = _PASSWORD_TO_SET | {None}
    elif error.cause in _PASSWORD_TO_SET or error.cause is Cause.otp_unavailable:
        allowed = _PASSWORD_TO_SET
    else:
        return Decoy(str(error.cause))
    obstacle = _obstacle_now(connection, record, error.cause)
    address: Identifier | None = identifier_of(challenge)
    if address and address.is_user_name:
        address = user_names.reached_at(record, challenge.channel)
    return _our_code(challenge, address) if obstacle in allowed and address else Decoy(str(obstacle or error.cause))


_PASSWORD_TO_SET: frozenset[Cause | None] = frozenset({Cause.force_change_password, Cause.reset_required})
_POOL_SET_UP_WRONGLY = frozenset({Cause.misconfigured})


def _obstacle_now(connection: Connection, known: MigratedUser, cause: Cause) -> Cause | None:
    """What the directory says of the person at this moment: an import may be older than a second factor, and that the
    pool offers only a password may mean either. Where it cannot be asked, the refusal stands: a migration never
    lowers the number of factors."""
    try:
        user = get_user(connection, known.username or known.sub)
    except CognitoError:
        return Cause.mfa_required if cause is Cause.otp_unavailable else Cause.not_authorized
    return Cause.mfa_required if user.mfa else user.obstacle
