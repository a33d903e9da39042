"""The benchmarks' own rows: they are written by SQL, which no migration follows."""

import os
import subprocess
import sys
from pathlib import Path

from .gunicorn_site import ROOT, Database


def test_the_database_of_the_progress_page_can_be_filled(postgres_url: str, tmp_path: Path) -> None:
    with Database(tmp_path, postgres_url) as database:
        site = {**os.environ, "DATABASE_URL": database.url, "DJANGO_SETTINGS_MODULE": "benchmarks.settings"}
        fill = (
            "import django; django.setup(); from django.core.management import call_command; "
            "from benchmarks import progress_rows; "
            "call_command('migrate', verbosity=0); progress_rows.fill(20, 100)"
        )
        subprocess.run([sys.executable, "-c", fill], cwd=ROOT, env=site, check=True)
        assert database.value("SELECT count(*) FROM cognito_passwordless_migrateduser") == 22
        assert database.value("SELECT count(*) FROM cognito_passwordless_journeyevent") == 100
