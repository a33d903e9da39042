"""What the diagnosis of one connection finds, at a pool on loopback."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from cognito_passwordless import connections
from cognito_passwordless.cognito import describe_pool
from cognito_passwordless.cognito.client import replace_clients
from cognito_passwordless.flows.doctor import Finding, diagnose_connection, probes
from cognito_passwordless.flows.doctor.pool import issuer
from cognito_passwordless.local import LocalCognito, LocalPool

pytestmark = pytest.mark.django_db
Diagnose = Callable[..., dict[str, Finding]]

CALLBACK = "https://www.example.com/login/cognito/main/callback/"
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:mine"
HOSTED = {
    "AllowedOAuthFlowsUserPoolClient": True,
    "AllowedOAuthFlows": ["code"],
    "AllowedOAuthScopes": ["openid", "profile", "email"],
    "SupportedIdentityProviders": ["COGNITO"],
}


def factors(*names: str) -> dict[str, Any]:
    return {"Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": list(names)}}}


CUSTOM = ("DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse")


@pytest.fixture(scope="module")
def identity() -> Iterator[None]:
    """Credentials for the whole module: a client is slow to build."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        before = replace_clients({})
        yield
        replace_clients(before)


@pytest.fixture
def diagnose(cognito: LocalCognito, connect: Callable[..., Any], identity: None) -> Diagnose:
    """Makes a pool and a connection to it, and gives the findings by name.

    ``pool`` and ``client`` are how moto remembers them, as far as they differ from a good one.
    """

    def run(
        *,
        pool: dict[str, Any] | None = None,
        client: dict[str, Any] | None = None,
        clock: Any = timezone.now,
        **chosen: Any,
    ) -> dict[str, Finding]:
        made = cognito.create_pool("demo", auth_session_validity=15, callback_urls=[CALLBACK])
        remembered = made._backend.user_pools[made.id]
        remembered.extended_config.update(pool or {})
        remembered.add_custom_attributes([{"Name": "here", "AttributeDataType": "String"}])
        remembered.clients[made.client_id].extended_config.update(HOSTED | (client or {}))
        connect(made, **{"session_minutes": 15} | chosen)
        (connection,) = connections.every()
        return {finding.name: finding for finding in diagnose_connection(connection, clock=clock)}

    return run


def test_a_pool_that_is_set_up_well(diagnose: Diagnose) -> None:
    found = diagnose(routes=["otp", "oidc"], lookup="list_users")
    assert {name: finding for name, finding in found.items() if finding.state != "ok"} == {}
    assert {"state", "keys", "clock", "endpoints", "hosted login", "plan", "callback URL", "directory"} <= found.keys()


