"""The command line of BIDS Apps: several values after one option, underscores, a settings file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand

SEVERAL = ("--participant-label", "--session-label", "--exclude-participant-label", "--include")
"""Options that take one value or several."""


class BidsCommand(TyperCommand):
    """Reads arguments as fMRIPrep's users write them."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Spell the arguments as typer expects them, and parse them."""
        flags = {
            name
            for option in self.params
            if getattr(option, "is_flag", False)
            for name in (*option.opts, *option.secondary_opts)
        }
        return super().parse_args(ctx, spelled(args, flags))


def spelled(args: list[str], flags: set[str]) -> list[str]:
    """The same arguments, with one option for each value.

    Parameters
    ----------
    args : list of str
    flags : set of str
        Options without a value.

    Returns
    -------
    list of str

    Examples
    --------
    >>> spelled(["in", "out", "participant", "--participant_label", "01", "02", "-v"], {"-v"})
    ['in', 'out', 'participant', '--participant-label', '01', '--participant-label', '02', '-v']
    """
    done: list[str] = []
    words = list(args)
    places = 0
    while words:
        word = words.pop(0)
        if not word.startswith("-") or word == "-":
            places += 1
            done.append(word)
            continue
        name, equals, value = word.partition("=")
        name = name.replace("_", "-") if name.startswith("--") else name
        if equals or name in flags or not words:
            done.append(name + equals + value)
            continue
        done += [name, words.pop(0)]
        # Before the three arguments of place nobody can tell a second label from them.
        while name in SEVERAL and places >= 3 and words and not words[0].startswith("-"):
            done += [name, words.pop(0)]
    return done


def read_config(ctx: typer.Context, path: Path | None) -> Path | None:
    """Take defaults of options from a TOML file; what the command line says goes before them.

    Parameters
    ----------
    ctx : typer.Context
    path : Path or None
        Keys are the long names of options, with or without a section around them.
    """
    if path is None:
        return None
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{path} is not readable TOML: {error}") from error
    values: dict[str, Any] = {}
    for key, value in content.items():
        values |= value if isinstance(value, dict) else {key: value}
    known = {
        name.removeprefix("--"): option.name
        for option in ctx.command.params
        if option.param_type_name == "option"
        for name in option.opts
    }
    defaults: dict[str, Any] = {}
    for key, value in values.items():
        name = known.get(key.replace("_", "-"))
        if name is None:
            raise typer.BadParameter(f"{path}: {key!r} is no option of this command")
        defaults[name] = value
    ctx.default_map = {**(ctx.default_map or {}), **defaults}
    return path
