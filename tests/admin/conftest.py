"""One row of everything, and people who may look at it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from cognito_passwordless.models import (
    ChallengeSession,
    Delivery,
    FailureCount,
    JourneyEvent,
    MigratedUser,
    PhoneNumber,
    SendCount,
)

EMAIL = "ann.secret@example.com"
PHONE = "+4915112345678"
# What must be on no page at all, for nobody.
SECRETS = ("the-handles-hash", "the-pool-session", "the-fingerprint", "the-invitation", "the-browser")
PAGES = ("challengesession", "delivery", "journeyevent", "failurecount", "sendcount", "migrateduser", "phonenumber")
MODELS: dict[str, Any] = {
    "challengesession": ChallengeSession,
    "delivery": Delivery,
    "journeyevent": JourneyEvent,
    "failurecount": FailureCount,
    "sendcount": SendCount,
    "migrateduser": MigratedUser,
    "phonenumber": PhoneNumber,
}

Make = Callable[..., None]


def url(page: str, *rest: object) -> str:
    return "/".join(["/admin/cognito_passwordless", page, *map(str, rest), ""])


@pytest.fixture
def make_rows(db: None) -> Make:
    """Rows of every kind, each about another person."""

    def make(times: int = 1, email: str = EMAIL, phone: str = PHONE) -> None:
        now = timezone.now()
        for number in range(times):
            one = f"{number}{email}" if number else email
            # A user model may well show people by their address.
            user = User.objects.create_user(one, one)
            challenge = ChallengeSession.objects.create(
                handle_hash=f"the-handles-hash{number}" if number else "the-handles-hash",
                identifier=one,
                recipient=one,
                pool_username=one,
                pool_session="the-pool-session",
                key_fingerprint="the-fingerprint",
                next_url="/join/the-invitation",
                known_browser="the-browser",
                code_length=6,
                channel="email",
                route="cognito_otp",
                created_at=now,
                last_sent_at=now,
                expires_at=now + timedelta(minutes=10),
            )
            Delivery.objects.create(challenge=challenge, number=1, generation=1, channel="email", started_at=now)
            JourneyEvent.objects.create(
                attempt=challenge.pk, at=now, step="sent", outcome="ok", user=user, data={"to": one}
            )
            FailureCount.objects.create(identifier=one, browser="the-browser", count=7)
            SendCount.objects.create(scope="sends", key=f"{one} the-browser", count=3)
            MigratedUser.objects.create(
                connection="main",
                pool="https://pool.example",
                sub=str(uuid4()),
                username=one,
                email=one,
                phone_number=phone,
                attributes={"email": one},
                status="migrated",
                method="cognito_otp",
                user=user,
                migrated_at=now,
            )
            PhoneNumber.objects.create(user=user, number=phone, verified=not number)

    return make


@pytest.fixture
def staff(db: None) -> Callable[..., Client]:
    """Somebody in the admin with these permissions of this package (all of its views if none are named)."""

    def sign_in(*permissions: str) -> Client:
        user = User.objects.create_user("staff", is_staff=True)
        own = Permission.objects.filter(content_type__app_label="cognito_passwordless")
        views = own.filter(codename__startswith="view_").exclude(codename="view_addresses")
        user.user_permissions.set([*views, *own.filter(codename__in=permissions)])
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def looking(staff: Callable[..., Client]) -> Client:
    """Somebody who may look, and may not see addresses."""
    return staff()


@pytest.fixture
def trusted(staff: Callable[..., Client]) -> Client:
    """Somebody who may see addresses."""
    return staff("view_addresses")
