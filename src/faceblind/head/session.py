"""Scans of one session help one another: the same head, seen by several series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from faceblind.errors import FaceblindError, ScanError, why
from faceblind.geometry.icp import Target, fit_rigid
from faceblind.geometry.points import thin
from faceblind.geometry.transforms import angle_degrees
from faceblind.head.alignment import CONFIDENT, Alignment, align, moved
from faceblind.head.dim_face import find_dim_head
from faceblind.head.dim_scalp import has_dim_scalp, refined_at_dim_scalp
from faceblind.head.error_context import explained
from faceblind.head.motion import around
from faceblind.head.plausibility import require_head
from faceblind.head.presence import BOUNDS, faceless, find_presence, presence_of_moved
from faceblind.head.reference_volume import at_time, leaders
from faceblind.head.registration import register
from faceblind.head.skin import Skin, find_skin
from faceblind.head.small_head import or_smaller
from faceblind.head.whole_head import Head, uncertain
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
    """What one series says by itself, in the volume that leads it."""

    scan: Scan
    skin: Skin | None
    alignment: Alignment | None
    error: FaceblindError | None
    lead: int = 0

    @property
    def confidence(self) -> float:
        """Of the alignment; 0 where there is none."""
        return 0.0 if self.alignment is None else self.alignment.confidence

    @property
    def trusted(self) -> bool:
        """Whether it shows a head with a face, and where."""
        own = self.alignment
        return self.confidence >= CONFIDENT and own is not None and not find_presence(own).is_gone


@dataclass(frozen=True)
class _Companion:
    """A series that can help others: its head was found with confidence and has a face."""

    scan: Scan
    skin: Skin
    alignment: Alignment


def heads_of_session(scans: Sequence[Scan], *, strict: bool = True) -> list[Head | FaceblindError]:
    """The head in each scan of one session, by its own evidence or by a companion's.

    A series that shows less of the face than another, or that cannot be aligned alone, takes the
    other's alignment, provided that the skins of the two agree where the header puts them, after
    a small rigid correction. A series that cannot be aligned alone, and whose skin does not agree
    or is too dark to be seen, is registered to the other by what is inside the head and takes its
    skin, too. A series that shows no face helps no other, and is itself only helped: its face may
    be dark, or was taken out before, and by the other's skin it can be cut safely either way.

    Parameters
    ----------
    scans : sequence of Scan
        Of one person and session, with headers in one world space where that is true. Of a series
        the volume counts that shows the head best.
    strict : bool
        False accepts alignments of low confidence.

    Returns
    -------
    list of Head or FaceblindError
        In the order of `scans`.
    """
    evidence = [_own(scan) for scan in scans]
    heads = [_decide(one, evidence, strict) for one in evidence]
    return [
        replace(head, lead=one.lead) if isinstance(head, Head) else head
        for one, head in zip(evidence, heads, strict=True)
    ]


def _own(scan: Scan) -> _Evidence:
    """By the first of the volumes that may lead which shows the head, else by the very first."""
    tried = []
    for t in leaders(scan):
        tried.append(_own_volume(at_time(scan, t), t))
        if tried[-1].trusted:
            return tried[-1]
    return tried[0]


def _own_volume(scan: Scan, lead: int) -> _Evidence:
    found = _by_levels(scan, lead)
    if found.trusted:
        return found
    dim = find_dim_head(scan)
    return found if dim is None else _Evidence(scan, dim.skin, dim.alignment, None, lead)


def _by_levels(scan: Scan, lead: int) -> _Evidence:
    skin: Skin | None = None
    try:
        skin = find_skin(scan)
        usual = refined_at_dim_scalp(scan, skin, align(skin, scan))
        found, alignment = or_smaller(scan, skin, usual)
        require_head(alignment, scan)
        return _Evidence(scan, found, alignment, None, lead)
    except FaceblindError as error:
        return _Evidence(scan, skin, None, error, lead)
    except Exception as error:  # noqa: BLE001 - one scan must not take its companions with it
        return _Evidence(scan, skin, None, ScanError(why(error)), lead)


def _decide(one: _Evidence, all_: list[_Evidence], strict: bool) -> Head | FaceblindError:
    name = one.scan.source or "scan"
    own = one.alignment
    gone = own is not None and find_presence(own).is_gone
    trusted = one.trusted
    wanted = (_seen(own) + MUCH_MORE_SEEN) if own is not None and trusted else 0.0
    companions = [s for s in _companions(one, all_) if _seen(s.alignment) >= wanted]
    companions.sort(key=lambda companion: -_seen(companion.alignment))
    if one.skin is not None:
        for companion in companions:
            scan_to_companion = same_place(one.skin, companion)
            if scan_to_companion is not None:
                return _by_skin(one.scan, one.skin, companion, scan_to_companion)
    if not trusted:
        for companion in companions:
            head = _by_inside(one.scan, companion)
            if head is not None:
                return head
    if one.skin is None or own is None or (strict and one.confidence < CONFIDENT):
        return explained(one.error or uncertain(name, one.confidence), one.scan)
    return explained(faceless(name), one.scan) if gone else Head(one.skin, own)


def _companions(one: _Evidence, all_: list[_Evidence]) -> list[_Companion]:
    """The series that can help another.

    One that has lost its face cannot: its skin is a cut, which tells neither where the face lay nor
    how deep the brain lies.
    """
    return [
        _Companion(e.scan, e.skin, e.alignment)
        for e in all_
        if e is not one
        and e.skin is not None
        and e.alignment is not None
        and e.confidence >= CONFIDENT
        and not find_presence(e.alignment).is_gone
    ]


def _by_skin(
    scan: Scan, skin: Skin, companion: _Companion, scan_to_companion: NDArray[np.float64]
) -> Head:
    """The head where a companion's skin says; with its skin, too, where the scan has no face.

    Whether the face is dark there or was taken out before: the depth of the brain is measured under
    the skin. So, too, where much of a small head's scalp is too dim to be found.
    """
    alignment = moved(companion.alignment, scan_to_companion)
    shows = presence_of_moved(alignment, skin, scan).share >= BOUNDS.gone
    own = shows and not has_dim_scalp(scan, skin, alignment)
    return Head(skin if own else _moved_skin(companion.skin, scan_to_companion, scan), alignment)


def _by_inside(scan: Scan, companion: _Companion) -> Head | None:
    """The companion's skin and alignment, moved by what is inside the two heads; None if unsure."""
    found = register(scan, companion.scan, around(companion.alignment))
    if not found.is_sure or _too_far(found.scan_to_target, companion.skin.points):
        return None
    return Head(
        _moved_skin(companion.skin, found.scan_to_target, scan),
        moved(companion.alignment, found.scan_to_target),
    )


