import os

OURS = os.environ.get("DJANGO_SETTINGS_MODULE") == "tests.settings_phone_user"
collect_ignore_glob = [] if OURS else ["test_*.py"]
