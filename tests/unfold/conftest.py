import os

from ..browser.conftest import admin, axe, browser, complaints, context, look, page, server, site  # noqa: F401

OURS = os.environ.get("DJANGO_SETTINGS_MODULE") == "tests.settings_unfold"
collect_ignore_glob = [] if OURS else ["test_*.py"]
