"""A pool's directory into Django: `import_directory` walks through it, `import_page` writes one page of it. `activate`
makes Django users of who was imported."""

from .activation import Activation, Totals, activate, preview_activation
from .entry import import_csv, import_directory, preview_csv, preview_directory
from .pool import PAGES, QUOTA, Page
from .preview import Preview
from .runs import Busy, Lost, NothingToContinue
from .twins import twins_of
from .writing import import_page

__all__ = [
    "PAGES",
    "QUOTA",
    "Activation",
    "Busy",
    "Lost",
    "NothingToContinue",
    "Page",
    "Preview",
    "Totals",
    "activate",
    "import_csv",
    "import_directory",
    "import_page",
    "preview_activation",
    "preview_csv",
    "preview_directory",
    "twins_of",
]
