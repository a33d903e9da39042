"""Headers and cells as the pool's tools, spreadsheets and scripts write them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cognito_passwordless.flows.importing.csv_columns import NotACsv, name_columns, read, tidied

WANTED = ("custom:company", "given_name", "email_verified")


def named(header: str, *chosen: str) -> list[str]:
    return name_columns(header.split("|"), dict(pair.split("=") for pair in chosen), WANTED)


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ("cognito:username|Username|username|USER NAME|User name|user_name|user-name", "cognito:username"),
        ("sub|Sub|SUB|attributes.sub|Attributes.sub|User.Attributes.sub|User ID (Sub)", "sub"),
        ("email|E-Mail|Email Address|Attributes.email|attributes_email|Attributes/email", "email"),
        ("email_verified|Email Verified|emailVerified|Attributes.email_verified", "email_verified"),
        ("phone_number|Phone number|phoneNumber|Phone", "phone_number"),
        ("cognito:mfa_enabled|MFA|mfa_enabled|MFA Enabled", "cognito:mfa_enabled"),
        ("UserStatus|user_status|User Status|Confirmation status|cognito:user_status|STATUS", "UserStatus"),
        ("Enabled|enabled|ENABLED|is_enabled", "Enabled"),
        ("UserCreateDate|user create date|Created time|createdAt", "UserCreateDate"),
        ("UserLastModifiedDate|Last updated time|last_modified", "UserLastModifiedDate"),
        ("custom:company|Custom:Company|attributes.custom:company|custom_company|Custom Company", "custom:company"),
        ("custom:other|CUSTOM:other", "custom:other"),
        ("given_name|Given Name|givenName", "given_name"),
        ("Notes|Unnamed: 0|id|", ""),
    ],
)
def test_a_column_is_known_however_its_name_is_written(headers: str, name: str) -> None:
    for header in headers.split("|"):
        assert named(header) == [name], header


def test_the_console_calls_status_whether_a_user_is_enabled() -> None:
    assert named("User name|Status|Confirmation status") == ["cognito:username", "Enabled", "UserStatus"]


def test_of_two_columns_the_one_with_the_very_name_counts() -> None:
    assert named("Username|cognito:username|Mail|email") == ["", "cognito:username", "", "email"]


@pytest.mark.parametrize("header", ["sub|email|email", "sub|Phone|phone-number", "sub|custom:a|custom:a"])
def test_columns_that_may_be_the_same_are_told_with_what_to_do(header: str) -> None:
    with pytest.raises(NotACsv, match=r"Several columns are .*choose it with --columns"):
        named(header)


def test_an_operator_says_what_a_column_is() -> None:
    assert named("Login|Kennung|x", "Login=username", "Kennung=sub") == ["cognito:username", "sub", ""]
    assert named("sub|Mail|email", "Mail=email") == ["sub", "email", ""]
    assert named("sub|email", "email=") == ["sub", ""]
    with pytest.raises(NotACsv, match=r"no column 'Nope'. Name one of: sub, email\."):
        named("sub|email", "Nope=email")
    with pytest.raises(NotACsv, match=r"'shoes' is no attribute that is kept\. See the setting ATTRIBUTES"):
        named("sub|email", "email=shoes")


@pytest.mark.parametrize(
    ("name", "cells", "value"),
    [
        ("Enabled", "1|yes|TRUE|true|Enabled|On|1.0|WAHR|VRAI|Y", "true"),
        ("Enabled", "0|no|FALSE|false|Disabled|off|0.0|FALSCH|N", "false"),
        ("email_verified", "yes|1|Verified", "true"),
        ("cognito:mfa_enabled", "TRUE|1|Enabled", "true"),
        ("UserStatus", "force change password|FORCE_CHANGE_PASSWORD|Force-Change-Password", "FORCE_CHANGE_PASSWORD"),
        ("sub", "A1B2C3D4-0000-4000-8000-000000000001", "a1b2c3d4-0000-4000-8000-000000000001"),
        ("email", "mailto:Ann@Example.com| Ann@Example.com\u00a0|\u200bAnn@Example.com|<Ann@Example.com>",
         "Ann@Example.com"),
        ("phone_number", "+4915112345678|'+4915112345678|4915112345678|+49 151 12345678", "+4915112345678"),
        ("phone_number", "+49 (0)151/123-45678|4915112345678.0|004915112345678|tel:+4915112345678", "+4915112345678"),
        ("phone_number", '="+4915112345678"|\u202a+49\u00a0151\u00a012345678\u202c', "+4915112345678"),
        ("phone_number", "12025550123|+1 (202) 555-0123", "+12025550123"),
        ("email_verified", "null|None|NaN|N/A", ""),
        ("phone_number", " |\u00a0", ""),
        ("email", " ", ""),
        ("given_name", "None", "None"),
        ("cognito:username", "12e3", "12e3"),
    ],
)  # fmt: skip
def test_a_value_is_read_however_it_is_written(name: str, cells: str, value: str) -> None:
    for cell in cells.split("|"):
        found = read(name, tidied(cell))
        assert (found.lower() if value in {"true", "false"} else found) == value, cell


@pytest.mark.parametrize(
    "cell",
    ["2024-01-02 03:04:05+00:00", "2024-01-02T03:04:05Z", "2024-01-02 03:04:05 UTC", "1704164645", "1704164645000"],
)
def test_a_time_in_its_forms(cell: str) -> None:
    assert read("UserCreateDate", cell) == datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("Enabled", "perhaps|2|-1|truee|CONFIRMED"),
        ("email_verified", "maybe|ann@example.com"),
        ("cognito:mfa_enabled", "?|some"),
        ("UserStatus", "Enabled|active?|CONFIRM"),
        ("UserCreateDate", "05/06/2024|yesterday|45293.12|1.70416E+09|2024-13-01|1.70416E+12"),
        ("email", "ann|ann@|a b@example.com|ann@example.com, bob@example.com"),
        # The third may be an Egyptian number or one of the United States.
        ("phone_number", "4.91511E+12|4,91511E+12|2025550123|0151 12345678|+49 151 12345678 ext. 3|12|unknown"),
        ("sub", "1.2E+10"),
        ("cognito:username", "4.91511E+12"),
        ("given_name", "#NAME?|#REF!|########"),
    ],
)
def test_what_is_not_understood_is_never_guessed(name: str, cells: str) -> None:
    for cell in cells.split("|"):
        with pytest.raises(ValueError, match=r"\w"):
            pytest.fail(f"{cell} is {read(name, tidied(cell))}")


def test_a_number_without_its_plus_is_no_local_number(settings: Any) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "SMS_COUNTRIES": ["DE"]}
    assert read("phone_number", "12025550123") == "+12025550123"
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "SMS_COUNTRIES": ["DE", "AT"]}
    with pytest.raises(ValueError, match="this country"):
        read("phone_number", "12025550123")  # the United States, or Vienna without its 0
