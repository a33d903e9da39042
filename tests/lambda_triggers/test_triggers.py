"""The triggers beside the challenge: every source, and what they make of it."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cognito_passwordless.lambda_triggers import (
    custom_email_sender,
    custom_message,
    custom_sms_sender,
    inbound_federation,
    post_authentication,
    post_confirmation,
    pre_authentication,
    pre_sign_up,
    pre_token_generation,
    user_migration,
)
from cognito_passwordless.lambda_triggers.core.deadline import Deadline
from cognito_passwordless.lambda_triggers.core.environment import Settings
from cognito_passwordless.lambda_triggers.errors import Misconfigured, Refused, Unavailable, not_allowed
from cognito_passwordless.lambda_triggers.runtime import Note, run

from .rounds import NOW, PHONE, UNHURRIED, event
from .standin import provider
from .test_properties import junk

ANN = {"sub": "1", "email": "ann@example.com", "phone_number": PHONE}
LANGUAGES = ("en", "de", "fr", "es", "ar")


def respond(trigger: Any, source: str, request: Any = None, *, version: str = "1", **more: Any) -> dict[str, Any]:
    environment = {name: value for name, value in more.items() if name.isupper()}
    parts = {name: value for name, value in more.items() if not name.isupper()}
    asked = {**event(source, request or {}), "version": version}
    whole = {"settings": Settings(environment), "now": NOW, "deadline": Deadline(UNHURRIED), "note": Note(), **parts}
    response: dict[str, Any] = trigger.respond(asked, **whole)["response"]
    return response


class Django:
    """Answers in place of the site, and keeps what it was asked."""

    def __init__(self, answer: Mapping[str, Any] | Exception) -> None:
        self.answer = answer
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, question: str, payload: Any, *, settings: Settings, deadline: Deadline) -> dict[str, Any]:
        self.asked.append((question, payload))
        if isinstance(self.answer, Exception):
            raise self.answer
        return dict(self.answer)


DOWN = Unavailable("django_timeout")


class TestPreSignUp:
    def sign_up(self, attributes: Any = None, source: str = "SignUp", validation: Any = None, **more: Any) -> Any:
        request = {"userAttributes": ANN if attributes is None else attributes, "validationData": validation}
        return respond(pre_sign_up, f"PreSignUp_{source}", request, **more)

    def test_nothing_is_confirmed_or_verified_unless_asked_for(self) -> None:
        assert set(self.sign_up().values()) == {False}

    def test_only_what_is_asked_for_and_there_is_verified(self) -> None:
        chosen = {"PRE_SIGN_UP_CONFIRM": "true", "PRE_SIGN_UP_VERIFY": "email,phone"}
        assert self.sign_up({"email": "a@b.c"}, **chosen) == {
            "autoConfirmUser": True,
            "autoVerifyEmail": True,
            "autoVerifyPhone": False,
        }
        assert self.sign_up({"email": "a@b.c"}, PRE_SIGN_UP_CONFIRM="true")["autoVerifyEmail"] is False

    @pytest.mark.parametrize("source", ["AdminCreateUser", "ExternalProvider"])
    def test_others_are_left_alone(self, source: str) -> None:
        chosen = {"PRE_SIGN_UP_CONFIRM": "true", "PRE_SIGN_UP_VERIFY": "email", "EMAIL_DOMAINS_ALLOWED": "x.org"}
        assert set(self.sign_up(source=source, **chosen).values()) == {False}

    @pytest.mark.parametrize(
        ("email", "allowed"),
        [
            ("a@example.com", True),
            ("a@EXAMPLE.com.", True),
            ("a@mail.example.com", True),
            ("a@badexample.com", False),
            ("a@example.com.evil.org", False),
            ("a@x.example.com@evil.org", False),
            ("", False),
        ],
    )
    def test_allowed_domains(self, email: str, allowed: bool) -> None:
        def sign_up() -> None:
            self.sign_up({"email": email}, EMAIL_DOMAINS_ALLOWED="example.com, other.org")

        if allowed:
            sign_up()
        else:
            with pytest.raises(Refused, match="not allowed"):
                sign_up()

    def test_denied_domains(self) -> None:
        with pytest.raises(Refused):
            self.sign_up({"email": "a@x.trash.example"}, EMAIL_DOMAINS_DENIED="trash.example")
        self.sign_up({"phone_number": PHONE}, EMAIL_DOMAINS_DENIED="trash.example")

    @pytest.mark.parametrize("validation", [None, {}, {"invitation": None}, {"invitation": ""}, {"invitation": "no"}])
    def test_an_invitation_is_needed_where_there_are_any(self, validation: Any) -> None:
        with pytest.raises(Refused):
            self.sign_up(validation=validation, INVITATION_CODES="one,two")
        self.sign_up(validation={"invitation": " two "}, INVITATION_CODES="one,two")

    def test_hooks_may_refuse(self) -> None:
        with pytest.raises(Refused, match="not allowed"):
            self.sign_up(PRE_SIGN_UP_HOOKS=f"{__name__}.refusing_hook")
        with pytest.raises(Misconfigured):
            self.sign_up(PRE_SIGN_UP_HOOKS="nowhere.at_all")

    def test_a_hook_may_look_at_anything_and_record_it(self) -> None:
        SEEN.clear()
        for source in ("SignUp", "AdminCreateUser", "ExternalProvider"):
            self.sign_up(source=source, PRE_SIGN_UP_HOOKS=f"{__name__}.recording_hook")
        assert [f"PreSignUp_{source}" for source in ("SignUp", "AdminCreateUser", "ExternalProvider")] == SEEN

    @pytest.mark.parametrize(
        ("body", "token", "allowed"),
        [
            (b'{"success": true}', "solved", True),
            (b'{"success": "true"}', "solved", False),
            (b'{"success": false}', "guessed", False),
            (b"<html>", "solved", False),
            (b'{"success": true}', "", False),
            (b'{"success": true}', None, False),
            (b'{"success": true}', "x" * 3000, False),
        ],
    )
    def test_a_captcha_has_to_be_solved(self, body: bytes, token: Any, allowed: bool) -> None:
        with provider() as service:
            service.body = body
            chosen = {"PRE_SIGN_UP_HOOKS": f"{HOOKS}.captcha", "CAPTCHA_SECRET": "s", "CAPTCHA_URL": service.url}
            if allowed:
                self.sign_up(validation={"captcha": token}, **chosen)
                assert service.form == {"secret": "s", "response": "solved"}
            else:
                with pytest.raises(Refused, match="not allowed"):
                    self.sign_up(validation={"captcha": token}, **chosen)
        # Users made by an administrator solve none; a service that is away refuses.
        self.sign_up(source="AdminCreateUser", **chosen)
        if token == "solved":
            with pytest.raises(Unavailable, match="captcha"):
                self.sign_up(validation={"captcha": token}, **chosen)

    @pytest.mark.parametrize(
        ("attributes", "allowed"),
        [
            ({"given_name": "Ann", "custom:plan": "a1"}, True),
            ({"given_name": "Ann"}, False),
            ({"given_name": "A\nnn", "custom:plan": "a1"}, False),
            ({"given_name": "", "custom:plan": "a1"}, False),
        ],
    )
    def test_attributes_have_to_match(self, attributes: dict[str, str], allowed: bool) -> None:
        patterns = json.dumps({"given_name": r"[A-Za-z]+", "custom:plan": r"[a-z]\d"})
        chosen = {"PRE_SIGN_UP_HOOKS": f"{HOOKS}.attributes", "PRE_SIGN_UP_ATTRIBUTES": patterns}
        if allowed:
            self.sign_up(attributes, **chosen)
        else:
            with pytest.raises(Refused, match="not allowed"):
                self.sign_up(attributes, **chosen)
        self.sign_up(attributes, source="ExternalProvider", **chosen)

    @pytest.mark.parametrize("pattern", ["(", 5, None])
    def test_a_pattern_that_is_none_closes(self, pattern: Any) -> None:
        chosen = {"PRE_SIGN_UP_HOOKS": f"{HOOKS}.attributes", "PRE_SIGN_UP_ATTRIBUTES": json.dumps({"name": pattern})}
        with pytest.raises(Misconfigured):
            self.sign_up({"name": "x"}, **chosen)


HOOKS = "cognito_passwordless.lambda_triggers.sign_up_hooks"
SEEN: list[str] = []


def recording_hook(asked: Any, settings: Settings, deadline: Deadline) -> None:
    SEEN.append(asked["triggerSource"])


def refusing_hook(asked: object, settings: Settings, deadline: Deadline) -> None:
    raise not_allowed("hook")


class TestPreAuthentication:
    def ask(self, attributes: Mapping[str, str], unknown: bool = False, **more: Any) -> Any:
        request = {"userAttributes": attributes, "validationData": None, "userNotFound": unknown}
        return respond(pre_authentication, "PreAuthentication_Authentication", request, **more)

    def test_nobody_is_refused_unless_asked_for(self) -> None:
        assert self.ask({"custom:migrated": "true"}) == {}

    @pytest.mark.parametrize(
        ("attributes", "refused"),
        [
            ({"custom:migrated": "true"}, True),
            ({"custom:blocked": "true", "email_verified": "true"}, True),
            ({"email_verified": "false"}, True),
            ({}, True),
            ({"email_verified": "true"}, False),
            ({"phone_number_verified": "true", "custom:migrated": "false"}, False),
        ],
    )
    def test_by_claim(self, attributes: dict[str, str], refused: bool) -> None:
        chosen = {"PRE_AUTH_REFUSE": "migrated,blocked,unverified"}
        if refused:
            with pytest.raises(Refused, match="not allowed"):
                self.ask(attributes, **chosen)
        else:
            self.ask(attributes, **chosen)
        assert self.ask(attributes, unknown=True, **chosen) == {}

    @pytest.mark.parametrize("answer", [{}, {"allow": False}, {"allow": "true"}, {"allow": 1}])
    def test_django_has_to_say_yes(self, answer: dict[str, Any]) -> None:
        with pytest.raises(Refused):
            self.ask(ANN, ask=Django(answer), PRE_AUTH_ASK_DJANGO="true")
        self.ask(ANN, ask=Django({"allow": True}), PRE_AUTH_ASK_DJANGO="true")

    def test_it_closes_when_django_is_down_unless_told_otherwise(self) -> None:
        with pytest.raises(Unavailable):
            self.ask(ANN, ask=Django(DOWN), PRE_AUTH_ASK_DJANGO="true")
        self.ask(ANN, ask=Django(DOWN), PRE_AUTH_ASK_DJANGO="true", PRE_AUTH_ON_ERROR="open")


class TestTelling:
    def test_a_confirmed_sign_up_is_told_and_a_forgotten_password_is_not(self) -> None:
        django = Django({})
        respond(post_confirmation, "PostConfirmation_ConfirmSignUp", {"userAttributes": ANN}, ask=django)
        respond(post_confirmation, "PostConfirmation_ConfirmForgotPassword", {"userAttributes": ANN}, ask=django)
        assert [question for question, _ in django.asked] == ["post_confirmation"]
        assert django.asked[0][1]["attributes"] == ANN

    def test_a_sign_in_is_told_with_its_new_device(self) -> None:
        django = Django({})
        for new in (True, False, None):
            request = {"userAttributes": ANN, "newDeviceUsed": new}
            respond(post_authentication, "PostAuthentication_Authentication", request, ask=django)
        assert [payload["new_device"] for _, payload in django.asked] == [True, False, False]

    @pytest.mark.parametrize("trigger", [post_confirmation, post_authentication])
    @pytest.mark.parametrize("failure", [DOWN, Misconfigured("x")])
    def test_django_never_stands_in_the_way(self, trigger: Any, failure: Exception) -> None:
        assert respond(trigger, "PostConfirmation_ConfirmSignUp", {}, ask=Django(failure)) == {}


class TestUserMigration:
    USER = {"found": True, "attributes": {"email": "ann@example.com", "given_name": "Ann"}, "verified": ["email"]}

    def migrate(self, answer: Any, source: str = "Authentication", password: Any = "secret", **more: Any) -> Any:
        request = {"password": password, "validationData": None, "userAttributes": None}
        django = Django(answer)
        return respond(user_migration, f"UserMigration_{source}", request, ask=django, **more), django

    def test_a_user_is_fetched_with_the_password(self) -> None:
        response, django = self.migrate(self.USER)
        assert django.asked[0][1]["password"] == "secret"
        assert response == {
            "userAttributes": {
                "username": "user-1",
                "email": "ann@example.com",
                "given_name": "Ann",
                "email_verified": "true",
            },
            "messageAction": "SUPPRESS",
            "forceAliasCreation": False,
            "finalUserStatus": "CONFIRMED",
        }

    def test_who_forgot_the_password_is_asked_for_without(self) -> None:
        response, django = self.migrate(self.USER, "ForgotPassword", None)
        assert "password" not in django.asked[0][1]
        assert "finalUserStatus" not in response

    @pytest.mark.parametrize("password", [None, "", 5, "x" * 300])
    def test_unusable_passwords_are_not_even_asked_about(self, password: Any) -> None:
        with pytest.raises(Refused):
            self.migrate(self.USER, password=password)

    @pytest.mark.parametrize("verified", [None, "email", ["phone_number"], {"email": True}, True])
    def test_an_address_is_verified_only_where_django_says_so_by_name(self, verified: Any) -> None:
        attributes = {"email": "a@b.c", "email_verified": "true"}
        response, _ = self.migrate({"found": True, "attributes": attributes, "verified": verified})
        assert response["userAttributes"]["email_verified"] == "false"

    @pytest.mark.parametrize("answer", [{}, {"found": False}, {"found": "true", "attributes": {"email": "a"}}])
    def test_nobody_is_nobody(self, answer: Any) -> None:
        with pytest.raises(Refused):
            self.migrate(answer)

    @pytest.mark.parametrize(
        "change",
        [
            {"attributes": {}},
            {"attributes": None},
            {"attributes": {"cognito:x": "y"}},
            {"attributes": {"email": 5}},
            {"attributes": {"email": "x" * 3000}},
            {"finalUserStatus": "ARCHIVED"},
            {"desiredDeliveryMediums": []},
            {"desiredDeliveryMediums": "EMAIL"},
            {"desiredDeliveryMediums": ["FAX"]},
        ],
    )
    def test_an_answer_that_cognito_would_not_take_is_refused(self, change: dict[str, Any]) -> None:
        with pytest.raises(Unavailable):
            self.migrate({**self.USER, **change})

    def test_all_that_cognito_takes(self) -> None:
        answer = {
            **self.USER,
            "finalUserStatus": "RESET_REQUIRED",
            "desiredDeliveryMediums": ["EMAIL"],
            "enableSMSMFA": True,
            "forceAliasCreation": True,
            "messageAction": "SEND",
        }
        response, _ = self.migrate(answer)
        assert (response["finalUserStatus"], response["enableSMSMFA"]) == ("RESET_REQUIRED", True)
        assert response["forceAliasCreation"] is False
        assert "messageAction" not in response
        assert self.migrate(answer, MIGRATION_FORCE_ALIAS="true")[0]["forceAliasCreation"] is True

    def test_the_sub_is_not_djangos_to_give(self) -> None:
        response, _ = self.migrate({**self.USER, "attributes": {"email": "a@b.c", "sub": "x"}})
        assert "sub" not in response["userAttributes"]


class TestPreTokenGeneration:
    SOURCES = ("HostedAuth", "Authentication", "NewPasswordChallenge", "AuthenticateDevice", "RefreshTokens")
    RULES = {
        "add": {"plan": "gold", "tenant": "$custom:tenant", "absent": "$custom:absent"},
        "suppress": ["email"],
        "access": {"add": {"rights": ["a", "b"]}, "suppress": ["x"]},
        "scopes": ["orders/read"],
        "suppress_scopes": ["aws.cognito.signin.user.admin"],
    }

    def generate(self, rules: Any, source: str = "Authentication", **more: Any) -> Any:
        request = {
            "userAttributes": {**ANN, "custom:tenant": "t1"},
            "groupConfiguration": {"groupsToOverride": ["old"], "iamRolesToOverride": ["r1"], "preferredRole": "r1"},
        }
        return respond(
            pre_token_generation, f"TokenGeneration_{source}", request, TOKEN_CLAIMS=json.dumps(rules), **more
        )

    @pytest.mark.parametrize("source", SOURCES)
    def test_version_1_has_strings_in_the_id_token(self, source: str) -> None:
        assert self.generate(self.RULES, source) == {
            "claimsOverrideDetails": {
                "claimsToAddOrOverride": {"plan": "gold", "tenant": "t1"},
                "claimsToSuppress": ["email"],
            }
        }

    @pytest.mark.parametrize("version", ["2", "3"])
    def test_versions_2_and_3_have_both_tokens_and_scopes(self, version: str) -> None:
        source = "ClientCredentials" if version == "3" else "Authentication"
        details = self.generate(self.RULES, source, version=version)["claimsAndScopeOverrideDetails"]
        assert details["idTokenGeneration"]["claimsToSuppress"] == ["email"]
        assert details["accessTokenGeneration"] == {
            "claimsToAddOrOverride": {"plan": "gold", "tenant": "t1", "rights": ["a", "b"]},
            "claimsToSuppress": ["email", "x"],
            "scopesToAdd": ["orders/read"],
            "scopesToSuppress": ["aws.cognito.signin.user.admin"],
        }
        assert "groupOverrideDetails" not in details

    def test_groups_are_replaced_and_the_rest_is_kept(self) -> None:
        details = self.generate({"groups": ["new"]})["claimsOverrideDetails"]["groupOverrideDetails"]
        assert details == {"groupsToOverride": ["new"], "iamRolesToOverride": ["r1"], "preferredRole": "r1"}
        roles = self.generate({"roles": ["r2"], "preferred_role": "r2", "groups": []})
        assert roles["claimsOverrideDetails"]["groupOverrideDetails"] == {
            "groupsToOverride": [],
            "iamRolesToOverride": ["r2"],
            "preferredRole": "r2",
        }

    @pytest.mark.parametrize("name", ["sub", "iss", "aud", "exp", "token_use", "cognito:username", "scope"])
    def test_what_is_cognitos_own_cannot_be_forged(self, name: str) -> None:
        with pytest.raises(Misconfigured):
            self.generate({"add": {name: "x"}})

    @pytest.mark.parametrize("rules", [{"ad": {}}, {"add": []}, {"groups": "staff"}, {"preferred_role": 1}])
    def test_a_table_that_says_nothing_known_closes(self, rules: Any) -> None:
        with pytest.raises(Misconfigured):
            self.generate(rules)

    def test_django_goes_over_the_mapping(self) -> None:
        django = Django({"add": {"plan": "silver"}, "suppress": ["phone_number"]})
        response = self.generate(self.RULES, ask=django, TOKEN_ASK_DJANGO="true")["claimsOverrideDetails"]
        assert response["claimsToAddOrOverride"]["plan"] == "silver"
        assert response["claimsToSuppress"] == ["email", "phone_number"]

    def test_it_closes_when_django_is_down_unless_told_otherwise(self) -> None:
        with pytest.raises(Unavailable):
            self.generate({}, ask=Django(DOWN), TOKEN_ASK_DJANGO="true")
        response = self.generate(self.RULES, ask=Django(DOWN), TOKEN_ASK_DJANGO="true", TOKEN_ON_ERROR="open")
        assert response["claimsOverrideDetails"]["claimsToSuppress"] == ["email"]


class TestCustomMessage:
    REQUEST = {
        "codeParameter": "{####}",
        "linkParameter": "{##Click Here##}",
        "usernameParameter": "{username}",
        "clientMetadata": None,
    }
    SOURCES = (
        *("SignUp", "AdminCreateUser", "ResendCode", "ForgotPassword"),
        *("UpdateUserAttribute", "VerifyUserAttribute", "Authentication"),
    )

    def write(self, source: str, **more: Any) -> Any:
        return respond(custom_message, f"CustomMessage_{source}", self.REQUEST, **more)

    @pytest.mark.parametrize("source", SOURCES)
    @pytest.mark.parametrize("language", ["de-AT", "xx", *LANGUAGES])
    def test_every_source_keeps_its_placeholders_and_limits(self, source: str, language: str) -> None:
        response = self.write(source, OTP_LANGUAGE=language, OTP_APP_NAME="Example")
        for part, most in (("smsMessage", 140), ("emailMessage", 20_000)):
            assert "{####}" in response[part]
            assert len(response[part]) <= most
            if source == "AdminCreateUser":
                assert "{username}" in response[part]
        assert "Example" in response["emailSubject"]

    def test_own_words(self) -> None:
        own = {"SignUp": {"email": "Press {link}", "subject": "Hi\n{app}", "sms": "{code} {code}"}}
        response = self.write("SignUp", MESSAGES=json.dumps(own), OTP_APP_NAME="{code}")
        assert response == {
            "smsMessage": "{####} {####}",
            "emailMessage": "Press {##Click Here##}",
            "emailSubject": "Hi {code}",
        }

    @pytest.mark.parametrize("text", ["no code", "{code}" + "x" * 20_001])
    def test_words_that_would_break_are_left_to_cognito(self, text: str) -> None:
        own = {"SignUp": {"email": text, "sms": text}}
        assert self.write("SignUp", MESSAGES=json.dumps(own)) == {}

    def test_without_a_code_parameter_the_words_are_cognitos(self) -> None:
        assert respond(custom_message, "CustomMessage_SignUp", {"codeParameter": None}) == {}


class TestCustomSenders:
    def sent(self, trigger: Any, source: str, code: Any, attributes: Any = ANN, plain: str = "123456") -> Any:
        messages = []

        def send(message: Any, *, settings: Settings, deadline: Deadline) -> str:
            messages.append((message, settings))
            return "test"

        def decrypt(ciphertext: bytes, *, settings: Settings, deadline: Deadline) -> str:
            assert ciphertext == b"cipher"
            return plain

        request = {"type": "customEmailSenderRequestV1", "code": code, "userAttributes": attributes}
        respond(trigger, source, request, send=send, decrypt=decrypt, OTP_APP_NAME="Example", EMAIL_SENDERS="smtp")
        return messages

    @pytest.mark.parametrize("source", TestCustomMessage.SOURCES)
    def test_the_code_is_decrypted_and_sent(self, source: str) -> None:
        ((mail, settings),) = self.sent(custom_email_sender, f"CustomEmailSender_{source}", "Y2lwaGVy")
        assert "123456" in mail.text
        assert mail.recipient == ANN["email"]
        assert settings.senders == ("smtp",)
        ((sms, settings),) = self.sent(custom_sms_sender, f"CustomSMSSender_{source}", "Y2lwaGVy")
        assert "123456" in sms.text
        assert sms.recipient == PHONE
        assert settings.senders == ("sns",)

    def test_a_notice_has_no_code(self) -> None:
        source = "CustomEmailSender_AccountTakeOverNotification"
        ((mail, _),) = self.sent(custom_email_sender, source, None)
        assert "tried to sign in" in mail.text

    def test_a_temporary_password_comes_escaped(self) -> None:
        source = "CustomEmailSender_AdminCreateUser"
        ((mail, _),) = self.sent(custom_email_sender, source, "Y2lwaGVy", plain="a&lt;b&amp;{app}")
        assert "a<b&{app}" in mail.text

    def test_nobody_to_write_to_is_no_error(self) -> None:
        assert self.sent(custom_sms_sender, "CustomSMSSender_SignUp", "Y2lwaGVy", {}) == []

    def test_what_is_no_ciphertext_is_not_sent(self) -> None:
        with pytest.raises(Unavailable):
            self.sent(custom_email_sender, "CustomEmailSender_SignUp", "not base64!")


class TestInboundFederation:
    GIVEN = {"idToken": {"email": "a@b.c", "email_verified": True, "n": 5, "list": []}, "userInfo": {"email": "other"}}

    def map(self, table: Any, given: Any = None) -> Any:
        request = {"providerName": "Google", "attributes": self.GIVEN if given is None else given}
        return respond(
            inbound_federation, "InboundFederation_ExternalProvider", request, FEDERATION_MAP=json.dumps(table)
        )["userAttributesToMap"]

    def test_a_provider_without_a_table_is_left_alone(self) -> None:
        assert self.map({}) == {}
        assert self.map({"Other": {"email": "email"}}) == {}

    def test_names_are_mapped_and_the_rest_is_dropped(self) -> None:
        table = {"Google": {"email": "email", "custom:proven": "email_verified", "custom:n": "n", "custom:l": "list"}}
        assert self.map(table) == {"email": "a@b.c", "custom:proven": "true", "custom:n": "5"}
        assert self.map({"*": {"email": "userInfo.email"}}) == {"email": "other"}

    @pytest.mark.parametrize("given", [{}, {"idToken": None}, {"userInfo": []}])
    def test_nothing_left_is_not_everything(self, given: Any) -> None:
        with pytest.raises(Misconfigured):
            self.map({"Google": {"email": "email"}}, given)


ALL = {
    pre_sign_up: ("PreSignUp_SignUp", "PreSignUp_AdminCreateUser", "PreSignUp_ExternalProvider"),
    post_confirmation: ("PostConfirmation_ConfirmSignUp", "PostConfirmation_ConfirmForgotPassword"),
    post_authentication: ("PostAuthentication_Authentication",),
    pre_authentication: ("PreAuthentication_Authentication",),
    user_migration: ("UserMigration_Authentication", "UserMigration_ForgotPassword"),
    pre_token_generation: tuple(
        f"TokenGeneration_{name}" for name in (*TestPreTokenGeneration.SOURCES, "ClientCredentials")
    ),
    custom_message: tuple(f"CustomMessage_{name}" for name in TestCustomMessage.SOURCES),
    custom_email_sender: tuple(
        f"CustomEmailSender_{name}" for name in (*TestCustomMessage.SOURCES, "AccountTakeOverNotification")
    ),
    custom_sms_sender: tuple(f"CustomSMSSender_{name}" for name in TestCustomMessage.SOURCES),
    inbound_federation: ("InboundFederation_ExternalProvider",),
}
# A whole request for each trigger; the sources differ in what they leave out.
WHOLE: dict[str, Any] = {
    "userAttributes": {**ANN, "email_verified": "true"},
    "validationData": {"invitation": "one"},
    "clientMetadata": {"page": "x"},
    "userNotFound": False,
    "newDeviceUsed": True,
    "password": "secret",
    "groupConfiguration": {"groupsToOverride": ["a"], "iamRolesToOverride": ["r"], "preferredRole": None},
    "scopes": ["openid"],
    "codeParameter": "{####}",
    "linkParameter": "{##Click Here##}",
    "usernameParameter": "{username}",
    "code": "Y2lwaGVy",
    "type": "customEmailSenderRequestV1",
    "providerName": "Google",
    "providerType": "Google",
    "attributes": TestInboundFederation.GIVEN,
}
REQUESTS = st.fixed_dictionaries({}, optional=dict.fromkeys(WHOLE, junk))
EVERYTHING = {
    "INVITATION_CODES": "one",
    "PRE_SIGN_UP_CONFIRM": "true",
    "PRE_SIGN_UP_VERIFY": "email,phone",
    "EMAIL_DOMAINS_DENIED": "trash.example",
    "PRE_AUTH_REFUSE": "migrated,blocked",
    "TOKEN_CLAIMS": json.dumps({"add": {"mail": "$email"}, "groups": ["b"]}),
    "FEDERATION_MAP": json.dumps({"Google": {"email": "email"}}),
    "MESSAGES": json.dumps({"SignUp": {"sms": "{code}"}}),
}


def answer_to(trigger: Any, asked: object) -> Any:
    """The handler's response on a full environment, or None for a refusal. Nothing else may leave it."""
    parts: dict[str, Any] = {}
    if trigger in {user_migration, post_confirmation, post_authentication}:
        parts["ask"] = Django(TestUserMigration.USER)
    if trigger in {custom_email_sender, custom_sms_sender}:
        parts = {"decrypt": lambda *_, **__: "123456", "send": lambda *_, **__: "test"}

    def respond_to(asked: object, **more: Any) -> Any:
        return trigger.respond(asked, **more, **parts)

    fallback = getattr(trigger, "unchanged", None)
    lines: list[str] = []
    try:
        answer = run(
            "x", respond_to, asked, None, fallback=fallback, settings=Settings(EVERYTHING), write=lines.append
        )
    except Refused:
        return None
    finally:
        assert not {"ann@example.com", PHONE, "secret", "123456"} & set(re.findall(r"[^\s\"]+", lines[0]))
    json.dumps(answer["response"])
    return answer["response"]


