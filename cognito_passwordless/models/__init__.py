"""What is remembered. No code, no password and no token is in any of these tables (laws 1 and 11)."""

from .cut_over import ConnectionState
from .erasures import Erasure
from .imports import ImportProblem, ImportRun
from .journey import JourneyEvent
from .notices import PoolNotice
from .people import ConflictCase, MigratedUser, PhoneNumber
from .progress import DailyFigure, PeopleFigure, Progress
from .routes import ALIAS_LENGTH, SUB_LENGTH, Channel, Route
from .sign_in import ChallengeSession, Delivery, FailureCount, SendCount

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
    "PoolNotice",
    "Progress",
    "Route",
    "SendCount",
]
