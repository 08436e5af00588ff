"""What a BIDS dataset holds, told by names alone: no file is opened."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from faceblind.datasets.bids_names import BidsName, parse_name
from faceblind.datasets.walk import walk
from faceblind.errors import ScanError

_FOLDERS_AS_FILES = (".ds", ".mefd", ".zarr")
"""Recordings that are folders."""


@dataclass(frozen=True, slots=True)
class BidsFile:
    """A participant's file.

    Parameters
    ----------
    path : Path
        Where it lies.
    inside : str
        Its path in the dataset, with ``/``.
    name : BidsName
        For a file in a folder that is a recording (``.ds``), the folder's.
    datatype : str
        Such as ``"anat"``; empty for tables of a participant or session.
    """

    path: Path
    inside: str
    name: BidsName
    datatype: str

    @property
    def participant(self) -> str:
        """Such as ``"sub-01"``."""
        return f"sub-{self.name.get('sub')}"

    @property
    def session(self) -> str | None:
        """Such as ``"ses-1"``."""
        label = self.name.get("ses")
        return f"ses-{label}" if label else None


@dataclass(frozen=True)
class BidsIndex:
    """What a dataset holds.

    Parameters
    ----------
    root : Path
    files : tuple of BidsFile
        Of the participants asked for, sorted by path.
    common : tuple of Path
        Files of no participant, sorted: those of the dataset's folder, and those of ``phenotype``
        and of folders asked for.
    strange : dict of str to str
        Paths in the dataset of what has no name of BIDS or cannot be opened, to the reason.
    participants : tuple of str
        All participants that have a folder, also those not asked for.
    skipped : tuple of str
        Folders of the dataset that were not looked into.
    """

    root: Path
    files: tuple[BidsFile, ...]
    common: tuple[Path, ...]
    strange: dict[str, str]
    participants: tuple[str, ...]
    skipped: tuple[str, ...]


def index_dataset(
    root: str | Path, participants: Collection[str] | None = None, also: Collection[str] = ()
) -> BidsIndex:
    """Find the files of a dataset. Links are followed; links to missing files are files, too.

    Parameters
    ----------
    root : path
    participants : collection of str, optional
        Only these, as ``"sub-01"``.
    also : collection of str
        Other folders to be looked into, such as ``"code"``.

    Returns
    -------
    BidsIndex

    Raises
    ------
    ScanError
        If the folder is missing or holds no participant.
    """
    root = Path(root)
    if not root.is_dir():
        raise ScanError(f"{root}: no such folder; check the path")
    found: list[str] = []
    common: list[Path] = []
    skipped: list[str] = []
    strange: dict[str, str] = {}
    for entry in sorted(os.scandir(root), key=lambda entry: entry.name):
        if entry.name in (".git", ".datalad"):
            continue
        if not entry.is_dir():
            common.append(Path(entry.path))
        elif entry.name.startswith("sub-"):
            found.append(entry.name)
        elif entry.name == "phenotype" or entry.name in also:
            inside = walk(Path(entry.path))
            common += inside.files
            strange |= {p.relative_to(root).as_posix(): why for p, why in inside.closed}
        else:
            skipped.append(entry.name)
    if not found:
        raise ScanError(f"{root}: holds no folder sub-*; give the folder of a BIDS dataset")
    files: list[BidsFile] = []
    for name in found:
        if participants is None or name in participants:
            files += _of_participant(root, name, strange)
    return BidsIndex(
        root, tuple(files), tuple(sorted(common)), strange, tuple(found), tuple(skipped)
    )


def _of_participant(root: Path, folder: str, strange: dict[str, str]) -> list[BidsFile]:
    found = []
    inside = walk(root / folder)
    start = len(str(root)) + 1
    for path in inside.files:
        relative = str(path)[start:].replace(os.sep, "/")
        file = _placed(path, relative)
        if file is None:
            strange[relative] = "its name or place is none of BIDS"
        else:
            found.append(file)
    strange |= {p.relative_to(root).as_posix(): why for p, why in inside.closed}
    return found


def _placed(path: Path, inside: str) -> BidsFile | None:
    """A file whose folders and name agree: ``sub-1/[ses-1/][anat/]sub-1_[ses-1_]..._T1w.nii``."""
    folders = inside.split("/")
    named = next((k for k, part in enumerate(folders[:-1]) if part.endswith(_FOLDERS_AS_FILES)), -1)
    name = parse_name(folders[named])
    above = folders[:named]
    if name is None or f"sub-{name.get('sub')}" != above.pop(0):
        return None
    session = above.pop(0) if above and above[0].startswith("ses-") else None
    label = name.get("ses")
    if (f"ses-{label}" if label else None) != session:
        # A table of all sessions lies above their folders.
        return None
    if len(above) > 1:
        return None
    return BidsFile(path, inside, name, above[0] if above else "")
