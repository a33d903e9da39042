"""A CSV file with the header of Cognito's own import, read as a stream.

The header is that of GetCSVHeader: the attributes' names, ``cognito:username`` and ``cognito:mfa_enabled``. That file
has no sub, so it needs one more column, ``sub``; without it a user name that looks like a sub is used as the sub, as
in pools whose users sign in by address. These columns of ListUsers may be added: ``UserStatus``, ``Enabled``,
``UserCreateDate``, ``UserLastModifiedDate``. A fact that the file has no column for stays as it is in the database: a
file does not enable a person who was disabled when the pool was imported.
"""

import csv
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from ...cognito import Connection
from ...models import ImportProblem
from .rows import MFA, SOURCES, InvalidRow, Reader, Row
from .sources import Page

USERNAME: Final = "cognito:username"
ROWS: Final = 3000  # written together
_SAMPLE: Final = 65_536  # bytes
_SUB: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class NotACsv(ValueError):
    """The file does not have the header that Cognito's import has."""


class CsvSource:
    """Tokens are offsets in bytes. Raises `OSError` and `NotACsv`.

    ``estimate`` is about how many rows there are (None for an empty file); ``fingerprint`` names the file's content.
    """

    def __init__(self, connection: Connection, path: Path) -> None:
        self._path, self._reader = path, Reader(connection)
        with path.open("rb") as file:
            lines = _Lines(file)
            self._header = next(csv.reader(lines), [])
            self._start = lines.offset
            sample = file.read(_SAMPLE)
        if USERNAME not in self._header or len(set(self._header)) != len(self._header):
            raise NotACsv(f"the first line must name the columns, each once, with {USERNAME} among them")
        self._silent = frozenset(
            fact for column, facts in SOURCES.items() if column not in self._header for fact in facts
        )
        self._size = path.stat().st_size
        lines_in_sample = sample.count(b"\n")
        rows = round((self._size - self._start) * lines_in_sample / max(1, len(sample)))
        self.estimate = max(1, rows) if lines_in_sample else None
        # The same for the same file, without reading all of it.
        with path.open("rb") as file:
            beginning = file.read(_SAMPLE)
            file.seek(max(0, self._size - _SAMPLE))
            seen = hashlib.sha256(b"%d\n" % self._size + beginning + file.read(_SAMPLE))
        self.fingerprint = seen.hexdigest()

    def read_page(self, token: str) -> Page:
        """The next rows, up to `ROWS`."""
        with self._path.open("rb") as file:
            lines = _Lines(file, int(token) if token else self._start)
            rows: list[Row | InvalidRow] = []
            try:
                for cells in csv.reader(lines):
                    if cells:
                        rows.append(self._row(cells))
                    if len(rows) == ROWS:
                        break
            except csv.Error:  # a field of more than 128 KiB: what comes after it cannot be told from it
                rows.append(InvalidRow(ImportProblem.Reason.MALFORMED))
        ended = lines.offset >= self._size
        return Page(rows, None if ended else str(lines.offset), self._silent)

    def _row(self, cells: list[str]) -> Row | InvalidRow:
        if len(cells) != len(self._header):
            return InvalidRow(ImportProblem.Reason.MALFORMED, detail="columns")
        held = {name: cell for name, cell in zip(self._header, cells, strict=True) if cell}
        username = held.pop(USERNAME, "")
        # ListUsers does not say who has MFA; `activation` needs both answers.
        mfa = held.pop(MFA, "").lower()
        if mfa in {"true", "false"}:
            held[MFA] = mfa
        if "sub" not in held and _SUB.fullmatch(username):
            held["sub"] = username
        # In ListUsers these stand beside the attributes.
        user: dict[str, Any] = {name: held.pop(name) for name in SOURCES if name[0].isupper() and name in held}
        enabled = user.get("Enabled", "true").lower() == "true"
        return self._reader.row(held, {**user, "Username": username, "Enabled": enabled})


class _Lines(Iterator[str]):
    """The lines of a file from an offset on, which moves on with them: a row of several lines is never cut."""

    def __init__(self, file: BinaryIO, offset: int = 0) -> None:
        file.seek(offset)
        self._file, self.offset = file, offset

    def __next__(self) -> str:
        line = self._file.readline()
        if not line:
            raise StopIteration
        first = self.offset == 0
        self.offset += len(line)
        # What is no UTF-8 becomes half of a surrogate pair, which no row may hold: that row alone is a problem.
        return line.decode("utf-8-sig" if first else "utf-8", errors="surrogateescape")
