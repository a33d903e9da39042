"""The documentation says what the code says: settings with their defaults, variables, links that lead somewhere."""

import ast
import re
from pathlib import Path

import pytest

import cognito_passwordless
import example_project
from cognito_passwordless import conf
from cognito_passwordless.cognito.connection_rules import SETTINGS as CONNECTION_SETTINGS
from cognito_passwordless.otp import Policy
from cognito_passwordless.otp.policy import BOUNDS

from .test_architecture import ARROWS

ROOT = Path(__file__).parent.parent
PACKAGE = Path(cognito_passwordless.__file__).parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
STARTS = {path.name for path in [*ROOT.iterdir(), *PACKAGE.iterdir()] if path.is_dir()}
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")


def settings_page() -> str:
    return (ROOT / "docs" / "settings.md").read_text()


def row(key: str) -> str:
    """The rest of the table row of a setting."""
    found = re.search(rf"^\| [^|]*`{key}`[^|]*\|(.*)$", settings_page(), re.MULTILINE)
    assert found, f"docs/settings.md has no row for {key}"
    return found[1]


def anchors(page: Path) -> set[str]:
    """The fragments of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("key", sorted(conf.KEYS - {"OTP", "LIMITS"}))
def test_every_setting_has_its_row(key: str) -> None:
    assert row(key)


@pytest.mark.parametrize("field", BOUNDS)
def test_the_policy_has_its_defaults_and_bounds(field: str) -> None:
    least, most = BOUNDS[field]
    assert row(field.upper()).split("|")[:2] == [f" `{getattr(Policy(), field)}` ", f" {least} to {most} "]


@pytest.mark.parametrize(("name", "limit"), conf.DEFAULT_LIMITS.items())
def test_limits_have_their_defaults(name: str, limit: str) -> None:
    assert row(name).startswith(f' `"{limit}"` ')


def test_retention_has_its_defaults() -> None:
    assert str(dict(conf.DEFAULT_RETENTION)).replace("'", '"') in row("RETENTION")


@pytest.mark.parametrize("name", CONNECTION_SETTINGS)
def test_every_setting_of_a_connection_is_there(name: str) -> None:
    assert f"`{name}`" in settings_page().partition("## Connections")[2]


def test_every_variable_of_the_example_project_is_there() -> None:
    directory = Path(example_project.__file__).parent
    sources = "".join((directory / name).read_text() for name in ("settings.py", "cognito.py"))
    variables = set(re.findall(r'"([A-Z][A-Z_]+)"', "\n".join(re.findall(r"env[^\n]*\(.*|\": \"COGNITO_.*", sources))))
    page = (ROOT / "docs" / "example-project.md").read_text()
    assert {name for name in variables if f"`{name}`" not in page} == set()
    assert len(variables) > 20


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target, fragment in LINK.findall(page.read_text()):
        path = (page.parent / target).resolve() if target else page
        if path.suffix == ".png":
            continue  # pictures are made by the browser tests
        assert path.exists(), target
        assert not fragment or fragment in anchors(path), f"{target}#{fragment}"


def test_the_architecture_names_every_room_and_no_other() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    lines = re.findall(r"^[├└]── ((?:[\w.]+/? )*[\w.]+/?)(?:  |$)", page, re.MULTILINE)
    assert {name for line in lines for name in line.split()} == names_in(PACKAGE)


def test_the_architecture_has_the_rooms_of_flows_in_the_order_of_their_arrows() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text().partition("## The rooms of `flows`")[2]
    rooms = [room.rstrip("/") for room in re.findall(r"^\| `(\w+/?)` \|", page.partition("\n## ")[0], re.MULTILINE)]
    assert set(rooms) == {name.removesuffix(".py").rstrip("/") for name in names_in(PACKAGE / "flows")}
    for room, imported in ARROWS["flows"].items():
        assert set(imported.split()) <= set(rooms[: rooms.index(room)]), room


def names_in(folder: Path) -> set[str]:
    """What lies right below a folder of the package: `name.py` and `name/`."""
    folders = {f"{path.name}/" for path in folder.iterdir() if path.is_dir() and path.name != "__pycache__"}
    return folders | {path.name for path in folder.glob("*.py") if path.name != "__init__.py"}


PATH = re.compile(r"`((?:\w+/)+(?:\w+\.py)?)`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_of_code_exist(page: Path) -> None:
    """A path in back-ticks begins here, in the package or in its templates; a bare file name may be the reader's."""
    paths = {path for path in PATH.findall(page.read_text()) if path.partition("/")[0] in STARTS}
    places = (ROOT, PACKAGE, PACKAGE / "templates")
    assert {path for path in paths if not any((place / path).exists() for place in places)} == set()


