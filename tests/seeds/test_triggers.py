"""The rows of the seeds' table of triggers: what an event holds reaches its purpose, and every answer is possible."""

import json
from typing import Any

import pytest

from cognito_passwordless.lambda_triggers import (
    custom_message,
    inbound_federation,
    post_authentication,
    post_confirmation,
    pre_authentication,
    pre_sign_up,
    pre_token_generation,
    user_migration,
)
from cognito_passwordless.lambda_triggers.errors import Refused
from tests.lambda_triggers.test_triggers import Django, respond

ANN = {"sub": "1", "email": "ann@example.com", "phone_number": "+4915100000001", "given_name": "Ann"}
METADATA = {"signupSource": "app", "userRole": "member", "referrer": "a friend"}


def asked_of_django(trigger: Any, source: str, request: dict[str, Any], answer: Any = (), **more: Any) -> Any:
    django = Django(dict(answer))
    respond(trigger, source, {"userAttributes": ANN, **request}, ask=django, **more)
    return django.asked[0][1]


class TestPreSignUp:
    def sign_up(self, **more: Any) -> Any:
        said = {"validationData": {"invitationCode": "one", "age": "30", "country": "DE"}, "clientMetadata": METADATA}
        return respond(pre_sign_up, "PreSignUp_SignUp", {"userAttributes": ANN, **said}, **more)

    def test_invitation_code(self) -> None:
        assert self.sign_up(INVITATION_CODES="one")
        with pytest.raises(Refused):
            self.sign_up(INVITATION_CODES="two")

    @pytest.mark.parametrize("hook", ["grown_up", "from_the_app"])
    def test_age_country_and_client_metadata_reach_a_hook(self, hook: str) -> None:
        seen.clear()
        self.sign_up(PRE_SIGN_UP_HOOKS=f"{__name__}.{hook}")
        assert seen == [hook]

    def test_auto_confirm_user_auto_verify_email_auto_verify_phone(self) -> None:
        answer = self.sign_up(PRE_SIGN_UP_CONFIRM="true", PRE_SIGN_UP_VERIFY="email,phone")
        assert answer == {"autoConfirmUser": True, "autoVerifyEmail": True, "autoVerifyPhone": True}


seen: list[str] = []


def grown_up(event: Any, settings: object, deadline: object) -> None:
    said = event["request"]["validationData"]
    if int(said["age"]) >= 18 and said["country"] == "DE":
        seen.append("grown_up")


def from_the_app(event: Any, settings: object, deadline: object) -> None:
    if event["request"]["clientMetadata"] == METADATA:
        seen.append("from_the_app")


def test_post_confirmation_user_attributes_client_metadata() -> None:
    source = "PostConfirmation_ConfirmSignUp"
    payload = asked_of_django(post_confirmation, source, {"clientMetadata": METADATA}, DJANGO_URL="x")
    assert (payload["attributes"], payload["client_metadata"]) == (ANN, METADATA)


def test_post_authentication_new_device_used_client_metadata() -> None:
    request = {"clientMetadata": METADATA, "newDeviceUsed": True}
    payload = asked_of_django(post_authentication, "PostAuthentication_Authentication", request, DJANGO_URL="x")
    assert (payload["new_device"], payload["client_metadata"]) == (True, METADATA)


def test_pre_authentication_validation_data() -> None:
    request = {"validationData": METADATA, "userNotFound": False}
    asked = {"answer": {"allow": True}, "PRE_AUTH_ASK_DJANGO": "true"}
    payload = asked_of_django(pre_authentication, "PreAuthentication_Authentication", request, **asked)
    assert payload["validation_data"] == METADATA


class TestMigrateUser:
    USER = {"found": True, "attributes": {"email": "ann@example.com", "custom:plan": "gold"}, "verified": ["email"]}

    def test_user_name_password_validation_data_client_metadata(self) -> None:
        request = {"password": "secret", "validationData": {"a": "b"}, "clientMetadata": METADATA}
        payload = asked_of_django(user_migration, "UserMigration_Authentication", request, self.USER)
        assert (payload["username"], payload["password"]) == ("user-1", "secret")
        assert (payload["validation_data"], payload["client_metadata"]) == ({"a": "b"}, METADATA)

    def test_no_password_on_forgot(self) -> None:
        payload = asked_of_django(user_migration, "UserMigration_ForgotPassword", {"password": "x"}, self.USER)
        assert "password" not in payload

    def test_every_answer(self) -> None:
        options = {
            "finalUserStatus": "RESET_REQUIRED",
            "desiredDeliveryMediums": ["SMS"],
            "forceAliasCreation": True,
            "enableSMSMFA": True,
        }
        django = Django({**self.USER, **options, "messageAction": "SUPPRESS"})
        request, allowed = {"password": "secret"}, {"MIGRATION_FORCE_ALIAS": "true"}
        answer = respond(user_migration, "UserMigration_Authentication", request, ask=django, **allowed)
        assert options.items() <= answer.items()
        assert answer["messageAction"] == "SUPPRESS"
        assert answer["userAttributes"]["custom:plan"] == "gold"


