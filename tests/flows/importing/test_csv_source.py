"""A directory from a CSV as Cognito's own import takes it: what is read, and what is left as it is."""

import csv
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cognito_passwordless.cognito import Connection
from cognito_passwordless.flows import importing
from cognito_passwordless.flows.importing import csv_source
from cognito_passwordless.flows.importing.csv_columns import NotACsv
from cognito_passwordless.models import ImportRun, MigratedUser

from ...cognito.standin import StandIn
from ..progress.reading import reading_only
from .directory import Directory, listed, sub_of
from .test_pipeline import NOW

pytestmark = pytest.mark.django_db
# What GetCSVHeader answers for a pool with the standard attributes, shortened.
COGNITOS = (
    "cognito:username", "name", "given_name", "email", "email_verified", "phone_number", "phone_number_verified",
    "updated_at", "cognito:mfa_enabled",
)  # fmt: skip
WHOLE = (*COGNITOS, "sub", "UserStatus", "Enabled", "UserCreateDate", "UserLastModifiedDate")


@pytest.fixture(scope="module")
def _standin() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


@pytest.fixture
def standin(_standin: StandIn, aws_identity: None) -> Iterator[StandIn]:
    yield _standin
    _standin.reset()


@pytest.fixture
def pool(standin: StandIn) -> Connection:
    return Connection(
        alias="main",
        region="eu-west-1",
        user_pool_id="eu-west-1_Abc123xyz",
        client_id="client",
        endpoint_url=standin.url,
    )


def person(number: int, **more: str) -> dict[str, str]:
    email = f"person{number}@example.com"
    return {
        "cognito:username": sub_of(number), "email": email, "email_verified": "TRUE", "cognito:mfa_enabled": "FALSE",
        "phone_number_verified": "FALSE", **more,
    }  # fmt: skip


def written(path: Path, rows: list[dict[str, str]], header: tuple[str, ...] = COGNITOS) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, header, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def run(pool: Connection, path: Path, **chosen: Any) -> ImportRun:
    """An import; a dry run just before has to have counted the same, and to have written nothing."""
    stop = chosen.pop("stop", None) or threading.Event()
    with reading_only():
        foretold = importing.preview_csv(pool, path, stop=threading.Event())
    done = importing.import_csv(pool, path, stop=stop, clock=lambda: NOW, **chosen)
    if done.state == "done" and "fresh" not in chosen:
        assert {name: getattr(done, name) for name in ("created", "updated", "unchanged", "skipped")} == {
            name: foretold.rows[name] for name in ("created", "updated", "unchanged", "skipped")
        }
    return done


def from_pool(standin: StandIn, pool: Connection, *rows: dict[str, Any]) -> None:
    Directory(standin, list(rows))
    done = importing.import_directory(pool, stop=threading.Event(), clock=lambda: NOW, rate=1e6)
    assert done.state == "done"


def one() -> MigratedUser:
    return MigratedUser.objects.get()


def reasons(done: ImportRun) -> list[tuple[int, str]]:
    return list(done.problem_rows.values_list("position", "reason"))


def test_the_header_of_cognitos_own_import_is_enough(pool: Connection, standin: StandIn, tmp_path: Path) -> None:
    path = written(tmp_path / "users.csv", [person(1, name="Ann, the\nfirst", phone_number="+4915112345678")])
    done = run(pool, path)
    assert (done.state, done.source, done.created) == ("done", "csv", 1)
    row = one()
    assert (row.sub, row.email, row.phone_number) == (sub_of(1), "person1@example.com", "+4915112345678")
    assert row.attributes["email_verified"] == "TRUE"
    assert row.attributes["cognito:mfa_enabled"] == "false"
    assert (row.pool_status, row.pool_enabled, row.status) == ("UNKNOWN", True, "pending")
    assert standin.requests == []


def test_columns_that_listusers_has_may_be_added(pool: Connection, tmp_path: Path) -> None:
    chosen = {
        "sub": "the-sub", "UserStatus": "CONFIRMED", "Enabled": "False", "UserCreateDate": "2024-01-02T03:04:05Z",
        "UserLastModifiedDate": "1700000000.5", "cognito:mfa_enabled": "True",
    }  # fmt: skip
    run(pool, written(tmp_path / "users.csv", [person(1, **{"cognito:username": "ann"}, **chosen)], WHOLE))
    row = one()
    assert (row.sub, row.username, row.pool_status, row.pool_enabled) == ("the-sub", "ann", "CONFIRMED", False)
    assert row.attributes["cognito:mfa_enabled"] == "true"
    assert row.pool_created_at
    assert row.pool_created_at.year == 2024
    assert row.pool_modified_at


