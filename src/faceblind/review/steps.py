"""The steps in which what the page shows of a scan is made, each in a worker process."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from faceblind.errors import FaceblindError, why
from faceblind.formats import load
from faceblind.head.skin import Skin
from faceblind.review.images import (
    coarse,
    mask_bytes,
    nifti_bytes,
    picture,
    replaced,
    same_grid,
    windows,
)
from faceblind.review.scans import Source
from faceblind.review.skins import box_around, find_overlays, mz3_bytes, skin_of
from faceblind.review.tiles import tile_bytes
from faceblind.scan import Scan
from faceblind.system.threads import one_algebra_thread

COARSE = "coarse-"
"""Before the names of files that show every second voxel of a head of 1 mm."""


def ready() -> bool:
    """Import what the steps need."""
    one_algebra_thread()
    return True


def make(step: str, source: Source, folder: Path) -> None:
    """Make the files of one step.

    Parameters
    ----------
    step : {"volumes", "skins", "coarse-volumes", "coarse-skins", "overlays", "tile"}
    source : Source
    folder : Path
        Private.

    Raises
    ------
    FaceblindError
        If the protected scan cannot be read.
    """
    steps: dict[str, Callable[[Source, Path], None]] = {
        "volumes": _volumes, "skins": _skins, "overlays": _overlays, "tile": _tile,
        "coarse-volumes": partial(_volumes, prefix=COARSE),
        "coarse-skins": partial(_skins, prefix=COARSE),
    }  # fmt: skip
    steps[step](source, folder)
    (folder / f"{step}.done").touch()


def _original(source: Source) -> tuple[Scan | None, str]:
    """The original, or why there is none."""
    if source.before is None:
        return None, "no original was found for this scan"
    try:
        return load(source.before), ""
    except (FaceblindError, OSError) as error:
        return None, f"the original cannot be read: {_without_path(error)}"


def _volumes(source: Source, folder: Path, prefix: str = "") -> None:
    # Before the voxels are read: what changes meanwhile must not count as seen.
    seen = source.mark()
    after = load(source.after)
    before, error = _original(source)
    count = _volume_count(after)
    same = before is not None and same_grid(before, after)
    if prefix:
        after, before = coarse(after), None if before is None else coarse(before)
    shown = picture(before if before is not None else after)
    said: dict[str, Any] = {"windows": windows(shown.voxels), "before": before is not None}
    said |= {"error": error, "replaced": same, "volumes": count, "seen": seen}
    _put(folder / f"{prefix}after.nii", nifti_bytes(picture(after)))
    if before is not None:
        _put(folder / f"{prefix}before.nii", nifti_bytes(shown))
        mask = None if prefix else replaced(before, after)
        if mask is not None:
            _put(folder / "replaced.nii", mask_bytes(mask.voxels > 0, mask.affine))
    _write(folder / f"{prefix}volumes.json", said)


def _volume_count(scan: Scan) -> int:
    return 1 if scan.voxels.ndim == 3 else scan.voxels.shape[3]


def _skins(source: Source, folder: Path, prefix: str = "") -> None:
    after = load(source.after)
    before, error = _original(source)
    said: dict[str, Any] = {"before": error, "after": ""}
    skins: dict[str, Skin] = {}
    for name, scan in (("before", before), ("after", after)):
        if scan is not None:
            try:
                skins[name] = skin_of(coarse(scan) if prefix else scan)
            except FaceblindError as problem:
                said[name] = _without_path(problem)
    said["box"] = box_around(list(skins.values()))
    for name, skin in skins.items():
        _put(folder / f"{prefix}{name}.mz3", mz3_bytes(skin.points, skin.faces, said["box"]))
    _write(folder / f"{prefix}skins.json", said)


def _overlays(source: Source, folder: Path) -> None:
    if not (folder / "skins.json").is_file():
        _skins(source, folder)
    box = json.loads((folder / "skins.json").read_text(encoding="utf-8"))["box"]
    after = load(source.after)
    before, _ = _original(source)
    said: dict[str, Any] = {"error": "", "shares": {}}
    try:
        skin = skin_of(after)
        found = find_overlays(before, after, skin)
    except FaceblindError as error:
        said["error"] = _without_path(error)
    else:
        said["shares"] = found.shares
        mask = found.protected
        _put(folder / "protected.nii", mask_bytes(mask.voxels, mask.affine))
        mesh = mz3_bytes(skin.points, skin.faces, box, found.leaking)
        _put(folder / "leaking.mz3", mesh)
    _write(folder / "overlays.json", said)


def _tile(source: Source, folder: Path) -> None:
    after = load(source.after)
    skin: Skin | None = None
    try:
        skin = skin_of(after)
    except FaceblindError:
        # No head stands out: the slice shows why.
        skin = None
    _put(folder / "tile.png", tile_bytes(picture(after), skin))


def _without_path(error: Exception) -> str:
    """One line that does not say where files lie."""
    if isinstance(error, OSError):
        return error.strerror or "it cannot be read"
    return why(error).rpartition(": ")[2]


def _write(path: Path, content: dict[str, Any]) -> None:
    _put(path, json.dumps(content).encode())


def _put(path: Path, content: bytes) -> None:
    """Whole or not at all: two steps may make one file."""
    ready = path.with_name(f"{os.getpid()}-{path.name}")
    ready.write_bytes(content)
    ready.replace(path)
