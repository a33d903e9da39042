"""The test settings with django-unfold, another theme of the admin. Its scripts evaluate text, so no policy is set."""

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS, MIDDLEWARE

INSTALLED_APPS = ["unfold", *INSTALLED_APPS]
MIDDLEWARE = [name for name in MIDDLEWARE if name != "example_project.security.content_security_policy"]