def test_rows_that_cannot_be_used_are_problems_with_their_place(pool: Connection, tmp_path: Path) -> None:
    path = written(tmp_path / "users.csv", [person(1), person(2), person(1)])
    with path.open("ab") as file:
        file.write(b"too,few\r\n")
        file.write(b"ann,,,ann@example.com,TRUE,,,,FALSE\r\n")  # a name that is no sub
        file.write(sub_of(3).encode() + b",,,\xff@example.com,TRUE,,,,FALSE\r\n")
        file.write(b"\r\n")  # nothing at all
        file.write(sub_of(4).encode() + b",,,four@example.com,TRUE,,,,FALSE\r\n")
    done = run(pool, path)
    assert reasons(done) == [(3, "duplicate"), (4, "malformed"), (5, "no_sub"), (6, "not_text")]
    assert (done.seen, done.created) == (7, 3)


@pytest.mark.parametrize("content", [b"", b"email,name\r\n", b"cognito:username,email,email\r\n", b"\x00\x01"])
def test_a_file_without_the_header_is_refused(pool: Connection, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "users.csv"
    path.write_bytes(content)
    with pytest.raises(NotACsv):
        importing.import_csv(pool, path, stop=threading.Event())
    assert not ImportRun.objects.exists()


def test_a_file_of_excel_with_its_mark_is_read(pool: Connection, tmp_path: Path) -> None:
    path = written(tmp_path / "users.csv", [person(1)])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert run(pool, path).created == 1


A = "a1b2c3d4-0000-4000-8000-00000000000"
TWO = f"Username,email,email_verified,given_name\n{A}1,ann@example.com,true,Ann\n{A}2,bob@example.com,true,Bób\n"


def details(done: ImportRun) -> list[tuple[str, str]]:
    return list(done.problem_rows.values_list("reason", "detail"))


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "cp1252"])
def test_separators_and_encodings(
    pool: Connection, tmp_path: Path, settings: Any, separator: str, encoding: str
) -> None:
    settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "ATTRIBUTES": {"given_name": "first_name"}}
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    path = tmp_path / "users.csv"
    path.write_bytes((mark + TWO.replace(",", separator)).encode(encoding))
    done = run(pool, path)
    assert (done.created, done.problems) == (2, 0)
    assert MigratedUser.objects.get(sub=f"{A}2").attributes == {"email_verified": "true", "given_name": "Bób"}


def test_lines_of_utf_16_end_where_they_end(pool: Connection, tmp_path: Path) -> None:
    """U+0A0A and U+010A have the byte of a line's end; the place to go on at is one of the file's bytes."""
    path = tmp_path / "users.csv"
    for encoding in ("utf-16-le", "utf-16-be"):
        text = f'\ufeffsub,name\r\n{A}1,"\u0a0a\u010a\r\nx"\r\n{A}2,\u0a0a\u010a\r\n{A}3\r\n'
        path.write_bytes(text.encode(encoding))
        done = run(pool, path, fresh=True)
        assert (done.seen, details(done)) == (3, [("malformed", "line 5: columns")]), encoding


@pytest.mark.parametrize("encoding", ["cp1250", "cp1251", "mac_roman", "cp850"])
def test_an_encoding_that_is_not_told_is_not_guessed(pool: Connection, tmp_path: Path, encoding: str) -> None:
    name = {"cp1250": "Paweł", "cp1251": "Анна"}.get(encoding, "Müller")
    path = tmp_path / "users.csv"
    path.write_bytes(f"sub,name\n{A}1,Ann\n{A}2,{name}\n".encode(encoding))
    with pytest.raises(
        NotACsv, match=r"Line 3 is neither UTF-8 nor surely Windows-1252\. Save the file as CSV in UTF-8"
    ):
        importing.import_csv(pool, path, stop=threading.Event())


