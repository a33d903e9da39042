"""A CSV with the header of Cognito's own import as a source of rows, read as a stream.

The header is that of GetCSVHeader: the attributes' names, ``cognito:username`` and ``cognito:mfa_enabled``. That file
has no sub, so one column more is wanted, ``sub``; without it a user name that looks like a sub is taken for one, as
it is in pools that people sign in to by address. Columns that ListUsers has and this header lacks may be added under
their names there: ``UserStatus``, ``Enabled``, ``UserCreateDate``, ``UserLastModifiedDate``. What a file has no column
for stays as it is known: whoever was disabled at an import from the pool is not enabled by a file.
"""

import csv
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from ...cognito import Connection
from ...models import ImportProblem
from .rows import MFA, InvalidRow, Reader, Row
from .sources import Page

USERNAME: Final = "cognito:username"
ROWS: Final = 3000  # written together
_SAMPLE: Final = 65_536  # bytes
# Columns, and the facts that they tell.
_TELLS: Final = {
    "email": ("email", "email_key"),
    "phone_number": ("phone_number", "phone_key"),
    "UserStatus": ("pool_status",),
    "Enabled": ("pool_enabled",),
    "UserCreateDate": ("pool_created_at",),
    "UserLastModifiedDate": ("pool_modified_at",),
}
_SUB: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class NotACsv(ValueError):
    """The file does not have the header that Cognito's import has."""


class CsvSource:
    """Tokens are offsets in bytes. Raises `OSError` and `NotACsv`."""

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
            fact for column, facts in _TELLS.items() if column not in self._header for fact in facts
        )
        self._size = path.stat().st_size
        self.estimate = _estimate(self._size - self._start, sample)
        self.fingerprint = _fingerprint(path, self._size)

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
        # ListUsers does not tell who has MFA; what a file says is kept either way (`activation` wants to know).
        mfa = held.pop(MFA, "").lower()
        if mfa in {"true", "false"}:
            held[MFA] = mfa
        if "sub" not in held and _SUB.fullmatch(username):
            held["sub"] = username
        return self._reader.row(
            held,
            username=username,
            status=held.pop("UserStatus", "UNKNOWN"),
            enabled=held.pop("Enabled", "true").lower() == "true",
            created=held.pop("UserCreateDate", None),
            modified=held.pop("UserLastModifiedDate", None),
        )


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


def _estimate(size: int, sample: bytes) -> int | None:
    lines = sample.count(b"\n")
    return max(1, round(size * lines / len(sample))) if lines else None


def _fingerprint(path: Path, size: int) -> str:
    """The same for the same file, without reading all of it."""
    with path.open("rb") as file:
        beginning = file.read(_SAMPLE)
        file.seek(max(0, size - _SAMPLE))
        seen = hashlib.sha256(b"%d\n" % size + beginning + file.read(_SAMPLE))
    return seen.hexdigest()
