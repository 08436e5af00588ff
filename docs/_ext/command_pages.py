"""The reference of the command line, as Markdown, from the functions that are the commands."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from enum import Enum
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from typer.models import ArgumentInfo, OptionInfo

from faceblind.cli.main import app


def commands() -> str:
    """A section for each command: its help, how it is called, its arguments and options."""
    return "\n\n".join(_section(one.name, one.callback) for one in app.registered_commands)


def _section(name: str, function: Callable[..., Any]) -> str:
    arguments: list[tuple[str, ...]] = []
    options: list[tuple[str, ...]] = []
    hints = get_type_hints(function, include_extras=True)
    for key, parameter in inspect.signature(function).parameters.items():
        kind, info = _unpacked(hints[key])
        if isinstance(info, ArgumentInfo):
            arguments.append((f"`{info.metavar or key.upper()}`", _cell(info.help)))
        elif isinstance(info, OptionInfo):
            names = _declared(key, info)
            default = _default(parameter.default, names, info)
            options.append((_names(names, kind, info), _cell(info.help), default))
    words = " ".join(argument[0].strip("`") for argument in arguments)
    parts = [
        f"## {name}",
        inspect.cleandoc(function.__doc__ or ""),
        f"```sh\nfaceblind {name} {words} [OPTIONS]\n```",
        _table(("argument", "meaning"), arguments),
        _table(("option", "meaning", "default"), options),
    ]
    return "\n\n".join(part for part in parts if part)


def _unpacked(hint: Any) -> tuple[Any, Any]:
    """The type of a parameter without None, and what typer is told about it."""
    kind, info = hint, None
    if get_origin(kind) is Annotated:
        kind, info = get_args(kind)[:2]
    if get_origin(kind) in (Union, types.UnionType):
        kind = next(arg for arg in get_args(kind) if arg is not types.NoneType)
    return kind, info


def _declared(key: str, info: OptionInfo) -> list[str]:
    """The spellings of an option; typer keeps the first where a default would be."""
    first = (info.default,) if isinstance(info.default, str) else ()
    found = (*first, *(info.param_decls or ())) or (f"--{key.replace('_', '-')}",)
    return [name for one in found for name in one.split("/")]


def _names(names: list[str], kind: Any, info: OptionInfo) -> str:
    value = "" if kind is bool else f" {_value(kind, info)}"
    return ", ".join(f"`{name}{value}`" for name in names)


def _value(kind: Any, info: OptionInfo) -> str:
    if info.metavar:
        return info.metavar
    if get_origin(kind) is list:
        kind = get_args(kind)[0]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "{" + ",".join(member.value for member in kind) + "}"
    return {"int": "N", "float": "SHARE", "str": "TEXT", "Path": "PATH"}[kind.__name__]


def _default(value: Any, names: list[str], info: OptionInfo) -> str:
    if isinstance(info.show_default, str):
        return f"`{info.show_default}`"
    if value is None or value is False:
        return ""
    if value is True:
        return f"`{names[0]}`"
    return f"`{value.value if isinstance(value, Enum) else value}`"


def _cell(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
