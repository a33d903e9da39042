"""A sign-in that waits for one more proof, which would open an account that is there: its second factor, an address,
or the hosted login of a connection.

What was proven is kept, encrypted, in the session of the browser that proved it. The other proof, given in the same
browser, joins the two. A person who cannot give it, or does not want to, comes in without that account.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from ... import compat, keys
from ...exceptions import JoinOffered, SecondFactorNeeded
from ...models import ChallengeSession, Route
from ..accounts.pool_records import claims_of
from .verification import Proven

KEY: Final = "cognito_passwordless_held"
LIFETIME: Final = timedelta(minutes=15)  # to find the phone with the codes, or to go and ask for help


@dataclass(frozen=True, slots=True)
class WaitingSignIn:
    """``user``: primary key of the account whose second factor is wanted, as text; ``address`` or ``connection``: the
    proof that would open another one; ``following``: by what the person has chosen to give it."""

    challenge: ChallengeSession
    proven: Proven
    user: str = ""
    address: str = ""
    connection: str = ""
    following: str = ""


def suspend(
    request: HttpRequest,
    challenge: ChallengeSession,
    proven: Proven,
    wanted: SecondFactorNeeded | JoinOffered,
    now: datetime,
) -> HttpResponse:
    """Keeps the proof, and leads to the page that asks for the other one."""
    kept = {
        "challenge": str(challenge.pk),
        "next_url": challenge.next_url,
        **proven.to_dict(),
        "until": (now + LIFETIME).timestamp(),
        "user": "",
        "address": "",
        "connection": "",
        "following": "",
    }
    if isinstance(wanted, SecondFactorNeeded):
        kept["user"], page = str(wanted.user.pk), "second_factor"
    else:
        kept["address"], kept["connection"], page = wanted.address, wanted.connection, "join"
    _write(request, kept)
    if compat.is_headless(request):  # which leads to no page, and the site need not have any
        return HttpResponse()
    return HttpResponseRedirect(reverse(f"cognito_passwordless:{page}"))


def choose_proof(request: HttpRequest, following: str) -> None:
    """The person has chosen to give the other proof: by the challenge of this key, or by a connection's hosted login.
    No other sign-in in this browser is joined with the one that waits: it may be another person's."""
    _write(request, {**_read(request), "following": following})


def find(request: HttpRequest, now: datetime) -> WaitingSignIn | None:
    """The sign-in of this browser that waits; None where there is none, or no longer."""
    kept = _read(request)
    if not kept or kept["until"] < now.timestamp():
        return None
    challenge = ChallengeSession.objects.filter(pk=UUID(kept["challenge"])).first()
    proven = Proven.from_dict(kept)
    if challenge is None or proven is None:
        return None
    challenge.next_url = kept["next_url"]
    return WaitingSignIn(challenge, proven, kept["user"], kept["address"], kept["connection"], kept["following"])


def next_page(request: HttpRequest) -> str:
    """The page that the sign-in asked for that waits in this browser, or did; empty where there is none."""
    return str(_read(request).get("next_url", ""))


def _read(request: HttpRequest) -> Mapping[str, Any]:
    text = request.session.get(KEY)
    kept: Mapping[str, Any] = json.loads(keys.decrypt(text) or "{}") if text else {}
    return kept


def _write(request: HttpRequest, kept: Mapping[str, Any]) -> None:
    request.session[KEY] = keys.encrypt(json.dumps(kept))


def merge_proofs(request: HttpRequest, challenge: ChallengeSession, proven: Proven, now: datetime) -> Proven:
    """The proof that has just been given by a challenge, with the one that waited for it in this browser: a person of
    a pool, and an address that this person has. Else the new one alone."""
    waiting = find(request, now)
    discard(request)
    is_hosted = challenge.route == Route.COGNITO_OIDC
    given_by = f"oidc {challenge.connection}" if is_hosted else str(challenge.pk)
    if waiting is None or waiting.following != given_by:
        return proven
    of_pool, other = (proven, waiting.proven) if proven.connection else (waiting.proven, proven)
    shared = {*claims_of(other.profile)} & {*claims_of(of_pool.profile)}
    if of_pool.connection is None or not shared:
        return proven
    together = replace(of_pool.profile, proven=of_pool.profile.proven | other.profile.proven)
    return replace(of_pool, profile=together)


def discard(request: HttpRequest) -> None:
    request.session.pop(KEY, None)
