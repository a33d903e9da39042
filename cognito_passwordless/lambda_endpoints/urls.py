"""``path("triggers/", include("cognito_passwordless.lambda_endpoints.urls"))``; names are the triggers' own."""

from django.urls import path

from . import views

app_name = "cognito_passwordless_lambda"
urlpatterns = [
    path("pre_authentication/", views.pre_authentication, name="pre_authentication"),
    path("user_migration/", views.user_migration, name="user_migration"),
    path("pre_token_generation/", views.pre_token_generation, name="pre_token_generation"),
    path("post_confirmation/", views.post_confirmation, name="post_confirmation"),
    path("post_authentication/", views.post_authentication, name="post_authentication"),
]
