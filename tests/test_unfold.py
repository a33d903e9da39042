"""The admin of a site that uses django-unfold."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from . import variants


@pytest.mark.skipif(find_spec("unfold") is None, reason="django-unfold is not installed (extra dev)")
def test_our_pages_in_unfold(chromium: Path) -> None:
    variants.run("tests.settings_unfold", "tests/unfold", cache=True)
