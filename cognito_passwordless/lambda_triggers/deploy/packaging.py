"""Building what is deployed: the template, and a reproducible zip of the modules that the functions need."""

import json
import re
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Any

from .parameters import PARAMETERS
from .template import LICENSE_NAME, README_NAME, template

ROOMS = ("lambda_triggers", "otp")
ZIP_NAME, TEMPLATE_NAME = "cognito-passwordless-lambda.zip", "template.yaml"
# The earliest time that a zip can hold: the same sources make the same bytes.
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
    checkout = _PACKAGE.parent / "LICENSE"
    licence = (
        checkout.read_text(encoding="utf-8")
        if checkout.is_file()
        else metadata.distribution("django-cognito-passwordless").read_text("licenses/LICENSE") or ""
    )
    (output / LICENSE_NAME).write_text(licence, encoding="utf-8")
    (output / README_NAME).write_text(readme(), encoding="utf-8")
    return archive, described


def version() -> str:
    try:
        return metadata.version("django-cognito-passwordless")
    except metadata.PackageNotFoundError:
        return "0.0.0"


def readme() -> str:
    """The stack's parameters, as a table."""
    defaults = {name: "" if about["Default"] == "" else f"`{about['Default']}`" for name, about in PARAMETERS.items()}
    rows = "".join(f"| `{name}` | {defaults[name]} | {about['Description']} |\n" for name, about in PARAMETERS.items())
    return (
        "# One-time codes for an Amazon Cognito user pool\n\n"
        "The triggers of a user pool, in Python, without any dependency beyond the Lambda runtime: people sign in\n"
        "with a code by SMS or e-mail.\n\n"
        f"| parameter | default | what |\n|---|---|---|\n{rows}"
    )


def write_zip(target: Path) -> None:
    """The package without `deploy` and `__main__`, which are the developer's tools and no function's."""
    rooms = [path for room in ROOMS for path in sorted((_PACKAGE / room).rglob("*.py"))]
    modules = [path for path in rooms if path.parent.name != "deploy" and path.name != "__main__.py"]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in [_PACKAGE / "__init__.py", *modules]:
            entry = zipfile.ZipInfo(path.relative_to(_PACKAGE.parent).as_posix(), EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, on every machine that builds it
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