@pytest.mark.parametrize(
    ("trigger", "source"), [(trigger, source) for trigger, sources in ALL.items() for source in sources]
)
def test_every_source_whole_and_with_each_field_null_or_missing(trigger: Any, source: str) -> None:
    for version in ("1", "2", "3"):
        whole = {**event(source, WHOLE), "version": version}
        assert answer_to(trigger, whole) is not None
        for name in WHOLE:
            without = {key: value for key, value in WHOLE.items() if key != name}
            answer_to(trigger, {**whole, "request": without})
            answer_to(trigger, {**whole, "request": {**WHOLE, name: None}})
        for name in whole:
            answer_to(trigger, {key: value for key, value in whole.items() if key != name})
            answer_to(trigger, {**whole, name: None})


def test_the_sources_are_those_of_the_documentation() -> None:
    """The table of triggers in the developer guide; the three of the challenge have tests of their own."""
    assert sum(len(sources) for sources in ALL.values()) == 3 + 2 + 1 + 1 + 2 + 6 + 7 + 8 + 7 + 1


@given(
    chosen=st.sampled_from([(trigger, source) for trigger, sources in ALL.items() for source in sources]),
    request_=REQUESTS | junk,
    version=st.sampled_from(["1", "2", "3"]) | junk,
)
@hypothesis_settings(max_examples=500, deadline=None)
def test_whatever_arrives_only_refusals_leave_a_handler(chosen: Any, request_: Any, version: Any) -> None:
    trigger, source = chosen
    asked = {**event(source, {}), "request": request_, "version": version}
    environment = Settings({"PRE_AUTH_REFUSE": "unverified", "EMAIL_DOMAINS_DENIED": "a.b", "KEY_ARN": ""})
    fallback = getattr(trigger, "unchanged", None)
    lines: list[str] = []
    try:
        answer = run("x", trigger.respond, asked, None, fallback=fallback, settings=environment, write=lines.append)
    except Refused:
        answer = None
    if answer is not None:
        assert isinstance(answer["response"], dict)
        json.dumps(answer["response"])
    assert json.loads(lines[0])["trigger"] == "x"


@pytest.mark.parametrize("trigger", [post_confirmation, post_authentication, custom_message])
def test_what_must_never_stand_in_the_way_does_not(trigger: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for asked in (None, {}, {"request": None}, {"triggerSource": 5}):
        assert trigger.handler(asked, None)["response"] == {}
    assert len(capsys.readouterr().out.splitlines()) == 4
