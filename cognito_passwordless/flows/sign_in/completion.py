"""The end of a sign-in: from a proven person to a signed-in browser, for every route."""

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.signals import pre_social_login
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from ... import compat
from ...causes import explain
from ...exceptions import JoinOffered, MigrationRefused, SecondFactorNeeded
from ...identifiers import parse
from ...identity import Channel, channel_of
from ...models import SUB_LENGTH, ChallengeSession, MigratedUser, Route
from ..accounts import tombstones
from ..accounts.pool_records import UNUSABLE
from ..events import journey
from ..events.journey import Outcome
from ..lifecycle import erase
from ..migration import Migrated, migrate
from . import step_up
from .verification import Proven, proven_locally

TRIES = 3  # two people may undo a migration at once, each at the worst moment of a sign-in


def complete(
    request: HttpRequest,
    challenge: ChallengeSession,
    proven: Proven,
    *,
    now: datetime,
    declined: Collection[Any] = (),
    alone: bool = False,
) -> HttpResponse:
    """Finds or makes the Django user and signs the person in through allauth.

    ``declined``: accounts whose second factor the person cannot show; ``alone``: they do not want to join an account
    that is there. Where one more proof is wanted first, the person is led to it.

    Raises `MigrationRefused` (and `MigrationConflict`) for a person who is proven and yet may not come in. What else a
    hook or a receiver of the site's raises is a mistake in it: it is recorded, and not hidden.
    """
    if step_up.KEY in request.session:
        proven = step_up.merge_proofs(request, challenge, proven, now)
    ending = _Ending(request, challenge, proven, now, began=time.monotonic(), declined=declined, alone=alone)
    try:
        login = social_login(request, proven, challenge.next_url)
        if login:
            announce(request, login)
        for _ in range(TRIES - 1):
            try:
                return ending.come_in(login)
            except _Gone:
                # Undone, or erased, at this very moment: the proof still holds, so it is judged again.
                request.session.flush()
                ending.proven = ending.looked_up_again()
        return ending.come_in(login)
    except (SecondFactorNeeded, JoinOffered) as wanted:
        ending.record(wanted.reason, Outcome.OK)
        return step_up.suspend(request, challenge, ending.proven, wanted, now)
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


def with_second_factor(request: HttpRequest, waiting: step_up.WaitingSignIn) -> HttpResponse | None:
    """Signs in to the account that the person proved an address of: allauth asks for its second factor, and after that
    `finish_second_factor` gives it the address. None where the account has been deleted meanwhile."""
    user = get_user_model()._default_manager.filter(pk=waiting.user).first()
    return user if user is None else _sign_in(request, user, waiting.proven, waiting.challenge, signup=False)


def without_it(request: HttpRequest, waiting: step_up.WaitingSignIn, *, now: datetime) -> HttpResponse:
    """The sign-in of a person who cannot give the other proof: without the account that it would have opened. Raises
    as `complete` does."""
    step_up.discard(request)
    declined = [get_user_model()._meta.pk.to_python(waiting.user)] if waiting.user else []
    return complete(request, waiting.challenge, waiting.proven, now=now, declined=declined, alone=True)


def _sign_in(
    request: HttpRequest, user: AbstractBaseUser, proven: Proven, challenge: ChallengeSession, *, signup: bool
) -> HttpResponse:
    address = next(iter(proven.profile.proven), "")
    is_email = channel_of(address) == Channel.EMAIL
    return compat.finish_login(
        request,
        user,
        email=address if is_email else "",
        phone="" if is_email else address,
        redirect_url=challenge.next_url or None,
        signup=signup,
    )


def finish_second_factor(
    sender: object, request: HttpRequest | None, user: AbstractBaseUser, **kwargs: object
) -> None:
    """For the signal ``user_logged_in``: the second factor has been shown, so the address is theirs."""
    if request is None or step_up.KEY not in getattr(request, "session", {}):
        return
    now = timezone.now()
    waiting = step_up.find(request, now)
    if (
        waiting is None
        or not waiting.user
        or waiting.user != str(user.pk)
        or not compat.has_shown_second_factor(request, user)
    ):
        return
    step_up.discard(request)
    proven = waiting.proven
    try:
        migrate(
            proven.profile,
            connection=proven.connection,
            method=proven.method,
            now=now,
            request=request,
            shown=[user.pk],
        )
    except MigrationRefused:
        return  # it has been recorded, and they are in by what they have shown


