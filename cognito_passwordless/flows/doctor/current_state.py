"""What would happen now if one person asked for a code: limits, accounts, pool records, the route. Only reads."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from ... import connections
from ...causes import explain
from ...cognito import CognitoError, Connection
from ...conf import conf
from ...identifiers import Identifier
from ...identity import Action, Conflict, Refusal
from ...models import ChallengeSession, FailureCount, MigratedUser
from ..accounts import owners, pool_records
from ..challenges import attempts
from ..limits import budgets
from ..limits.conversion import PREFIX_LEAVES_OUT
from ..sending import routing
from ..sending.routing import ByOurCode, ByPool, Decoy
from ..sign_in.login import offers_for
from .findings import Show, Verdict, moment, ok, problem, unknown, warning

Status = MigratedUser.Status
Named = Iterator[tuple[str, Verdict]]


@dataclass(frozen=True, slots=True)
class Person:
    """Whom it is about. ``channel`` is where they want the code; ``browsers`` those they have signed in with."""

    identifier: Identifier
    channel: str
    ip: str = ""
    browsers: tuple[str, ...] = ()
    show: Show = field(default_factory=Show)


def standing(person: Person, now: datetime, *, ask_pool: bool) -> Named:
    """Everything that decides about a message, in the order in which it is asked."""
    identifier = person.identifier
    if person.channel == "sms" and identifier.number and not budgets.serves(identifier.number):
        words, country = explain("limit_sms_country"), budgets.country_of(identifier.value) or "no country"
        yield "country", problem(f"{words.clause}: {country}", words.remedy)
    yield from _failures(person)
    yield from _budgets(person, now)
    yield "account", _account(person)
    for row in pool_records.carrying(identifier):
        in_pool = f"{row.pool_status or 'status not known'}, {'' if row.pool_enabled else 'not '}enabled"
        text = f"{row.connection}, {row.sub}: {row.status}; in the pool {in_pool}"
        text += f"; by {row.method}" if row.method else ""
        words = explain(row.last_error)
        verdict = warning(f"{text}; last error: {words.clause}", words.remedy) if row.last_error else ok(text)
        yield f"pool record {row.pk}", verdict
    answering = connections.answering_for(identifier, connections.active())
    names = [f"{c.alias} (lookup {c.lookup}, routes {', '.join(c.routes)})" for c in answering]
    all_names = f"answering for this address: {'; '.join(names)}"
    yield "connections", ok(all_names if names else "no connection to a pool answers for this address")
    yield "route now", _route(person, answering, now, ask_pool=ask_pool)


def _failures(person: Person) -> Named:
    (unknown_most, known_most, each), value = conf.failures, person.identifier.value
    account = attempts.account_of(ChallengeSession(identifier=value, account=_account_key(person.identifier)))
    keys = {value: "failures", account: "failures of the account"}
    for row in FailureCount.objects.filter(identifier__in=keys).order_by("browser", "identifier"):
        counts = [(keys[row.identifier], row.count, unknown_most), ("in known browsers", row.known, known_most)]
        if row.browser:
            counts = [(f"failures_known_browser {row.browser[:8]}", row.count, each)]
        for label, count, most in counts:
            text = f"{count} of {most} wrong codes in a row, the latest at {moment(row.failed_at)}"
            if count or label in keys.values():
                yield label, problem(text, explain("over_limit").remedy) if count >= most else ok(text)


def _account_key(address: Identifier) -> str:
    verdict, accounts = pool_records.by_our_code(address)
    if verdict.comes_in:
        return owners.account_key("user", accounts.user_of(verdict).pk)
    row = pool_records.meant(pool_records.carrying(address), address)
    return owners.account_of_row(row) if isinstance(row, MigratedUser) else ""


def _budgets(person: Person, now: datetime) -> Named:
    value = person.identifier.value
    purses = [("sends", value), *(("sends", f"{browser} {value}") for browser in person.browsers)]
    if person.channel == person.identifier.channel:
        purses += [("sends_per_recipient", value), ("sends_known_browsers", value)]
    if person.channel == "sms":
        if person.identifier.number:
            purses.append(("sms_per_prefix", value[:-PREFIX_LEAVES_OUT]))
            purses.append(("sms_per_country", budgets.country_of(value)))
        purses.append(("sms_per_day", ""))
    else:
        purses.append(("emails_per_day", ""))
    if person.ip:
        purses.append(("starts_per_ip", budgets.network_of(person.ip)))
    for name, key in purses:
        used = budgets.used(name, key, now)
        text = f"{used.count} of {used.limit.count} used"
        if used.seconds:
            text += f"; all free again in {-(-used.seconds // 60)} minutes"
        label = f"{name}, a browser of theirs" if " " in key else name
        yield label, problem(text, explain(f"limit_{name}").remedy) if used.spent else ok(text)


def _account(person: Person) -> Verdict:
    verdict, accounts = pool_records.by_our_code(person.identifier)
    if verdict.reason is Conflict.AMBIGUOUS_ADDRESS:
        words = explain("ambiguous")
        return problem(words.clause, words.remedy)
    if not accounts.holders:
        return ok("no Django user owns this address")
    if verdict.comes_in:
        how = {
            Action.ENTER: "verified",
            Action.TAKE_OVER: "only written on the account, not verified",
            Action.ASK_SECOND_FACTOR: "only written on the account, not verified, and its second factor is asked for",
        }
        return ok(f"user {verdict.account}, {how[verdict.action]}")
    users = ", ".join(str(holder.account) for holder in accounts.holders)
    if verdict.reason is Refusal.UNKNOWN:
        return ok(f"only written on user {users}, who has proven another address or came from a pool: not theirs")
    words = explain(str(verdict.reason))
    return problem(f"user {users}: {words.clause}", words.remedy)


def _route(person: Person, answering: list[Connection], now: datetime, *, ask_pool: bool) -> Verdict:
    hosted = offers_for(person.identifier).hosted_first
    if hosted:
        return ok(f"hosted login of {hosted.alias}, as its 'routes' begin with 'oidc'; a code only if they ask for it")
    asks = any(connection.lookup == "list_users" and "otp" in connection.routes for connection in answering)
    verdict, _ = pool_records.by_our_code(person.identifier)
    is_unknown = verdict.reason is Refusal.UNKNOWN and not pool_records.carrying(person.identifier)
    if not ask_pool and asks and is_unknown:
        return unknown("the pool would be asked who it is (ListUsers)", "Run this again with --ask-pool.")
    # Never stored: what is chosen is looked at and dropped.
    identifier = person.identifier
    challenge = ChallengeSession(identifier=identifier.value, spelling=identifier.spelling, channel=person.channel)
    try:
        decision = routing.choose(challenge)
    except CognitoError as error:
        words = explain(str(error.cause))
        return problem(f"the pool would be asked, and {words.clause}", words.remedy)
    if not isinstance(decision, Decoy) and attempts.is_over_limit(challenge):
        words = explain("over_limit")
        return problem(f"a link instead of a code, once an hour, because {words.clause}", words.remedy)
    match decision:
        case ByOurCode():
            return ok(f"our own code, to {person.show(decision.recipient)}")
        case ByPool():
            names = ", then ".join(connection.alias for connection, _ in decision.candidates)
            return ok(f"the pool's own code, by {names}")
        case Decoy():
            words = explain(decision.reason)
            return problem(f"nothing would be sent, because {words.clause}", words.remedy)
