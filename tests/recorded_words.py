"""Every word of the package that can be recorded as a cause, read from the code.

A word is a text that reaches a parameter, a keyword or an attribute called ``cause``, ``reason`` and the like:
directly, by the name of a constant or of a local variable, or as what a function returns.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import cognito_passwordless

ROOT = Path(cognito_passwordless.__file__).parent
ROOMS = ("adapters", "delivery", "exceptions", "flows", "lambda_endpoints", "provider", "steps", "tasks", "web")
# What these say is stored nowhere, or is a choice of a model, whose labels are its words.
NOT_RECORDED = ("flows/adopting/", "flows/doctor/", "flows/progress/", "flows/importing/diff.py")
FIELDS = frozenset({"blocked", "cause", "decoy_reason", "last_error", "left_out", "obstacle", "reason", "refusal"})
FIELDS |= {"reason_of", "unproven", "why_not"}
OUTCOMES = {"conflict", "create", "failed", "link", "skip", "wait"}  # of a dry run: `(outcome, reason)`


class _Module:
    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.values: dict[str, list[tuple[ast.expr, int | None]]] = defaultdict(list)
        self.parameters: dict[str, list[list[str]]] = defaultdict(list)
        self.returned: dict[str, list[ast.expr]] = defaultdict(list)
        for node in ast.walk(tree):
            match node:
                case ast.Assign(targets=[ast.Tuple(elts=targets)], value=value):
                    for index, target in enumerate(targets):
                        self.values[_name(target)].append((value, index))
                case (
                    ast.Assign(targets=[target], value=value) | ast.AnnAssign(target=target, value=ast.expr() as value)
                ):
                    self.values[_name(target)].append((value, None))
                case ast.FunctionDef(name=name, args=arguments):
                    names = [each.arg for each in (*arguments.posonlyargs, *arguments.args)]
                    self.parameters[name].append(names[1:] if names[:1] in (["self"], ["cls"]) else names)
                    self.returned[name] += [
                        each.value for each in ast.walk(node) if isinstance(each, ast.Return) and each.value
                    ]
                case ast.ClassDef(name=name, body=body):
                    starts = [
                        [each.arg for each in item.args.args[1:]]
                        for item in body
                        if isinstance(item, ast.FunctionDef) and item.name == "__init__"
                    ]
                    fields = [_name(item.target) for item in body if isinstance(item, ast.AnnAssign)]
                    self.parameters[name] += starts or [fields]

    def recorded(self, others: list["_Module"]) -> Iterator[str]:
        for node in ast.walk(self.tree):
            match node:
                case ast.Call(func=function, args=arguments, keywords=keywords):
                    values = [each.value for each in keywords if each.arg in FIELDS]
                    for module in self._defining(_name(function), others):
                        for names in module.parameters[_name(function)]:
                            values += [v for name, v in zip(names, arguments, strict=False) if name in FIELDS]
                case ast.Tuple(elts=[ast.Constant(str() as outcome), value]) if outcome in OUTCOMES:
                    values = [value]
                case ast.FunctionDef(name=name) if name.strip("_") in FIELDS:
                    values = self.returned[name]
                case _:
                    continue
            for value in values:
                yield from self._texts(value, None, others, set())
        for name in FIELDS & self.values.keys():
            yield from self._texts(ast.Name(name), None, others, set())

    def _texts(self, value: ast.expr, index: int | None, others: list["_Module"], seen: set[str]) -> Iterator[str]:
        """The texts that an expression may have; with ``index``, one of the values that it unpacks to."""
        name = _name(value.func if isinstance(value, ast.Call) else value)
        sources: list[tuple[_Module, ast.expr, int | None]] = [(self, *part) for part in _parts(value, index)]
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.value
        elif name in seen:
            return
        elif isinstance(value, ast.Call):
            sources = [(each, found, index) for each in self._defining(name, others) for found in each.returned[name]]
        elif name:
            is_constant = name.isupper() and name not in self.values
            modules = others if is_constant else [self]
            sources = [(each, *found) for each in modules for found in each.values.get(name, ())]
        for module, found, at in sources:
            yield from module._texts(found, at, others, seen | {name} if name else seen)

    def _defining(self, name: str, others: list["_Module"]) -> list["_Module"]:
        is_here = name in self.parameters or name.startswith("_")
        return [self] if is_here else [each for each in others if name in each.parameters]


def _parts(value: ast.expr, index: int | None) -> list[tuple[ast.expr, int | None]]:
    match value:
        case ast.Tuple(elts=items) if index is not None and index < len(items):
            return [(items[index], None)]
        case ast.IfExp(body=first, orelse=second):
            return [(first, index), (second, index)]
        case ast.BoolOp(values=parts) | ast.Dict(values=parts):
            return [(each, index) for each in parts]
        case ast.Subscript(value=table):
            return [(table, None)]
    return []


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def recorded_words() -> set[str]:
    paths = [path for room in ROOMS for path in (ROOT / f"{room}.py", *(ROOT / room).rglob("*.py")) if path.exists()]
    paths = [path for path in paths if not path.relative_to(ROOT).as_posix().startswith(NOT_RECORDED)]
    modules = [_Module(ast.parse(path.read_text())) for path in paths]
    texts = {text for module in modules for text in module.recorded(modules)}
    return {text for text in texts if re.fullmatch(r"[a-z][a-z0-9_]*", text)}
