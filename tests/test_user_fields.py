"""Where the default user model has an address; `tests/phone_user` has another one."""

from django.contrib.auth.models import User

from cognito_passwordless import compat, user_fields


def test_an_address_is_written_where_the_user_model_has_it() -> None:
    user = User()
    user_fields.write_addresses(user, "ann@example.com", "+4915112345678")
    assert (compat.email_of(user), compat.email_field()) == ("ann@example.com", "email")
    assert (user_fields.phone_field(), user_fields.phone_of(user)) == ("", "")


def test_nobody_is_looked_for_by_the_packages_own_adapter() -> None:
    assert not user_fields.adapter_finds_by_phone()
