"""A CSV file of a pool's users, read as a stream: Cognito's own template, ListUsers, any exporter's.

It needs the sub (column ``sub``, or a user name that is one); `csv_columns` knows the other columns. A fact that the
file has no column for stays as it is in the database: a file does not enable a person who was disabled when the pool
was imported.
"""

import csv
import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

from ...cognito import Connection
from ...models import ImportProblem
from .csv_columns import USERNAME, NotACsv, name_columns, read, sub_of, tidied
from .rows import SOURCES, InvalidRow, Reader, Row, shown
from .sources import Page

Reason = ImportProblem.Reason
ROWS: Final = 3000  # written together
_SAMPLE: Final = 65_536  # bytes
_MARKS: Final = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
# Letters of Western Europe, one or two side by side: other encodings have other bytes for theirs, or more of them.
_WESTERN: Final = re.compile(
    rb"(?:[\x00-\x7f]|[\xa0\xc0-\xcf\xd1-\xd6\xd8-\xdc\xdf-\xef\xf1-\xf6\xf8-\xfc\xff]{1,2}(?![\x80-\xff]))*"
)
_SAVE: Final = "Save the file as CSV in UTF-8, and import it again."


class CsvSource:
    """Tokens are offsets in bytes and lines. Raises `OSError` and `NotACsv`. ``columns`` gives some columns a meaning
    by their header.

    ``estimate`` is about how many rows there are (None for an empty file); ``fingerprint`` names the file's content.
    """

    def __init__(self, connection: Connection, path: Path | str, columns: Mapping[str, str] | None = None) -> None:
        self._path, chosen, reader = Path(path), columns or {}, Reader(connection)
        with self._path.open("rb") as file:
            beginning = file.read(_SAMPLE)
            mark = next((mark for mark in _MARKS if beginning.startswith(mark)), b"")
            self._encoding = _MARKS.get(mark) or _guessed(file)
            header, self._delimiter, offset, line = _find_header(file, self._encoding, len(mark), reader.wanted)
            file.seek(offset)
            sample = file.read(_SAMPLE)
        self._start = f"{offset}:{line}"
        self._names = name_columns(header, chosen, reader.wanted)
        self._columns = frozenset(self._names) - {""}
        if not self._columns & {USERNAME, "sub"}:
            raise NotACsv(
                "The first line names no column that says who the people are (sub, Username). Give the file one, or "
                "say which it is: --columns HEADER=sub."
            )
        self._silent = frozenset(
            fact for column, facts in SOURCES.items() if column not in self._columns for fact in facts
        )
        self._reader = Reader(connection, self._columns)
        self._size = self._path.stat().st_size
        lines_in_sample = sample.count(b"\n")
        rows = round((self._size - offset) * lines_in_sample / max(1, len(sample)))
        self.estimate = max(1, rows) if lines_in_sample else None
        # The same for the same file, without reading all of it.
        with self._path.open("rb") as file:
            file.seek(max(0, self._size - _SAMPLE))
            seen = hashlib.sha256(b"%d\n" % self._size + beginning + file.read(_SAMPLE))
        seen.update(repr(self._names).encode())
        self.fingerprint = seen.hexdigest()

    def read_page(self, token: str) -> Page:
        """The next rows, up to `ROWS`."""
        offset, _, line = (token or self._start).partition(":")
        with self._path.open("rb") as file:
            lines = _Lines(file, self._encoding, int(offset), int(line))
            rows: list[Row | InvalidRow] = []
            places: list[int] = []
            begins = lines.number + 1
            try:
                for cells in csv.reader(lines, delimiter=self._delimiter, skipinitialspace=True):
                    if any(map(str.strip, cells)):
                        places.append(begins)
                        rows.append(self._row(cells))
                    begins = lines.number + 1
                    if len(rows) == ROWS:
                        break
            except csv.Error:  # a field of more than 128 KiB: what comes after it cannot be told from it
                rows.append(InvalidRow(Reason.MALFORMED))
                places.append(begins)
        following = None if lines.offset >= self._size else f"{lines.offset}:{lines.number}"
        return Page(rows, following, self._silent, self._columns, places)

    def _row(self, cells: list[str]) -> Row | InvalidRow:
        if len(cells) < len(self._names) or "".join(cells[len(self._names) :]).strip():
            return InvalidRow(Reason.MALFORMED, detail="columns")
        held: dict[str, Any] = {}
        wrong, reason = [], Reason.NOT_UNDERSTOOD
        for name, cell in zip(self._names, cells, strict=False):
            if not name or not cell:
                continue
            try:
                if value := read(name, tidied(cell if cell.isascii() else self._decoded(name, cell))):
                    held[name] = value
            except UnicodeError:
                reason = Reason.NOT_TEXT
                wrong.append(name)
            except ValueError:
                wrong.append(name)
        sub = held.get("sub") or sub_of(held.get(USERNAME, ""))
        if wrong:
            return InvalidRow(reason, shown(sub), ", ".join(wrong)[:80])
        held["sub"] = sub
        username = held.pop(USERNAME, sub if USERNAME not in self._columns else "")
        # In ListUsers these stand beside the attributes. An empty one is not known.
        user = {name: held.pop(name, "") for name in SOURCES if name[0].isupper()}
        enabled = str(user["Enabled"]).lower()
        return self._reader.row(held, {**user, "Username": username, "Enabled": enabled and enabled == "true"})

    def _decoded(self, name: str, cell: str) -> str:
        """Names and the like may be taken for Windows-1252; who a person is never rests on such a guess."""
        written = cell.encode(errors="surrogateescape")
        if self._encoding == "cp1252" and name not in {"sub", USERNAME, "email", "phone_number"}:
            return written.decode("cp1252")
        return written.decode()


