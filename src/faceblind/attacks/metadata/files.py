"""Attack 8: what the files say in words: names, dates, identifiers, and bytes that nobody shows.

Findings name the place and the kind, never the content, so that a verdict can be shown.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from faceblind.attacks.metadata.containers import find_texts
from faceblind.attacks.metadata.texts import Finding, is_name, judge_text, keyword_severity
from faceblind.datasets.sidecar import sidecar_path
from faceblind.formats.names import without_ending


def find_metadata(path: str | Path) -> tuple[Finding, ...]:
    """Everything in a scan's file, its name and its sidecar that may point to a person.

    Parameters
    ----------
    path : path
        A NIfTI, MGH/MGZ or NRRD file.

    Raises
    ------
    ScanError
        If the file cannot be read.
    """
    path = Path(path)
    name = judge_text("file name", without_ending(path.name), usual=True)
    return (*name, *find_texts(path), *_sidecar(path))


def _sidecar(path: Path) -> list[Finding]:
    file = sidecar_path(path)
    if not file.is_file():
        return []
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return [Finding("sidecar", "cannot be read", "may identify")]
    if not isinstance(content, dict):
        return [Finding("sidecar", "is not a JSON object", "may identify")]
    return list(dict.fromkeys(_entries(content)))


def _entries(content: dict[str, Any]) -> list[Finding]:
    """What the keys of an object say; converters nest whole DICOM headers in one key."""
    found = []
    for key, value in content.items():
        # A key that is not a word could itself quote something.
        where = f"sidecar key {key}" if key.isidentifier() and not is_name(key) else "a sidecar key"
        if value in ("", None, "n/a", []):
            continue
        severity = keyword_severity(key)
        if severity:
            found.append(Finding(where, "is filled in", severity))
            continue
        for entry in value if isinstance(value, list) else [value]:
            if isinstance(entry, dict):
                found += _entries(entry)
            elif isinstance(entry, str) and is_name(entry):
                found.append(Finding(where, "looks like a person's name", "identifies"))
    return found
