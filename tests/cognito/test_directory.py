import datetime as dt
from typing import Any

import pytest

from cognito_passwordless.cognito import (
    Cause,
    CognitoError,
    Connection,
    find_users,
    get_user,
)

from .conftest import POOL
from .standin import StandIn, error, reply

CREATED = 1_700_000_000


def attributes(**values: str) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in values.items()]


def row(name: str = "u-1", **more: Any) -> dict[str, Any]:
    usual = {
        "Username": name,
        "Attributes": attributes(sub=f"sub-{name}", email=f"{name}@example.com"),
        "UserCreateDate": CREATED,
        "UserLastModifiedDate": CREATED,
        "Enabled": True,
        "UserStatus": "CONFIRMED",
    }
    return usual | more


def found(**more: Any) -> dict[str, Any]:
    user = row(**more)
    return {"UserAttributes": user.pop("Attributes")} | user


def failure(connection: Connection, **query: Any) -> CognitoError:
    with pytest.raises(CognitoError) as caught:
        find_users(connection, **query)
    return caught.value


def test_get_user_reads_everything(standin: StandIn, connection: Connection) -> None:
    said = found(
        Attributes=attributes(
            sub="6a1b", email="ann@example.com", email_verified="true",
            phone_number="+4915112345678", phone_number_verified="false",
        ),
        UserMFASettingList=["SOFTWARE_TOKEN_MFA"],
    )  # fmt: skip
    standin.says("AdminGetUser", reply(said))
    user = get_user(connection, "ann@example.com")
    assert (user.sub, user.username, user.email) == ("6a1b", "u-1", "ann@example.com")
    assert (user.email_verified, user.phone_number_verified) == (True, False)
    assert user.phone_number == "+4915112345678"
    assert (user.status, user.enabled) == ("CONFIRMED", True)
    assert (user.mfa, user.mfa_known) == (("SOFTWARE_TOKEN_MFA",), True)
    assert user.created_at == dt.datetime.fromtimestamp(CREATED, dt.UTC)
    assert user.attributes["email_verified"] == "true"
    assert standin.requests[0].body == {"UserPoolId": POOL, "Username": "ann@example.com"}
    assert standin.requests[0].headers["Authorization"].startswith("AWS4-HMAC-SHA256")
    shown = repr(user)
    assert "ann@example.com" not in shown
    assert "15112345678" not in shown


def test_nobody_of_that_name(standin: StandIn, connection: Connection) -> None:
    standin.says("AdminGetUser", error("UserNotFoundException", "User does not exist."))
    with pytest.raises(CognitoError) as caught:
        get_user(connection, "nobody")
    assert caught.value.cause is Cause.unknown_user


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 129])
def test_an_impossible_name_is_not_asked_for(standin: StandIn, connection: Connection, name: str) -> None:
    with pytest.raises(CognitoError) as caught:
        get_user(connection, name)
    assert caught.value.cause is Cause.unknown_user
    assert standin.requests == []


@pytest.mark.parametrize(
    ("more", "obstacle"),
    [
        ({}, None),
        ({"Enabled": False}, Cause.disabled),
        ({"Enabled": False, "UserStatus": "ARCHIVED"}, Cause.disabled),
        ({"Enabled": None}, Cause.disabled),
        ({"UserStatus": "ARCHIVED"}, Cause.archived),
        ({"UserStatus": "UNCONFIRMED"}, Cause.unconfirmed),
        ({"UserStatus": "RESET_REQUIRED"}, Cause.reset_required),
        ({"UserStatus": "FORCE_CHANGE_PASSWORD"}, Cause.force_change_password),
        ({"UserStatus": "EXTERNAL_PROVIDER"}, Cause.otp_unavailable),
        ({"UserStatus": "UNKNOWN"}, Cause.not_authorized),
        ({"UserStatus": "INVENTED"}, Cause.not_authorized),
        ({"UserMFASettingList": ["SMS_MFA"]}, Cause.mfa_required),
        ({"MFAOptions": [{"DeliveryMedium": "SMS"}]}, Cause.mfa_required),
    ],
)
def test_what_stands_in_somebody_s_way(
    standin: StandIn, connection: Connection, more: dict[str, Any], obstacle: Cause | None
) -> None:
    standin.says("AdminGetUser", reply(found(**more)))
    assert get_user(connection, "u-1").obstacle is obstacle


def test_find_users(standin: StandIn, connection: Connection) -> None:
    # An empty page is not the end, and a row that was not asked for is not believed.
    standin.says(
        "ListUsers",
        reply({"Users": [], "PaginationToken": "next"}),
        reply({"Users": [row("ann"), row("bob"), row("Ann")]}),
    )
    users = find_users(connection, attribute="email", value="ann@example.com")
    assert [user.username for user in users] == ["ann", "Ann"]
    assert users[0].mfa_known is False
    asked = {"UserPoolId": POOL, "Filter": 'email = "ann@example.com"'}
    assert [request.body for request in standin.requests] == [
        asked,
        asked | {"PaginationToken": "next"},
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('a" or email ^= "', 'email = "a\\" or email ^= \\""'),
        ("a\\", 'email = "a\\\\"'),
        ('\\"', 'email = "\\\\\\""'),
    ],
)
def test_a_value_stays_a_value(standin: StandIn, connection: Connection, value: str, text: str) -> None:
    standin.says("ListUsers", reply({"Users": [row()]}))
    assert find_users(connection, attribute="email", value=value) == []
    assert standin.requests[0].body["Filter"] == text


@pytest.mark.parametrize("value", ["", "a\nb", "a\x00", "a\u202eb", "x" * 250])
def test_what_cannot_be_asked_for_is_refused_and_not_unknown(
    standin: StandIn, connection: Connection, value: str
) -> None:
    assert failure(connection, attribute="email", value=value).cause is Cause.not_authorized
    assert standin.requests == []


def test_only_searchable_attributes(connection: Connection) -> None:
    with pytest.raises(ValueError, match="email"):
        find_users(connection, attribute="custom:tenant", value="x")  # type: ignore[arg-type]


def test_a_search_without_end_is_an_outage_not_a_no(standin: StandIn, connection: Connection) -> None:
    pages = [reply({"Users": [], "PaginationToken": f"t{number}"}) for number in range(30)]
    standin.says("ListUsers", *pages)
    query = {"attribute": "email", "value": "ann@example.com"}
    assert failure(connection, **query).aws_code == "TooManyPages"
    standin.says("ListUsers", pages[0])
    assert failure(connection, **query).aws_code == "EndlessPages"


@pytest.mark.parametrize("page", [{}, {"Users": [{"Username": "u-1"}]}])
def test_a_page_without_rows_or_subs_is_an_outage(
    standin: StandIn, connection: Connection, page: dict[str, Any]
) -> None:
    standin.says("ListUsers", reply(page))
    assert failure(connection, attribute="sub", value="x").cause is Cause.unavailable


def test_our_own_aws_identity_may_lack_the_right(standin: StandIn, connection: Connection) -> None:
    standin.says("ListUsers", error("AccessDeniedException", "User: arn:aws:... not authorized"))
    assert failure(connection, attribute="sub", value="x").cause is Cause.misconfigured
