"""The example project's URLs, and allauth's API."""

from django.urls import include, path

from example_project.urls import urlpatterns as pages

urlpatterns = [*pages, path("_allauth/", include("allauth.headless.urls"))]
