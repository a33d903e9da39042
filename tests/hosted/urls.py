"""The site's URLs and, beside them, allauth's own `openid_connect`, to compare with."""

from django.urls import include, path

from example_project.urls import urlpatterns as site

urlpatterns = [path("theirs/", include("allauth.socialaccount.providers.openid_connect.urls")), *site]
