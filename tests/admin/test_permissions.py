"""Whoever works here and has no permission of ours finds every door shut, of every page that there is or will be."""

import re
from collections.abc import Callable, Iterator

import pytest
from allauth.socialaccount.models import SocialApp
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern
from django.utils import timezone

from cognito_passwordless.flows.accounts import tombstones
from cognito_passwordless.flows.progress import rollup
from cognito_passwordless.models import ConnectionState, MigratedUser, NumberBlock

from .conftest import Make
from .test_imports import made

pytestmark = pytest.mark.django_db
APP = "cognito_passwordless"


def pages() -> Iterator[str]:
    """Every address that the admin answers for our models, with a row that is there."""
    for model, page in admin.site._registry.items():
        if model._meta.app_label != APP:
            continue
        row = model._base_manager.first()
        assert row, model
        for pattern in page.get_urls():
            # The last one leads old addresses to a row's new one, and shows nothing.
            if isinstance(pattern, URLPattern) and str(pattern.pattern) != "<path:object_id>/":
                rest = re.sub("<(path:object_id|int:key)>", str(row.pk), str(pattern.pattern))
                yield f"/admin/{APP}/{model._meta.model_name}/{rest.replace('<str:alias>', 'main')}"


def test_without_a_permission_everything_is_403(staff: Callable[..., Client], make_rows: Make) -> None:
    now = timezone.now()
    make_rows()
    made()
    MigratedUser.objects.update(status="conflict", last_error="several_users")
    ConnectionState.objects.create(alias="main", retired_at=now)
    SocialApp.objects.create(provider="cognito", provider_id="stored", name="Stored", client_id="client")
    tombstones.create("i", "sub", connection="main", now=now)
    NumberBlock.objects.create(key="block +4915112", seen_at=now)
    rollup.roll_up(now)
    client = staff()
    asked = list(pages())
    for page in ("progress/figures.csv", f"conflictcase/{MigratedUser.objects.get().pk}/change/", "connectionstate/"):
        assert f"/admin/{APP}/{page}" in asked
    # With the right to look, some of them are there: the addresses are the right ones.
    assert sum(client.get(page).status_code == 200 for page in asked) > 20
    User.objects.get(username="staff").user_permissions.clear()
    answers = {
        (method, page): getattr(client, method)(page).status_code for page in asked for method in ("get", "post")
    }
    assert {key: status for key, status in answers.items() if status != 403} == {}
