"""docs/public-api.md names what there is: each name imports, and each list is complete."""

import ast
import re
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.apps import apps
from django.dispatch import Signal
from django.utils.module_loading import import_string

import cognito_passwordless
from cognito_passwordless import adapters, exceptions, local, signals, steps, tasks, urls

ROOT = Path(__file__).parent.parent
PACKAGE = Path(cognito_passwordless.__file__).parent
PAGE = (ROOT / "docs" / "public-api.md").read_text()
NAMES = sorted(set(re.findall(r"`(cognito_passwordless(?:\.\w+)+)`", PAGE)))
MODULES = {module.__name__: module for module in (adapters, exceptions, local, signals, steps, tasks)}
SIGNALS = dict(re.findall(r"^\| `cognito_passwordless\.signals\.(\w+)` \| ([^|]+) \|", PAGE, re.MULTILINE))


def section(title: str) -> str:
    found = re.search(rf"^## {title}$(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert found, title
    return found[1]


def words(text: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", text))


@pytest.mark.parametrize("name", NAMES)
def test_every_name_imports(name: str) -> None:
    try:
        import_module(name)
    except ModuleNotFoundError:
        import_string(name)


@pytest.mark.parametrize("module", MODULES.values(), ids=MODULES)
def test_what_a_module_declares_is_on_the_page(module: ModuleType) -> None:
    named = {name.rpartition(".")[2] for name in NAMES if name.rpartition(".")[0] == module.__name__}
    assert named == set(module.__all__)


def test_the_url_names_are_all_there() -> None:
    assert {pattern.name for pattern in urls.urlpatterns} <= words(section("URLs"))


def test_the_templates_of_pages_and_messages_are_all_there() -> None:
    place = PACKAGE / "templates" / "cognito_passwordless"
    text = "".join((ROOT / "docs" / name).read_text() for name in ("pages.md", "messages.md"))
    assert {path.name for path in place.rglob("*.*") if f"{path.name}`" not in text} == set()


def test_the_commands_are_all_there() -> None:
    there = {path.stem for path in (PACKAGE / "management" / "commands").glob("cognito_*.py")}
    assert there == {word for word in words(section("Commands")) if word.startswith("cognito_")}


def test_every_trigger_has_its_handler() -> None:
    modules = [path for path in (PACKAGE / "lambda_triggers").glob("*.py") if "\ndef handler(" in path.read_text()]
    there = {f"cognito_passwordless.lambda_triggers.{path.stem}.handler" for path in modules}
    assert there == {name for name in NAMES if name.endswith(".handler")}
    assert len(there) == 13


@pytest.mark.parametrize(
    ("model", "fields"), re.findall(r"^\| `(\w+)` \| (`.*`) \|$", section("Models"), re.MULTILINE)
)
def test_the_fields_of_a_model_are_there(model: str, fields: str) -> None:
    names = {field.name for field in apps.get_model("cognito_passwordless", model)._meta.get_fields()}
    assert words(fields) <= names


def sent() -> dict[str, list[set[str]]]:
    """The arguments of each signal, as the package's own calls have them."""
    found: dict[str, list[set[str]]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id=name), attr="send" | "send_robust"), keywords=[*keywords]
                ) if isinstance(getattr(signals, name, None), Signal):
                    found.setdefault(name, []).append({str(keyword.arg) for keyword in keywords} - {"sender"})
    return found


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_is_sent_with_the_arguments_of_its_type_and_of_the_page(name: str) -> None:
    typed: Any = getattr(signals, {"journey_event": "JourneyEventRecorded"}.get(name, camel(name)))
    calls = sent()[name]
    assert [call for call in calls if call != set(typed.__annotations__) - {"signal"}] == []
    assert words(SIGNALS[name]) == calls[0]


def camel(name: str) -> str:
    return "".join(word.title() for word in name.split("_"))
