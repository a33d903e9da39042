"""What `manage.py check --deploy` says about this site beside Django's and the package's own checks."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error


def inbox_is_closed(**_: Any) -> list[CheckMessage]:
    """The inbox page shows every code to everybody."""
    if not settings.INBOX_DIR:
        return []
    return [
        Error(
            "INBOX_DIR is set, so /inbox/ shows every code that is sent, to anybody.",
            hint="Unset INBOX_DIR. It is for a site that only you can reach.",
            id="example_project.E001",
        )
    ]
