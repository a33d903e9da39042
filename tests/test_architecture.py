"""The arrows of the design: who may import whom. Read from the code, so a forbidden import fails here."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import cognito_passwordless

ROOT = Path(cognito_passwordless.__file__).parent
PACKAGE = "cognito_passwordless"
# Each room and the rooms that it imports, by house: the package itself, and the rooms that have rooms. A room stands
# below all that it imports.
ARROWS: dict[str, dict[str, str]] = {
    "": {
        "causes": "",
        "compat": "",
        "exceptions": "",
        "identity": "",
        "otp": "",
        "cognito": "identity otp",
        "conf": "otp",
        "lambda_triggers": "otp",
        "user_fields": "compat",
        "delivery": "cognito conf identity otp",
        "identifiers": "conf exceptions identity",
        "interruption": "",
        "local": "interruption lambda_triggers",
        "texts": "conf",
        "models": "cognito identifiers identity otp",
        "connections": "cognito compat conf identifiers models",
        "keys": "models otp",
        "signals": "cognito models",
        "flows": "causes cognito compat conf connections delivery exceptions identifiers identity keys models "
        "otp signals user_fields",
        "provider": "cognito connections models",
        "adapters": "compat conf connections delivery exceptions flows identifiers identity models otp provider texts",
        "lambda_endpoints": "cognito conf connections flows lambda_triggers",
        "management": "causes cognito connections exceptions flows identifiers interruption local models",
        "steps": "causes cognito compat conf connections exceptions flows identifiers identity models otp texts",
        "tasks": "delivery exceptions flows identity",
        "web": "cognito compat conf connections exceptions flows identifiers identity keys models otp texts",
        "headless": "compat exceptions flows models texts web",
        "checks": "adapters cognito compat conf connections flows models user_fields",
        "urls": "web",
        "admin": "causes checks cognito connections exceptions flows identifiers keys models otp",
        "apps": "checks flows web",
        "templatetags": "admin flows models",
    },
    "flows": {
        "events": "",
        "limits": "",
        "accounts": "events",
        "challenges": "",
        "progress": "events",
        "adopting": "accounts",
        "conflicts": "accounts events",
        "pool_sync": "accounts events limits",
        "purge": "progress",
        "sending": "accounts challenges events limits",
        "lifecycle": "accounts conflicts events pool_sync",
        "migration": "accounts challenges pool_sync",
        "importing": "accounts migration",
        "sign_in": "accounts challenges events lifecycle limits migration sending",
        "doctor": "accounts adopting challenges limits sending sign_in",
        "hosted_login": "challenges events limits sending sign_in",
        "steps": "challenges limits sending sign_in",
    },
    "cognito": {
        "causes": "",
        "values": "",
        "connection_rules": "values",
        "errors": "causes",
        "connection": "connection_rules values",
        "client": "connection errors",
        "sign_in": "client connection errors",
        "users": "client connection errors values",
        "oidc": "connection connection_rules errors sign_in",
        "profile": "users values",
        "caches": "client oidc",
        "diagnostics": "client connection errors oidc values",
    },
    "lambda_triggers": {
        "deploy": "",
        "errors": "",
        "__main__": "deploy",
        "core": "errors",
        "aws": "core errors",
        "rules": "aws core errors",
        "runtime": "aws core errors",
        "inbound_federation": "core errors runtime",
        "messages": "aws core errors runtime",
        "pre_sign_up": "core errors rules runtime",
        "site": "aws core errors runtime",
        "challenge": "aws core errors messages runtime",
        "custom_email_sender": "messages runtime",
        "custom_message": "core messages runtime",
        "custom_sms_sender": "messages runtime",
        "post_authentication": "core runtime site",
        "post_confirmation": "core runtime site",
        "pre_authentication": "core errors runtime site",
        "pre_token_generation": "core rules runtime site",
        "user_migration": "core errors runtime site",
        "create_auth_challenge": "challenge core errors messages runtime",
        "define_auth_challenge": "challenge core runtime",
        "sign_up_hooks": "challenge core errors",
        "verify_auth_challenge_response": "challenge core runtime",
    },
    "local": {
        "errors": "",
        "testing": "",
        "backend": "errors",
        "seed": "backend",
        "triggers": "backend errors",
        "__main__": "seed",
        "messages": "backend errors testing triggers",
        "own_triggers": "messages testing triggers",
        "sign_in": "backend errors messages testing triggers",
        "hosted": "backend errors messages sign_in testing triggers",
        "listeners": "",
        "patches": "backend errors sign_in triggers",
        "proxy": "hosted testing",
        "server": "backend hosted listeners messages patches proxy sign_in testing triggers",
    },
}


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

    for path in [*files("otp", "identity"), ROOT / "causes.py"]:
        for name in imports_of(path):
            own_room = f"{PACKAGE}.{path.relative_to(ROOT).parts[0]}"
            assert name.startswith(own_room) or name.split(".")[0] in sys.stdlib_module_names, (path, name)


@pytest.mark.parametrize("room", ["otp", "identity", "cognito", "lambda_triggers", "local"])
def test_what_talks_to_aws_knows_no_django(room: str) -> None:
    assert offenders(files(room), "django", "allauth", "celery") == {}


def test_only_compat_touches_allauths_internals() -> None:
    inside = [path for path in ROOT.rglob("*.py") if path.relative_to(ROOT).parts[0] != "compat"]
    internals = (
        "allauth.account.internal",
        "allauth.socialaccount.internal",
        "allauth.mfa.internal",
        "allauth.core.internal",
        "allauth.account.utils",
        "allauth.account.app_settings",
        "allauth.headless",
    )
    assert offenders(inside, *internals) == {}


@pytest.mark.parametrize("house", ARROWS)
def test_the_arrows_between_rooms_are_those_of_the_table(house: str) -> None:
    table = {room: set(allowed.split()) for room, allowed in ARROWS[house].items()}
    found: dict[str, set[str]] = {room: set() for room in table}
    for path in files(house):
        below = path.relative_to(ROOT / house).parts
        room = below[0].removesuffix(".py")
        if room in {"__init__", "migrations"}:
            continue
        used = {name.removeprefix(_dotted(house)).split(".")[0] for name in imports_of(path) if _is_below(name, house)}
        found.setdefault(room, set()).update(used - {room, "__init__", ""})
    # Both ways: an arrow that is not drawn fails, and so does a room or an arrow that is drawn and not there.
    assert found == table


@pytest.mark.parametrize("house", ARROWS)
def test_no_arrow_of_the_table_points_back(house: str) -> None:
    """A room imports only rooms that stand above it in the table, so there is no circle."""
    seen: set[str] = set()
    for room, allowed in ARROWS[house].items():
        assert set(allowed.split()) <= seen, room
        seen.add(room)


@pytest.mark.parametrize("room", ["otp", "identity", "lambda_triggers", "cognito", "local", "flows"])
def test_no_modules_go_in_a_circle(room: str) -> None:
    """Imports inside functions and for types count as well: they only hide a circle."""
    modules = {_name(path): set(imports_of(path)) for path in files(room)}
    packages = {_name(path) for path in files(room) if path.name == "__init__.py"}
    left = {name: {other for other in used if other in modules} - {name} - packages for name, used in modules.items()}
    while free := [name for name, used in left.items() if not used & left.keys()]:
        for name in free:
            del left[name]
    assert left == {}


def _dotted(house: str) -> str:
    return f"{PACKAGE}.{house}." if house else f"{PACKAGE}."


def _is_below(name: str, house: str) -> bool:
    """Whether an imported name is a room of this house; what a house's own `__init__` offers is not."""
    rest = name.removeprefix(_dotted(house))
    first = rest.split(".")[0]
    place = ROOT / house / first
    return rest != name and (place.with_suffix(".py").exists() or (place / "__init__.py").exists())


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