def _moved_skin(skin: Skin, scan_to_companion: NDArray[np.float64], scan: Scan) -> Skin:
    """A companion's skin where it lies in a scan; what the scan does not show counts as cut.

    Parameters
    ----------
    scan_to_companion : (4, 4) float64 ndarray
        Scan mm to companion mm, rigid.
    """
    back = np.linalg.inv(scan_to_companion)
    points = (apply_affine(back, skin.points)).astype(np.float32)
    index = scan.index(points)
    inside = ((index >= 1.0) & (index <= np.asarray(scan.shape) - 2.0)).all(axis=1)
    normals = (skin.normals @ back[:3, :3].T).astype(np.float32)
    return Skin(points, skin.faces, normals, skin.edge | ~inside)


def _too_far(scan_to_companion: NDArray[np.float64], points: NDArray[np.floating]) -> bool:
    """Whether a motion is larger than people make between series."""
    middle = points.mean(axis=0)
    shift = np.linalg.norm(scan_to_companion[:3, :3] @ middle + scan_to_companion[:3, 3] - middle)
    return bool(
        shift > MOST_MOVED_MM or angle_degrees(scan_to_companion, np.eye(4)) > MOST_TURNED_DEGREES
    )


def _seen(alignment: Alignment) -> float:
    """Mean share of the face's regions in the field of view."""
    return float(np.mean([alignment.seen[name] for name in _FACE]))


def same_place(skin: Skin, companion: _Companion) -> NDArray[np.float64] | None:
    """(4, 4) rigid map from a scan to its companion if they show one head in one place, else
    None.
    """
    keep = thin(companion.skin.points, 3.0)
    points = companion.skin.points[keep].astype(np.float64)
    target = Target(
        points,
        companion.skin.normals[keep].astype(np.float64),
        ~companion.skin.edge[keep],
        cKDTree(points),
        np.asarray(np.linalg.inv(companion.scan.affine), np.float64),
        np.asarray(companion.scan.shape),
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
    scan_to_companion = fit_rigid(target, sample, normals, np.ones(len(sample)), np.eye(4), scales)
    if _too_far(scan_to_companion, sample):
        return None
    placed = apply_affine(scan_to_companion, sample)
    distance = target.tree.query(placed)[0]
    return scan_to_companion if float(np.median(distance)) <= SAME_PLACE_MM else None