class TestPreTokenGeneration:
    REQUEST = {
        "scopes": ["openid", "orders/read"],
        "groupConfiguration": {"groupsToOverride": ["staff"], "iamRolesToOverride": [], "preferredRole": None},
        "clientMetadata": METADATA,
    }
    ANSWER = {
        "add": {"s": "text", "n": 5, "b": True, "a": ["x"], "o": {"k": "v"}},
        "suppress": ["email"],
        "groups": ["editors"],
        "roles": ["arn:aws:iam::1:role/x"],
        "preferred_role": "arn:aws:iam::1:role/x",
        "scopes": ["orders/write"],
        "suppress_scopes": ["orders/read"],
    }

    @pytest.mark.parametrize("version", ["2", "3"])
    def test_scopes_group_configuration_and_every_answer(self, version: str) -> None:
        django = Django(self.ANSWER)
        request = {"userAttributes": ANN, **self.REQUEST}
        more: dict[str, Any] = {"ask": django, "version": version, "TOKEN_ASK_DJANGO": "true"}
        answer = respond(pre_token_generation, "TokenGeneration_Authentication", request, **more)
        payload = django.asked[0][1]
        assert (payload["scopes"], payload["client_metadata"]) == (self.REQUEST["scopes"], METADATA)
        assert payload["groups"]["groupsToOverride"] == ["staff"]
        details = answer["claimsAndScopeOverrideDetails"]
        for token in ("idTokenGeneration", "accessTokenGeneration"):
            assert details[token]["claimsToAddOrOverride"] == self.ANSWER["add"]
            assert details[token]["claimsToSuppress"] == ["email"]
        assert details["accessTokenGeneration"]["scopesToAdd"] == ["orders/write"]
        assert details["accessTokenGeneration"]["scopesToSuppress"] == ["orders/read"]
        assert details["groupOverrideDetails"]["preferredRole"] == "arn:aws:iam::1:role/x"

    def test_version_1_has_strings(self) -> None:
        rules = {"TOKEN_CLAIMS": json.dumps({"add": {"s": "text", "n": 5}})}
        answer = respond(pre_token_generation, "TokenGeneration_Authentication", self.REQUEST, **rules)
        assert answer["claimsOverrideDetails"]["claimsToAddOrOverride"] == {"s": "text"}


class TestCustomMessage:
    def write(self, own: Any, *, attributes: Any = ANN, metadata: Any = METADATA, **more: Any) -> Any:
        request = {
            "codeParameter": "{####}",
            "linkParameter": "{##Click Here##}",
            "usernameParameter": "{username}",
            "userAttributes": attributes,
            "clientMetadata": metadata,
        }
        return respond(custom_message, "CustomMessage_SignUp", request, MESSAGES=json.dumps(own), **more)

    def test_code_link_user_name_attributes_and_client_metadata(self) -> None:
        text = "{user.given_name} {client.referrer} {client.none}: {code} {link} {username}"
        answer = self.write({"SignUp": {"sms": text, "email": text, "subject": "Hi {user.given_name}"}})
        assert answer["smsMessage"] == "Ann a friend : {####} {##Click Here##} {username}"
        assert answer["emailMessage"] == answer["smsMessage"]
        assert answer["emailSubject"] == "Hi Ann"

    def test_the_locale_of_the_person(self) -> None:
        german = {**ANN, "locale": "de_AT"}
        assert "Ihr Code" in self.write({}, attributes=german)["emailSubject"]
        own = {"SignUp": {"sms": "{code}"}, "SignUp.de": {"sms": "Hallo {code}"}}
        assert self.write(own, attributes=german)["smsMessage"] == "Hallo {####}"
        assert self.write(own)["smsMessage"] == "{####}"

    @pytest.mark.parametrize("name", ["<a href=//evil.example>x</a>", "{####}", "https://evil.example/a", "x" * 500])
    def test_a_stranger_puts_neither_a_link_nor_a_placeholder_into_a_mail(self, name: str) -> None:
        own = {"SignUp": {"email": "Dear {user.given_name}: {code}"}}
        text = self.write(own, attributes={**ANN, "given_name": name})["emailMessage"]
        assert text.count("{####}") == 1
        said = text.removeprefix("Dear ").removesuffix(": {####}")
        assert len(said) <= 60
        assert not set(said) & set("<>{}/@.")


def test_inbound_federation_attributes_and_lists() -> None:
    request = {
        "providerName": "Okta",
        "providerType": "OIDC",
        "attributes": {"idToken": {"email": "a@b.c", "groups": ["staff", "editors"]}},
    }
    table = {"FEDERATION_MAP": json.dumps({"Okta": {"email": "email", "custom:groups": "groups"}})}
    answer = respond(inbound_federation, "InboundFederation_ExternalProvider", request, **table)
    assert answer == {"userAttributesToMap": {"email": "a@b.c", "custom:groups": "staff,editors"}}
