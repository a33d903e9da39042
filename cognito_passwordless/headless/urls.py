"""For ``path("_allauth/", include("cognito_passwordless.headless.urls"))``, before allauth's own include there."""

from django.urls import path

from ..compat import headless as compat
from . import views
from .binding import open_to

app_name = "cognito_passwordless_api"
ADDRESSES = {
    "auth/code/request": views.RequestCode,
    "auth/code/confirm": views.ConfirmCode,
    "auth/code/resend": views.ResendCode,
    "auth/code/status": views.Status,
    "auth/session": views.Session,
    "config": views.Config,
}

urlpatterns = [
    path(f"{client}/v1/{address}", open_to(client, view), name=f"{client}_{address.rpartition('/')[2]}")
    for client in compat.clients()
    for address, view in ADDRESSES.items()
]
urlpatterns.append(path("code/openapi.json", views.openapi, name="openapi"))
