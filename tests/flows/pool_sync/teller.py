"""A worker process that tells the pool about some people, one after the other, at a moment that the test chooses.

``python -m tests.flows.pool_sync.teller tell <id> …`` says "ready", and begins when its input ends. ``… make <pool>
<count>`` migrates people of whom the pool has yet to be told, and prints their ids.
"""

import sys
from uuid import UUID

import django


def make(pool: str, count: str) -> None:
    from django.contrib.auth import get_user_model
    from django.utils import timezone

    from cognito_passwordless.models import MigratedUser, PoolNotice

    now, made = timezone.now(), []
    for number in range(int(count)):
        email = f"person{number}@example.com"
        user = get_user_model().objects.create_user(username=email, email=email)
        who = {"connection": "main", "pool": pool, "sub": str(UUID(int=number + 1)), "email": email}
        verified = {"email_verified": "true"}
        person = MigratedUser.objects.create(
            **who, attributes=verified, status="migrated", user_id=user.pk, migrated_at=now
        )
        PoolNotice.objects.create(person=person, asked_at=now)
        made.append(str(person.pk))
    print(*made)


def tell(*people: str) -> None:
    from cognito_passwordless.tasks import mark_migrated_in_pool

    print("ready", flush=True)
    sys.stdin.read()
    for person in people:
        mark_migrated_in_pool.apply((int(person),), throw=True)


if __name__ == "__main__":
    django.setup()
    {"make": make, "tell": tell}[sys.argv[1]](*sys.argv[2:])
