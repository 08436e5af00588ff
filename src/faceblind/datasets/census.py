"""What a folder holds: scans, their persons, and all else that may show a head.

Reads BIDS-like trees (``sub-*/[ses-*/]anat/*_T1w.nii.gz``) and flat folders.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from faceblind.datasets.masks import is_mask_name, kind_of_mask
from faceblind.datasets.names import participant_label
from faceblind.datasets.walk import SKIPPED_FOLDERS, walk
from faceblind.errors import ScanError
from faceblind.formats.names import ENDINGS, is_scan_name, is_unread_name, suffix_of, without_ending
from faceblind.formats.unread import Unread, look_at

logger = logging.getLogger(__name__)

OUTLINE = "named a mask, but its outline may be a head's or a face's"


@dataclass(frozen=True)
class ScanFile:
    """A scan on disk.

    Parameters
    ----------
    path : Path
        Where it lies.
    participant_id : str
        Normalised label, such as ``"sub-01"``.
    session : str or None
        The ``ses-*`` entity, if any.
    suffix : str or None
        BIDS suffix such as ``"T1w"``, if the name ends in a known one.
    """

    path: Path
    participant_id: str
    session: str | None
    suffix: str | None


@dataclass(frozen=True)
class Census:
    """What a folder holds.

    Parameters
    ----------
    folder : Path
    scans : tuple of ScanFile
        Sorted by participant, session and path.
    unread : tuple of Unread
        What may show a head and is no scan, sorted by path. Without `everywhere` nothing that is
        hidden or in a folder that is left out.
    masks : int
        Files that are named and hold masks or labels, or are named so and cannot be read.
    skipped : int
        Images by name in folders that are left out.
    """

    folder: Path
    scans: tuple[ScanFile, ...]
    unread: tuple[Unread, ...]
    masks: int
    skipped: int

    def log(self) -> None:
        """One line on images that are no scans; a warning where a face may be missed."""
        unread = sum(one.may_be_scan for one in self.unread)
        counts = {
            "in skipped folders": self.skipped,
            "masks or labels": self.masks,
            "of formats that are not read": unread,
        }
        said = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        if said:
            level = logging.WARNING if unread else logging.INFO
            logger.log(level, "Images that are left out: %s", said)

    def require_scans(self) -> list[ScanFile]:
        """The scans; an error that says what else there is where there is none."""
        if self.scans:
            return list(self.scans)
        if any(one.what.startswith("DICOM") for one in self.unread):
            raise ScanError(
                f"{self.folder}: holds DICOM files, which are not read; convert them to NIfTI "
                "first, for example with dcm2niix"
            )
        known = ", ".join(ENDINGS)
        others = [f"{one.path.name} ({one.what})" for one in self.unread[:3]]
        more = f", and not read: {'; '.join(others)}" if others else ""
        raise ScanError(f"{self.folder}: holds no scan ({known}){more}; check the path")


def find_scans(folder: str | Path) -> list[ScanFile]:
    """The scans of `take_census`; how many other images there are is logged, once.

    Parameters
    ----------
    folder : str or Path
        A BIDS dataset, or any folder of scans.

    Returns
    -------
    list of ScanFile
        At least one.

    Raises
    ------
    ScanError
        As `take_census`, or if the folder holds no scan.
    """
    census = take_census(folder)
    census.log()
    return census.require_scans()


def take_census(folder: str | Path, *, everywhere: bool = False) -> Census:
    """Tell the scans of a folder from all else in it.

    The participant is the ``sub-*`` entity of the file name, else that of the nearest folder
    named so, else the file's stem without a known suffix and without characters that a label
    cannot hold (see `faceblind.datasets.names.participant_label`). Scans are told by the endings of
    their names. A file that is named a mask is left out if it holds one, see
    `faceblind.datasets.masks.kind_of_mask`; an image is a scan, whatever its name. Hidden files and
    the folders ``derivatives``, ``sourcedata``, ``code``, ``truth`` and ``private`` are left out.
    Links to folders are followed. A link to a missing file is a scan that cannot be read, not one
    that is not there.

    Parameters
    ----------
    folder : str or Path
        A BIDS dataset, or any folder of scans.
    everywhere : bool
        Also look at what is left out, as a gate must.

    Raises
    ------
    ScanError
        If the folder is missing or is no folder, or if two different names become one label.
    """
    folder = Path(folder)
    if not folder.exists():
        raise ScanError(f"{folder}: no such folder; check the path")
    if not folder.is_dir():
        raise ScanError(f"{folder}: not a folder; give the folder that holds the scans")
    walked = walk(folder)
    found: list[ScanFile] = []
    unread = [Unread(path, what) for path, what in walked.closed]
    skipped = masks = 0
    spellings: dict[str, str] = {}
    for path in walked.files:
        parts = path.relative_to(folder).parts
        aside = _aside(parts)
        skipped += aside.startswith("in the") and (is_scan_name(path) or is_unread_name(path))
        if aside and not everywhere:
            continue
        other = _beside(path, aside)
        if other is None:
            masks += is_scan_name(path)
        elif isinstance(other, Unread):
            masks += is_scan_name(path) and not aside
            unread.append(other)
        else:
            person, scan = _scan_file(path, parts)
            spelled = spellings.setdefault(scan.participant_id, person)
            if spelled != person:
                raise ScanError(
                    f"{folder}: {spelled!r} and {person!r} would both be {scan.participant_id}; "
                    "rename one, or name files sub-LABEL_T1w.nii.gz"
                )
            found.append(scan)
    found.sort(key=lambda f: (f.participant_id, f.session or "", str(f.path)))
    unread.sort(key=lambda one: one.path)
    return Census(folder, tuple(found), tuple(unread), masks, skipped)


def _aside(parts: tuple[str, ...]) -> str:
    """Why a file is left out because of where it lies; empty where it is not."""
    if parts[-1].startswith(".") or any(part.startswith(".") for part in parts):
        return "that is hidden"
    left_out = next((part for part in parts[:-1] if part in SKIPPED_FOLDERS), None)
    return f"in the folder {left_out!r}, which is left out" if left_out else ""


def _beside(path: Path, aside: str) -> Literal["scan"] | Unread | None:
    """Whether a file is a scan, may show a head without being one, or is harmless (None).

    Parameters
    ----------
    path : Path
    aside : str
        As `_aside` says it.
    """
    if not is_scan_name(path):
        found = look_at(path)
        if found is None:
            return None
        return replace(found, may_be_scan=found.is_image and not aside)
    if is_mask_name(path.name):
        try:
            kind = kind_of_mask(path)
        except ScanError as error:
            return Unread(path, f"named a mask, but: {str(error).removeprefix(f'{path}: ')}")
        if kind == "harmless":
            return None
        if kind == "outline":
            return Unread(path, OUTLINE)
    if not aside:
        return "scan"
    if path.name.startswith("._") and look_at(path) is None:
        return None
    return Unread(path, f"a scan {aside}")


def session_of(scan: ScanFile, root: str | Path) -> tuple[str, ...]:
    """A key that scans of one person and session under a folder share.

    Where no name holds a ``sub-*``, scans in different folders are of different people: every
    folder may hold a ``T1w.nii.gz``.

    Parameters
    ----------
    scan : ScanFile
        As `find_scans` gives it.
    root : str or Path
        The folder that was searched.
    """
    inside = scan.path.relative_to(root)
    is_named = any(_entity("sub", without_ending(part)) for part in inside.parts)
    folder = "" if is_named else str(inside.parent)
    return scan.participant_id, scan.session or "", folder


def _entity(name: str, text: str) -> str | None:
    match = re.search(rf"(?:^|_){name}-([0-9A-Za-z]+)(?=_|$|\.)", text)
    return match.group(1) if match else None


def _scan_file(path: Path, parts: tuple[str, ...]) -> tuple[str, ScanFile]:
    """The person as spelled in the name, and the scan."""
    stem = without_ending(path.name)
    suffix = suffix_of(path.name)
    from_name, from_folder = _entity("sub", stem), None
    session = _entity("ses", stem)
    for part in reversed(parts[:-1]):
        from_folder = from_folder or _entity("sub", part)
        session = session or _entity("ses", part)
    person = from_name or from_folder
    if person is None:
        person = stem.removesuffix(f"_{suffix}") if suffix else stem
    # File names may hold anything; labels may not.
    label = re.sub(r"^\W+|[^\w.+-]", "", person) or "unnamed"
    return person, ScanFile(path, participant_label(label), session, suffix)
