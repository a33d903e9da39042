"""User names of a pool (`USERNAMES`): whose one is, and where its person can be reached.

The law: a user name says which pool user is meant, and no more. The code goes to an address of that person, and only
the address is proven by it (law 13). A name that is written like an address is an address (`identifiers.typed`).
"""

from django.db.models import Case, Value, When
from django.db.models.functions import Lower

from ...conf import conf
from ...identifiers import Identifier, known
from ...identity import Channel
from ...models import MigratedUser

MOST = 10


def carrying(name: Identifier) -> list[MigratedUser]:
    """The records with this user name, in the first pool of ``USERNAMES`` that has one: people of a later pool take no
    name from those of an earlier. The spelling that was typed comes first; which is meant if several are left is
    decided as for addresses. One statement for each pool."""
    spelled = Case(When(username=name.whose, then=0), default=1)
    rows = MigratedUser.objects.alias(folded=Lower("username")).filter(folded=Lower(Value(name.whose)))
    rows = rows.exclude(status=MigratedUser.Status.GONE).order_by(spelled, "pk")
    return next(filter(None, (list(rows.filter(connection=alias)[:MOST]) for alias in conf.usernames)), [])


def reached_at(row: MigratedUser, channel: str) -> Identifier | None:
    """The address of a channel that the pool has verified for its user."""
    address = known(row.email if channel == Channel.EMAIL else row.phone_number)
    return address if address is not None and address.value in row.verified_keys else None
