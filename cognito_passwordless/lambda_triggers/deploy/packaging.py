"""Building what is deployed: a zip of what the functions need, the same byte for byte each time, and the template."""

import json
import re
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from .parameters import PARAMETERS
from .template import LICENSE_NAME, README_NAME, template

ROOMS = ("otp", "lambda_triggers")
ZIP_NAME, TEMPLATE_NAME = "cognito-passwordless-lambda.zip", "template.yaml"
# The earliest moment that a zip can hold, so that it does not tell when it was made.
EPOCH = (1980, 1, 1, 0, 0, 0)
_PACKAGE = Path(__file__).parents[2]
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_:./-]*")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def build(output: Path) -> tuple[Path, Path]:
    """Writes the zip and the template into ``output``, and returns where they are.

    Beside them lie the licence and a read-me, which a serverless application is published with.
    """
    output.mkdir(parents=True, exist_ok=True)
    archive, described = output / ZIP_NAME, output / TEMPLATE_NAME
    write_zip(archive)
    described.write_text(to_yaml(template(ZIP_NAME, version())), encoding="utf-8")
    (output / LICENSE_NAME).write_text(licence(), encoding="utf-8")
    (output / README_NAME).write_text(readme(), encoding="utf-8")
    return archive, described


def version() -> str:
    try:
        return metadata.version("django-cognito-passwordless")
    except metadata.PackageNotFoundError:
        return "0.0.0"


def licence() -> str:
    """The text of the licence, from the installed package or from the checkout."""
    checkout = _PACKAGE.parent / "LICENSE"
    if checkout.is_file():
        return checkout.read_text(encoding="utf-8")
    return metadata.distribution("django-cognito-passwordless").read_text("licenses/LICENSE") or ""


def readme() -> str:
    """What the stack asks for, as a table."""
    rows = "".join(
        f"| `{name}` | {_default(about['Default'])} | {about['Description']} |\n" for name, about in PARAMETERS.items()
    )
    return (
        "# One-time codes for an Amazon Cognito user pool\n\n"
        "The triggers of a user pool, in Python, without any dependency beyond the Lambda runtime: people sign in\n"
        "with a code by SMS or e-mail.\n\n"
        f"| parameter | default | what |\n|---|---|---|\n{rows}"
    )


def _default(value: object) -> str:
    return "" if value == "" else f"`{value}`"


def sources() -> Iterator[tuple[str, Path]]:
    """(name in the zip, file), in the order of names."""
    yield "cognito_passwordless/__init__.py", _PACKAGE / "__init__.py"
    for room in sorted(ROOMS):
        for path in sorted((_PACKAGE / room).rglob("*.py")):
            # Tools of the developer, which no function imports.
            if path.parent.name != "deploy" and path.name != "__main__.py":
                yield path.relative_to(_PACKAGE.parent).as_posix(), path


def write_zip(target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, path in sources():
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, whoever builds it
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes(), compresslevel=9)


def to_yaml(value: Any, indent: int = 0) -> str:
    """YAML of plain data, for people to read: the standard library has none."""
    space = "  " * indent
    if isinstance(value, dict) and value:
        return "".join(f"{space}{_scalar(str(key))}:{_below(item, indent)}" for key, item in value.items())
    if isinstance(value, list) and value:
        return "".join(f"{space}-{_below(item, indent)}" for item in value)
    return f"{space}{_scalar(value)}\n"


def _below(item: Any, indent: int) -> str:
    if isinstance(item, dict | list) and item:
        return "\n" + to_yaml(item, indent + 1)
    return f" {_scalar(item)}\n"


def _scalar(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS and value[-1] != ":":
        return value
    return json.dumps(value, ensure_ascii=False)
