"""Write the Boutiques descriptor of ``faceblind bids`` from the command itself.

``python tools/build_boutiques.py`` writes ``containers/faceblind.boutiques.json``.
"""

from __future__ import annotations

import inspect
import json
import types
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from typer.models import ArgumentInfo, OptionInfo

from faceblind import __version__
from faceblind.cli.bids import bids

TARGET = Path(__file__).resolve().parents[1] / "containers" / "faceblind.boutiques.json"
FILES = {"bids_dir", "bids_filter_file", "study", "config_file"}


def descriptor() -> dict[str, Any]:
    """The descriptor, by schema version 0.5."""
    inputs = []
    words = []
    hints = get_type_hints(bids, include_extras=True)
    for key in inspect.signature(bids).parameters:
        kind, info = _unpacked(hints[key])
        entry = _input(key, kind, info)
        inputs.append(entry)
        words.append(entry["value-key"])
    return {
        "name": "faceblind",
        "tool-version": __version__,
        "schema-version": "0.5",
        "description": " ".join((inspect.getdoc(bids) or "").split("\n\n")[0].split()),
        "command-line": " ".join(["faceblind bids", *words]),
        "inputs": inputs,
        "output-files": [
            {
                "id": "output",
                "name": "Protected dataset",
                "path-template": "[OUTPUT_DIR]",
                "description": "Public, but for the folder private in it.",
            }
        ],
        "tags": {"domain": ["neuroinformatics", "bids", "privacy"]},
    }


def _input(key: str, kind: Any, info: ArgumentInfo | OptionInfo) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "id": key,
        "name": key.replace("_", " "),
        "description": " ".join((info.help or "").split()),
        "value-key": f"[{key.upper()}]",
        "optional": isinstance(info, OptionInfo),
    }
    if isinstance(info, OptionInfo):
        names = [n for n in (info.default, *(info.param_decls or ())) if isinstance(n, str)]
        entry["command-line-flag"] = names[0] if names else f"--{key.replace('_', '-')}"
    if get_origin(kind) is list:
        entry["list"] = True
        kind = get_args(kind)[0]
    if kind is bool:
        return entry | {"type": "Flag"}
    if kind in (int, float):
        return entry | {"type": "Number", "integer": kind is int}
    if isinstance(kind, type) and issubclass(kind, Enum):
        choices = [member.value for member in kind]
        return entry | {"type": "String", "value-choices": choices}
    return entry | {"type": "File" if key in FILES else "String"}


def _unpacked(hint: Any) -> tuple[Any, Any]:
    kind, info = get_args(hint)[:2] if get_origin(hint) is Annotated else (hint, None)
    if get_origin(kind) is Annotated:
        kind, info = get_args(kind)[:2]
    if get_origin(kind) in (Union, types.UnionType):
        kind = next(arg for arg in get_args(kind) if arg is not types.NoneType)
    return kind, info


if __name__ == "__main__":
    TARGET.write_text(json.dumps(descriptor(), indent=2) + "\n", encoding="utf-8")
    print(TARGET.name)
