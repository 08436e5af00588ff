"""Where the template's face lies in a scan, told so coarsely that it identifies nobody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from faceblind.head.align import Alignment
from faceblind.head.icp import fit_affine
from faceblind.head.template import Template

ANCHOR = np.array([0.0, 35.0, 15.0])
"""Template mm; rounding errors grow from here, midway between brow and ears."""
SCALE_STEP = 0.04
"""Half a step moves the tip of the nose or the chin by 2 mm at most."""
ANGLE_STEP = 2.0
"""Degrees; half a step moves the tip of the nose by about 1 mm."""
SHIFT_STEP = 2.0
"""Millimetres."""


@dataclass(frozen=True)
class Placement:
    """The map between a scan and the template that protection uses.

    Parameters
    ----------
    affine : (4, 4) float64 ndarray
        Scan RAS+ mm to template mm: a rotation and one scale for each template axis.
    scales : (3,) float64 ndarray
        Template mm per scan mm along x, y, z of the template, in steps of `SCALE_STEP`.
    """

    affine: NDArray[np.float64]
    scales: NDArray[np.float64]


def place(alignment: Alignment) -> Placement:
    """Round the alignment to nine coarse numbers.

    Two heads whose pose and size round to the same numbers get the same removal surface and the
    same new face. The rounding is by whole steps from zero, so that a small change of the
    evidence rarely changes anything.

    Parameters
    ----------
    alignment : Alignment
        Confident.
    """
    exact = _evenly_fitted(alignment)
    linear = exact[:3, :3]
    scales = np.linalg.norm(linear, axis=1)
    left, _, right = np.linalg.svd(linear / scales[:, None])
    turn = Rotation.from_matrix(left @ right)
    angles = turn.as_euler("zyx", degrees=True)
    coarse = Rotation.from_euler("zyx", _rounded(angles, ANGLE_STEP), degrees=True).as_matrix()
    scales = _rounded(scales, SCALE_STEP)
    anchor = _rounded(np.linalg.solve(linear, ANCHOR - exact[:3, 3]), SHIFT_STEP)
    affine = np.eye(4)
    affine[:3, :3] = scales[:, None] * coarse
    affine[:3, 3] = ANCHOR - affine[:3, :3] @ anchor
    return Placement(affine, scales)


def _rounded(values: NDArray[np.floating], step: float) -> NDArray[np.float64]:
    return np.asarray(np.round(values / step) * step, np.float64)


def _evenly_fitted(alignment: Alignment) -> NDArray[np.float64]:
    """(4, 4) scan to template from an even spread of the surface.

    The template has most of its vertices on lids, lips and ears, which must not decide alone.
    """
    template = alignment.template
    even = _even(template)
    fitted = alignment.fitted()[even]
    return fit_affine(fitted, template.points[even].astype(np.float64))


def _even(template: Template) -> NDArray[np.int64]:
    """One vertex in each 8 mm cube, without the neck below the jaw."""
    cell = np.floor(template.points / 8.0).astype(np.int64)
    _, first = np.unique(cell, axis=0, return_index=True)
    return np.sort(first[~template.region("neck")[first]])
