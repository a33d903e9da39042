"""Imports a pool's directory (`import_directory`, page by page with `import_page`) and activates the imported people.

Laws: docs/laws.md; words: docs/glossary.md.
"""

from .activation import Activation, Totals, activate, preview_activation
from .commands import import_csv, import_directory, preview_csv, preview_directory
from .dry_run import Preview
from .gone import LIMIT as GONE_LIMIT
from .run_lease import Busy, Lost, NothingToContinue
from .sources import PAGES, QUOTA, Page, back_off
from .task import SLICE, Next, import_slice
from .writer import import_page

__all__ = [
    "GONE_LIMIT",
    "PAGES",
    "QUOTA",
    "SLICE",
    "Activation",
    "Busy",
    "Lost",
    "Next",
    "NothingToContinue",
    "Page",
    "Preview",
    "Totals",
    "activate",
    "back_off",
    "import_csv",
    "import_directory",
    "import_page",
    "import_slice",
    "preview_activation",
    "preview_csv",
    "preview_directory",
]
