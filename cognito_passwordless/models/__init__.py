"""What is remembered. No code, no password and no token is in any of these tables (laws 1 and 11).

Laws: docs/laws.md; words: docs/glossary.md.
"""

from django.apps import apps

from .base import ALIAS_LENGTH, CHANNEL_CHOICES, SUB_LENGTH, Route
from .connections import ConnectionState
from .events import JourneyEvent
from .imports import ImportProblem, ImportRun, SeenPeople
from .people import ConflictCase, Erasure, MigratedUser, PhoneNumber, PoolNotice
from .progress import DailyFigure, PeopleFigure, Progress
from .sign_in import ChallengeSession, Delivery, FailureCount, SendCount

if apps.is_installed("allauth.socialaccount"):
    # Without it, a check says so; its models would end in a traceback before.
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
    "PeopleFigure",
    "PhoneNumber",
    "PoolConnection",
    "PoolNotice",
    "Progress",
    "Route",
    "SeenPeople",
    "SendCount",
]
