"""The admin: what happened, to whom, and how far the migration is. History is read, never written.

Codes, handles and sessions of a pool are on no page. Addresses are masked for everybody who lacks the permission
``cognito_passwordless.view_addresses``.

Laws: docs/laws.md; words: docs/glossary.md.
"""

from . import (
    allauth_apps,
    challenges,
    conflicts,
    connections,
    counts,
    cut_overs,
    erasures,
    events,
    imports,
    migrated_users,
    phone_numbers,
    progress,
)

__all__ = [
    "allauth_apps",
    "challenges",
    "conflicts",
    "connections",
    "counts",
    "cut_overs",
    "erasures",
    "events",
    "imports",
    "migrated_users",
    "phone_numbers",
    "progress",
]