@pytest.mark.parametrize(
    ("name", "state", "pool", "client", "chosen"),
    [
        ("plan", "problem", {"UserPoolTier": "LITE"}, {}, {}),
        ("plan", "ok", {"UserPoolTier": "LITE"}, {}, {"otp_flow": "CUSTOM_AUTH"}),
        ("first factors", "problem", factors("PASSWORD"), {}, {}),
        ("first factors", "warning", factors("EMAIL_OTP"), {}, {}),
        ("MFA", "problem", {"MfaConfiguration": "ON"}, {}, {"routes": ["otp"]}),
        ("MFA", "warning", {"MfaConfiguration": "ON"}, {}, {"routes": ["oidc", "otp"]}),
        ("MFA", "warning", {"MfaConfiguration": "OPTIONAL"}, {}, {"routes": ["otp"]}),
        ("MFA", "ok", {"MfaConfiguration": "OPTIONAL"}, {}, {"routes": ["otp", "oidc"]}),
        ("custom challenge", "problem", {}, {}, {"otp_flow": "CUSTOM_AUTH"}),
        ("custom challenge", "ok", {"LambdaConfig": dict.fromkeys(CUSTOM, ARN)}, {}, {"otp_flow": "CUSTOM_AUTH"}),
        ("triggers", "warning", {"LambdaConfig": {"UserMigration": ARN}}, {}, {}),
        ("triggers", "problem", {"LambdaConfig": {"CustomSMSSender": {"LambdaArn": ARN}}}, {}, {}),
        ("names", "problem", {"UsernameAttributes": []}, {}, {}),
        ("letter case", "warning", {"UsernameConfiguration": {"CaseSensitive": True}}, {}, {}),
        ("pool's e-mail", "warning", {"EmailConfiguration": {}}, {}, {}),
        ("pool's e-mail", "problem", {"EmailConfigurationFailure": "no such identity"}, {}, {}),
        ("pool's SMS", "problem", {"SmsConfiguration": {}}, {}, {}),
        ("pre sign-up", "warning", {"LambdaConfig": {"PreSignUp": ARN}}, {}, {}),
        ("pre sign-up", "problem", {"LambdaConfig": {"PreSignUp": ARN}}, {}, {"trust_verified": True}),
        ("threat protection", "warning", {"UserPoolAddOns": {"AdvancedSecurityMode": "ENFORCED"}}, {}, {}),
        ("threat protection", "ok", {"UserPoolAddOns": {"AdvancedSecurityMode": "AUDIT"}}, {}, {}),
        ("password flows", "warning", {"LambdaConfig": {"UserMigration": ARN}},
         {"ExplicitAuthFlows": ["ALLOW_USER_AUTH"], "AllowedOAuthFlowsUserPoolClient": False}, {}),
        ("password flows", "ok", {"LambdaConfig": {"UserMigration": ARN}},
         {"AllowedOAuthFlowsUserPoolClient": False}, {}),
        ("mark", "problem", {}, {}, {"after_migration": ["mark"]}),
        ("mark", "ok", {}, {}, {"after_migration": ["mark"], "migrated_attribute": "custom:here"}),
        ("flow", "problem", {}, {"ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH"]}, {}),
        ("flow", "ok", {}, {"ExplicitAuthFlows": []}, {"otp_flow": "CUSTOM_AUTH"}),  # what a client has unless told
        ("PreventUserExistenceErrors", "warning", {}, {"PreventUserExistenceErrors": "LEGACY"}, {}),
        ("session", "problem", {}, {"AuthSessionValidity": 3}, {"session_minutes": 10}),
        ("session", "problem", {}, {"AuthSessionValidity": None}, {"session_minutes": 4}),  # 3 unless set
        ("session", "warning", {}, {"AuthSessionValidity": 10}, {"session_minutes": 3}),
        ("session", "ok", {}, {"AuthSessionValidity": 3}, {"session_minutes": 3}),
        ("session", "ok", {}, {"AuthSessionValidity": 15}, {"session_minutes": 10}),  # no less than OTP["TTL"]
        ("callback URL", "problem", {}, {"CallbackURLs": ["https://www.example.com/"]}, {}),
        ("sign-out URL", "problem", {}, {}, {"global_sign_out": True}),
        ("sign-out URL", "ok", {}, {"LogoutURLs": ["https://www.example.com/"]}, {"global_sign_out": True}),
        ("hosted login's flow", "problem", {}, {"AllowedOAuthFlows": ["implicit"]}, {}),
        ("hosted login's flow", "problem", {}, {"AllowedOAuthScopes": ["openid"]}, {}),
        ("hosted login's flow", "problem", {}, {"SupportedIdentityProviders": []}, {}),
        ("attributes", "problem", {}, {"ReadAttributes": ["name"]}, {}),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found_and_says_how_to_mend_it(
    diagnose: Diagnose,
    name: str,
    state: str,
    pool: dict[str, Any],
    client: dict[str, Any],
    chosen: dict[str, Any],
) -> None:
    found = diagnose(pool=pool, client=client, **chosen)[name]
    assert found.state == state, found
    assert bool(found.fix) is (state != "ok")


@pytest.mark.parametrize(("seconds", "state"), [(0, "ok"), (30, "warning"), (-90, "problem")])
def test_the_clock_is_compared_with_the_pools(diagnose: Diagnose, seconds: int, state: str) -> None:
    found = diagnose(clock=lambda: timezone.now() + timedelta(seconds=seconds))
    assert found["clock"].state == state


@pytest.mark.parametrize("wrong", ["another-secret", ""])
def test_another_secret_is_found_and_never_shown(
    cognito: LocalCognito, connect: Callable[..., Any], identity: None, wrong: str
) -> None:
    made = cognito.create_pool("demo")
    connect(LocalPool(made.id, made.client_id, wrong, made.issuer, None))
    (connection,) = connections.every()
    found = {finding.name: finding for finding in diagnose_connection(connection)}
    assert found["client secret"].state == "problem"
    assert str(made.client_secret) not in str(found)


@pytest.mark.parametrize("operation", ["DescribeUserPool", "DescribeUserPoolClient"])
def test_what_may_not_be_asked_is_unknown_and_names_the_permission(
    cognito: LocalCognito, diagnose: Diagnose, operation: str
) -> None:
    cognito.fail(operation, "AccessDeniedException")
    found = diagnose()
    (unknown,) = [finding for finding in found.values() if finding.state == "unknown"]
    assert f"Allow cognito-idp:{operation}" in unknown.fix
    assert "keys" in found


def test_without_an_identity_it_says_so(
    pool: LocalPool, monkeypatch: pytest.MonkeyPatch, new_clients: Callable[[], object]
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    (connection,) = connections.every()
    unknown = [finding for finding in diagnose_connection(connection) if finding.state == "unknown"]
    assert {finding.name for finding in unknown} == {"pool", "client"}
    assert all("has no AWS identity" in finding.text for finding in unknown)


def test_a_client_that_is_not_there(cognito: LocalCognito, connect: Callable[..., Any], identity: None) -> None:
    made = cognito.create_pool("demo")
    connect(LocalPool(made.id, "nosuchclient", None, made.issuer, None))
    (connection,) = connections.every()
    found = {finding.name: finding for finding in diagnose_connection(connection)}
    assert (found["client"].state, found["client"].text) == ("problem", "there is no such client in eu-west-1")


def test_a_directory_that_may_not_be_read_stops_everybody_who_is_looked_up_in_it(
    cognito: LocalCognito, diagnose: Diagnose
) -> None:
    cognito.fail("ListUsers", "AccessDeniedException")
    found = diagnose(lookup="list_users")["directory"]
    assert found.state == "problem"
    assert "cognito-idp:ListUsers" in found.fix


def test_a_pool_that_hangs_is_waited_for_no_longer_than_said(
    cognito: LocalCognito, diagnose: Diagnose, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes.ask, "__kwdefaults__", {"seconds": 0.3})
    cognito.fail("DescribeUserPool", "timeout")
    began = time.monotonic()
    found = diagnose()
    cognito.faults.release()
    assert time.monotonic() - began < 10
    assert (found["pool"].state, found["client secret"].state) == ("unknown", "ok")


def test_a_retired_connection_is_never_called(cognito: LocalCognito, diagnose: Diagnose) -> None:
    calls, visits = len(cognito.calls), len(cognito.visits)
    assert [finding.text for finding in diagnose(retired=True).values()] == ["retired: its pool is never called"]
    assert (len(cognito.calls), len(cognito.visits)) == (calls, visits)


def test_it_only_reads(cognito: LocalCognito, diagnose: Diagnose, django_assert_num_queries: Any) -> None:
    before = len(cognito.calls)
    diagnose(routes=["otp", "oidc"], lookup="list_users")
    asked = {call.operation for call in cognito.calls[before:]}
    assert asked == {"DescribeUserPool", "DescribeUserPoolClient", "ListUsers"}
    (connection,) = connections.every()
    with django_assert_num_queries(0):
        diagnose_connection(connection)


@pytest.mark.parametrize(
    ("path", "state", "told"), [("/nosuchpool", "problem", "cannot be had"), ("", "ok", "keys at")]
)
def test_keys_that_cannot_be_had(diagnose: Diagnose, cognito: LocalCognito, path: str, state: str, told: str) -> None:
    found = diagnose(**({"issuer": cognito.url + path} if path else {}))["keys"]
    assert (found.state, told in found.text) == (state, True)


@pytest.mark.parametrize("kind", ["ORIGINAL", "UPDATED"])
def test_what_is_in_the_way_of_another_issuer_is_told_before_the_switch_and_nothing_after(
    diagnose: Diagnose, kind: str
) -> None:
    found = diagnose(pool={"IssuerConfiguration": {"Type": kind}})["issuer"]
    assert (found.state, kind in found.text) == ("ok", True)
    (connection,) = connections.every()
    setup = describe_pool(connection)
    amazon = f"https://cognito-idp.{{}}.amazonaws.com/{connection.user_pool_id}"

    elsewhere = replace(connection, issuer=amazon.format("us-east-1"))
    told = issuer(elsewhere, setup)
    assert told
    assert (told.state, "'regions'" in told.fix) == ("warning", True)
    fixed = [
        replace(elsewhere, regions=["us-east-1"]),
        replace(elsewhere, issuer=""),
        replace(elsewhere, issuer=amazon.format("eu-west-1").replace("//", "//issuer-")),
    ]

    keys = f"{amazon.format('eu-west-1')}/.well-known/jwks.json"
    told = issuer(replace(connection, endpoints={"jwks_uri": keys}), setup)
    assert told
    assert (told.state, "before the pool is switched" in told.fix) == ("warning", True)
    fixed.append(replace(connection, endpoints={"jwks_uri": keys.replace("//", "//issuer-")}))
    assert {verdict.state for one in fixed if (verdict := issuer(one, setup))} == {"ok"}
    # What has no issuer types has nothing to switch.
    assert issuer(replace(connection, issuer="https://id.example.com"), setup) is None


def test_a_pool_that_does_not_tell_its_issuer_type(diagnose: Diagnose) -> None:
    assert "issuer" not in diagnose()
