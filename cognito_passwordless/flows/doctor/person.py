"""One person's case: why no code came, which route, which limit, which status."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Literal

from ... import connections
from ...causes import explain
from ...cognito import Cause, CognitoError, Connection, PoolUser, find_users, get_user
from ...conf import conf
from ...exceptions import InvalidIdentifier
from ...identifiers import Identifier, typed
from ..accounts import pool_records
from ..sending.pool_names import MOST_SPELLINGS
from . import history
from .current_state import Person, standing
from .findings import Finding, Show, State, Verdict, ok, problem, warning
from .probes import Unanswered, ask

AREA = "person"
MAX_NAMES = 3  # people of one pool who share an address


@dataclass(frozen=True, slots=True)
class Case:
    """The findings, and in a sentence what they come to."""

    findings: list[Finding]
    conclusion: str
    advice: str


def diagnose_person(text: str, *, now: datetime, ask_pool: bool = False, unmasked: bool = False, ip: str = "") -> Case:
    """Walks the way of one person's sign-in without taking a step: nothing is sent, counted or stored.

    ``ask_pool`` also reads the person in their pools (ListUsers, and AdminGetUser, which makes them count as active
    in that month). ``ip``: the address that they ask from, for its budget.
    """
    show = Show(unmasked)
    try:
        identifier = typed(text)
    except InvalidIdentifier as reason:
        wrong = problem(f"{reason}", "Ask for the address as they typed it; a local number needs SMS_COUNTRIES.")
        return Case([wrong.on(AREA, "address")], f"No code came because what they typed is {reason}.", wrong.fix)
    signs_in = history.latest_of(identifier.value)
    browsers = dict.fromkeys(sign_in.challenge.known_browser for sign_in in signs_in)
    person = Person(
        identifier,
        channel=signs_in[0].challenge.channel if signs_in else identifier.channel,
        ip=ip,
        browsers=tuple(browser for browser in browsers if browser),
        show=show,
    )
    found = [("address", ok(f"{show(identifier.value)}, by {identifier.channel}"))]
    now_ = list(standing(person, now, ask_pool=ask_pool))
    found += now_
    there = list(_in_the_pools(identifier)) if ask_pool else []
    found += there
    found += history.sign_in_findings(signs_in, now)
    end = history.conclusion(signs_in, now) or _not_requested(now_)
    route = dict(now_)["route now"]
    following = f"Asked for now: {route.text}."
    if route.state is State.PROBLEM and route.fix != end.fix:
        following += f" {route.fix}"
    said = [f"{name.capitalize()}: {verdict.text}. {verdict.fix}" for name, verdict in there if verdict.fix]
    advice = " ".join(part for part in (end.fix, *said, following) if part)
    return Case([verdict.on(AREA, name) for name, verdict in found], end.text, advice)


def _not_requested(found: list[tuple[str, Verdict]]) -> Verdict:
    verdicts = dict(found)
    if "country" in verdicts:
        return problem(f"No code came because {verdicts['country'].text}.", verdicts["country"].fix)
    starts = verdicts.get("starts_per_ip")
    if starts and starts.state is State.PROBLEM:
        return problem("No code came because their network has used up its starts.", starts.fix)
    return warning(
        f"No code came because none was requested for this address in the {conf.retention('challenges')} days "
        "that sign-ins are kept.",
        "Ask what exactly they typed, and for their IP address (--ip).",
    )


def _in_the_pools(identifier: Identifier) -> Iterator[tuple[str, Verdict]]:
    def look_for(connection: Connection) -> list[PoolUser]:
        attribute: Literal["username", "email", "phone_number"]
        attribute = "username" if identifier.is_user_name else "email" if identifier.domain else "phone_number"
        names = dict.fromkeys(
            user.username
            for spelling in identifier.spellings[:MOST_SPELLINGS]
            for user in find_users(connection, attribute=attribute, value=spelling)
        )
        return [user for name in [*names][:MAX_NAMES] for user in _read(connection, name)]

    asked: dict[str, Callable[[], Any]] = {}
    for row in pool_records.carrying(identifier):
        connection = connections.find(row.connection)
        if connection and connection.active:
            asked[f"in the pool of {row.connection}, {row.sub}"] = partial(_read, connection, row.username or row.sub)
    if not asked:
        for connection in connections.answering_for(identifier, connections.active()):
            asked[f"in the pool of {connection.alias}"] = partial(look_for, connection)
    for name, answer in ask(asked).items():
        if isinstance(answer, Unanswered):
            yield name, answer.verdict("cognito-idp:ListUsers and cognito-idp:AdminGetUser", "the person in the pool")
        elif not answer:
            yield name, problem("the pool has no user with this address", explain("unknown").remedy)
        else:
            for user in answer:
                addresses = {"e-mail": user.email_verified, "phone": user.phone_number_verified}
                verified = " and ".join(each for each, is_so in addresses.items() if is_so) or "no address"
                enabled = "enabled" if user.enabled else "disabled"
                text = f"{user.sub}: {user.status}, {enabled}, {verified} verified"
                words = explain(str(user.obstacle))
                yield name, problem(f"{text}: {words.clause}", words.remedy) if user.obstacle else ok(text)


def _read(connection: Connection, username: str) -> list[PoolUser]:
    try:
        return [get_user(connection, username)]
    except CognitoError as error:
        if error.cause is Cause.unknown_user:
            return []
        raise
