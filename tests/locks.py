"""What the locks in `requirements/` hold."""

from collections.abc import Mapping
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parent.parent
LOCKS = ROOT / "requirements"
HERE = {name: str(value) for name, value in default_environment().items()}


def applies(requirement: Requirement, environment: Mapping[str, str]) -> bool:
    return requirement.marker is None or requirement.marker.evaluate(dict(environment))


def pins(lock: Path, environment: Mapping[str, str] = HERE) -> dict[str, Version]:
    """The releases that a lock installs there."""
    lines = (line.removesuffix(" \\") for line in lock.read_text().splitlines() if "==" in line and line[0].isalpha())
    wanted = [pin for pin in map(Requirement, lines) if applies(pin, environment)]
    found = {pin.name: Version(next(iter(pin.specifier)).version) for pin in wanted}
    assert len(found) == len(wanted), f"{lock.name} pins a package twice"
    return found
