"""The documentation as a site: ``make docs``. Its pages are the Markdown files of this folder."""

import re
import tomllib
from pathlib import Path
from typing import Any

from pygments.lexers.special import TextLexer

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

project = PROJECT["name"]
release = version = PROJECT["version"]
author = PROJECT["authors"][0]["name"]
extensions = ["myst_parser"]
html_theme = "furo"
html_title = project
exclude_patterns = ["_build"]
myst_heading_anchors = 4
nitpicky = True

# Files outside this folder that are pages of the site too, and the page that has each.
PAGES_OF = {"README.md": "tutorial.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changes.md"}
OUTSIDE = re.compile(r"\]\(\.\./([^)#\s]+)")


def inside(text: str) -> str:
    """A page whose links to the rest of the repository lead to a page of the site, or to the repository."""

    def target(link: re.Match[str]) -> str:
        path = link[1]
        return f"]({PAGES_OF.get(path) or PROJECT['urls']['Source'] + '/blob/main/' + path}"

    return OUTSIDE.sub(target, text)


def _read(_app: Any, _page: str, source: list[str]) -> None:
    source[0] = inside(source[0])


def _read_included(_app: Any, path: Path, _page: str, source: list[str]) -> None:
    """README, CONTRIBUTING and CHANGELOG link as seen from the folder above."""
    if (Path(__file__).parent / path).resolve().parent == ROOT:
        text = re.sub(r"\]\((?![a-z]+:|#|docs/)", "](../", source[0])
        source[0] = inside(text.replace("](docs/", "]("))


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _read)
    app.connect("include-read", _read_included)
    # Shown as it is written: drawing it would load a script from another site.
    app.add_lexer("mermaid", TextLexer)
