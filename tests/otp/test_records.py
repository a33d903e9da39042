"""Our records stand in for dataclasses, so dataclasses are the oracle."""

import subprocess
import sys
from dataclasses import dataclass
from dataclasses import field as their_field
from pathlib import Path
from typing import Any

import pytest

import cognito_passwordless
from cognito_passwordless.otp.records import field, record, replace


@record(frozen=True, slots=True)
class Ours:
    a: int
    b: str = "b"
    c: bytes = field(default=b"c", repr=False)


@dataclass(frozen=True, slots=True)
class Theirs:
    a: int
    b: str = "b"
    c: bytes = their_field(default=b"c", repr=False)


@record(frozen=True, slots=True, kw_only=True)
class Named:
    a: int
    b: int = 2

    def __post_init__(self) -> None:
        if self.a < 0:
            raise ValueError("a is negative")


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((1,), {}),
        ((1, "x"), {"c": b"y"}),
        ((), {"a": 1}),
        ((), {}),
        ((1,), {"a": 2}),
        ((1, "x", b"y", 4), {}),
        ((1,), {"z": 1}),
    ],
)
def test_a_record_is_built_and_shown_as_a_dataclass_is(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    try:
        theirs = Theirs(*args, **kwargs)
    except TypeError:
        with pytest.raises(TypeError):
            Ours(*args, **kwargs)
        return
    ours = Ours(*args, **kwargs)
    assert repr(ours) == repr(theirs).replace("Theirs", "Ours")
    assert (ours.a, ours.b, ours.c) == (theirs.a, theirs.b, theirs.c)


def test_records_are_equal_by_value_and_kind() -> None:
    assert Ours(1) == Ours(1)
    assert hash(Ours(1)) == hash(Ours(1))
    assert Ours(1) != Ours(2)
    assert Ours(1) != Theirs(1)


def test_a_record_is_frozen() -> None:
    with pytest.raises(AttributeError):
        Ours(1).a = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        del Ours(1).a


def test_a_record_by_name_takes_nothing_by_position() -> None:
    with pytest.raises(TypeError):
        Named(1)  # type: ignore[misc]


def test_a_changed_copy_is_validated_again() -> None:
    assert replace(Named(a=1), b=3) == Named(a=1, b=3)
    with pytest.raises(ValueError, match="negative"):
        replace(Named(a=1), a=-1)


def test_codes_load_neither_dataclasses_nor_typing() -> None:
    script = (
        "import sys; before = set(sys.modules); from cognito_passwordless.otp import Keyring, Policy, derive, issue;"
        "print(sorted({'dataclasses', 'inspect', 'typing'} & (set(sys.modules) - before)))"
    )
    # Without `site`, which may load them: so the package must be found by name.
    where = {"PYTHONPATH": str(Path(cognito_passwordless.__path__[0]).parent)}
    found = subprocess.run([sys.executable, "-S", "-c", script], env=where, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
