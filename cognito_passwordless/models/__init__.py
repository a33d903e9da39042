"""The tables. None of them holds a code, a password or a token (laws 1 and 11).

Laws: docs/laws.md; words: docs/glossary.md.
"""

from django.apps import apps

from .base import ALIAS_LENGTH, CHANNEL_CHOICES, SUB_LENGTH, Route, in_pages
from .connections import ConnectionState
from .events import JourneyEvent
from .imports import ImportProblem, ImportRun, SeenPeople
from .people import ConflictCase, Erasure, MigratedUser, PhoneNumber, PoolNotice
from .progress import DailyFigure, PeopleFigure, Progress
from .sign_in import ChallengeSession, Delivery, FailureCount, NumberBlock, SendCount

if apps.is_installed("allauth.socialaccount"):
    # Without it a system check says so; importing its models would raise before the check runs.
    from .pool_connections import PoolConnection

__all__ = [
    "ALIAS_LENGTH",
    "CHANNEL_CHOICES",
    "SUB_LENGTH",
    "ChallengeSession",
    "ConflictCase",
    "ConnectionState",
    "DailyFigure",
    "Delivery",
    "Erasure",
    "FailureCount",
    "ImportProblem",
    "ImportRun",
    "JourneyEvent",
    "MigratedUser",
    "NumberBlock",
    "PeopleFigure",
    "PhoneNumber",
    "PoolConnection",
    "PoolNotice",
    "Progress",
    "Route",
    "SeenPeople",
    "SendCount",
    "in_pages",
]
