"""Which scans of a folder show which person, and which of them show the face best."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError, SpatialImage

from faceblind.datasets.census import ScanFile, find_scans, session_of
from faceblind.datasets.names import FACE_SUFFIXES
from faceblind.errors import ScanError
from faceblind.formats.names import without_ending

logger = logging.getLogger(__name__)

_UNREADABLE = (HeaderDataError, ImageFileError)


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
    scans = find_scans(folder)
    check_people(scans, Path(folder))
    return scans


def check_people(scans: Iterable[ScanFile], folder: Path) -> None:
    """Refuse scans of one name in two folders of which nothing says whether they are of one person.

    Parameters
    ----------
    scans : iterable of ScanFile
        As `find_scans` gives them.
    folder : Path

    Raises
    ------
    ScanError
    """
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
