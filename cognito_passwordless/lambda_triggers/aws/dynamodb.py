"""The limits table: one string key ``pk``, one number ``expires`` that is also the table's TTL, and no identifier.

Rows: ``f#`` failures of a user, ``s#`` messages to a user, ``c#`` answers within one sign-in, ``r#`` the newest
challenge of a user. Each count is one conditional write, so that parallel calls cannot all pass.
"""

from ...otp.policy import Policy
from ..core.deadline import Deadline
from ..core.environment import Limit, Settings
from .client import ConditionFailed, json_call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_COUNT = "SET n = if_not_exists(n, :zero) + :one, expires = if_not_exists(expires, :end)"
_ROOM = "attribute_not_exists(pk) OR (n < :most AND expires > :now)"
_RESTART = "SET n = :one, expires = :end"
_OVER = "expires <= :now"


class Table:
    """Calls to one table, each within its share of the deadline."""

    def __init__(self, settings: Settings, deadline: Deadline) -> None:
        self._settings = settings
        self._deadline = deadline
        self._name = settings.limits_table

    def call(self, operation: str, **parameters: "Any") -> "dict[str, Any]":
        """Raises `ConditionFailed`, or `Unavailable`."""
        return json_call(
            "dynamodb",
            f"DynamoDB_20120810.{operation}",
            parameters if operation == "BatchWriteItem" else {"TableName": self._name, **parameters},
            settings=self._settings,
            # Three calls in a row, and a message after them, have to fit.
            deadline=self._deadline.share(4),
        )

    def count(self, key: str, limit: Limit, now: float) -> bool:
        """Adds one to the row if that leaves it within its limit; a window that is over begins again."""
        at, end, one = _number(now), _number(now + limit.window), _number(1)
        try:
            self._update(key, _COUNT, _ROOM, one=one, zero=_number(0), most=_number(limit.count), now=at, end=end)
        except ConditionFailed:
            try:
                self._update(key, _RESTART, _OVER, one=one, now=at, end=end)
            except ConditionFailed:
                return False
        return True

    def remember(self, key: str, value: str, seconds: int, now: float) -> str:
        """``value``, or what has been remembered under ``key`` in the last ``seconds``."""
        try:
            self._update(
                key,
                "SET v = :value, expires = :end",
                f"attribute_not_exists(pk) OR {_OVER}",
                value={"S": value},
                now=_number(now),
                end=_number(now + seconds),
            )
        except ConditionFailed:
            item = self.call("GetItem", Key={"pk": {"S": key}}, ConsistentRead=True).get("Item") or {}
            return (item.get("v") or {}).get("S") or value
        return value

    def forget(self, *keys: str) -> None:
        requests = [{"DeleteRequest": {"Key": {"pk": {"S": key}}}} for key in keys]
        self.call("BatchWriteItem", RequestItems={self._name: requests})

    def _update(self, key: str, update: str, condition: str, **values: "dict[str, str]") -> None:
        self.call(
            "UpdateItem",
            Key={"pk": {"S": key}},
            UpdateExpression=update,
            ConditionExpression=condition,
            ExpressionAttributeValues={f":{name}": value for name, value in values.items()},
        )


class TableLimits:
    """`Limits` on the table."""

    def __init__(self, table: Table, *, failures: Limit, sends: Limit) -> None:
        self._table = table
        self._failures = failures
        self._sends = sends

    def number(self, owner: str, repeat: str, fresh: str, seconds: int, now: float) -> str:
        return self._table.remember(f"r#{owner}", fresh, seconds, now)

    def claim_send(self, owner: str, now: float) -> bool:
        return self._table.count(f"s#{owner}", self._sends, now)

    def claim_attempt(self, owner: str, nonce: str, policy: Policy, now: float) -> bool:
        # Each message may have begun a new code, so a sign-in may last as long as all of them.
        of_this_sign_in = Limit(count=policy.max_attempts, window=policy.ttl * policy.max_sends)
        return self._table.count(f"c#{nonce}", of_this_sign_in, now) and self._table.count(
            f"f#{owner}", self._failures, now
        )

    def clear(self, owner: str) -> None:
        self._table.forget(f"f#{owner}", f"r#{owner}")


def _number(value: float) -> "dict[str, str]":
    return {"N": str(int(value))}