def _find_header(
    file: BinaryIO, encoding: str, start: int, wanted: Collection[str]
) -> tuple[list[str], str, int, int]:
    """The header, with the separator of which most of its columns are known, and where the rows begin."""
    first = next(_Lines(file, encoding, start), "").strip('\r\n"')
    told = first[4:] if first[:4].lower() == "sep=" else ""
    best: tuple[int, list[str], str, int, int] = (0, [], ",", 0, 0)
    for delimiter in told or ",;\t|":
        lines = _Lines(file, encoding, start)
        if told:
            next(lines)
        try:
            rows = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
            header = [tidied(cell) for cell in next((row for row in rows if any(row)), [])]
        except (csv.Error, ValueError):
            continue
        while header and not header[-1]:
            header.pop()
        known = len([name for name in name_columns(header, {}, wanted, checked=False) if name])
        best = max(best, (known * 1000 + len(header), header, delimiter, lines.offset, lines.number))
    if "\0" in first or not best[0]:
        raise NotACsv(f"The first line names no columns. {_SAVE}")
    return best[1:]


def _guessed(file: BinaryIO) -> str:
    """The encoding of a file without a mark: UTF-8, of which a broken row is a problem of its own, or Windows-1252."""
    file.seek(0)
    wide, broken, unclear = False, 0, 0
    for number, line in enumerate(file, start=1):
        if not line.isascii():
            try:
                line.decode()
                wide = True
            except UnicodeDecodeError:
                broken = broken or number
                unclear = unclear or (0 if _WESTERN.fullmatch(line) else number)
    if wide or not broken:
        return "utf-8"
    if unclear:
        raise NotACsv(f"Line {unclear} is neither UTF-8 nor surely Windows-1252. {_SAVE}")
    return "cp1252"


class _Lines(Iterator[str]):
    """The lines of a file from an offset on, which moves on with them: a row of several lines is never cut."""

    def __init__(self, file: BinaryIO, encoding: str, offset: int, number: int = 0) -> None:
        file.seek(offset)
        self._file, self.offset, self.number = file, offset, number
        self._wide = encoding if encoding.startswith("utf-16") else ""

    def __next__(self) -> str:
        line = self._file.readline()
        while self._wide and line:
            line += self._file.read(len(line) % 2)
            more = b"" if line.decode(self._wide, "replace").endswith("\n") else self._file.readline()
            if not more:
                break
            line += more
        if not line:
            raise StopIteration
        self.offset += len(line)
        self.number += 1
        # What is no text becomes half of a surrogate pair, which no row may hold: that row alone is a problem.
        return line.decode(self._wide, "surrogatepass") if self._wide else line.decode(errors="surrogateescape")
