"""Choosing who proves the person. The worker does this: the request looks up nothing about anybody (law 4)."""

from dataclasses import dataclass, field
from datetime import datetime

from .. import connections
from ..cognito import Cause, CognitoError, Connection, find_users, get_user
from ..conf import conf
from ..identifiers import Identifier
from ..models import ChallengeSession, MigratedUser
from . import attempts
from .decisions import one_person, opens
from .local_users import Ambiguous, Owner, owner_of, proven_address

Status = MigratedUser.Status
# The pool's word for whoever signs in by another provider: they have no code of the pool's own.
FEDERATED = "EXTERNAL_PROVIDER"
# As text, for every right code asks it: the ORM takes longer to write it than all the rest of it takes.
_KNOWN = f"SELECT * FROM {MigratedUser._meta.db_table} WHERE {{}} = %s ORDER BY id LIMIT 10"  # noqa: S608
_BY_EMAIL, _BY_NUMBER = _KNOWN.format("email"), _KNOWN.format("phone_number")


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


def choose(challenge: ChallengeSession, now: datetime) -> Decision:
    """Who proves this person, in the order of the design: a local user, a pending pool user, the pool by ``lookup``,
    sign-up.

    Raises `CognitoError` when the pool had to be asked (``list_users``) and did not answer.
    """
    identifier = typed(challenge)
    if not challenge.known_browser and attempts.is_over_limit(identifier.value, now):
        return Decoy("over_limit")
    try:
        owner = owner_of(identifier)
    except Ambiguous:
        return _decided(challenge, identifier) or Decoy("ambiguous")
    if owner:
        return Decoy(owner.refusal) if owner.refusal else _our_code(challenge, identifier, owner)
    known = known_pool_users(identifier)
    if known:
        return _pending(challenge, identifier, known)
    candidates = tuple(_by_lookup(identifier))
    return ByPool(candidates) if candidates else unknown(challenge)


def at_the_named_pool(challenge: ChallengeSession, now: datetime) -> Decision:
    """The pool that a site's own view has named for this step, and no other way: our own code would not be what was
    asked for. Raises `CognitoError` as `choose` does."""
    identifier = typed(challenge)
    if attempts.is_over_limit(identifier.value, now):
        return Decoy("over_limit")
    connection = connections.find(challenge.connection)
    if connection is None or not connection.active:
        return Decoy("no_connection")
    known = one_person([row for row in known_pool_users(identifier) if row.pool == connection.pool])
    if len(known) > 1:
        return Decoy("several_pool_users")
    for row in known:
        if row.status == Status.EXCLUDED:
            return Decoy("excluded")
        if not row.pool_enabled:
            return Decoy("disabled")
    username = (known[0].username or identifier.value) if known else _username_at(connection, identifier)
    return ByPool(((connection, username),), resumed=True) if username else Decoy("unknown")


def typed(challenge: ChallengeSession) -> Identifier:
    """What the person typed; it was normalised when the challenge started."""
    return Identifier(challenge.identifier, "email" if "@" in challenge.identifier else "sms")


def unknown(challenge: ChallengeSession) -> Decision:
    """Nobody knows this person: sign-up where it is open, else nothing."""
    return _our_code(challenge, typed(challenge)) if conf.signup else Decoy("unknown")


def known_pool_users(identifier: Identifier) -> list[MigratedUser]:
    """The pool users that carry this identifier, however far they have come."""
    statement = _BY_EMAIL if identifier.channel == "email" else _BY_NUMBER
    return list(MigratedUser.objects.raw(statement, [identifier.value]))


def _decided(challenge: ChallengeSession, identifier: Identifier) -> Decision | None:
    """Where a human has said whose the address is that several accounts carry, its pool user proves it."""
    known = [row for row in known_pool_users(identifier) if opens(row, identifier.value)]
    return _pending(challenge, identifier, known) if known else None


