"""Every block of the documentation: Python compiles, imports and configures; a command exists, with these options."""

import ast
import importlib
import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path
from typing import Any

import pytest
from celery.bin.beat import beat
from celery.bin.worker import worker
from django.conf import settings
from django.core.checks import run_checks
from django.core.management import get_commands, load_command_class
from django.test import override_settings

from .services import package

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
KINDS = {"console", "css", "json", "mermaid", "python", "sh", "text"}
# Not of this repository, and not installed for its tests.
FOREIGN = {"docker", "gunicorn", "jq", "sam"}
ENVIRONMENT = {
    "COGNITO_CLIENT_ID": "client",
    "COGNITO_CLIENT_SECRET": "secret",
    "DJANGO_HMAC_KEY": "0123456789abcdef" * 4,
    "TWILIO_ACCOUNT_SID": f"AC{'0' * 32}",
    "TWILIO_AUTH_TOKEN": "0" * 32,
    "TWILIO_SERVICE_SID": f"MG{'0' * 32}",
}
OUR_COMMANDS = {"cognito_passwordless.local": "", "cognito_passwordless.lambda_triggers": "build attach"}


def blocks(*kinds: str) -> list[Any]:
    found = [(page, enumerate(BLOCK.findall(page.read_text()), 1)) for page in PAGES]
    return [
        pytest.param(textwrap.dedent(text), id=f"{page.name}-{number}")
        for page, numbered in found
        for number, (_, kind, text) in numbered
        if kind in kinds
    ]


def test_every_block_says_what_it_is() -> None:
    # A bare fence that opens would be in no test.
    for page in PAGES:
        fences = re.findall(r"^ *```(\S*)", page.read_text(), re.MULTILINE)
        assert set(fences[1::2]) <= {""}, page.name
        assert "" not in fences[::2], page.name
        assert {kind for kind in fences[::2] if not kind.startswith("{")} <= KINDS, page.name


def parsed(text: str) -> ast.Module:
    """A block, or one entry of a dict: some show no more than that."""
    try:
        return ast.parse(text)
    except SyntaxError:
        return ast.parse("{" + text + "}")


@pytest.mark.parametrize("text", blocks("python"))
def test_python_compiles_and_imports_what_there_is(text: str) -> None:
    for node in ast.walk(parsed(text)):
        if isinstance(node, ast.ImportFrom) and not node.level and is_here(node.module or ""):
            module = importlib.import_module(node.module or "")
            for name in node.names:
                assert hasattr(module, name.name) or importlib.util.find_spec(f"{node.module}.{name.name}"), name.name


def is_here(module: str) -> bool:
    """Ours, or of a package that ours needs; the reader's own `mysite` is not."""
    return module.partition(".")[0] in {"allauth", "celery", "cognito_passwordless", "django"}


@pytest.mark.parametrize("text", [*blocks("python"), *blocks("text")])
def test_settings_pass_the_checks(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"COGNITO_PASSWORDLESS", "SOCIALACCOUNT_PROVIDERS"}
    try:
        tree = parsed(text)
    except SyntaxError:
        return
    wanted = [
        node
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in names
    ]
    if not wanted or "json.loads" in text:
        return
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    module = ast.Module(body=list(wanted), type_ignores=[])
    made: dict[str, Any] = {"os": os, "env": os.environ}
    exec(compile(module, "block", "exec"), made)
    changed = {name: made[name] for name in names & made.keys()}
    if ours := changed.get("COGNITO_PASSWORDLESS"):
        changed["COGNITO_PASSWORDLESS"] = {**settings.COGNITO_PASSWORDLESS, **ours}
    with override_settings(**changed):
        found = [message for message in run_checks() if message.level >= 40]
    # The reader's own modules are not here.
    assert [message for message in found if "mysite" not in f"{message.msg}{message.hint}"] == []


@pytest.mark.parametrize("text", blocks("json"))
def test_json_is_json(text: str) -> None:
    assert json.loads(text)


def command_lines() -> list[Any]:
    found: list[Any] = []
    for block in blocks("sh", "console"):
        text = block.values[0].replace("\\\n", " ")
        lines = text.splitlines()
        if any(line.startswith("$ ") for line in lines):
            lines = [line[2:] for line in lines if line.startswith("$ ")]
        for number, line in enumerate(filter(str.strip, lines)):
            found += [pytest.param(piece, id=f"{block.id}-{number}") for piece in line.split(" | ")]
    return found


@pytest.mark.parametrize("line", command_lines())
def test_a_command_exists_with_these_options(line: str) -> None:
    words = shlex.split(line, comments=True)
    while re.match(r"[A-Z_]+=", words[0]):
        words.pop(0)
    if words[0] == "python":
        words.pop(0)
    program, *arguments = words
    if program == "manage.py":
        django_command(arguments)
    elif program == "-m":
        module_command(*arguments)
    elif program == "make":
        targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        assert {word for word in arguments if "=" not in word} <= targets
    elif program == "pip":
        extras_exist(line)
    elif program == "celery":
        celery_command(arguments)
    elif program.endswith((".py", "/run", "/tox", "/pre-commit")):
        assert not program.startswith("docs/") or (ROOT / program).exists()
    else:
        assert program in FOREIGN


def django_command(arguments: list[str]) -> None:
    name, *options = arguments
    command = load_command_class(get_commands()[name], name)
    command._called_from_command_line = True  # type: ignore[attr-defined]
    command.create_parser("manage.py", name).parse_args(options)


def module_command(name: str, *arguments: str) -> None:
    if name == "pytest":
        assert [path for path in arguments if path.startswith("tests/") and not (ROOT / path).exists()] == []
        return
    if name not in OUR_COMMANDS:
        assert importlib.util.find_spec(name)
        return
    if name.endswith(".local"):
        package("moto")
    subcommand = [arguments[0]] if OUR_COMMANDS[name] else []
    assert not subcommand or subcommand[0] in OUR_COMMANDS[name].split()
    done = subprocess.run(
        [sys.executable, "-m", name, *subcommand, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert [option for option in arguments if option.startswith("--") and option not in done.stdout] == []


def extras_exist(line: str) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for named in re.findall(r"django-cognito-passwordless\[([\w,-]+)\]", line):
        assert set(named.split(",")) <= set(extras)


def celery_command(arguments: list[str]) -> None:
    command = {"worker": worker, "beat": beat}[arguments[arguments.index("--app") + 2]]
    known = {name for parameter in command.params for name in parameter.opts}
    used = {word for word in arguments if word.startswith("--")} - {"--app"}
    assert used <= known
