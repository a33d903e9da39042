from django.urls import path

from .web import entrances, hosted_views, link_views, signed_in, step_up_views, views

app_name = "cognito_passwordless"

urlpatterns = [
    path("", views.login, name="login"),
    path("other-account/", signed_in.other_account, name="other_account"),
    path("code/", views.otp, name="otp"),
    path("code/checking/", views.checking, name="checking"),
    path("code/second-factor/", step_up_views.second_factor, name="second_factor"),
    path("code/join/", step_up_views.join, name="join"),
    path("code/password/", views.password, name="password"),
    path("code/resend/", views.resend, name="resend"),
    path("code/retry/", views.retry, name="retry"),
    path("code/status/", views.status, name="status"),
    path("link/", link_views.link, name="opened_link"),
    path("link/<str:token>/", link_views.open_link, name="link"),
    path("cognito/<str:connection>/", hosted_views.oidc_login, name="oidc_login"),
    path("cognito/<str:connection>/callback/", hosted_views.oidc_callback, name="oidc_callback"),
]

# Where these pages are included, allauth's own entrances lead to them.
entrances.lead_here()
