"""The example project's settings with what only a test may have: views that break, and SQLite as Django sets it up."""

from example_project.settings import *  # noqa: F403
from example_project.settings import DATABASES, MIDDLEWARE, env

MIDDLEWARE = [*MIDDLEWARE, "tests.races.breaking.break_after_the_view"]
ROOT_URLCONF = "tests.races.breaking"
if env.bool("SQLITE_DEFERRED", default=False):
    # Django's default: a transaction takes its lock at its first write, and fails at once where it has read before.
    DATABASES["default"]["OPTIONS"]["transaction_mode"] = "DEFERRED"
