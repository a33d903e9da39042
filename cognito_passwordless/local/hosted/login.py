"""The login pages: user name, code, a second code where more is required, and back to the site."""

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
from ..triggers.sign_in import SignInTriggers, SignInUser
from . import pages
from .federation import Federation
from .grants import Grant, Grants
from .visits import LoginRequest, SignedIn, Visit, Visits
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

    def welcome(self, login: LoginRequest, *, notice: str = "") -> Response:
        """Show the first page, or that of the identity provider that the site has named."""
        token = self._visits.open(Visit(login, expires_at=self._visits.expiry()))
        providers = self._directory.providers(login.pool.id)
        if login.identity_provider in providers:
            return html(pages.stand_in(token, login.identity_provider, notice))
        return html(pages.who(token, login.login_hint, providers, notice))

    def __call__(self, request: Request) -> Response:
        form = single(request.form) or {}
        visit = self._visits.take(form.get("visit", ""))
        if visit is None:
            return html(
                pages.failure("expired", "This page is too old. Go back to the site and start again."),
                "400 Bad Request",
            )
        if form.get("cancel"):
            return send_back(visit.login, {"error": "access_denied", "error_description": "User cancelled"})
        if form.get("provider"):
            return self._federated(request, visit, form)
        if visit.factor:
            return self._code(request, visit, form.get("code", ""))
        return self._who(visit, form.get("username", "").strip())

    def grant(
        self, login: LoginRequest, person: str, auth_time: int, factors: int, headers: tuple[tuple[str, str], ...] = ()
    ) -> Response:
        """Send the browser back to the site with a code."""
        grant = Grant(
            pool_id=login.pool.id,
            client_id=login.client.id,
            redirect_uri=login.redirect_uri,
            challenge=login.challenge,
            scope=login.scope,
            nonce=login.nonce,
            person=person,
            auth_time=auth_time,
            acr=LEVELS.get(factors, FEDERATED) if login.acr_values else "",
        )
        return send_back(login, {"code": self._grants.issue(grant)}, headers)

    def _who(self, visit: Visit, username: str) -> Response:
        login = visit.login
        person = self._directory.person(login.pool.id, username) if username else None
        try:
            if person is not None and person.status not in {"RESET_REQUIRED", "FORCE_CHANGE_PASSWORD"}:
                person = admit(person, login.client)
            elif person is None and not login.client.hides_unknown:
                return self.welcome(login, notice="User does not exist.")
            self._around.before(SignInUser(login.pool.id, login.client.id, username, person), None)
        except PoolError as error:
            return self.welcome(login, notice=error.message)
        return self._send(replace(visit, claimed=username), person, factor=1)

    def _send(self, visit: Visit, person: Person | None, *, factor: int) -> Response:
        # The code goes to what was typed, else to an address of the person; a second code goes rather by SMS.
        email = person.attributes.get("email", "") if person else ""
        phone = person.attributes.get("phone_number", "") if person else ""
        by_sms = bool(phone) and (factor == 2 or not email or visit.claimed.startswith("+"))
        medium: Medium = "SMS" if by_sms else "EMAIL"
        destination, code = phone if by_sms else email, new_code()
        if person is not None and destination:
            letter = Letter("Authentication", medium, destination, code)
            self._post.send(letter, visit.login.pool.id, visit.login.client.id, person)
        key = person.key if person and destination else ""
        return self._ask(replace(visit, person=key, code=code, factor=factor))

    def _ask(self, visit: Visit, notice: str = "") -> Response:
        token = self._visits.open(replace(visit, expires_at=self._visits.expiry()))
        return html(pages.code(token, second=visit.factor == 2, notice=notice))

    def _code(self, request: Request, visit: Visit, code: str) -> Response:
        right = hmac.compare_digest(code.strip().encode(), visit.code.encode())
        person = self._directory.person(visit.login.pool.id, visit.person) if visit.person else None
        if not right or person is None:
            return self._ask(visit, notice="That code is not right.")
        login, levels = visit.login, visit.login.acr_values
        higher = bool(levels) and not {FEDERATED, LEVELS[1]} & set(levels)
        needs_second = person.has_mfa or login.pool.mfa_required or (higher and person.attributes.get("phone_number"))
        if visit.factor == 1 and needs_second:
            return self._send(visit, person, factor=2)
        return self._finish(request, login, person.key, visit.factor)

    def _federated(self, request: Request, visit: Visit, form: Mapping[str, str]) -> Response:
        login, provider = visit.login, form["provider"]
        if "external" not in form:
            token = self._visits.open(replace(visit, expires_at=self._visits.expiry()))
            return html(pages.stand_in(token, provider))
        key = self._directory.federated(login.pool.id, provider, form["external"].strip())
        if key is None:
            again = replace(login, identity_provider=provider)
            return self.welcome(again, notice=f"{provider} does not know that person.")
        try:
            self._federation.arrive(login.pool.id, login.client.id, provider, key)
        except PoolError as error:
            return self.welcome(login, notice=error.message)
        return self._finish(request, login, key, factors=0)

    def _finish(self, request: Request, login: LoginRequest, person: str, factors: int) -> Response:
        now = int(time.time())
        session = SignedIn(login.pool.id, person, now, self._visits.now(), factors)
        cookie = self._visits.remember(request.cookie, session)
        who = SignInUser(login.pool.id, login.client.id, person, self._directory.person(login.pool.id, person))
        self._around.after(who, None)
        return self.grant(login, person, now, factors, (set_cookie(cookie),))


def send_back(login: LoginRequest, answer: Mapping[str, str], headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """Send the browser to the callback, in the requested response mode."""
    parameters = {**answer, "state": login.state} if login.state else dict(answer)
    if login.form_post:
        return html(pages.form_post(login.redirect_uri, parameters), headers=headers)
    return redirect(login.redirect_uri, parameters, headers)
