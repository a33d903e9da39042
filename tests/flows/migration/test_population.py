"""Everybody of a pool like real ones tries every documented way in: who is left out, and does the dry run know?"""

import os
import threading
from collections import Counter
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from cognito_passwordless import connections
from cognito_passwordless.flows import importing
from cognito_passwordless.flows.importing import dry_run
from cognito_passwordless.local import LocalCognito, LocalPool
from cognito_passwordless.models import ChallengeSession, MigratedUser

from ...hosted.conftest import Trip, hosted, trip  # noqa: F401  (fixtures)
from ..people import SignIn
from .population import Person, existing_users, people

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("aws_identity")]

# `POPULATION=4000 pytest tests/flows/migration/test_population.py` is the whole of it, in six to twenty minutes.
COUNT = int(os.environ.get("POPULATION", "160"))
JOIN = "/login/code/join/"


class Visitors:
    """How each of them goes about it. ``clicks`` counts what they had to choose beside the usual way."""

    def __init__(
        self, cognito: LocalCognito, pool: LocalPool, sign_in: SignIn, go: Callable[[LocalPool], Trip]
    ) -> None:
        self.cognito, self.pool, self.sign_in, self.go = cognito, pool, sign_in, go
        self.clicks: Counter[str] = Counter()

    def come(self, person: Person) -> str:
        """The primary key of the user they come in as; empty where they do not."""
        if person.federated:
            return self.by_hosted_login(person)
        found = self.by_code(person)
        if not found and person.may_come:
            self.clicks[person.name] += 1
            found = self.by_hosted_login(person)
        return found

    def by_code(self, person: Person) -> str:
        client, challenge = self.sign_in.start(person.types)
        if challenge.decoy_reason:
            return ""
        answer = self.sign_in.answer(client, self.code_of(challenge))
        if answer.headers.get("Location") == JOIN:
            self.clicks[person.name] += 1
            there = client.post(JOIN, {"join": "yes"})
            visit = Trip(client, self.go(self.pool).browser)
            return self.by_hosted_login(person, visit, there.headers["Location"])
        return str(client.session.get("_auth_user_id", ""))

    def code_of(self, challenge: ChallengeSession) -> str:
        if challenge.route == "local":
            return self.sign_in.sent_code()
        row = MigratedUser.objects.filter(username=challenge.pool_username).first()
        places = [challenge.recipient, challenge.pool_username, *([row.email, row.phone_number] if row else [])]
        return next(filter(None, (self.cognito.last_code(place) for place in places if place)), "")

    def by_hosted_login(self, person: Person, visit: Trip | None = None, url: str = "/login/cognito/main/") -> str:
        visit = visit or self.go(self.pool)
        page = visit.leave(url)
        if person.federated:
            page = visit.browser.submit(page, provider="Google")
            page = visit.browser.submit(page, provider="Google", external=person.federated)
        else:
            row = MigratedUser.objects.get(sub=person.pool_users[0])
            place = row.email or row.phone_number
            page = visit.browser.prove(page, place)
            if person.mfa and "One more code" in page.text:
                page = visit.browser.submit(page, code=self.cognito.last_code(row.phone_number) or "")
        if "code" not in page.answer:
            return ""
        answer = visit.arrive(page.answer)
        if answer.headers.get("Location") == JOIN:
            self.clicks[person.name] += 1
            self.prove(visit.client)
        return visit.user_id or ""

    def prove(self, client: Client) -> None:
        client.post(JOIN, {"join": "yes"})
        self.sign_in.answer(client, self.code_of(ChallengeSession.objects.latest("created_at")))


def test_almost_nobody_is_left_out_and_the_dry_run_knows(
    cognito: LocalCognito,
    hosted: Callable[..., LocalPool],  # noqa: F811
    trip: Callable[[LocalPool], Trip],  # noqa: F811
    sign_in: SignIn,
    make_user: Callable[..., User],
    settings: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limits = dict.fromkeys(("starts_per_ip", "sms_per_day", "sms_per_country", "sms_per_prefix"), "900000/1h")
    settings.COGNITO_PASSWORDLESS |= {"LIMITS": limits, "SMS_COUNTRIES": ["DE", "MX", "BR"]}  # type: ignore[attr-defined]
    pool = hosted(people=False, routes=["otp", "oidc"])
    everybody = list(people(pool, COUNT))
    existing_users(everybody, make_user)
    before = set(map(str, User.objects.values_list("pk", flat=True)))
    connection = connections.find("main")
    assert connection is not None
    monkeypatch.setattr(dry_run, "EXAMPLES", 10**9)
    foretold = importing.preview_directory(connection, stop=threading.Event(), rate=1e6)
    said = {sub: outcome for outcome, subs in foretold.examples.items() for sub in subs}
    importing.import_directory(connection, stop=threading.Event(), rate=1e6)

    visitors = Visitors(cognito, pool, sign_in, trip)
    became = {person: visitors.come(person) for person in everybody}

    honest = [person for person in everybody if person.may_come]
    left_out = [person for person in honest if not became[person]]
    assert len(left_out) <= 0.005 * len(honest), left_out
    # Whom the pool keeps out comes in only as the verified owner of an account that the site had before.
    kept_out = [person for person in everybody if not person.may_come]
    assert {became[person] for person in kept_out} - {""} <= before
    assert max(visitors.clicks.values(), default=0) <= 2
    assert max(Counter(user for user in became.values() if user).values()) == 1, "two people in one account"
    # Whoever comes again comes as who they are.
    for person in honest[:: max(1, len(honest) // 40)]:
        assert visitors.come(person) == became[person], person

    different = {}
    for person in honest:
        for sub in person.pool_users[:1]:
            kind, why = said[sub]
            there = became[person] in before
            if (kind, there) not in {("link", True), ("create", False)} and why not in {"same_person", "may_join"}:
                different[person.name] = (kind, why, there)
    assert different == {}
    print(
        f"{len(honest)} honest people of {COUNT}, {len(left_out)} left out; people by further clicks:",
        dict(Counter(visitors.clicks.values())),
    )
