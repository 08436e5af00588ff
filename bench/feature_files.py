"""What is searched of one scan, kept on disk from run to run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from faceblind.identification.scan_match import ScanFeatures


def keep(path: Path, found: Mapping[str, ScanFeatures]) -> None:
    """Write features by variant, whole or not at all."""
    arrays = {}
    for variant, one in found.items():
        arrays |= one.as_arrays(f"{variant} ")
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.savez(file, **arrays)
    part.replace(path)


def kept(path: Path) -> dict[str, ScanFeatures]:
    """What `keep` wrote."""
    with np.load(path) as file:
        names = {name.split()[0] for name in file.files}
        return {name: ScanFeatures.from_arrays(file, f"{name} ") for name in names}