class _Gone(Exception):
    """The Django user was deleted, or the migration undone, while the person signed in."""


@dataclass
class _Ending:
    request: HttpRequest
    challenge: ChallengeSession
    proven: Proven
    now: datetime
    began: float
    declined: Collection[Any] = ()
    alone: bool = False
    step: str = "migrated"  # the step that is under way

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
                declined=self.declined,
                alone=self.alone,
            )
        except MigrationRefused as refusal:
            if refusal.reason != UNUSABLE or self.looked_up_again().connection is None:
                raise
            raise _Gone from refusal
        self.step = "signed_in"
        try:
            if migrated.just_now:
                self.record("migrated", Outcome.OK, cause=migrated.left_out, migrated=migrated)
            if login:
                response = compat.finish_social_login(
                    self.request,
                    migrated.user,
                    login,
                    has_email=bool(proven.profile.email),
                    redirect_url=self.challenge.next_url or None,
                    signup=migrated.signed_up,
                )
            else:
                response = _sign_in(self.request, migrated.user, proven, self.challenge, signup=migrated.signed_up)
            # A further factor may still be asked for; then allauth goes on from here.
            step = "signed_in" if self.request.user.is_authenticated else "first_factor"
            self.record(step, Outcome.OK, cause="" if migrated.just_now else migrated.left_out, migrated=migrated)
        except (DatabaseError, ObjectDoesNotExist) as error:
            if type(migrated.user)._default_manager.filter(pk=migrated.user.pk).exists():
                raise
            raise _Gone from error
        return response

    def looked_up_again(self) -> Proven:
        """Our own record of a person who proved an address to us may have changed; what the pool said has not."""
        is_ours = self.challenge.route == Route.LOCAL
        return proven_locally(parse(self.challenge.recipient)) if is_ours else self.proven

    def record(self, step: str, outcome: Outcome, *, cause: str = "", migrated: Migrated | None = None) -> None:
        journey.record(
            self.challenge,
            step,
            outcome,
            now=self.now,
            cause=cause,
            category=explain(cause).category if cause else "",
            # A person who proved their address to us may be known to a pool all the same.
            connection=self.proven.connection.alias if self.proven.connection else "",
            duration=time.monotonic() - self.began,
            user_id=migrated.user.pk if migrated else None,
            output={"method": str(self.proven.method), "created": migrated.created} if migrated else {},
        )


def social_login(request: HttpRequest, proven: Proven, next_url: str) -> SocialLogin | None:
    """The sign-in, with the account where there is one; nothing is saved. None for a sign-in by code. One statement
    for a connection from settings.

    allauth's own ``lookup`` is not used: it would store the claims, and look for users by e-mail address. Raises
    `MigrationRefused` for a sub that no table has room for, and where the connection's app has just gone.
    """
    if proven.method != MigratedUser.Method.COGNITO_OIDC or proven.connection is None:
        return None
    if len(proven.profile.sub) > SUB_LENGTH:
        raise MigrationRefused("sub_too_long")
    app = compat.social_app("cognito", proven.connection.alias)
    if app is None:
        raise MigrationRefused("no_connection")
    try:
        login: SocialLogin = app.get_provider(request).sociallogin_from_response(request, proven.claims)
    except ValidationError as error:  # of the site's `new_user` or `populate_user`
        raise MigrationRefused("value_refused") from error
    accounts = SocialAccount.objects.filter(provider=proven.connection.alias, uid=proven.profile.sub)
    account = accounts.select_related("user").first()
    if account is not None:
        account.extra_data = login.account.extra_data
        login.account, login.user = account, account.user
    login.state = {"process": "login", "next": next_url}
    return login


def announce(request: HttpRequest, login: SocialLogin) -> None:
    """Sends `pre_social_login`. A receiver or an adapter may stop the sign-in with a response of its own
    (`ImmediateHttpResponse`)."""
    compat.social_adapter().pre_social_login(request, login)
    pre_social_login.send(sender=SocialLogin, request=request, sociallogin=login)
