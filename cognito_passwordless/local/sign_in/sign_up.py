"""Sign-up, its confirmation, invitations and forgotten passwords, with the triggers that belong to them.

moto changes the pool; this module calls the triggers, sends codes to the inbox, and accepts only the right ones, where
moto accepts any.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Callable, Mapping
from typing import Any

from .. import errors
from ..backend.directory import Directory, Person, attributes_of
from ..messages.inbox import Medium, masked
from ..messages.post import Letter, Post
from ..triggers.runner import Caller, Triggers
from ..triggers.user_migration import UserMigration
from .choice import SIGNED_UP
from .eligibility import MEDIA, SignInRequest
from .secret_hash import check_secret_hash
from .sessions import Sessions

Moto = Callable[[], Any]
SIGNING_UP = "SIGNING_UP"  # the session between a sign-up and its confirmation
ADDRESSES: dict[str, Medium] = {"email": "EMAIL", "phone_number": "SMS"}
# The operation that accepts the code of an occasion.
PURPOSES = {"SignUp": "SignUp", "ResendCode": "SignUp", "ForgotPassword": "ForgotPassword"}
FLAGS = {"email": "autoVerifyEmail", "phone_number": "autoVerifyPhone"}


class Lifecycle:
    """The operations on a person beside the sign-in."""

    def __init__(
        self, directory: Directory, triggers: Triggers, post: Post, *, migration: UserMigration, sessions: Sessions
    ) -> None:
        self._directory = directory
        self._triggers = triggers
        self._post = post
        self._migration = migration
        self._sessions = sessions
        self._codes: dict[tuple[str, str, str], str] = {}
        self._lock = threading.Lock()

    def sign_up(self, request: Mapping[str, Any], moto: Moto) -> dict[str, Any]:
        asked, caller = self._asking(request)
        pool_id = asked.pool.id
        flags = self._before("SignUp", caller, request)
        if request.get("Password"):
            moto()
        else:
            self._add(asked, request)
        person = self._person(pool_id, caller.user_name)
        if flags.get("autoConfirmUser") is True:
            proven = [name for name, flag in FLAGS.items() if flags.get(flag) is True]
            self._directory.confirm(pool_id, person.key, proven)
            self._confirmed("ConfirmSignUp", pool_id, person.key, request)
            return {"UserConfirmed": True, "UserSub": person.sub}
        answer = {"UserConfirmed": False, "UserSub": person.sub} | self._session(asked, person, SIGNING_UP)
        return answer | self._send("SignUp", pool_id, person, request)

    def resend_confirmation_code(self, request: Mapping[str, Any], moto: Moto) -> dict[str, Any]:
        """Send another code, which replaces the one before. moto does not have this operation."""
        asked, caller = self._asking(request)
        pool_id = asked.pool.id
        person = self._directory.person(pool_id, caller.user_name)
        if person is None and asked.client.hides_unknown:
            return _pretended(caller.user_name)
        person = self._person(pool_id, caller.user_name)
        if person.status != "UNCONFIRMED":
            raise errors.parameter_invalid("User is already confirmed.")
        return self._send("ResendCode", pool_id, person, request)

    def admin_create_user(self, request: Mapping[str, Any], moto: Moto) -> Any:
        """Send an invitation with a first password, which moto neither creates nor sends."""
        pool_id, username = str(request.get("UserPoolId") or ""), str(request.get("Username") or "")
        caller = Caller(pool_id, None, username)
        if request.get("MessageAction") != "RESEND":
            self._before("AdminCreateUser", caller, request)
        created = moto()
        person = self._person(pool_id, username)
        address = _address(person)
        if address and request.get("MessageAction") != "SUPPRESS":
            password = str(request.get("TemporaryPassword") or f"Aa1!{secrets.token_urlsafe(9)}")
            self._directory.set_password(pool_id, person.key, password)
            metadata, destination = request.get("ClientMetadata"), person.attributes[address]
            letter = Letter("AdminCreateUser", ADDRESSES[address], destination, password, metadata)
            self._post.send(letter, pool_id, None, person)
        return created.result

    def confirm_sign_up(self, request: Mapping[str, Any], moto: Moto) -> dict[str, Any]:
        asked, caller = self._asking(request)
        pool_id = asked.pool.id
        person = self._person(pool_id, caller.user_name)
        if asked.session:
            self._sessions.resume(self._directory, asked, asked.session, SIGNING_UP, admitted=False)
        proven = self._take("SignUp", pool_id, person, request)
        moto()
        self._directory.confirm(pool_id, person.key, [proven])
        self._confirmed("ConfirmSignUp", pool_id, person.key, request)
        if asked.session:
            self._sessions.use_up(asked.session)
        # Amplify sends no session here, and signs in with the one that it gets.
        return self._session(asked, person, SIGNED_UP)

    def forgot_password(self, request: Mapping[str, Any], moto: Moto) -> dict[str, Any]:
        asked, caller = self._asking(request)
        pool_id = asked.pool.id
        person = self._directory.person(pool_id, caller.user_name)
        if person is None:
            person = self._migration.forgot_password(caller, request.get("ClientMetadata"))
        if person is None and asked.client.hides_unknown:
            return _pretended(caller.user_name)
        if person is None:
            raise errors.user_unknown()
        return self._send("ForgotPassword", pool_id, person, request)

    def confirm_forgot_password(self, request: Mapping[str, Any], moto: Moto) -> dict[str, Any]:
        asked, caller = self._asking(request)
        pool_id = asked.pool.id
        person = self._person(pool_id, caller.user_name)
        self._take("ForgotPassword", pool_id, person, request)
        moto()
        self._directory.confirm(pool_id, person.key, [])
        self._confirmed("ConfirmForgotPassword", pool_id, person.key, request)
        return {}

    def update_user_attributes(self, request: Mapping[str, Any], moto: Moto) -> dict[str, Any]:
        """Users may write their own address, which then is unverified; they may not write the flag.

        moto leaves the flag as it was. https://repost.aws/knowledge-center/cognito-email-verified-attribute
        """
        if any(f"{name}_verified" in _written(request) for name in ADDRESSES):
            raise errors.PoolError("NotAuthorizedException", "A client attempted to write unauthorized attribute")
        pool_id, key = self._directory.bearer(str(request.get("AccessToken") or ""))
        return self._update(pool_id, key, request, moto)

    def admin_update_user_attributes(self, request: Mapping[str, Any], moto: Moto) -> dict[str, Any]:
        """The same for an administrator, who may write the flag too."""
        return self._update(str(request.get("UserPoolId") or ""), str(request.get("Username") or ""), request, moto)

    def _update(self, pool_id: str, key: str, request: Mapping[str, Any], moto: Moto) -> dict[str, Any]:
        before, written = self._person(pool_id, key), _written(request)
        moto()
        for name in ADDRESSES:
            if name in written and written[name] != before.attributes.get(name):
                flag = f"{name}_verified"
                self._directory.update(pool_id, before.key, {flag: written.get(flag, "false")})
        return {}

    def _add(self, asked: SignInRequest, request: Mapping[str, Any]) -> None:
        """A person without a password, where the pool has codes as a first factor: API_SignUp.html."""
        if not asked.pool.first_factors & MEDIA.keys():
            raise errors.parameter_missing("password")
        if self._directory.person(asked.pool.id, asked.username):
            raise errors.PoolError("UsernameExistsException", "User already exists")
        written = _written(request)
        self._directory.add(asked.pool.id, asked.username, written, password=None, status="UNCONFIRMED")

    def _session(self, asked: SignInRequest, person: Person, step: str) -> dict[str, str]:
        """A session by which USER_AUTH goes on from here, where the client has it."""
        if "ALLOW_USER_AUTH" not in asked.client.flows:
            return {}
        return {"Session": self._sessions.begin(asked, person, step)}

    def _asking(self, request: Mapping[str, Any]) -> tuple[SignInRequest, Caller]:
        pool, client = self._directory.client(str(request.get("ClientId") or ""))
        username = str(request.get("Username") or "")
        check_secret_hash(request.get("SecretHash"), secret=client.secret, client_id=client.id, username=username)
        asked = SignInRequest(pool, client, username, request.get("ClientMetadata"), request.get("Session") or "")
        return asked, Caller(pool.id, client.id, username)

    def _before(self, source: str, caller: Caller, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Call PreSignUp, and return its flags; it may refuse with a PoolError."""
        if not self._triggers.has(caller.pool_id, "PreSignUp"):
            return {}
        validation = {row["Name"]: row.get("Value") for row in request.get("ValidationData") or []}
        details = {
            "userAttributes": {row["Name"]: row.get("Value", "") for row in request.get("UserAttributes") or []},
            "validationData": validation or None,
            "clientMetadata": request.get("ClientMetadata"),
        }
        return self._triggers.call("PreSignUp", source, caller, details, ("autoConfirmUser", *FLAGS.values()))

    def _person(self, pool_id: str, username: str) -> Person:
        person = self._directory.person(pool_id, username)
        if person is None:
            raise errors.user_unknown()
        return person

    def _send(self, occasion: str, pool_id: str, person: Person, request: Mapping[str, Any]) -> dict[str, Any]:
        name = _address(person)
        if not name:
            raise errors.parameter_invalid("There is no address to send a code to.")
        code = f"{secrets.randbelow(10**6):06d}"
        with self._lock:
            self._codes[PURPOSES[occasion], pool_id, person.key] = code
        letter = Letter(occasion, ADDRESSES[name], person.attributes[name], code, request.get("ClientMetadata"))
        self._post.send(letter, pool_id, request.get("ClientId"), person)
        return _details(name, person.attributes[name])

    def _take(self, purpose: str, pool_id: str, person: Person, request: Mapping[str, Any]) -> str:
        """Use up a right code, and return the address it proves. Raises PoolError for a wrong one."""
        given = str(request.get("ConfirmationCode") or "")
        with self._lock:
            expected = self._codes.get((purpose, pool_id, person.key), "")
            if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
                text = "Invalid verification code provided, please try again."
                raise errors.PoolError("CodeMismatchException", text)
            del self._codes[purpose, pool_id, person.key]
        return _address(person)

    def _confirmed(self, source: str, pool_id: str, key: str, request: Mapping[str, Any]) -> None:
        if self._triggers.has(pool_id, "PostConfirmation"):
            details = {
                "userAttributes": attributes_of(self._person(pool_id, key)),
                "clientMetadata": request.get("ClientMetadata"),
            }
            caller = Caller(pool_id, request.get("ClientId"), key)
            self._triggers.call("PostConfirmation", source, caller, details)


def _written(request: Mapping[str, Any]) -> dict[str, str]:
    return {row["Name"]: row.get("Value", "") for row in request.get("UserAttributes") or []}


def _address(person: Person) -> str:
    """The attribute that codes go to; empty where there is none."""
    return next((name for name in ADDRESSES if person.attributes.get(name)), "")


def _details(name: str, destination: str) -> dict[str, Any]:
    medium = ADDRESSES[name]
    shown = {"Destination": masked(medium, destination), "DeliveryMedium": medium, "AttributeName": name}
    return {"CodeDeliveryDetails": shown}


def _pretended(username: str) -> dict[str, Any]:
    """The answer for an unknown person, where the client hides who exists."""
    return _details("phone_number" if username.startswith("+") else "email", username)
