"""The end of a sign-in: from a proven person to a signed-in browser, for every route."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.models import SocialLogin
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from .. import compat
from ..exceptions import MigrationRefused
from ..identifiers import parse
from ..models import ChallengeSession, Route
from . import erase, journey, social, tombstones
from .categories import category_of
from .journey import Outcome
from .migration import Migrated, migrate
from .pool_records import UNUSABLE
from .verification import Proven, proven_locally


def complete(request: HttpRequest, challenge: ChallengeSession, proven: Proven, *, now: datetime) -> HttpResponse:
    """Finds or makes the Django user and signs the person in through allauth.

    Raises `MigrationRefused` (and `MigrationConflict`) for a person who is proven and yet may not come in. What else a
    hook or a receiver of the site's raises is a mistake in it: it is recorded, and not hidden.
    """
    ending = _Ending(request, challenge, proven, now, began=time.monotonic())
    try:
        login = social.social_login(request, proven, challenge.next_url)
        if login:
            social.announce(request, login)
        try:
            return ending.come_in(login)
        except _Gone:
            # Undone, or erased, at this very moment: they are proven, so they come as whoever they are by now.
            request.session.flush()
            ending.proven = ending.looked_up_again()
            return ending.come_in(login)
    except MigrationRefused as refusal:
        if refusal.reason == tombstones.ERASED:
            erase.forget_attempt(challenge)
        ending.record("migrated", Outcome.REFUSED, cause=refusal.reason)
        raise
    except ImmediateHttpResponse as stopped:
        ending.record(ending.step, Outcome.REFUSED, cause="stopped_by_site")
        return cast("HttpResponse", stopped.response)
    except Exception:
        ending.record(ending.step, Outcome.FAILED, cause="unexpected_error")
        raise


class _Gone(Exception):
    """They are no longer who they were: their Django user was deleted, or their migration taken back, meanwhile."""


@dataclass
class _Ending:
    request: HttpRequest
    challenge: ChallengeSession
    proven: Proven
    now: datetime
    began: float
    step: str = "migrated"  # how far they have come

    def come_in(self, login: SocialLogin | None) -> HttpResponse:
        """Raises `MigrationRefused`, and `_Gone`."""
        proven = self.proven
        try:
            migrated = migrate(
                proven.profile,
                connection=proven.connection,
                method=proven.method,
                now=self.now,
                request=self.request,
                login=login,
            )
        except MigrationRefused as refusal:
            if refusal.reason != UNUSABLE or self.looked_up_again().connection is None:
                raise
            raise _Gone from refusal
        try:
            return self._finish(login, migrated)
        except (DatabaseError, ObjectDoesNotExist) as error:
            if type(migrated.user)._default_manager.filter(pk=migrated.user.pk).exists():
                raise
            raise _Gone from error

    def looked_up_again(self) -> Proven:
        """What is known of somebody who proved an address to us may have changed; what the pool said has not."""
        is_ours = self.challenge.route == Route.LOCAL
        return proven_locally(parse(self.challenge.recipient)) if is_ours else self.proven

    def record(self, step: str, outcome: Outcome, *, cause: str = "", migrated: Migrated | None = None) -> None:
        journey.record(
            self.challenge,
            step,
            outcome,
            now=self.now,
            cause=cause,
            category=category_of(cause) if cause else "",
            # Somebody who proved their address to us may be known to a pool all the same.
            connection=self.proven.connection.alias if self.proven.connection else "",
            duration=time.monotonic() - self.began,
            user_id=migrated.user.pk if migrated else None,
            output={"method": str(self.proven.method), "created": migrated.created} if migrated else {},
        )

    def _finish(self, login: SocialLogin | None, migrated: Migrated) -> HttpResponse:
        self.step = "signed_in"
        if migrated.just_now:
            self.record("migrated", Outcome.OK, migrated=migrated)
        if login:
            response = compat.finish_social_login(
                self.request,
                migrated.user,
                login,
                has_email=bool(self.proven.profile.email),
                redirect_url=self.challenge.next_url or None,
                signup=migrated.signed_up,
            )
        else:
            response = self._finish_by_code(migrated)
        # A further factor may still be asked for; then allauth goes on from here.
        step = "signed_in" if self.request.user.is_authenticated else "first_factor"
        self.record(step, Outcome.OK, migrated=migrated)
        return response

    def _finish_by_code(self, migrated: Migrated) -> HttpResponse:
        address = next(iter(self.proven.profile.proven), "")
        return compat.finish_login(
            self.request,
            migrated.user,
            email=address if "@" in address else "",
            phone="" if "@" in address else address,
            redirect_url=self.challenge.next_url or None,
            signup=migrated.signed_up,
        )
