"""Where is the head, whatever the header says: a global search over rotations and translations.

The skin of the scan and the template are compared as fields of surface normals on a coarse grid.
Normals tell a forehead from an occiput of the same curvature, and missing skin (a cut field of
view) merely adds nothing. For each rotation of the template, one Fourier cross-correlation scores
all translations at once (as in fast rotational matching, Roseman 2003, Ultramicroscopy 94:225).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.spatial.transform import Rotation

CELL_MM = 10.0
"""Grid cell: coarse enough that 15 degrees of misfit still overlap, fine enough to see a nose."""

CELLS = 36
"""Cells per axis: 360 mm hold a head with shoulders; what lies beyond wraps around harmlessly."""


@lru_cache(maxsize=2)
def rotations(everywhere: bool) -> NDArray[np.float64]:
    """Rotations to try, template to scan.

    Parameters
    ----------
    everywhere : bool
        False: the header is about right (tilts up to 45 degrees). True: all 24 axis orientations,
        each with the same tilts, which covers every rotation to about 20 degrees.

    Returns
    -------
    (N, 3, 3) float64 ndarray
        Proper rotations only: handedness is the header's to tell, a head is too symmetric.
    """
    steps = np.deg2rad([-30.0, 0.0, 30.0])
    tilts = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    tilts = tilts[np.argsort((tilts**2).sum(axis=1), kind="stable")]
    tilt = Rotation.from_rotvec(tilts).as_matrix()
    if not everywhere:
        return tilt
    axes = Rotation.create_group("O").as_matrix()
    return np.einsum("tij,ajk->taik", tilt, axes).reshape(-1, 3, 3)


def normal_field(
    points: NDArray[np.floating], normals: NDArray[np.floating], origin: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Sum of the normals in each cell of a periodic grid, trilinearly shared.

    Parameters
    ----------
    points, normals : (P, 3) ndarray
        Surface samples in millimetres and their outward unit normals (times their weight).
    origin : (3,) ndarray
        Position of the centre of cell (0, 0, 0) in millimetres.

    Returns
    -------
    (3, CELLS, CELLS, CELLS) float32 ndarray
    """
    where = (points - origin) / CELL_MM
    base = np.floor(where).astype(np.int64)
    part = where - base
    field = np.zeros((3, CELLS**3), dtype=np.float32)
    for corner in np.ndindex(2, 2, 2):
        weight = np.prod(np.where(corner, part, 1.0 - part), axis=1)
        i, j, k = ((base + corner) % CELLS).T
        cell = (i * CELLS + j) * CELLS + k
        for axis in range(3):
            field[axis] += np.bincount(cell, weights=weight * normals[:, axis], minlength=CELLS**3)
    return field.reshape(3, CELLS, CELLS, CELLS)


def _saturated(field: NDArray[np.float32]) -> NDArray[np.float32]:
    """Limit each cell to unit length, so that clutter counts no more than plain skin."""
    length = np.sqrt((field**2).sum(axis=0))
    typical = np.median(length[length > 0.05 * length.max()])
    return field / np.maximum(length, typical)


def candidates(
    scan_points: NDArray[np.floating],
    scan_normals: NDArray[np.floating],
    template_points: NDArray[np.floating],
    template_normals: NDArray[np.floating],
    *,
    everywhere: bool,
    keep: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The best starting poses, best first.

    Parameters
    ----------
    scan_points, scan_normals : (S, 3) ndarray
        Evenly thinned skin, scan RAS+ mm.
    template_points, template_normals : (T, 3) ndarray
        Evenly thinned template, template RAS+ mm; normals carry the weights.
    everywhere : bool
        See `rotations`.
    keep : int
        How many to return.

    Returns
    -------
    poses : (keep, 4, 4) float64 ndarray
        Rigid maps from the template to the scan, mm.
    scores : (keep,) float64 ndarray
        Correlation relative to the template's own; higher is better.
    """
    origin = scan_points.mean(axis=0)
    target = fft.rfftn(
        _saturated(normal_field(scan_points, scan_normals, origin)), axes=(1, 2, 3), workers=2
    )
    tried = rotations(everywhere)
    best = np.empty(len(tried))
    shift = np.empty((len(tried), 3))
    for n, rotation in enumerate(tried):
        moved = normal_field(
            template_points @ rotation.T, template_normals @ rotation.T, np.zeros(3)
        )
        spectrum = np.conj(fft.rfftn(moved, axes=(1, 2, 3), workers=2))
        correlation = fft.irfftn((spectrum * target).sum(axis=0), s=(CELLS,) * 3, workers=2)
        peak = int(np.argmax(correlation))
        best[n] = correlation.flat[peak]
        shift[n] = np.unravel_index(peak, correlation.shape)
    shift = np.where(shift >= CELLS // 2, shift - CELLS, shift) * CELL_MM + origin
    order = np.argsort(-best, kind="stable")[:keep]
    poses = np.tile(np.eye(4), (len(order), 1, 1))
    poses[:, :3, :3] = tried[order]
    poses[:, :3, 3] = shift[order]
    return poses, best[order] / np.sqrt((template_normals**2).sum())