def _our_code(challenge: ChallengeSession, identifier: Identifier, owner: Owner | None = None) -> Decision:
    """Our code to the identifier, or to the owner's proven address of the other kind if that was asked for."""
    if challenge.channel == identifier.channel:
        return ByOurCode(identifier.value)
    other = proven_address(owner.user, challenge.channel) if owner and owner.proven else ""
    return ByOurCode(other) if other else Decoy("no_such_channel")


def _pending(challenge: ChallengeSession, identifier: Identifier, known: list[MigratedUser]) -> Decision:
    known = one_person(known)
    if len(known) != 1:
        return Decoy("several_pool_users")
    row = known[0]
    if row.status == Status.EXCLUDED:
        return Decoy("excluded")
    if row.status == Status.MIGRATED and not row.awaits_proof:
        # Migrated, yet no Django user owns the address: deleted or inactive since. Nobody comes back silently.
        return Decoy("migrated_without_owner")
    if not row.pool_enabled:
        return Decoy("disabled")
    connection = connections.find(row.connection)
    if connection is None or not connection.enabled or connection.pool != row.pool:
        return Decoy("no_connection")
    if connection.retired:
        return _our_code(challenge, identifier)
    if "otp" not in connection.routes or row.pool_status == FEDERATED:
        # The pool sends them no code. Where a human wants the address proven, ours does it.
        if opens(row, identifier.value):
            return _our_code(challenge, identifier)
        if "otp" not in connection.routes:
            return _instead_of_hosted_login(challenge, identifier, connection, row)
    return ByPool(((connection, row.username or identifier.value),), known=row)


def _instead_of_hosted_login(
    challenge: ChallengeSession, identifier: Identifier, connection: Connection, row: MigratedUser
) -> Decision:
    """Our code, where this sign-in goes on from a hosted login that was found to be set up wrongly (`onwards`), our
    code is the route after it, and the directory confirms that no factor is lost."""
    goes_on = challenge.connection == connection.alias and connection.on_failure == "branch"
    if not goes_on or connection.route_after("oidc") != "local":
        return Decoy("hosted_login_only")
    obstacle = _obstacle_now(connection, row, Cause.misconfigured)
    allowed = _PASSWORD_TO_SET | {None}
    return _our_code(challenge, identifier) if obstacle in allowed else Decoy(str(obstacle))


def _by_lookup(identifier: Identifier) -> list[tuple[Connection, str]]:
    found = []
    for connection in connections.answering_for(identifier, connections.active()):
        username = _username_at(connection, identifier) if "otp" in connection.routes else ""
        if username:
            found.append((connection, username))
    return found


def _username_at(connection: Connection, identifier: Identifier) -> str:
    """As whom to sign in there somebody whom no import knows; empty where ``lookup`` says that nobody is."""
    if connection.lookup == "try":
        return identifier.value
    if connection.lookup == "imported":
        return ""
    if identifier.channel == "email":
        users = find_users(connection, attribute="email", value=identifier.value)
    else:
        users = find_users(connection, attribute="phone_number", value=identifier.value)
    return users[0].username if len(users) == 1 else ""


def after_pool_refusal(
    challenge: ChallengeSession, connection: Connection, error: CognitoError, known: MigratedUser | None
) -> Decision:
    """The cause decides where a sign-in goes when the pool will not send a code.

    Only two kinds of causes may change the route, and only to routes that the connection names: a password that the
    person has yet to set, and a pool that is set up wrongly. Everything that an attacker could provoke (throttling,
    time-outs, 5xx, a firewall) and everything about the person (disabled, unconfirmed, MFA) stays where it is.
    """
    if known is None or connection.route_after("otp") != "local":
        return Decoy(str(error.cause))
    if error.cause in _POOL_SET_UP_WRONGLY and connection.on_failure == "branch":
        allowed: frozenset[Cause | None] = _PASSWORD_TO_SET | {None}
    elif error.cause in _PASSWORD_TO_SET or error.cause is Cause.otp_unavailable:
        allowed = _PASSWORD_TO_SET
    else:
        return Decoy(str(error.cause))
    obstacle = _obstacle_now(connection, known, error.cause)
    return _our_code(challenge, typed(challenge)) if obstacle in allowed else Decoy(str(obstacle or error.cause))


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
