"""The admin's pages in a browser: what is wrong with one, and pictures of them (``SHOTS=<directory>``)."""

import os
from pathlib import Path

from playwright.sync_api import Page

from .axe import violations
from .conftest import Look

SHOTS = os.environ.get("SHOTS")
# What axe finds in Django's own lists (search field, links and filters), and rows (the way back at the top).
STOCK = ("label-title-only", "link-in-text-block", "target-size")


def shot(page: Page, name: str, look: Look) -> None:
    if SHOTS:
        forced = "" if look.forced_colors == "none" else "-forced"
        page.screenshot(path=Path(SHOTS) / f"{name.replace(' ', '-')}-{look}{forced}.png", full_page=True)


def problems(page: Page, axe: str, *, is_stock: bool) -> list[str]:
    """What axe finds, and whether the page has to be scrolled sideways. ``is_stock``: the page is
    Django's own list, or its page of a row."""
    found = [each for each in violations(page, axe) if not is_stock or not each.startswith(STOCK)]
    wide = page.evaluate("document.scrollingElement.scrollWidth - innerWidth")
    return [*found, *([f"{wide} pixels have to be scrolled sideways"] if wide > 0 else [])]
