"""The JSON sign-in on a site with everything of allauth's: the second factor is asked for there as well."""

from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User

from cognito_passwordless.models import ChallengeSession

from ..headless.clients import ApiClient, pending
from .test_stages import totp_code, with_totp

pytestmark = pytest.mark.django_db(transaction=True)
ANN = "ann@example.com"


@pytest.mark.parametrize("kind", ["browser", "app"])
@pytest.mark.parametrize("verified", [True, False])
def test_a_second_factor_is_asked_for_after_the_code(
    kind: str, verified: bool, make_user: Callable[..., User], sent_code: Callable[[], str]
) -> None:
    """Also where the code proves the address of an account for the first time."""
    user = make_user(ANN, verified=verified)
    secret = with_totp(user)
    api = ApiClient(kind)
    api.post("auth/code/request", email=ANN)
    answer = api.post("auth/code/confirm", code=sent_code())
    assert (answer["status"], pending(answer)) == (401, ["mfa_authenticate"])
    assert pending(api.get("auth/session")) == ["mfa_authenticate"]
    assert api.post("auth/2fa/authenticate", code="000000")["status"] == 400
    done = api.post("auth/2fa/authenticate", code=totp_code(secret))
    assert (done["status"], done["data"]["user"]["id"]) == (200, user.pk)
    assert EmailAddress.objects.get(user=user).verified
    assert ChallengeSession.objects.get().outcome == "verified"
