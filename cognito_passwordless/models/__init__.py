"""What is remembered. No code, no password and no token is in any of these tables (laws 1 and 11)."""

from django.apps import apps

from .cut_over import ConnectionState
from .erasures import Erasure
from .imports import ImportProblem, ImportRun, SeenPeople
from .journey import JourneyEvent
from .notices import PoolNotice
from .people import ConflictCase, MigratedUser, PhoneNumber
from .progress import DailyFigure, PeopleFigure, Progress
from .routes import ALIAS_LENGTH, SUB_LENGTH, Channel, Route
from .sign_in import ChallengeSession, Delivery, FailureCount, SendCount

if apps.is_installed("allauth.socialaccount"):
    # Without it, a check says so; its models would end in a traceback before.
    from .pool_connections import PoolConnection

__all__ = [
    "ALIAS_LENGTH",
    "SUB_LENGTH",
    "ChallengeSession",
    "Channel",
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
