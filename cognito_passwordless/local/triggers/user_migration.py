"""Fetch a person whom the pool does not have yet by its migration trigger.

https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-migrate-user.html
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from .. import errors
from ..backend.directory import Directory, Person
from .runner import Caller, Triggers, strings, unusable

logger = logging.getLogger(__name__)
STATUSES = frozenset({"CONFIRMED", "RESET_REQUIRED", "FORCE_CHANGE_PASSWORD"})


class UserMigration:
    """Password sign-ins and forgotten passwords migrate; a sign-in by code never does."""

    def __init__(self, directory: Directory, triggers: Triggers) -> None:
        self._directory = directory
        self._triggers = triggers

    def sign_in(self, caller: Caller, password: str, metadata: Mapping[str, str] | None) -> Person | None:
        """Add the person to the pool with this password; None where the trigger does not know them."""
        return self._fetch("Authentication", caller, password, {"password": password, "validationData": metadata})

    def forgot_password(self, caller: Caller, metadata: Mapping[str, str] | None) -> Person | None:
        return self._fetch("ForgotPassword", caller, None, {"validationData": None, "clientMetadata": metadata})

    def _fetch(self, source: str, caller: Caller, password: str | None, details: Mapping[str, Any]) -> Person | None:
        if not self._triggers.has(caller.pool_id, "UserMigration"):
            return None
        keys = ("userAttributes", "finalUserStatus", "messageAction", "desiredDeliveryMediums", "forceAliasCreation")
        request = {"userAttributes": None, **details}
        try:
            answer = self._triggers.call("UserMigration", source, caller, request, (*keys, "enableSMSMFA"))
        except errors.PoolError as error:
            # The person stays unknown; the client does not learn why.
            logger.info("The user was not migrated: %s", error.message)
            return None
        attributes = strings(answer.get("userAttributes"), "userAttributes")
        status = answer.get("finalUserStatus") or "RESET_REQUIRED"
        if status not in STATUSES:
            raise unusable("finalUserStatus")
        given = {name: value for name, value in attributes.items() if name != "username"}
        sms_mfa = answer.get("enableSMSMFA") is True
        self._directory.add(caller.pool_id, caller.user_name, given, password=password, status=status, sms_mfa=sms_mfa)
        return self._directory.person(caller.pool_id, caller.user_name)
