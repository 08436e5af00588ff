"""Proof that the public tree holds what passed, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from faceblind.system.files import file_digest
from faceblind.system.outputs import MARKER, PRIVATE
from faceblind.workflows.bids.manifest import Manifest


def sweep(root: Path, *, content: bool, participants: Collection[str] | None = None) -> list[str]:
    """Compare the public tree with the manifest.

    The tree is read first: whatever another run puts in place meanwhile stands in the manifest
    before.

    Parameters
    ----------
    root : Path
        The output.
    content : bool
        Compare digests, too, not only names and sizes.
    participants : collection of str, optional
        Look into these folders only, and at the files beside them: a run for one participant of
        thousands need not look at all of them.

    Returns
    -------
    list of str
        One line for each file that differs; empty if none does.
    """
    found = _public_files(root, participants)
    with Manifest(root) as manifest:
        known = manifest.public(participants)
    faults = []
    for inside, size in found.items():
        file, is_settled = known.get(inside, (None, False))
        if file is None:
            faults.append(f"{inside}: lies in the public tree and did not come from this tool")
        elif is_settled and (
            size != file.size or (content and file_digest(root / inside) != file.sha256)
        ):
            faults.append(f"{inside}: has changed since it passed its audit")
    faults += [
        f"{inside}: is missing; run it again"
        for inside, (_, is_settled) in known.items()
        if is_settled and inside not in found and not (root / inside).is_file()
    ]
    return sorted(faults)


def _is_looked_at(name: str, participants: Collection[str] | None) -> bool:
    return participants is None or not name.startswith("sub-") or name in participants


def _public_files(root: Path, participants: Collection[str] | None) -> dict[str, int]:
    """Paths in the output and sizes of its files but the private ones and our mark."""
    found = {}
    for folder, inside, names in os.walk(root):
        if Path(folder) == root:
            inside[:] = [
                name for name in inside if name != PRIVATE and _is_looked_at(name, participants)
            ]
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
