"""Proof that the public tree holds what passed, and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

from faceblind.system.files import file_digest
from faceblind.system.outputs import MARKER, PRIVATE
from faceblind.workflows.bids.manifest import Manifest


def sweep(root: Path, *, content: bool) -> list[str]:
    """Compare the public tree with the manifest.

    The tree is read first: whatever another run puts in place meanwhile stands in the manifest
    before.

    Parameters
    ----------
    root : Path
        The output.
    content : bool
        Compare digests, too, not only names and sizes.

    Returns
    -------
    list of str
        One line for each file that differs; empty if none does.
    """
    found = _public_files(root)
    with Manifest(root) as manifest:
        known = {file.path: file for file in manifest.files()}
        finished = {task.key for task in manifest.tasks() if task.state in ("done", "failed")}
        settled = {file.path for key in finished for file in manifest.files(key)}
    faults = []
    for inside, size in found.items():
        file = known.get(inside)
        if file is None:
            faults.append(f"{inside}: lies in the public tree and did not come from this tool")
        elif inside in settled and (
            size != file.size or (content and file_digest(root / inside) != file.sha256)
        ):
            faults.append(f"{inside}: has changed since it passed its audit")
    faults += [
        f"{inside}: is missing; run it again"
        for inside in settled - set(found)
        if not (root / inside).is_file()
    ]
    return sorted(faults)


def _public_files(root: Path) -> dict[str, int]:
    """Paths in the output and sizes of all its files but the private ones and our mark."""
    found = {}
    for folder, inside, names in os.walk(root):
        if Path(folder) == root:
            inside[:] = [name for name in inside if name != PRIVATE]
            names = [name for name in names if name != MARKER]
        for name in names:
            path = Path(folder) / name
            try:
                size = path.lstat().st_size if path.is_symlink() else path.stat().st_size
            except FileNotFoundError:
                continue
            found[path.relative_to(root).as_posix()] = size
        for name in inside:
            # A link to a folder is not entered, and is nothing that we make.
            if (Path(folder) / name).is_symlink():
                found[(Path(folder) / name).relative_to(root).as_posix()] = -1
    return found
