"""Update a federated person by the pool's inbound federation trigger.

https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-inbound-federation.html
"""

from __future__ import annotations

from ..backend.directory import Directory
from ..triggers.runner import Caller, Triggers, strings

MAPPED = "userAttributesToMap"


class Federation:
    def __init__(self, directory: Directory, triggers: Triggers) -> None:
        self._directory = directory
        self._triggers = triggers

    def arrive(self, pool_id: str, client_id: str, provider: str, key: str) -> None:
        """Write the attributes that the trigger maps; {} changes nothing. Raises PoolError.

        The stand-in for a provider sends the attributes that the pool already has.
        """
        person = self._directory.person(pool_id, key)
        if person is None or not self._triggers.has(pool_id, "InboundFederation"):
            return
        own = {name: value for name, value in person.attributes.items() if name not in {"sub", "identities"}}
        said = {**own, "sub": key.partition("_")[2]}
        request = {
            "providerName": provider,
            "providerType": "OIDC",
            "attributes": {"tokenResponse": {}, "idToken": said, "userInfo": said},
        }
        caller = Caller(pool_id, client_id, person.key)
        answer = self._triggers.call("InboundFederation", "ExternalProvider", caller, request, (MAPPED,))
        self._directory.update(pool_id, key, strings(answer.get(MAPPED), MAPPED))
