"""Whether the people of a study are synthetic, and which ones."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_DESCRIPTION = "dataset_description.json"

IN_SILICO = (
    "In-silico: the people are synthetic. These figures show how the method works, "
    "not how recognisable real people are."
)


def note_of(folder: Path) -> str:
    """The warning that synthetic volunteers carry, if these are such; empty otherwise.

    Parameters
    ----------
    folder : Path
        Where the table of photographs lies.
    """
    try:
        name = json.loads((folder / _DESCRIPTION).read_text(encoding="utf-8-sig"))["Name"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return IN_SILICO if "synthetic" in str(name).lower() else ""


def all_synthetic(folder: Path, files: Iterable[Path]) -> bool:
    """Whether all files lie in a dataset of synthetic volunteers.

    Parameters
    ----------
    folder : Path
        Where the table of photographs lies.
    files : iterable of Path
        Scans and photographs. One that lies elsewhere, also by a link, may show a real person.
    """
    root = folder.resolve()
    return bool(note_of(folder)) and all(root in file.resolve().parents for file in files)


def preset_of(folder: Path) -> dict[str, Any]:
    """Name, version and fingerprint of the settings of synthetic volunteers, if these are such.

    Parameters
    ----------
    folder : Path
        Where the table of photographs lies.
    """
    try:
        preset = json.loads((folder / "cohort.json").read_text(encoding="utf-8"))["preset"]
        return {"preset": {key: str(preset[key]) for key in ("name", "version", "fingerprint")}}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
