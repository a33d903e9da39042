"""A person whom the pool does not have yet, fetched by its migration trigger.

https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-migrate-user.html
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from .. import errors
from ..backend.directory import Directory, Person
from .runner import Asking, Triggers, strings, unusable

logger = logging.getLogger(__name__)
STATUSES = frozenset({"CONFIRMED", "RESET_REQUIRED", "FORCE_CHANGE_PASSWORD"})


class UserMigration:
    """Only a password sign-in and a forgotten password migrate; never a sign-in by code."""

    def __init__(self, directory: Directory, triggers: Triggers) -> None:
        self._directory = directory
        self._triggers = triggers

    def sign_in(self, asking: Asking, password: str, metadata: Mapping[str, str] | None) -> Person | None:
        """The person, who now is in the pool with this password; None where the trigger knows nobody."""
        return self._fetch("Authentication", asking, password, {"password": password, "validationData": metadata})

    def forgot_password(self, asking: Asking, metadata: Mapping[str, str] | None) -> Person | None:
        return self._fetch("ForgotPassword", asking, None, {"validationData": None, "clientMetadata": metadata})

    def _fetch(self, source: str, asking: Asking, password: str | None, asked: Mapping[str, Any]) -> Person | None:
        if not self._triggers.has(asking.pool_id, "UserMigration"):
            return None
        keys = ("userAttributes", "finalUserStatus", "messageAction", "desiredDeliveryMediums", "forceAliasCreation")
        request = {"userAttributes": None, **asked}
        try:
            found = self._triggers.call("UserMigration", source, asking, request, (*keys, "enableSMSMFA"))
        except errors.PoolError as error:
            # Whoever is not migrated is unknown; the client is not told why.
            logger.info("Nobody was migrated: %s", error.message)
            return None
        attributes = strings(found.get("userAttributes"), "userAttributes")
        status = found.get("finalUserStatus") or "RESET_REQUIRED"
        if status not in STATUSES:
            raise unusable("finalUserStatus")
        given = {name: value for name, value in attributes.items() if name != "username"}
        sms_mfa = found.get("enableSMSMFA") is True
        self._directory.add(asking.pool_id, asking.user_name, given, password=password, status=status, sms_mfa=sms_mfa)
        return self._directory.person(asking.pool_id, asking.user_name)
