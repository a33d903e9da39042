from django.contrib import admin
from django.urls import include, path

from . import views

urlpatterns = [
    path("", views.home, name="home"),
    path("inbox/", views.inbox, name="inbox"),
    path("login/", include("cognito_passwordless.urls")),
    path("accounts/", include("allauth.urls")),
    path("_allauth/", include("cognito_passwordless.headless.urls")),
    path("_allauth/", include("allauth.headless.urls")),
    path("admin/", admin.site.urls),
]
