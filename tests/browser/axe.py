"""axe-core, and what it finds on a page."""

import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.services import missing

AXE = "axe-core@4.14.1"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
INSTALL_TIMEOUT = 180  # seconds


def script(directory: Path) -> str:
    """The script, fetched once by npm into a directory."""
    kept = directory / f"{AXE}.js"
    if not kept.exists():
        _fetch(directory, kept)
    return kept.read_text(encoding="utf-8")


def _fetch(directory: Path, script: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        missing("no npm is on the PATH, which brings axe-core")
    # Several processes may fetch it at once: each has a place of its own, and puts the whole script in its place.
    with tempfile.TemporaryDirectory(dir=directory) as own:
        command = [npm, "pack", AXE, "--silent", "--pack-destination", own]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=INSTALL_TIMEOUT)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            missing("no npm registry answers, which brings axe-core")
        (packed,) = Path(own).glob("*.tgz")
        with tarfile.open(packed) as archive:
            member = archive.extractfile("package/axe.min.js")
            assert member
            fetched = Path(own) / script.name
            fetched.write_bytes(member.read())
        fetched.replace(script)


def violations(page: Page, axe: str, within: str = "html") -> list[str]:
    """``axe`` is the script; ``within`` selects the part of the page that is ours."""
    page.wait_for_load_state("load")  # a click ends when the next page begins
    page.evaluate(axe)  # past the content security policy, as a browser's own tools are
    # Without preloading, which some pages' policies forbid and no rule of these needs.
    result: dict[str, Any] = page.evaluate(
        "([within, tags]) => axe.run(document.querySelector(within), { runOnly: tags, preload: false })",
        [within, RULES],
    )
    found = [(rule["id"], node) for rule in result["violations"] for node in rule["nodes"]]
    if page.evaluate("matchMedia('(forced-colors: active)').matches"):
        return [_text_of(*problem) for problem in found]
    # To axe, text in the colour of its background may be meant to be unseen; forced colours are not what it reads.
    found += [
        ("unseen-text", node)
        for rule in result["incomplete"]
        for node in rule["nodes"]
        if any((check["data"] or {}).get("messageKey") == "equalRatio" for check in node["any"])
    ]
    return [_text_of(*problem) for problem in found]


def _text_of(rule: str, node: dict[str, Any]) -> str:
    return f"{rule}: {node['html']}: {node['failureSummary']}"
