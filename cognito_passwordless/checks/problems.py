"""What the checks share: messages with ids, and reading settings that may be wrong."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar, cast

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004  (Django's name for it)
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

TAG = "cognito_passwordless"
SETTING = "COGNITO_PASSWORDLESS"
T = TypeVar("T")
Messages = list[CheckMessage]


class Check(Protocol):
    """What Django calls."""

    __name__: str

    def __call__(self, *, databases: Any = None, **kwargs: Any) -> Messages: ...


def error(number: str, text: str, *, hint: str) -> CheckMessage:
    """Something that does not work, or is a security hole."""
    return Error(text, hint=hint, id=f"{TAG}.{number}")


def warning(number: str, text: str, *, hint: str) -> CheckMessage:
    """Something that works, and that a site should know."""
    return Warning(text, hint=hint, id=f"{TAG}.{number}")


def configured() -> Mapping[str, Any]:
    """The site's own settings dict, unread; empty where it is no dict, which `settings.is_dict` reports."""
    value = getattr(settings, SETTING, {})
    return value if isinstance(value, Mapping) else {}


def usable(read: Callable[[], T], otherwise: Any) -> T:
    """What a setting says, or ``otherwise`` where it cannot be used: the setting's own check reports it."""
    try:
        return read()
    except ImproperlyConfigured:
        return cast("T", otherwise)


def cannot_import(path: object) -> str:
    """Why ``path`` is no dotted path of something callable; empty where it is one."""
    if not isinstance(path, str):
        return "it is not a dotted path"
    try:
        found = import_string(path)
    except ImportError as reason:
        return str(reason)
    return "" if callable(found) else "it cannot be called"
