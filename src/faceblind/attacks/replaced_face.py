"""Attack 4, continued: a face that may be nobody's, put there by a tool that is not known.

An average face is nearer to any other average than people are, and its texture is that of an
average with noise added, not the scan's own. Both together raise a doubt; neither acquits, because
only the original can show whose face it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy import ndimage
from scipy.optimize import least_squares
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from faceblind.attacks.surface import FACE, Surface
from faceblind.geometry.arrays import correlation
from faceblind.geometry.points import thin
from faceblind.head.alignment import Alignment
from faceblind.head.segmentation import HeadMask
from faceblind.head.template import Template
from faceblind.scan import Scan

AVERAGE_LIKE = 0.7
"""Share of the face within 0.8 mm of the template's, from which it may be an average: people's own
faces have 0.28 to 0.68, averages of four people 0.73 to 0.76."""
SURELY_AVERAGE = 0.82
"""The same, without need of another sign."""
OTHER_TEXTURE = 0.06
"""Difference in the correlation of neighbouring voxels between face and scalp: -0.04 to 0.04 in
real scans, 0.13 to 0.18 where an average was pasted and noise added."""
SAME_MM = 1.3
"""Root mean square distance, after twelve coarse numbers, from which two people's faces are one
face."""
NEAR_MM = 2.2
"""The same after a plain fit, which a different nose or missing parts pull away, up to which it is
worth to look closer. Faces drawn from the head model differ by 1.3 to 6, one pair in eight by less
than this."""
FEW = 5
"""Every fifth point is enough for that."""
PRESENT = 0.95
"""Share of the points that must be there for it."""
FACE_MM = 0.8
"""Distance from the template's skin up to which a face follows it. Wider, average-looking people
would."""
_REACH = np.array([0.12, 0.12, 0.12, 0.16, 0.16, 0.16, 0.06, 0.06, 0.06])
"""Radians, shifts in 50 mm and shares of size by which the head may have been misplaced."""
_DEPTHS = np.array([4.0, 6.0, 8.0, 10.0, 12.0])
_STEP_MM = 5.0


@dataclass(frozen=True)
class ReplacedFace:
    """Whether a face looks like another tool's average.

    Parameters
    ----------
    average : float
        Share of the face that follows the template's face.
    texture : float
        Correlation of neighbouring voxels in the face, less that of the scalp.
    """

    average: float
    texture: float

    @property
    def suspected(self) -> bool:
        """It looks like an average, and not like the rest of the scan."""
        other = abs(self.texture) >= OTHER_TEXTURE
        return self.average >= (AVERAGE_LIKE if other else SURELY_AVERAGE)


def find_replaced_face(
    scan: Scan, head: HeadMask, surface: Surface, alignment: Alignment
) -> ReplacedFace:
    """Compare a face with an average, and its texture with the scalp's.

    Parameters
    ----------
    scan : Scan
    head : HeadMask
    surface : Surface
    alignment : Alignment
    """
    average = average_share(surface, alignment)
    if average < AVERAGE_LIKE:
        return ReplacedFace(average, 0.0)
    template = alignment.template
    volume = np.asarray(scan.volume(), np.float32)
    soft = ndimage.gaussian_filter(volume, 1.5 / scan.spacing)
    normals = template.normals @ np.linalg.inv(alignment.scan_to_template_rigid)[:3, :3].T
    bright = head.level(0.3)
    correlations = []
    for region in (template.region(*FACE), template.region("scalp")):
        usable = region & surface.seen & np.isfinite(surface.offset)
        deep = surface.points[usable, None] - _DEPTHS[:, None] * normals[usable, None]
        index = np.unique(np.round(scan.index(deep.reshape(-1, 3))).astype(np.int64), axis=0)
        index = index[((index >= 2) & (index < np.asarray(scan.shape) - 2)).all(axis=1)]
        index = index[soft[tuple(index.T)] > bright]
        if len(index) < 500:
            return ReplacedFace(average, 0.0)
        correlations.append(_correlation(volume - soft, index))
    return ReplacedFace(average, correlations[0] - correlations[1])


def average_share(surface: Surface, alignment: Alignment) -> float:
    """Share of the face that follows the template's after a turn, a shift and three sizes.

    Parameters
    ----------
    surface : Surface
    alignment : Alignment
    """
    template = alignment.template
    face = template.region(*FACE)
    usable = face & surface.seen & np.isfinite(surface.offset)
    if surface.area[usable].sum() < 0.5 * surface.area[face].sum():
        return 0.0
    place = apply_affine(alignment.scan_to_template, surface.points[usable])
    few = thin(place, 6.0)
    tree, centre = cKDTree(template.points), place.mean(axis=0)

    def away(step: NDArray[np.float64], which: NDArray[np.float64]) -> NDArray[np.float64]:
        turn = Rotation.from_rotvec(step[:3]).as_matrix()
        moved = ((which - centre) * (1.0 + step[6:9])) @ turn.T + centre + step[3:6] * 50.0
        _, nearest = tree.query(moved)
        gap = moved - template.points[nearest]
        return np.asarray((gap * template.normals[nearest]).sum(axis=1), np.float64)

    step = np.zeros(9)
    for scale in (4.0 * FACE_MM, FACE_MM):
        step = least_squares(
            away, step, args=(place[few],), bounds=(-_REACH, _REACH), loss="soft_l1",
            f_scale=scale, max_nfev=15,
        ).x  # fmt: skip
    weight = surface.area[usable]
    return float(weight[np.abs(away(step, place)) < FACE_MM].sum() / weight.sum())


def _correlation(rough: NDArray[np.float32], index: NDArray[np.int64]) -> float:
    """Mean correlation of voxels with their next neighbours along the three axes."""
    here = rough[tuple(index.T)]
    found = []
    for axis in range(3):
        there = index.copy()
        there[:, axis] += 1
        found.append(correlation(here, rough[tuple(there.T)]))
    return float(np.mean(found))


def outline(surface: Surface, alignment: Alignment) -> NDArray[np.float64]:
    """(N, 3) an even spread of the face in template mm, NaN where none shows; same N in all scans.

    Parameters
    ----------
    surface : Surface
    alignment : Alignment
    """
    rows = _spread(alignment.template)
    affine = alignment.scan_to_template
    place: NDArray[np.float64] = apply_affine(affine, surface.points[rows])
    return place


def _spread(template: Template) -> NDArray[np.int64]:
    chosen = np.flatnonzero(template.region(*FACE))
    rows: NDArray[np.int64] = chosen[thin(template.points[chosen], _STEP_MM)]
    return rows


def shared_faces(
    outlines: Mapping[str, NDArray[np.float64]], people: Mapping[str, str]
) -> set[str]:
    """Scans that show the face of a scan of somebody else: a replacement, whoever made it.

    Parameters
    ----------
    outlines : mapping of str to (N, 3) ndarray
        By scan, from `outline`.
    people : mapping of str to str
        Person of each scan.
    """
    names = sorted(outlines)
    same: set[str] = set()
    for place, near in enumerate(_nearest([outlines[name] for name in names])):
        one = names[place]
        for other in (names[k] for k in near if k > place):
            if people[one] != people[other] and _distance(outlines[one], outlines[other]) < SAME_MM:
                same |= {one, other}
    return same


def _nearest(outlines: Sequence[NDArray[np.float64]]) -> list[NDArray[np.int64]]:
    """Of each outline, those that a plain affine fit brings near: only they are worth a robust one.

    One product of matrices for each outline, so that thousands of scans take seconds.
    """
    if not outlines:
        return []
    every = np.stack([one[::FEW] for one in outlines])
    seen = np.isfinite(every)
    usual = every.sum(axis=0, where=seen) / np.maximum(seen.sum(axis=0), 1)
    # What is missing here and there is taken from the others; of much, nothing can be told.
    unclear = seen.mean(axis=(1, 2)) < PRESENT
    every = np.where(seen, every, usual)
    flat = every.transpose(1, 0, 2).reshape(every.shape[1], -1)
    power = (flat**2).sum(axis=0)
    found = []
    for one, odd in zip(every, unclear, strict=True):
        basis = np.linalg.qr(np.column_stack([one, np.ones(len(one))]))[0]
        # What the fit leaves is what the basis does not hold.
        left = power - ((basis.T @ flat) ** 2).sum(axis=0)
        away = np.sqrt(np.maximum(left.reshape(-1, 3).sum(axis=1), 0.0) / len(one))
        found.append(np.flatnonzero((away < NEAR_MM) | unclear | odd))
    return found


def _distance(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Distance of two faces after a robust affine fit, mm (root mean square)."""
    both = np.isfinite(one).all(axis=1) & np.isfinite(other).all(axis=1)
    if both.sum() < 0.6 * len(one):
        return float("inf")
    a = np.column_stack([one[both], np.ones(int(both.sum()))])
    weight = np.ones(len(a))
    for _ in range(4):
        fit, *_ = np.linalg.lstsq(a * weight[:, None], other[both] * weight[:, None], rcond=None)
        away = np.linalg.norm(a @ fit - other[both], axis=1)
        weight = 1.0 / np.sqrt(1.0 + (away / 2.0) ** 2)
    return float(np.sqrt(np.mean(np.minimum(away, 6.0) ** 2)))
