"""Files of people: whole or not at all, for their owner alone, and nothing in them runs."""

import csv
import hashlib
import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from cognito_passwordless.flows.lifecycle.export import inert, write

COLUMNS = ("sub", "email")
ROWS = [("s-1", "ann@example.com"), ("s-2", '=HYPERLINK("http://x","y")'), ("s-3", "<img src=x onerror=alert(1)>")]


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+49151", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1+1", "=HYPERLINK(1)", "=cmd|' /C calc'!A0"],
)
def test_what_begins_like_a_formula_is_text(text: str) -> None:
    assert inert(text) == f"'{text}"


def test_everything_else_is_as_it_was() -> None:
    assert [inert(value) for value in ("ann", "a=b", "", None, 5)] == ["ann", "a=b", "", "", "5"]


def test_a_csv_has_a_heading_and_inert_cells(tmp_path: Path) -> None:
    path = tmp_path / "left.csv"
    written = write(path, COLUMNS, ROWS)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == list(COLUMNS)
    assert rows[2] == ["s-2", '\'=HYPERLINK("http://x","y")']
    assert (written.rows, len(rows)) == (3, 4)
    assert written.digest == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", ["left.json", "left.jsonl"])
def test_json_has_the_values_as_they_are(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write(path, COLUMNS, ROWS)
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert rows == [dict(zip(COLUMNS, row, strict=True)) for row in ROWS]


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "left.csv"
    path.write_text("of another day")
    path.chmod(0o644)
    write(path, COLUMNS, ROWS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_is_written_into_a_file_that_somebody_has_put_there(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.write_text("")
    for name in ("left.csv.part", ".left.csv.part", "left.csv"):
        (tmp_path / name).symlink_to(theirs)
    write(tmp_path / "left.csv", COLUMNS, ROWS)
    assert theirs.read_text() == ""


def test_it_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "left.csv"
    path.write_text("of another day")

    def rows() -> Iterator[tuple[str, str]]:
        yield ROWS[0]
        raise ConnectionError

    with pytest.raises(ConnectionError):
        write(path, COLUMNS, rows())
    assert path.read_text() == "of another day"
    assert [each.name for each in tmp_path.iterdir()] == ["left.csv"]
