"""Scans of one session help one another: the same head, seen by several series."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray

from faceblind.errors import FaceblindError, ScanError, why
from faceblind.geometry.icp import Target, fit_rigid
from faceblind.geometry.points import thin, tree_of
from faceblind.geometry.transforms import angle_degrees
from faceblind.head.alignment import Alignment, moved
from faceblind.head.dim_scalp import has_dim_scalp
from faceblind.head.error_context import explained
from faceblind.head.motion import around
from faceblind.head.own_head import OwnHead, find_own_head, or_dim
from faceblind.head.presence import BOUNDS, presence_of_moved
from faceblind.head.registration import register
from faceblind.head.skin import Skin
from faceblind.head.whole_head import Head, head_of
from faceblind.scan import Scan

SAME_PLACE_MM = 2.5
"""Median distance between the skins of two series up to which they show one head in one place;
slices of 5 mm and fat shifted by a few pixels stay below."""
MOST_MOVED_MM = 8.0
MOST_TURNED_DEGREES = 6.0
"""People move a little between series. More than this, and each series must speak for itself."""
MUCH_MORE_SEEN = 0.1
"""Share of the face by which a companion must see more than a series that shows a face itself."""
CLEAR = 0.9
"""Share of the face that a companion sees before a series that it helps is not searched for a dim
face: below it, the series' own face, if it is only dim, may tell more."""
_Given = TypeVar("_Given")
_FACE = ("brow", "eyes", "nose", "mouth", "chin", "cheeks")


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

    A series whose levels show no face is looked at again for a dim one, unless a companion that
    shows nearly the whole face helps it.

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
    owns = [_guarded(find_own_head, scan, scan) for scan in scans]
    helped = [
        None if own.is_trusted else _helped(own, _companions(own, owns, CLEAR)) for own in owns
    ]
    owns = [
        own if own.is_trusted or head is not None else _guarded(or_dim, own, own.scan)
        for own, head in zip(owns, helped, strict=True)
    ]
    heads = [head or _decide(own, owns, strict) for own, head in zip(owns, helped, strict=True)]
    return [
        replace(head, lead=own.lead) if isinstance(head, Head) else head
        for own, head in zip(owns, heads, strict=True)
    ]


def _guarded(find: Callable[[_Given], OwnHead], given: _Given, scan: Scan) -> OwnHead:
    try:
        return find(given)
    except Exception as error:  # noqa: BLE001 - one scan must not take its companions with it
        return OwnHead(scan, error=ScanError(why(error)))


def _decide(own: OwnHead, all_: list[OwnHead], strict: bool) -> Head | FaceblindError:
    least = 0.0
    if own.is_trusted and own.alignment is not None:
        least = _seen(own.alignment) + MUCH_MORE_SEEN
    head = _helped(own, _companions(own, all_, least))
    if head is not None:
        return head
    try:
        return head_of(own, strict=strict)
    except FaceblindError as error:
        return explained(error, own.scan)


def _helped(own: OwnHead, companions: list[_Companion]) -> Head | None:
    """The head by the first companion that agrees: by skin or, if needed, by what is inside."""
    if own.skin is not None:
        for companion in companions:
            scan_to_companion = same_place(own.skin, companion)
            if scan_to_companion is not None:
                return _by_skin(own.scan, own.skin, companion, scan_to_companion)
    if not own.is_trusted:
        for companion in companions:
            head = _by_inside(own.scan, companion)
            if head is not None:
                return head
    return None


def _companions(own: OwnHead, all_: list[OwnHead], least: float) -> list[_Companion]:
    """The series that can help another, those that see most of the face first.

    One that has lost its face cannot: its skin is a cut, which tells neither where the face lay nor
    how deep the brain lies.

    Parameters
    ----------
    least : float
        Share of the face that a companion sees at least.
    """
    found = [
        _Companion(other.scan, other.skin, other.alignment)
        for other in all_
        if other is not own
        and other.is_trusted
        and other.skin is not None
        and other.alignment is not None
        and _seen(other.alignment) >= least
    ]
    return sorted(found, key=lambda companion: -_seen(companion.alignment))


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
        tree_of(points),
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
