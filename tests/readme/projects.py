"""The projects that the README is put into, each as its own documentation makes it."""

from dataclasses import dataclass, field

ALLAUTH = {
    "mysite/settings.py": """
INSTALLED_APPS += ["allauth", "allauth.account"]
MIDDLEWARE += ["allauth.account.middleware.AccountMiddleware"]
AUTHENTICATION_BACKENDS = (
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
)
LOGIN_REDIRECT_URL = "account_email"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
""",
    "mysite/urls.py": """
from django.urls import include
urlpatterns += [path("accounts/", include("allauth.urls"))]
""",
}
CUSTOM_USER = {
    "people/__init__.py": "",
    "people/models.py": """
import uuid

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models


class PersonManager(BaseUserManager):
    def create_user(self, email, password=None, **fields):
        person = self.model(email=self.normalize_email(email), **fields)
        person.set_password(password)
        person.save()
        return person

    def create_superuser(self, email, password=None, **fields):
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class Person(AbstractUser):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    username = None
    email = models.EmailField(unique=True)
    objects = PersonManager()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = []
""",
    "mysite/settings.py": """
INSTALLED_APPS += ["people"]
AUTH_USER_MODEL = "people.Person"
""",
}
WAGTAIL = {
    "mysite/settings.py": """
INSTALLED_APPS += [
    "wagtail.contrib.forms", "wagtail.contrib.redirects", "wagtail.embeds", "wagtail.sites", "wagtail.users",
    "wagtail.snippets", "wagtail.documents", "wagtail.images", "wagtail.search", "wagtail.admin", "wagtail",
    "modelcluster", "taggit",
]
MIDDLEWARE += ["wagtail.contrib.redirects.middleware.RedirectMiddleware"]
WAGTAIL_SITE_NAME = "My site"
WAGTAILADMIN_BASE_URL = "http://127.0.0.1:8000"
""",
    "mysite/urls.py": """
from django.urls import include
from wagtail.admin import urls as wagtailadmin_urls
urlpatterns += [path("cms/", include(wagtailadmin_urls))]
""",
}


@dataclass(frozen=True)
class Start:
    """What was there before the README. ``requirements`` come on top of what the package needs."""

    name: str
    files: dict[str, str] = field(default_factory=dict)
    requirements: tuple[str, ...] = ()
    newest_python: bool = False
    # How the version of Django begins; empty for any.
    django: str = ""
    # Pages that have to answer as before, afterwards.
    doors: tuple[str, ...] = ("/admin/login/",)


STARTS = (
    Start("new, Django 5.2", requirements=("django>=5.2,<5.3",), django="5.2"),
    Start("new, the newest Django", newest_python=True, django="6.1"),
    Start("allauth is there", ALLAUTH, doors=("/admin/login/", "/accounts/password/reset/")),
    Start("a user model of its own", CUSTOM_USER),
    Start("Wagtail", WAGTAIL, requirements=("wagtail>=7.4,<7.5",), doors=("/cms/login/", "/admin/login/")),
)
