"""The Celery app. Start a worker with
``celery --app example_project worker --queues celery,cognito_email,cognito_sms``."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")

app = Celery("example_project")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