def test_who_a_person_is_never_rests_on_a_guessed_encoding(pool: Connection, tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    path.write_bytes(f"sub,Username,name\n{A}1,Jürgen,Jürgen\n{A}2,ann,Jürgen\n".encode("cp1252"))
    done = run(pool, path)
    assert (done.created, details(done)) == (1, [("not_text", "line 2: cognito:username")])


def test_what_spreadsheets_leave_around_the_rows(pool: Connection, tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    path.write_text(
        f'sep=;\r\n\r\n"Username";"#";"email";"Enabled";"";\r\n\r\n {A}1 ;1; "ann@example.com";yes;;\r\n ;;;\r\n'
        f'"{A}2";2;"bob@example.com"; ;;; \r\n{A}3;3;cy@example.com;;;and more\r\n'
    )
    done = run(pool, path)
    assert (done.seen, done.created, details(done)) == (3, 2, [("malformed", "line 8: columns")])


def test_a_value_that_is_not_understood_is_named_with_its_line(pool: Connection, tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    words = ("1", "yes", "Enabled", "TRUE", "false", "perhaps")
    rows = "".join(f'u{n},{A}{n},"u{n}@example.com",true,{word}\n' for n, word in enumerate(words, start=1))
    path.write_text(f"cognito:username,sub,email,email_verified,Enabled\n{rows}u7,{A}7,u7,so so,true\n")
    found = importing.preview_csv(pool, path, stop=threading.Event())
    assert found.examples["skip", "not_understood"] == ["line 7: Enabled", "line 8: email, email_verified"]
    done = run(pool, path)
    assert details(done) == [
        ("not_understood", "line 7: Enabled"),
        ("not_understood", "line 8: email, email_verified"),
    ]
    assert [row.pool_enabled for row in MigratedUser.objects.order_by("sub")] == [True] * 4 + [False]


def test_a_problem_names_no_sub_that_the_database_does_not_take(pool: Connection, tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    path.write_text(f"sub,email\n{'x' * 3000},?\n{A}1,?\n")
    assert list(run(pool, path).problem_rows.values_list("sub", "detail")) == [
        ("", "line 2: email"),
        (f"{A}1", "line 3: email"),
    ]


def test_a_line_is_named_after_the_first_page_too(
    pool: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_source, "ROWS", 2)
    rows = [person(number, name="two\nlines") for number in range(5)]
    path = written(tmp_path / "users.csv", [*rows, person(3), person(6, email="?")])
    assert details(run(pool, path)) == [("duplicate", "line 12"), ("not_understood", "line 13: email")]


def test_the_sub_alone_is_enough_and_keeps_the_user_name_that_is_known(
    standin: StandIn, pool: Connection, tmp_path: Path
) -> None:
    path = tmp_path / "users.csv"
    path.write_text(f"sub,email\n{sub_of(1)},one@example.com\n{sub_of(2)},two@example.com\n")
    from_pool(standin, pool, listed(1, Username="ann"))
    run(pool, path)
    assert [row.username for row in MigratedUser.objects.order_by("sub")] == ["ann", sub_of(2)]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"email,name\n", "--columns HEADER=sub"),
        (b"", "Save the file as CSV in UTF-8"),
        ("sub,email\n".encode("utf-16-le"), "Save the file as CSV in UTF-8"),
        (b"sub,email\ra,b\r", "Save the file"),
    ],
)
def test_a_header_that_tells_nothing_is_refused_with_what_to_do(
    pool: Connection, tmp_path: Path, content: bytes, told: str
) -> None:
    path = tmp_path / "users.csv"
    path.write_bytes(content)
    with pytest.raises(NotACsv, match=told):
        importing.import_csv(pool, path, stop=threading.Event())


def test_stopped_and_continued_it_ends_as_if_undisturbed(
    pool: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_source, "ROWS", 2)
    path = written(tmp_path / "users.csv", [person(number, name="two\nlines") for number in range(7)])
    stop = threading.Event()
    half = run(pool, path, stop=stop, tell=lambda run: stop.set() if run.position else None)
    assert (half.state, half.seen) == ("interrupted", 2)
    rest = run(pool, path, fresh=False)
    assert (rest.pk, rest.state, rest.seen, rest.created) == (half.pk, "done", 7, 7)
    assert MigratedUser.objects.count() == 7


def test_another_file_is_not_gone_on_with(pool: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_source, "ROWS", 2)
    path = written(tmp_path / "users.csv", [person(number) for number in range(7)])
    stop = threading.Event()
    half = run(pool, path, stop=stop, tell=lambda run: stop.set() if run.position else None)
    written(path, [person(number) for number in range(6)])
    with pytest.raises(importing.NothingToContinue):
        run(pool, path, fresh=False)
    assert run(pool, path).pk != half.pk


class TestBesideThePool:
    """A file knows of second factors, the pool of everything else: neither takes away what the other one told."""

    def test_a_file_leaves_alone_what_it_has_no_column_for(
        self, standin: StandIn, pool: Connection, tmp_path: Path
    ) -> None:
        from_pool(standin, pool, listed(1, Enabled=False, phone_number="+4915112345678"))
        before = one()
        columns = ("cognito:username", "email", "cognito:mfa_enabled")
        chosen = {name: value for name, value in person(1, email="new@example.com").items() if name in columns}
        assert run(pool, written(tmp_path / "users.csv", [chosen], columns)).updated == 1
        after = one()
        for name in ("pool_status", "pool_enabled", "pool_created_at", "pool_modified_at", "phone_number"):
            assert getattr(after, name) == getattr(before, name), name
        assert (after.pool_enabled, after.email) == (False, "new@example.com")

    def test_a_dry_run_knows_who_stays_disabled(self, standin: StandIn, pool: Connection, tmp_path: Path) -> None:
        from_pool(standin, pool, listed(1, Enabled=False))
        found = importing.preview_csv(pool, written(tmp_path / "u.csv", [person(1)]), stop=threading.Event())
        assert dict(found.outcomes) == {("skip", "disabled"): 1}

    def test_an_address_that_a_file_says_nothing_of_stays(
        self, standin: StandIn, pool: Connection, tmp_path: Path
    ) -> None:
        from_pool(standin, pool, listed(1, email="Ann@Example.com"))
        columns = ("cognito:username", "cognito:mfa_enabled")
        chosen = {name: value for name, value in person(1).items() if name in columns}
        run(pool, written(tmp_path / "users.csv", [chosen], columns))
        assert (one().email, one().email_key) == ("Ann@Example.com", "ann@example.com")

    def test_a_second_factor_outlives_an_import_from_the_pool(
        self, standin: StandIn, pool: Connection, tmp_path: Path
    ) -> None:
        path = written(tmp_path / "users.csv", [person(1, **{"cognito:mfa_enabled": "TRUE"}), person(2)])
        run(pool, path)
        from_pool(standin, pool, listed(1), listed(2))
        known = {row.sub: row.attributes.get("cognito:mfa_enabled") for row in MigratedUser.objects.all()}
        # That somebody has none may have changed meanwhile.
        assert known == {sub_of(1): "true", sub_of(2): None}
        assert MigratedUser.objects.get(sub=sub_of(1)).attributes["email_verified"] == "true"
        # And goes when a file says so.
        run(pool, written(path, [person(1)]))
        assert MigratedUser.objects.get(sub=sub_of(1)).attributes["cognito:mfa_enabled"] == "false"

    def test_no_attribute_goes_that_a_file_has_no_column_for(
        self, standin: StandIn, pool: Connection, tmp_path: Path, settings: Any
    ) -> None:
        names = {"given_name": "first_name", "family_name": "last_name"}
        settings.COGNITO_PASSWORDLESS = {**settings.COGNITO_PASSWORDLESS, "ATTRIBUTES": names}
        from_pool(standin, pool, listed(1, given_name="Ann", family_name="Example"))
        before = one()
        path = tmp_path / "users.csv"
        for content in (f"sub,email\n{sub_of(1)},{before.email}\n", f"sub\n{sub_of(1)}\n"):
            path.write_text(content)
            assert run(pool, path).updated == 1
            assert one().attributes == before.attributes
            assert one().verified_keys == before.verified_keys
        path.write_text(f"sub,family_name\n{sub_of(1)},\n")
        run(pool, path)
        assert one().attributes == {n: v for n, v in before.attributes.items() if n != "family_name"}

    def test_a_verified_flag_stays_with_its_address(self, standin: StandIn, pool: Connection, tmp_path: Path) -> None:
        from_pool(standin, pool, listed(1))
        assert one().verified_keys
        path = tmp_path / "users.csv"
        path.write_text(f"sub,email\n{sub_of(1)},another@example.com\n")
        run(pool, path)
        assert (one().email, one().verified_keys) == ("another@example.com", set())

    def test_an_empty_cell_neither_enables_nor_disables(
        self, standin: StandIn, pool: Connection, tmp_path: Path
    ) -> None:
        from_pool(standin, pool, listed(1, Enabled=False, UserStatus="UNCONFIRMED"))
        path = tmp_path / "users.csv"
        path.write_text(f"sub,Enabled,UserStatus,UserCreateDate\n{sub_of(1)},,,\n{sub_of(2)},,,\n")
        before = one().pool_created_at
        run(pool, path)
        known, new = MigratedUser.objects.order_by("sub")
        assert (known.pool_enabled, known.pool_status, known.pool_created_at) == (False, "UNCONFIRMED", before)
        assert (new.pool_enabled, new.pool_status) == (True, "UNKNOWN")

    def test_a_file_that_tells_more_than_the_one_before_counts(
        self, standin: StandIn, pool: Connection, tmp_path: Path
    ) -> None:
        from_pool(standin, pool, listed(1, Enabled=False))
        path = tmp_path / "users.csv"
        path.write_text(f"sub\n{sub_of(1)}\n")
        run(pool, path)
        path.write_text(f"sub,Enabled\n{sub_of(1)},\n")
        run(pool, path)
        assert one().pool_enabled is False
        path.write_text(f"sub,Enabled\n{sub_of(1)},yes\n")
        run(pool, path)
        assert one().pool_enabled is True
