"""A site with passwordless sign-in, configured by the environment alone."""

from .celery import app as celery_app

__all__ = ["celery_app"]
