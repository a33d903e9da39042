"""The test settings with a user model that has no username, a UUID key and a field for the pool's sub."""

from tests.settings import *  # noqa: F403
from tests.settings import COGNITO_PASSWORDLESS as OURS
from tests.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.custom_user.apps.CustomUserConfig"]
AUTH_USER_MODEL = "custom_user.Person"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_MODEL_EMAIL_FIELD = "mail"
COGNITO_PASSWORDLESS = {
    **OURS,
    "MATCH_USER": "cognito_sub",
    "ATTRIBUTES": {"name": "full_name"},
}
