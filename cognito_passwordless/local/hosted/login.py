"""The login page, step by step: who is it, the code, a second code where more is asked, and back to the site."""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping
from dataclasses import replace

from ..backend.directory import Directory, Person
from ..errors import PoolError
from ..messages.inbox import Medium
from ..messages.post import Letter, Post
from ..sign_in.choice import new_code
from ..sign_in.eligibility import admit
from ..triggers.sign_in import SignInTriggers, Who
from . import pages
from .federation import Federation
from .grants import Grant, Grants
from .visits import Asked, SignedIn, Visit, Visits
from .web import Request, Response, html, redirect, set_cookie, single

LEVELS = {1: "urn:cognito:loa:2", 2: "urn:cognito:loa:3"}  # one code, two codes
FEDERATED = "urn:cognito:loa:1"


class LoginPages:
    """Answers POST /login, and opens the first page for the authorize endpoint."""

    def __init__(
        self,
        directory: Directory,
        post: Post,
        visits: Visits,
        grants: Grants,
        *,
        federation: Federation,
        around: SignInTriggers,
    ) -> None:
        self._directory = directory
        self._post = post
        self._visits = visits
        self._grants = grants
        self._federation = federation
        self._around = around

    def welcome(self, asked: Asked, *, notice: str = "") -> Response:
        """The first page; a provider that the site has named is gone to at once."""
        token = self._visits.open(Visit(asked, expires_at=self._visits.expiry()))
        providers = self._directory.providers(asked.pool.id)
        if asked.identity_provider in providers:
            return html(pages.stand_in(token, asked.identity_provider, notice))
        return html(pages.who(token, asked.login_hint, providers, notice))

    def __call__(self, request: Request) -> Response:
        form = single(request.form) or {}
        visit = self._visits.take(form.get("visit", ""))
        if visit is None:
            return html(
                pages.failure("expired", "This page is too old. Go back to the site and start again."),
                "400 Bad Request",
            )
        if form.get("cancel"):
            return send_back(visit.asked, {"error": "access_denied", "error_description": "User cancelled"})
        if form.get("provider"):
            return self._federated(request, visit, form)
        if visit.factor:
            return self._code(request, visit, form.get("code", ""))
        return self._who(visit, form.get("username", "").strip())

    def grant(
        self, asked: Asked, person: str, auth_time: int, factors: int, headers: tuple[tuple[str, str], ...] = ()
    ) -> Response:
        """Back to the site with a code."""
        grant = Grant(
            pool_id=asked.pool.id,
            client_id=asked.client.id,
            redirect_uri=asked.redirect_uri,
            challenge=asked.challenge,
            scope=asked.scope,
            nonce=asked.nonce,
            person=person,
            auth_time=auth_time,
            acr=LEVELS.get(factors, FEDERATED) if asked.acr_values else "",
        )
        return send_back(asked, {"code": self._grants.issue(grant)}, headers)

    def _who(self, visit: Visit, username: str) -> Response:
        asked = visit.asked
        person = self._directory.person(asked.pool.id, username) if username else None
        try:
            if person is not None and person.status not in {"RESET_REQUIRED", "FORCE_CHANGE_PASSWORD"}:
                person = admit(person, asked.client)
            elif person is None and not asked.client.hides_unknown:
                return self.welcome(asked, notice="User does not exist.")
            self._around.before(Who(asked.pool.id, asked.client.id, username, person), None)
        except PoolError as error:
            return self.welcome(asked, notice=error.message)
        return self._send(replace(visit, claimed=username), person, factor=1)

    def _send(self, visit: Visit, person: Person | None, *, factor: int) -> Response:
        medium, destination = _destination(person, visit.claimed, factor)
        code = new_code()
        if person is not None and destination:
            letter = Letter("Authentication", medium, destination, code)
            self._post.send(letter, visit.asked.pool.id, visit.asked.client.id, person)
        key = person.key if person and destination else ""
        return self._ask(replace(visit, person=key, code=code, factor=factor))

    def _ask(self, visit: Visit, notice: str = "") -> Response:
        token = self._visits.open(replace(visit, expires_at=self._visits.expiry()))
        return html(pages.code(token, second=visit.factor == 2, notice=notice))

    def _code(self, request: Request, visit: Visit, code: str) -> Response:
        right = hmac.compare_digest(code.strip().encode(), visit.code.encode())
        person = self._directory.person(visit.asked.pool.id, visit.person) if visit.person else None
        if not right or person is None:
            return self._ask(visit, notice="That code is not right.")
        if visit.factor == 1 and _wants_more(visit.asked, person):
            return self._send(visit, person, factor=2)
        return self._finish(request, visit.asked, person.key, visit.factor)

    def _federated(self, request: Request, visit: Visit, form: Mapping[str, str]) -> Response:
        asked, provider = visit.asked, form["provider"]
        if "external" not in form:
            token = self._visits.open(replace(visit, expires_at=self._visits.expiry()))
            return html(pages.stand_in(token, provider))
        key = self._directory.federated(asked.pool.id, provider, form["external"].strip())
        if key is None:
            again = replace(asked, identity_provider=provider)
            return self.welcome(again, notice=f"{provider} does not know that person.")
        try:
            self._federation.arrive(asked.pool.id, asked.client.id, provider, key)
        except PoolError as error:
            return self.welcome(asked, notice=error.message)
        return self._finish(request, asked, key, factors=0)

    def _finish(self, request: Request, asked: Asked, person: str, factors: int) -> Response:
        now = int(time.time())
        session = SignedIn(asked.pool.id, person, now, self._visits.now(), factors)
        cookie = self._visits.remember(request.cookie, session)
        who = Who(asked.pool.id, asked.client.id, person, self._directory.person(asked.pool.id, person))
        self._around.after(who, None)
        return self.grant(asked, person, now, factors, (set_cookie(cookie),))


def _destination(person: Person | None, claimed: str, factor: int) -> tuple[Medium, str]:
    """Where a code goes: to what was typed, else to an address; a second code rather by SMS."""
    email = person.attributes.get("email", "") if person else ""
    phone = person.attributes.get("phone_number", "") if person else ""
    by_sms = bool(phone) and (factor == 2 or not email or claimed.startswith("+"))
    return ("SMS", phone) if by_sms else ("EMAIL", email)


def _wants_more(asked: Asked, person: Person) -> bool:
    wanted = bool(asked.acr_values) and not {FEDERATED, LEVELS[1]} & set(asked.acr_values)
    possible = bool(person.attributes.get("phone_number"))
    return person.has_mfa or asked.pool.mfa_required or (wanted and possible)


def send_back(asked: Asked, answer: Mapping[str, str], headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """To the callback, in the response mode that was asked for."""
    parameters = {**answer, "state": asked.state} if asked.state else dict(answer)
    if asked.form_post:
        return html(pages.form_post(asked.redirect_uri, parameters), headers=headers)
    return redirect(asked.redirect_uri, parameters, headers)
