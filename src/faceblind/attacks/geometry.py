"""Compare two heads by their surfaces: both sides are metric and share the template's vertices.

A recogniser sees a render as a photograph; a second scan gives more. The completed faces of two
scans correspond vertex by vertex, so that they can be laid on each other and subtracted. What
both deviate from their side's average is the person; what a whole side shares (the contrast's
skin level, distortion, slice thickness) is subtracted with the average.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from faceblind.errors import FaceblindError
from faceblind.features import HeadShown
from faceblind.head.align import thin
from faceblind.head.icp import laid_on
from faceblind.head.template import load_template

COMPARED = ("brow", "eyes", "nose", "mouth", "chin", "cheeks", "face")
"""Regions compared. Scalp and ears would link scans whose face was removed, and hair changes."""
STEP_MM = 4.0
"""Spacing of the compared vertices, near the detail that slices of 2 mm keep."""
TRUSTED_MM = 2.5
"""A vertex counts where skin of the scan is this near; elsewhere completion made it up."""
LEAST_WEIGHT = 1e-3
"""Of a vertex that is not trusted, when heads are laid on each other: without any trusted skin they
still have a place."""
LEAST_SHARED = 0.4
"""Share of the vertices that must be trusted on both sides. A forehead alone, which protection may
leave, has less."""
RELIEF_MM = 30.0
"""What varies over longer distances (pose, distortion, the width of a face that weight changes)
is left to the modes."""
MODE_NOISE_MM = 3.5
"""Misfit of one vertex; larger than the skin's noise because neighbours share their error."""
OUTLIER_MM = 4.0
"""Deviations beyond this (the lower jaw, hair, a hand) are limited to it."""


@dataclass(frozen=True)
class Shape:
    """The part of a head that geometry compares.

    Parameters
    ----------
    points : (N, 3) float32 ndarray
        Upright pose, mm; the same N vertices of the template in every scan.
    trust : (N,) float32 ndarray
        1 where the scan has skin, 0 where completion filled.
    """

    points: NDArray[np.float32]
    trust: NDArray[np.float32]


@lru_cache(maxsize=1)
def compared_vertices() -> NDArray[np.int64]:
    """(N,) template vertices that are compared: an even spread over the face."""
    template = load_template()
    spread = thin(template.points, STEP_MM)
    return spread[template.region(*COMPARED)[spread]]


def shape_of(head: HeadShown) -> Shape:
    """The compared vertices of a head and which of them lie on its own skin.

    Parameters
    ----------
    head : HeadShown
    """
    # Subdivision keeps the template's own vertices first, so that indices agree.
    points = head.completed.points[compared_vertices()]
    distance, _ = cKDTree(head.as_is.points).query(points, distance_upper_bound=TRUSTED_MM)
    return Shape(points, np.isfinite(distance).astype(np.float32))


def compare(probes: list[Shape], gallery: list[Shape]) -> NDArray[np.float64]:
    """How alike the surfaces of every probe and every gallery head are.

    Each head is laid rigidly on the average head (its size is kept) and its side's mean is
    subtracted. The deviations of two heads are then correlated twice, over the vertices that both
    trust: as relief (the part along the normals that is finer than `RELIEF_MM`), and as
    coefficients of the template's shape modes in standard deviations. The first needs no model of
    faces, the second is blind to what no face does; the mean of both is returned.

    Parameters
    ----------
    probes, gallery : list of Shape
        Two or more on each side.

    Returns
    -------
    (P, G) float64 ndarray
        In [-1, 1], higher is more alike; 0 where too little skin is shared.

    Raises
    ------
    FaceblindError
        If a side has fewer than two heads, so that it has no average.
    """
    if min(len(probes), len(gallery)) < 2:
        raise FaceblindError("linking: two or more people are needed on each side")
    p_off, p_trust = _deviations(probes)
    g_off, g_trust = _deviations(gallery)
    p_relief, g_relief = _relief(p_off, p_trust), _relief(g_off, g_trust)
    shared = p_trust @ g_trust.T / p_trust.shape[1]
    weighted = (p_trust * p_relief) @ (g_trust * g_relief).T
    mine = (p_trust * p_relief**2) @ g_trust.T
    theirs = p_trust @ (g_trust * g_relief**2).T
    relief = weighted / np.sqrt(np.maximum(mine * theirs, 1e-9))
    p_modes = np.stack([_modes(o, t) for o, t in zip(p_off, p_trust, strict=True)])
    g_modes = np.stack([_modes(o, t) for o, t in zip(g_off, g_trust, strict=True)])
    modes = _unit(p_modes) @ _unit(g_modes).T
    return np.where(shared >= LEAST_SHARED, 0.5 * (relief + modes), 0.0)


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    unit: NDArray[np.float64] = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return unit


@lru_cache(maxsize=1)
def _basis() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Modes (K, N, 3), normals (N, 3) and neighbourhoods (N, N) of the compared vertices."""
    template, chosen = load_template(), compared_vertices()
    points = template.points[chosen].astype(np.float64)
    square = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    return (
        template.modes[:, chosen].astype(np.float64),
        template.normals[chosen].astype(np.float64),
        np.exp(-0.5 * square / RELIEF_MM**2),
    )


def _relief(offset: NDArray[np.float64], trust: NDArray[np.float64]) -> NDArray[np.float64]:
    """(S, N) mm along the normals, without what varies slowly over the trusted vertices."""
    _, normals, near = _basis()
    along = (offset * normals).sum(axis=2)
    slow = (trust * along) @ near / np.maximum(trust @ near, 1e-6)
    relief: NDArray[np.float64] = along - slow
    return relief


def _modes(offset: NDArray[np.float64], trust: NDArray[np.float64]) -> NDArray[np.float64]:
    """(K,) most probable mode coefficients of one head's deviations (ridge regression).

    Only what lies along the normals counts. Along the surface vertices slide with the fit to the
    whole head, scalp included, which would link scans that share no face.
    """
    modes, normals, _ = _basis()
    along = (modes * normals).sum(axis=2)
    heavy = along * (trust / MODE_NOISE_MM**2)
    target = (offset * normals).sum(axis=1)
    solved = np.linalg.solve(heavy @ along.T + np.eye(len(modes)), heavy @ target)
    return solved.astype(np.float64)


def _deviations(shapes: list[Shape]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(S, N, 3) limited deviations from the side's mean, mm, and (S, N) trust."""
    model = load_template().points[compared_vertices()].astype(np.float64)
    trust = np.stack([shape.trust for shape in shapes]).astype(np.float64)
    placed = np.stack([laid_on(s.points, model, s.trust + LEAST_WEIGHT) for s in shapes])
    total = np.maximum(trust.sum(axis=0), 1e-9)
    # A vertex that hardly anybody shows has no mean of its own: the average head's stands in.
    few = 1.0
    mean = ((trust[..., None] * placed).sum(axis=0) + few * model) / (total + few)[:, None]
    offset = placed - mean
    length = np.linalg.norm(offset, axis=2, keepdims=True)
    limited: NDArray[np.float64] = offset * np.minimum(1.0, OUTLIER_MM / np.maximum(length, 1e-9))
    return limited, trust
