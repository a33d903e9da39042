"""The addresses of a site whose pages begin with their language."""

from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path

from example_project.urls import urlpatterns as pages

urlpatterns = i18n_patterns(path("", include(pages)))
