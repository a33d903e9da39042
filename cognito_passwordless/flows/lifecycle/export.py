"""Writes people to a file: the backup of who became whom, and who has not migrated. Never attributes of the pool."""

import csv
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# A cell that begins like this is a formula to a spreadsheet (OWASP, "CSV Injection").
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True, slots=True)
class Written:
    """How many rows, and the file's SHA-256 in hex."""

    rows: int
    digest: str


def inert(value: object) -> str:
    """The value in a form that a spreadsheet shows and does not compute."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULAS) else text


def write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Written:
    """Writes JSON lines if the name ends with ``.json`` or ``.jsonl``, else CSV. Only the file's owner may read it; it
    appears whole or not at all. Values of a CSV are `inert`; JSON has them as they are.

    Raises `OSError`.
    """
    # A new file with an unpredictable name: an attacker may be able to write to the directory, too.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    partial = Path(name)
    count, as_json = 0, path.suffix in {".json", ".jsonl"}
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            if not as_json:
                writer.writerow(columns)
            for row in rows:
                count += 1
                if as_json:
                    cells = dict(zip(columns, row, strict=True))
                    file.write(json.dumps(cells, default=str, ensure_ascii=False) + "\n")
                else:
                    writer.writerow([inert(value) for value in row])
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    with path.open("rb") as finished:
        return Written(count, hashlib.file_digest(finished, "sha256").hexdigest())
