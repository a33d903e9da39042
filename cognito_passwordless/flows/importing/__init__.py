"""A pool's directory into Django: `import_directory` walks through it, `import_page` writes one page of it. `activate`
makes Django users of who was imported."""

from .activation import Activation, Totals, activate, preview_activation
from .entry import import_csv, import_directory, preview_csv, preview_directory
from .gone import LIMIT as GONE_LIMIT
from .pool import PAGES, QUOTA, Page
from .preview import Preview
from .runs import Busy, Lost, NothingToContinue
from .slices import SLICE, Next, import_slice
from .writing import import_page

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
    "import_csv",
    "import_directory",
    "import_page",
    "import_slice",
    "preview_activation",
    "preview_csv",
    "preview_directory",
]
