"""Keep what the attacks found in a scan, so that an interrupted audit goes on where it stopped."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cattrs
import numpy as np
from numpy.typing import NDArray

from faceblind.attacks.examine import Examined, examine
from faceblind.attacks.findings import Findings
from faceblind.attacks.metadata.files import find_metadata
from faceblind.identification.scan_match import ScanFeatures
from faceblind.recognition.registry import get_recogniser
from faceblind.system.cache import Cache
from faceblind.system.files import file_digest
from faceblind.workflows.features import feature_key


def examine_once(
    path: Path, original: Path | None, recogniser: str | None, cache: Cache | None
) -> Examined:
    """`examine`, or what it found in the same files before.

    Parameters
    ----------
    path, original, recogniser
        See `faceblind.attacks.examine.examine`.
    cache : Cache or None
        Looked up first and filled.

    Raises
    ------
    FaceblindError
        As `examine`.
    """
    if cache is None:
        return examine(path, original, recogniser)
    key = _key(path, original, recogniser)
    if (known := cache.get(key)) is not None:
        return _unpacked(known, path)
    found = examine(path, original, recogniser)
    cache.put(key, _packed(found))
    return found


def _key(path: Path, original: Path | None, recogniser: str | None) -> str:
    try:
        before = file_digest(original) if original else None
    except OSError:
        before = "unreadable"
    settings: dict[str, Any] = {
        "original": before,
        "recogniser": get_recogniser(recogniser).identity if recogniser else None,
    }
    return feature_key(path, "examined", settings)


def _packed(found: Examined) -> dict[str, NDArray[Any]]:
    """Plain arrays; metadata are left out, because they depend on more than the file's content."""
    text = json.dumps(cattrs.unstructure(replace(found.findings, metadata=(), links=())))
    arrays: dict[str, NDArray[Any]] = {"findings": np.frombuffer(text.encode(), np.uint8)}
    for name, one in found.features.items():
        arrays |= one.as_arrays(f"{name} ")
    if found.outline is not None:
        arrays["outline"] = found.outline
    return arrays


def _unpacked(arrays: dict[str, NDArray[Any]], path: Path) -> Examined:
    plain = json.loads(arrays["findings"].tobytes().decode())
    findings = replace(cattrs.structure(plain, Findings), metadata=find_metadata(path))
    names = [name.removesuffix(" vectors") for name in arrays if name.endswith(" vectors")]
    features = {name: ScanFeatures.from_arrays(arrays, f"{name} ") for name in names}
    return Examined(findings, features, arrays.get("outline"))
