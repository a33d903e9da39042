"""Writing people to a file: the backup of who became whom, and who is left. Never an attribute of the pool's."""

import csv
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

# A cell that begins like this is a formula to a spreadsheet (OWASP, "CSV Injection").
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True, slots=True)
class Written:
    """How many rows, and the file's SHA-256 in hex."""

    rows: int
    digest: str


def inert(value: object) -> str:
    """The value as a spreadsheet shows it and computes nothing of it."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULAS) else text


def write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Written:
    """JSON lines where the name ends with ``.json`` or ``.jsonl``, else CSV. Only the owner may read it, and it is
    there whole or not at all. Values of a CSV are `inert`; JSON has them as they are.

    Raises `OSError`.
    """
    # A new file of a name that nobody can have put there before, in a directory that others may write to as well.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    partial = Path(name)
    count = 0

    def counted() -> Iterator[Sequence[Any]]:
        nonlocal count
        for row in rows:
            count += 1
            yield row

    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            if path.suffix in {".json", ".jsonl"}:
                _write_json(file, columns, counted())
            else:
                _write_csv(file, columns, counted())
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    with path.open("rb") as finished:
        return Written(count, hashlib.file_digest(finished, "sha256").hexdigest())


def _write_csv(file: TextIO, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    writer = csv.writer(file)
    writer.writerow(columns)
    writer.writerows([inert(value) for value in row] for row in rows)


def _write_json(file: TextIO, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    for row in rows:
        file.write(json.dumps(dict(zip(columns, row, strict=True)), default=str, ensure_ascii=False) + "\n")
