"""The senders: each a dotted path to something with a ``send``, and the options that it takes."""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.module_loading import import_string

from ..conf import DEFAULT_SENDERS, Limit
from .problems import SETTING, Messages, configured, error

EXAMPLE = '[{"BACKEND": "dotted.path", "OPTIONS": {}}]'


def channels(**kwargs: Any) -> Messages:
    return [
        error(
            "E221",
            f"{SETTING}['SENDERS'] has no channel {name!r}.",
            hint=f"There are {', '.join(sorted(DEFAULT_SENDERS))}.",
        )
        for name in _senders()
        if name not in DEFAULT_SENDERS
    ]


def entries(**kwargs: Any) -> Messages:
    found = []
    for channel in DEFAULT_SENDERS:
        chosen = _senders().get(channel, DEFAULT_SENDERS[channel])
        if not isinstance(chosen, list | tuple) or not all(map(_is_entry, chosen)):
            text = f"{SETTING}['SENDERS'][{channel!r}] is not a list of senders."
            hint = f"Write {EXAMPLE}: BACKEND is needed, OPTIONS are the sender's own, nothing else is known."
            found.append(error("E222", text, hint=hint))
    return found


def backends(**kwargs: Any) -> Messages:
    """The sender is looked at and not built: building it may open a connection."""
    found = []
    for channel, path, options in _all():
        try:
            sender = import_string(path)
        except ImportError as reason:
            text = f"{SETTING}['SENDERS'][{channel!r}]: '{path}' cannot be imported: {reason}."
            hint = "Fix the dotted path, or install what the sender needs."
            found.append(error("E223", text, hint=hint))
            continue
        if not callable(sender) or (isinstance(sender, type) and not callable(getattr(sender, "send", None))):
            text = f"{SETTING}['SENDERS'][{channel!r}]: '{path}' is not a sender."
            hint = "A sender is a class with a method send(message) that returns the provider's message id."
            found.append(error("E224", text, hint=hint))
            continue
        try:
            inspect.signature(sender).bind(**options)
        except TypeError as unfit:
            text = f"{SETTING}['SENDERS'][{channel!r}]: the OPTIONS of '{path}' do not fit: {unfit}."
            hint = "OPTIONS are the keyword arguments of the sender."
            found.append(error("E225", text, hint=hint))
    return found


def options(**kwargs: Any) -> Messages:
    """What each sender says about its own options. Nothing is sent."""
    found = []
    for channel, path, chosen in _all():
        if channel not in _senders():
            continue
        try:
            sender = import_string(path)(**chosen)
        except Exception:  # noqa: BLE001, S112  (`backends` reports what cannot be imported or built)
            continue
        complaints = list(sender.check()) if callable(getattr(sender, "check", None)) else []
        rate = getattr(sender, "rate", None)
        try:
            Limit.parse("1/1s" if rate is None else rate)
        except ValueError as reason:
            complaints.append(f"'rate': {reason}")
        hint = "docs/senders.md lists the options of each sender."
        place = f"{SETTING}['SENDERS'][{channel!r}]: '{path}'"
        found += [error("E226", f"{place}: {complaint}.", hint=hint) for complaint in complaints]
    return found


def _senders() -> Mapping[str, Any]:
    chosen = configured().get("SENDERS", {})
    return chosen if isinstance(chosen, Mapping) else {}


def _is_entry(entry: object) -> bool:
    return (
        isinstance(entry, Mapping)
        and isinstance(entry.get("BACKEND"), str)
        and isinstance(entry.get("OPTIONS", {}), Mapping)
        and entry.keys() <= {"BACKEND", "OPTIONS"}
    )


def _all() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for channel in DEFAULT_SENDERS:
        chosen = _senders().get(channel, DEFAULT_SENDERS[channel])
        if isinstance(chosen, list | tuple):
            yield from ((channel, entry["BACKEND"], entry.get("OPTIONS", {})) for entry in chosen if _is_entry(entry))
