"""Finding a connection by its name."""

import pytest
from allauth.socialaccount.models import SocialApp

from cognito_passwordless import connections

GOOD = {"region": "eu-west-1", "user_pool_id": "eu-west-1_Abc123456"}


@pytest.mark.django_db
@pytest.mark.parametrize("look", [connections.find, connections.configured])
def test_a_mistake_in_another_connection_is_not_logged_at_each_sign_in(
    look: object, caplog: pytest.LogCaptureFixture
) -> None:
    for alias, settings in (("good", GOOD), ("broken", {"region": "nowhere", "user_pool_id": "?"})):
        SocialApp.objects.create(provider="cognito", provider_id=alias, name=alias, client_id="abc", settings=settings)
    assert callable(look)
    found = look("good")
    assert found.alias == "good"
    assert caplog.text == ""
    assert look("broken") is None
    assert "broken" in caplog.text
