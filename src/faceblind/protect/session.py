"""Scans of one session help one another: the same head, seen by several series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from faceblind.errors import AlignmentError, FaceblindError
from faceblind.head.align import CONFIDENT, Alignment, align, thin
from faceblind.head.icp import Target, fit_rigid
from faceblind.head.skin import Skin, find_skin
from faceblind.protect.blank import Head, uncertain
from faceblind.scan import Scan

SAME_PLACE_MM = 2.5
"""Median distance between the skins of two series up to which they show one head in one place;
slices of 5 mm and fat shifted by a few pixels stay below."""
MOST_MOVED_MM = 8.0
MOST_TURNED_DEGREES = 6.0
"""People move a little between series. More than this, and each series must speak for itself."""
MUCH_MORE_SEEN = 0.1
_FACE = ("brow", "eyes", "nose", "mouth", "chin", "cheeks")


@dataclass(frozen=True)
class _Evidence:
    """What one series says by itself."""

    scan: Scan
    skin: Skin | None
    alignment: Alignment | None
    error: FaceblindError | None


def heads_of_session(scans: Sequence[Scan], *, strict: bool = True) -> list[Head | FaceblindError]:
    """The head in each scan of one session, by its own evidence or by a sister's.

    A series that shows less of the face than another, or that cannot be aligned alone, takes the
    other's alignment, provided that the skins of the two agree where the header puts them, after
    a small rigid correction.

    Parameters
    ----------
    scans : sequence of Scan
        Of one person and session, with headers in one world space where that is true.
    strict : bool
        False accepts alignments of low confidence.

    Returns
    -------
    list of Head or FaceblindError
        In the order of `scans`.
    """
    evidence = [_own(scan) for scan in scans]
    return [_decide(one, evidence, strict) for one in evidence]


def _own(scan: Scan) -> _Evidence:
    try:
        skin = find_skin(scan)
    except FaceblindError as error:
        return _Evidence(scan, None, None, error)
    try:
        return _Evidence(scan, skin, align(skin, scan), None)
    except FaceblindError as error:
        return _Evidence(scan, skin, None, error)


def _decide(one: _Evidence, all_: list[_Evidence], strict: bool) -> Head | FaceblindError:
    name = one.scan.source or "scan"
    if one.skin is None:
        return one.error or AlignmentError(f"{name}: no head found")
    own = one.alignment
    trusted = own is not None and own.confidence >= CONFIDENT
    wanted = (_seen(own) + MUCH_MORE_SEEN) if own is not None and trusted else 0.0
    sisters = [e for e in all_ if e is not one and e.alignment is not None and e.skin is not None]
    sisters = [e for e in sisters if e.alignment and e.alignment.confidence >= CONFIDENT]
    for sister in sorted(sisters, key=lambda e: -_seen(e.alignment)):
        if _seen(sister.alignment) < wanted:
            break
        move = same_place(one.skin, sister)
        if move is not None and sister.alignment is not None:
            return Head(one.skin, moved(sister.alignment, move))
    if own is not None and (trusted or not strict):
        return Head(one.skin, own)
    if one.error is not None:
        return one.error
    return uncertain(name, own.confidence if own is not None else 0.0)


def _seen(alignment: Alignment | None) -> float:
    """Mean share of the face's regions in the field of view."""
    if alignment is None:
        return 0.0
    return float(np.mean([alignment.seen[name] for name in _FACE]))


def moved(alignment: Alignment, move: NDArray[np.float64]) -> Alignment:
    """The alignment of a scan from that of its sister.

    Parameters
    ----------
    alignment : Alignment
        Of the sister.
    move : (4, 4) float64 ndarray
        Scan mm to sister mm, rigid.
    """
    return replace(alignment, affine=alignment.affine @ move, pose=alignment.pose @ move)


def same_place(skin: Skin, sister: _Evidence) -> NDArray[np.float64] | None:
    """(4, 4) rigid map from a scan to its sister if they show one head in one place, else None."""
    assert sister.skin is not None
    keep = thin(sister.skin.points, 3.0)
    points = sister.skin.points[keep].astype(np.float64)
    target = Target(
        points,
        sister.skin.normals[keep].astype(np.float64),
        ~sister.skin.edge[keep],
        cKDTree(points),
        np.asarray(np.linalg.inv(sister.scan.affine), np.float64),
        np.asarray(sister.scan.shape),
    )
    own = np.flatnonzero(~skin.edge)
    own = own[thin(skin.points[own], 6.0)]
    sample = skin.points[own].astype(np.float64)
    normals = skin.normals[own].astype(np.float64)
    inside = target.inside(sample)
    if inside.sum() < 200:
        return None
    sample, normals = sample[inside], normals[inside]
    scales = (10.0, 8.0, 6.0, 4.0, 3.0, 3.0)
    move = fit_rigid(target, sample, normals, np.ones(len(sample)), np.eye(4), scales)
    shift = np.linalg.norm(move[:3, :3] @ sample.mean(0) + move[:3, 3] - sample.mean(0))
    turn = np.degrees(np.arccos(np.clip((np.trace(move[:3, :3]) - 1) / 2, -1, 1)))
    if shift > MOST_MOVED_MM or turn > MOST_TURNED_DEGREES:
        return None
    placed = sample @ move[:3, :3].T + move[:3, 3]
    distance = target.tree.query(placed)[0]
    return move if float(np.median(distance)) <= SAME_PLACE_MM else None
