"""Attack 7 turned round: was the brain harmed?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from faceblind.geometry.grid import erode
from faceblind.head.alignment import Alignment
from faceblind.head.brain_cover import template_fields
from faceblind.head.motion import Motion
from faceblind.head.reference_volume import at_time, volumes
from faceblind.head.segmentation import HeadMask
from faceblind.scan import Scan

CORE_MM = 5.0
"""Depth inside the template's brain that is brain in everybody."""
BITE_ML = 15.0
"""Air inside the core beyond this is a bite. Dark ventricles of intact T1 scans reach 6."""
_STEP = 2


@dataclass(frozen=True)
class Brain:
    """What became of the brain.

    Parameters
    ----------
    changed_mm3 : float or None
        Altered against the original; None without one.
    where : tuple of str
        Parts of the head in which it was altered or is missing.
    bite_ml : float
        Emptied volume well inside the brain, seen without the original.
    """

    changed_mm3: float | None
    where: tuple[str, ...]
    bite_ml: float


def find_harm(
    scan: Scan,
    alignment: Alignment,
    head: HeadMask,
    original: Scan | None = None,
    *,
    cut_spares_brain: bool = False,
    by_brain: Alignment | None = None,
    lead: int = 0,
    motion: Motion | None = None,
    shown: Scan | None = None,
) -> Brain:
    """Look for a harmed brain.

    Parameters
    ----------
    scan : Scan
        The protected scan.
    alignment : Alignment
        Of `scan`, or better of its original.
    head : HeadMask
        Of `scan`.
    original : Scan, optional
        On the same grid; another grid is not compared.
    cut_spares_brain : bool
        The face was removed along a cut that is known to spare the brain, so that only holes
        within the head are bites. A head without a face is found less well, and what lies beside
        it would be taken for one.
    by_brain : Alignment, optional
        Where a brain like the average one lies best in `scan`. Around a brain that is small for its
        skull lies fluid or bone, and what is dark there is no bite.
    lead : int
        The volume of a series that `alignment` and `head` are of.
    motion : Motion, optional
        Of the series: each volume's brain is looked for where its head lies.
    shown : Scan, optional
        What `head` was found in, where its intensities are not those of the leading volume.
    """
    shown = shown or at_time(scan, lead)
    empty = _empty(shown, alignment, head, cut_spares_brain)
    if len(empty) * _place_ml(shown) > BITE_ML and by_brain is not None:
        again = _empty(shown, by_brain, head, cut_spares_brain)
        empty = min(empty, again, key=len)
    bite = len(empty) * _place_ml(shown)
    changed: float | None = None
    where = _parts(empty, shown, alignment) if bite > BITE_ML else ()
    if original is not None and _same_grid(scan, original):
        harmed = _harmed(scan, original, alignment, motion)
        changed = float(len(harmed) * np.prod(scan.spacing))
        if len(harmed):
            where = _parts(harmed, scan, alignment)
    return Brain(changed, where, bite)


def _place_ml(scan: Scan) -> float:
    """Volume that one of the sparse places stands for."""
    return float(_STEP**3 * np.prod(scan.spacing) / 1e3)


def _empty(
    scan: Scan, alignment: Alignment, head: HeadMask, cut_spares_brain: bool
) -> NDArray[np.int64]:
    """(N, 3) indices of sparse places, well inside the brain by an alignment, that are air."""
    sparse = np.stack(
        np.meshgrid(*(np.arange(0, n, _STEP) for n in scan.shape), indexing="ij"), -1
    ).reshape(-1, 3)
    place = apply_affine(alignment.scan_to_template, scan.world(sparse))
    inside = template_fields().at("brain", place)
    core = sparse[inside > CORE_MM]
    values = np.asarray(scan.voxels[tuple(core.T)], np.float64)
    empty = core[values <= head.level(0.05)]
    if cut_spares_brain:
        empty = empty[_within(scan.world(empty), head)]
    return np.asarray(empty, np.int64)


def _within(places: NDArray[np.float64], head: HeadMask) -> NDArray[np.bool_]:
    """(N,) whether scan mm lie in the convex hull of the head."""
    inner = erode(np.pad(head.mask, 1), 1)[1:-1, 1:-1, 1:-1]
    border = np.argwhere(head.mask & ~inner)
    hull = ConvexHull(apply_affine(head.affine, border))
    within: NDArray[np.bool_] = np.ones(len(places), bool)
    for *normal, offset in hull.equations:
        within &= places @ np.array(normal) + offset < 0
    return within


def _same_grid(scan: Scan, original: Scan) -> bool:
    """Whether voxels of one index lie in one place, within a tenth of a voxel."""
    if scan.voxels.shape != original.voxels.shape:
        return False
    corners = np.array(list(np.ndindex(2, 2, 2))) * (np.array(scan.shape) - 1)
    apart = np.linalg.norm(scan.world(corners) - original.world(corners), axis=1)
    return bool(apart.max() <= 0.1 * scan.spacing.min())


def _different(scan: Scan, original: Scan, times: list[int]) -> NDArray[np.bool_]:
    """(I, J, K) voxels whose intensity differs in any of the volumes, beyond float32's rounding."""
    different: NDArray[np.bool_] = np.zeros(scan.shape, bool)
    for t in times:
        a, b = np.asarray(scan.volume(t)), np.asarray(original.volume(t))
        different |= ~np.isclose(a, b, rtol=1e-6, atol=0.0)
    return different


def _harmed(
    scan: Scan, original: Scan, alignment: Alignment, motion: Motion | None
) -> NDArray[np.int64]:
    """(N, 3) voxels of the average brain that differ, in any volume, from the original's."""
    groups = motion.groups() if motion else [(np.eye(4), [*range(volumes(scan))])]
    found = []
    for move, times in groups:
        index = np.argwhere(_different(scan, original, times))
        if len(index):
            place = apply_affine(alignment.scan_to_template @ move, scan.world(index))
            found.append(index[template_fields().at("brain", place) > 0])
    return np.unique(np.concatenate(found), axis=0) if found else np.zeros((0, 3), np.int64)


def _parts(index: NDArray[np.int64], scan: Scan, alignment: Alignment) -> tuple[str, ...]:
    """Names of the parts that hold a tenth or more of the voxels."""
    place = apply_affine(alignment.scan_to_template, scan.world(index))
    front = np.where(
        place[:, 1] > 15, "frontal", np.where(place[:, 1] < -45, "posterior", "middle")
    )
    names, counts = np.unique(front, return_counts=True)
    return tuple(str(n) for n, c in zip(names, counts, strict=True) if c >= 0.1 * len(index))
