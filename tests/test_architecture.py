"""The arrows of the design: who may import whom. Read from the code, so a forbidden import fails here."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import cognito_passwordless

ROOT = Path(cognito_passwordless.__file__).parent
PACKAGE = "cognito_passwordless"


def imports_of(path: Path) -> Iterator[str]:
    """The modules a file imports, own ones as ``room.module`` below the package."""
    module = path.relative_to(ROOT).with_suffix("").parts
    package = list(module[:-1])
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = [PACKAGE, *package[: len(package) - node.level + 1]] if node.level else []
            prefix = ".".join([*base, node.module] if node.module else base)
            yield prefix
            yield from (f"{prefix}.{alias.name}" for alias in node.names)


def files(*rooms: str) -> list[Path]:
    return [path for room in rooms for path in sorted((ROOT / room).rglob("*.py"))]


def offenders(paths: list[Path], *forbidden: str) -> dict[str, set[str]]:
    found = {}
    for path in paths:
        bad = {name for name in imports_of(path) if any(f"{name}.".startswith(f"{room}.") for room in forbidden)}
        if bad:
            found[str(path.relative_to(ROOT))] = bad
    return found


def own(*rooms: str) -> list[str]:
    return [f"{PACKAGE}.{room}" for room in rooms]


def test_the_package_itself_imports_nothing() -> None:
    assert list(imports_of(ROOT / "__init__.py")) == []


def test_the_rules_use_the_standard_library_only() -> None:
    import sys

    for path in files("otp", "identity"):
        for name in imports_of(path):
            own_room = f"{PACKAGE}.{path.relative_to(ROOT).parts[0]}"
            assert name.startswith(own_room) or name.split(".")[0] in sys.stdlib_module_names, (path, name)


@pytest.mark.parametrize("room", ["otp", "identity", "cognito", "lambda_triggers", "local"])
def test_what_talks_to_aws_knows_no_django(room: str) -> None:
    assert offenders(files(room), "django", "allauth", "celery") == {}


def test_the_pool_room_stands_alone() -> None:
    rooms = [path.stem for path in ROOT.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()]
    others = [room for room in rooms if room not in {"cognito", "__init__"}]
    assert offenders(files("cognito"), *own(*others)) == {}


def test_the_triggers_use_the_rules_and_the_pool_only() -> None:
    allowed = {"otp", "cognito", "lambda_triggers", "__init__"}
    rooms = [path.stem for path in ROOT.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()]
    assert offenders(files("lambda_triggers"), *own(*(room for room in rooms if room not in allowed))) == {}


def test_nothing_points_back_to_the_entrances() -> None:
    entrances = own(
        *("views", "urls", "forms", "tasks", "browser", "admin", "management", "provider", "adapters", "apps"),
        *("steps", "step_outputs", "step_messages"),
    )
    work = [*files("flows", "delivery", "cognito", "identity", "otp", "models"), ROOT / "conf.py", ROOT / "compat.py"]
    assert offenders(work, *entrances) == {}


def test_delivery_knows_no_flow_and_no_model() -> None:
    assert offenders(files("delivery"), *own("flows", "models")) == {}


def test_only_compat_touches_allauths_internals() -> None:
    inside = [path for path in ROOT.rglob("*.py") if path.name != "compat.py"]
    internals = (
        "allauth.account.internal",
        "allauth.socialaccount.internal",
        "allauth.mfa.internal",
        "allauth.core.internal",
        "allauth.account.utils",
        "allauth.account.app_settings",
    )
    assert offenders(inside, *internals) == {}


@pytest.mark.parametrize("room", ["otp", "identity", "lambda_triggers"])
def test_no_modules_go_in_a_circle(room: str) -> None:
    """Imports inside functions and for types count as well: they only hide a circle."""
    below = f"{PACKAGE}.{room}"
    modules = {_name(path): set(imports_of(path)) for path in files(room)}
    left = {name: {other for other in used if other in modules} - {name, below} for name, used in modules.items()}
    while free := [name for name, used in left.items() if not used & left.keys()]:
        for name in free:
            del left[name]
    assert left == {}


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
