"""Masks and label images, told by what they hold: a mask of a head shows the face's outline."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from faceblind.formats.names import without_ending
from faceblind.scan import Scan

COARSE_MM = 3.0
"""Spacing at which outlines are judged."""
CLOSING_MM = 8.0
"""Half the width of gaps that are bridged, so that grey matter alone is a brain's outline."""
SMALL_MM = 60.0
"""Longest extent that cannot show a face, as `faceblind.formats.volumes.MIN_EXTENT_MM`."""
LARGEST_BRAIN_LITRES = 1.95
"""Skull's inside of a large man, 1.9 litres; adult heads in view to the nose have 2.8 and more."""
LONGEST_BRAIN_MM = 200.0
"""Full axis of the ellipsoid with a brain's moments; measured 170 to 186."""
ROUND = 0.75
"""Overlap (intersection over union) with that ellipsoid. Brains have 0.79 to 0.84, solid faces 0.64
to 0.71, shells of faces 0.25."""
CUT_CM2 = 60.0
"""Area at the border of the field of view from which an outline may be a head's that is cut."""
PIECEWISE = 0.5
"""Share of equal neighbours from which numbers are labels; noise and anatomy have below 0.2."""

_MASK_ENDS = ("_mask", "_defacemask", "_dseg", "_probseg", "_seg")
Kind = Literal["harmless", "outline", "image"]


@dataclass(frozen=True)
class Support:
    """Where a label image differs from what surrounds it.

    Parameters
    ----------
    mask : (I, J, K) bool ndarray
        On every n-th voxel along each axis.
    affine : (4, 4) float64 ndarray
        Index of `mask` to RAS+ mm.
    """

    mask: NDArray[np.bool_]
    affine: NDArray[np.float64]

    @property
    def spacing(self) -> NDArray[np.float64]:
        """(3,) mm."""
        return np.asarray(np.linalg.norm(self.affine[:3, :3], axis=0), np.float64)


def is_mask_name(file_name: str) -> bool:
    """Whether a name says that the file holds a mask or labels."""
    stem = without_ending(file_name)
    return stem.endswith(_MASK_ENDS) or "_label-" in stem


def kind_of_mask(path: Path) -> Kind:
    """What a file that is named a mask holds.

    Parameters
    ----------
    path : Path

    Returns
    -------
    {"harmless", "outline", "image"}
        Harmless: a brain, parts of it, or spots, as mask, labels or probabilities. Outline: labels
        whose outline may be a head's or a face's. Image: anything else; its name is wrong.

    Raises
    ------
    ScanError
        If it cannot be read.
    """
    # Folders without masks are listed without what reads a file.
    from faceblind.formats import load

    scan = load(path, derived=True)
    is_labels = _is_piecewise(scan.voxels)
    ends_so = without_ending(path.name).endswith("_probseg")
    if not is_labels and not (ends_so and _is_probability(scan.voxels)):
        return "image"
    if _is_small_or_brain(support_of(scan)):
        return "harmless"
    return "outline" if is_labels else "image"


def support_of(scan: Scan) -> Support:
    """Where any volume differs from the value that is commonest at the border.

    Parameters
    ----------
    scan : Scan
    """
    step = np.maximum(1, np.round(COARSE_MM / scan.spacing)).astype(int)
    voxels = scan.voxels[:: step[0], :: step[1], :: step[2]]
    values = voxels.reshape(*voxels.shape[:3], -1)
    around = _around(values)
    if values.dtype.kind == "f" and not np.array_equal(values, np.rint(values)):
        # Probabilities fade out.
        differs = np.abs(values - around) > 0.02 * float(np.ptp(values))
    else:
        differs = values != around
    affine = scan.affine @ np.diag([*step.astype(np.float64), 1.0])
    return Support(differs.any(axis=3), affine)


def _around(values: NDArray[Any]) -> Any:
    """The commonest value at the border of a volume."""
    sides = [values.take(place, axis).ravel() for axis in range(3) for place in (0, -1)]
    found, counts = np.unique(np.concatenate(sides), return_counts=True)
    return found[counts.argmax()]


def _is_piecewise(voxels: NDArray[Any]) -> bool:
    """Whether neighbours inside are mostly equal, so that there is neither noise nor anatomy."""
    # Whole rows along one axis, some of them.
    rows = voxels.reshape(*voxels.shape[:3], -1)[:, ::2, ::2, 0]
    around = _around(rows)
    first, second = rows[:-1], rows[1:]
    both = (first != around) & (second != around)
    return int((both & (first == second)).sum()) >= PIECEWISE * int(both.sum())


def _is_probability(voxels: NDArray[Any]) -> bool:
    return bool(voxels.min() >= 0 and voxels.max() <= 1.001)


def _is_small_or_brain(support: Support) -> bool:
    """Whether no part of an outline can be a head's or a face's."""
    from scipy import ndimage

    if not support.mask.any():
        return True
    spacing = support.spacing
    area = _area_at_border(support)
    closed = _closed(support.mask, spacing)
    parts, count = ndimage.label(closed)
    litres = closed.sum() * float(np.prod(spacing)) / 1e6
    if litres > LARGEST_BRAIN_LITRES:
        return False
    for place in range(1, count + 1):
        points = np.argwhere(parts == place) * spacing
        if np.ptp(points, axis=0).max() <= SMALL_MM:
            continue
        if area > CUT_CM2 or not _is_brain(points, float(np.prod(spacing))):
            return False
    return True


def _closed(mask: NDArray[np.bool_], spacing: NDArray[np.float64]) -> NDArray[np.bool_]:
    """A mask with gaps bridged and cavities filled."""
    from scipy import ndimage

    around = [(int(n), int(n)) for n in np.ceil(CLOSING_MM / spacing) + 1]
    padded = np.pad(mask, around)
    near = ndimage.distance_transform_edt(~padded, sampling=spacing) <= CLOSING_MM
    inner = ndimage.distance_transform_edt(near, sampling=spacing) > CLOSING_MM
    return np.asarray(ndimage.binary_fill_holes(inner | padded), np.bool_)


def _is_brain(points: NDArray[np.float64], cell: float) -> bool:
    """Whether (N, 3) places in mm, of `cell` mm³ each, fill an ellipsoid of a brain's size."""
    away = points - points.mean(axis=0)
    # Of a solid ellipsoid the variance along an axis is a fifth of the half axis squared.
    variance, turn = np.linalg.eigh(np.cov(away.T))
    half = np.sqrt(5.0 * np.maximum(variance, 1e-6))
    if 2.0 * half.max() > LONGEST_BRAIN_MM:
        return False
    shared = ((away @ turn / half) ** 2).sum(axis=1) <= 1.0
    whole = 4.0 / 3.0 * np.pi * float(half.prod()) / cell
    return float(shared.sum() / (len(points) + whole - shared.sum())) >= ROUND


def _area_at_border(support: Support) -> float:
    """Largest area of an outline on one side of the field of view, cm²."""
    spacing = support.spacing
    return max(
        float(support.mask.take(place, axis).sum() * np.prod(np.delete(spacing, axis))) / 100.0
        for axis in range(3)
        for place in (0, -1)
    )
