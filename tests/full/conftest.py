import os

collect_ignore_glob = [] if os.environ.get("DJANGO_SETTINGS_MODULE") == "tests.settings_full" else ["test_*.py"]