def laws() -> dict[int, str]:
    """Each law's text by its number, from docs/laws.md."""
    parts = re.split(r"^## Law (\d+): .*$", (ROOT / "docs" / "laws.md").read_text(), flags=re.MULTILINE)
    return {int(number): text for number, text in zip(parts[1::2], parts[2::2], strict=True)}


CITED = re.compile(r"\blaws?\s+\(?(\d+(?:(?:,|\s+and|,\s+and)\s+\d+)*)", re.IGNORECASE)
CITING = [PACKAGE, ROOT / "tests", ROOT / "example_project"]


def test_every_law_that_is_cited_is_one_of_the_page() -> None:
    texts = [path.read_text() for place in CITING for path in sorted(place.rglob("*.py"))]
    cited = {int(number) for text in texts for found in CITED.findall(text) for number in re.findall(r"\d+", found)}
    assert cited <= set(laws()) == set(range(1, 15))
    assert len(cited) > 10


@pytest.mark.parametrize("number", range(1, 15))
def test_a_law_has_two_lines_and_tests_that_exist(number: int) -> None:
    text, _, held_by = laws()[number].strip().partition("\n\nHeld by ")
    assert len(text.splitlines()) == 2
    tests = re.findall(r"\[`([^`:]+)(?:::(\w+))?`\]\(\.\./([^)]+)\)", held_by)
    assert tests
    for path, name, target in tests:
        assert path == target
        assert f"def {name or 'test_'}" in (ROOT / path).read_text(), (path, name)


def rooms() -> list[Path]:
    """The folders of the package whose `__init__` says what they are for."""
    # The package itself imports nothing and says nothing; Django reads the other two by their place.
    without = {PACKAGE, PACKAGE / "migrations", PACKAGE / "management" / "commands"}
    return sorted({path.parent for path in PACKAGE.rglob("__init__.py")} - without)


@pytest.mark.parametrize("room", rooms(), ids=lambda room: str(room.relative_to(PACKAGE)))
def test_every_room_names_the_laws_and_the_words(room: Path) -> None:
    docstring = ast.get_docstring(ast.parse((room / "__init__.py").read_text())) or ""
    assert {page for page in ("docs/laws.md", "docs/glossary.md") if page not in docstring} == set()
    assert not docstring.startswith("Laws")


def answers() -> list[tuple[str, str]]:
    """Each path of docs/where.md with the names that its module defines."""
    page = (ROOT / "docs" / "where.md").read_text()
    return re.findall(r"^\| [^|`]+ \| `([^`]+)` \| ([^|]*) \|$", page, re.MULTILINE)


def test_twenty_questions_are_answered() -> None:
    page = (ROOT / "docs" / "where.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| ") and not line.startswith("| where")]
    assert len(rows) == len(answers()) >= 20


@pytest.mark.parametrize(("path", "names"), answers())
def test_what_is_asked_for_is_there(path: str, names: str) -> None:
    assert set(re.findall(r"`(\w+)`", names)) <= defined(PACKAGE / path)


def defined(module: Path) -> set[str]:
    """The names that a module itself defines, at its top level."""
    found: set[str] = set()
    for node in ast.parse(module.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


def test_the_five_errands_touch_at_most_three_files_each() -> None:
    table = (ROOT / "CONTRIBUTING.md").read_text().partition("## Five errands")[2]
    rows = re.findall(r"^\| ([^|`]+) \| ([^|]+) \| [^|]+ \|$", table, re.MULTILINE)[1:]
    assert len(rows) == 5
    for _, files in rows:
        named = re.findall(r"`([\w/]+/(?:\w+\.py)?)`", files)
        assert 1 <= len(named) <= 3
        assert [path for path in named if not (PACKAGE / path).exists()] == []
