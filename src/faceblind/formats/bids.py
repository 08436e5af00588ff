"""Which files of a folder are scans, of whom, and which of them show the face best.

Reads BIDS-like trees (``sub-*/[ses-*/]anat/*_T1w.nii.gz``) and flat folders alike.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError, SpatialImage

from faceblind.errors import ScanError
from faceblind.formats.names import ENDINGS, is_scan_name, is_unread_name, without_ending
from faceblind.formats.photos import participant_label
from faceblind.formats.walk import files_under, is_skipped

logger = logging.getLogger(__name__)

# Contrasts in the order in which they show skin against air best (Schwarz et al. 2022, NeuroImage
# 258:119357: 3-D T1, T2 and FLAIR far ahead of the rest; CT second).
FACE_SUFFIXES = ("T1w", "T2w", "FLAIR", "PDw", "CT", "ct")
_KNOWN_SUFFIXES = {*FACE_SUFFIXES, "T2starw", "PDT2", "inplaneT1", "inplaneT2", "angio", "bold"}
_KNOWN_SUFFIXES |= {"dwi", "asl", "pet", "MEGRE", "MP2RAGE", "UNIT1", "T1map", "T2map"}
_MASK_ENDS = ("_mask", "_defacemask", "_dseg", "_probseg", "_seg")
_UNREADABLE = (HeaderDataError, ImageFileError)
_LOOKED_AT = 200
"""Files of a folder without scans that are opened to see whether they are DICOM."""


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


def suffix_of(file_name: str) -> str | None:
    """The BIDS suffix of a file name, if it ends in a known one.

    Examples
    --------
    >>> suffix_of("sub-01_ses-2_T1w.nii.gz"), suffix_of("head.nii")
    ('T1w', None)
    """
    last = without_ending(file_name).rpartition("_")[2]
    return last if last in _KNOWN_SUFFIXES else None


def find_scans(folder: str | Path) -> list[ScanFile]:
    """All scans under a folder, sorted by participant, session and path.

    The participant is the ``sub-*`` entity of the file name, else that of the nearest folder
    named so, else the file's stem without a known suffix and without characters that a label
    cannot hold (see `faceblind.formats.photos.participant_label`). Left out: hidden files, masks
    and label images, and the folders ``derivatives``, ``sourcedata``, ``code``, ``truth`` and
    ``private``; how many these are is logged, once. Links to folders are followed. A link to a
    missing file is a scan that cannot be read, not one that is not there.

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
        If the folder is missing, is no folder, or holds no scan, or if two different names become
        one label.
    """
    folder = Path(folder)
    if not folder.exists():
        raise ScanError(f"{folder}: no such folder; check the path")
    if not folder.is_dir():
        raise ScanError(f"{folder}: not a folder; give the folder that holds the scans")
    files = files_under(folder)
    found = []
    left_out = {"in skipped folders": 0, "masks or labels": 0, "of formats that are not read": 0}
    spellings: dict[str, str] = {}
    for path in files:
        parts = path.relative_to(folder).parts
        if any(part.startswith(".") for part in parts):
            continue
        if is_skipped(parts[:-1]):
            left_out["in skipped folders"] += is_scan_name(path) or is_unread_name(path)
            continue
        if not is_scan_name(path):
            left_out["of formats that are not read"] += is_unread_name(path)
            continue
        if _is_mask(path.name):
            left_out["masks or labels"] += 1
            continue
        person, scan = _scan_file(path, parts)
        other = spellings.setdefault(scan.participant_id, person)
        if other != person:
            raise ScanError(
                f"{folder}: {other!r} and {person!r} would both be {scan.participant_id}; "
                "rename one, or name files sub-LABEL_T1w.nii.gz"
            )
        found.append(scan)
    _log_left_out(left_out)
    if not found:
        if any(_is_dicom(path) for path in files[:_LOOKED_AT]):
            raise ScanError(
                f"{folder}: holds DICOM files, which are not read; convert them to NIfTI first, "
                "for example with dcm2niix"
            )
        known = ", ".join(ENDINGS)
        raise ScanError(f"{folder}: holds no scan ({known}); check the path")
    return sorted(found, key=lambda f: (f.participant_id, f.session or "", str(f.path)))


def find_people(folder: str | Path) -> list[ScanFile]:
    """`find_scans` where it matters who is who: experiments on people, not on single scans.

    Parameters
    ----------
    folder : str or Path

    Returns
    -------
    list of ScanFile

    Raises
    ------
    ScanError
        As `find_scans`, or if nothing says whether scans of one name in two folders are of one
        person.
    """
    folder = Path(folder)
    scans = find_scans(folder)
    homes: dict[tuple[str, ...], Path] = {}
    for scan in scans:
        person, session, home = session_of(scan, folder)
        other = homes.setdefault((person, session, scan.path.name), scan.path)
        if home and other.parent != scan.path.parent:
            first, second = (path.relative_to(folder) for path in (other, scan.path))
            raise ScanError(
                f"{folder}: nothing says whether {first} and {second} are of one person; name "
                "their folders or files sub-LABEL"
            )
    return scans


def _log_left_out(counts: dict[str, int]) -> None:
    """One line on what looks like an image and is no scan; a warning where a face may be missed."""
    said = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    if said:
        level = logging.WARNING if counts["of formats that are not read"] else logging.INFO
        logger.log(level, "Images that are left out: %s", said)


def _is_dicom(path: Path) -> bool:
    """By the four letters after the preamble (DICOM PS3.10, 7.1)."""
    try:
        with path.open("rb") as file:
            file.seek(128)
            return file.read(4) == b"DICM"
    except OSError:
        return False


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


def mask_path(target: Path, suffix: str | None) -> Path:
    """Where BIDS puts the mask of a protected scan: ``sub-01_mod-T1w_defacemask.nii.gz``.

    Parameters
    ----------
    target : Path
        The protected scan.
    suffix : str or None
        Its BIDS suffix.
    """
    stem = without_ending(target.name)
    if suffix and stem.endswith(f"_{suffix}"):
        stem = f"{stem.removesuffix(f'_{suffix}')}_mod-{suffix}"
    return target.with_name(f"{stem}_defacemask.nii.gz")


def only_series(scans: Iterable[ScanFile], series: str) -> list[ScanFile]:
    """The scans whose name ends in a series, such as ``T1w`` or ``acq-axial_FLAIR``.

    Parameters
    ----------
    scans : iterable of ScanFile
        As `find_scans` gives them.
    series : str
        What stands last in the name, in whole entities: ``FLAIR`` also takes
        ``acq-axial_FLAIR`` if a participant has no plain one.

    Returns
    -------
    list of ScanFile
        In the given order; of each participant and session those with the shortest name, so that
        ``FLAIR`` means the plain one beside ``acq-axial_FLAIR``.

    Raises
    ------
    ScanError
        If no scan is of that series.
    """
    wanted = f"_{series.strip('_')}"
    found = [scan for scan in scans if f"_{without_ending(scan.path.name)}".endswith(wanted)]
    if not found:
        raise ScanError(f"{series}: no scan's name ends so; look at the names of the scans")
    least: dict[tuple[str, str | None], int] = {}
    for scan in found:
        key = scan.participant_id, scan.session
        least[key] = min(least.get(key, 999), scan.path.name.count("_"))
    return [s for s in found if s.path.name.count("_") == least[s.participant_id, s.session]]


def choose_face_scans(scans: Iterable[ScanFile]) -> list[ScanFile]:
    """One scan per participant: the one that shows the face best.

    In this order: best contrast (`FACE_SUFFIXES`, then all others), first session, finest voxels
    (as the header says; an unreadable header comes last), path.

    Parameters
    ----------
    scans : iterable of ScanFile
        As `find_scans` gives them.

    Returns
    -------
    list of ScanFile
        Sorted by participant.
    """
    people: dict[str, list[ScanFile]] = {}
    for scan in scans:
        people.setdefault(scan.participant_id, []).append(scan)
    chosen = []
    for label in sorted(people):
        ranked = sorted(people[label], key=lambda f: (_contrast_rank(f), f.session or ""))
        first = ranked[0]
        # Headers are only read to break ties.
        rivals = [
            f
            for f in ranked
            if _contrast_rank(f) == _contrast_rank(first) and f.session == first.session
        ]
        if len(rivals) > 1:
            first = min(rivals, key=lambda f: (_voxel_volume(f.path), str(f.path)))
        chosen.append(first)
    ignored = sum(map(len, people.values())) - len(chosen)
    if ignored:
        logger.info("%d further scans of the same participants are left out", ignored)
    return chosen


def _is_mask(file_name: str) -> bool:
    stem = without_ending(file_name)
    return stem.endswith(_MASK_ENDS) or "_label-" in stem


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


def _contrast_rank(scan: ScanFile) -> int:
    order = FACE_SUFFIXES
    return order.index(scan.suffix) if scan.suffix in order else len(order)


def _voxel_volume(path: Path) -> float:
    """Voxel volume in mm³ from the header alone; infinite when it cannot be read."""
    try:
        image = nib.load(path)
    except (OSError, ValueError, EOFError, *_UNREADABLE):
        return math.inf
    if not isinstance(image, SpatialImage) or image.affine is None:
        return math.inf
    return float(abs(np.linalg.det(image.affine[:3, :3])))
