"""Compare two faces by their surfaces: both sides are metric and share the template's frame.

A recogniser sees a render as a photograph; a second scan gives more. Two scans of one head can be
registered to each other and subtracted. What both deviate from their side's average is the person;
what a whole side shares (the contrast's skin level, distortion, slice thickness) is subtracted with
the average.

The question is what the *face* gives away: forehead, temples, scalp, skull and brain, which
protection must leave, link scans of one person by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from faceblind.errors import FaceblindError
from faceblind.face.pipeline import ReconstructedHead
from faceblind.geometry.icp import registered_rigidly
from faceblind.geometry.points import thin
from faceblind.head.template import load_template

REGIONS_KEPT = ("brow", "eyes", "nose", "mouth", "chin", "cheeks", "face")
"""Regions whose vertices stand for a head's surface."""
TOP_MM = 42.0
"""Template height of the upper edge of the brow ridge: compared is the face below it."""
BACK_MM = 30.0
"""Template mm: compared is the face in front of temples and ears."""
STEP_MM = 4.0
"""Spacing of vertices and samples, near the detail that slices of 2 mm keep."""
SIDEWAYS_MM = 3.0
"""How far beside a sample's normal the surface still speaks for it (standard deviation)."""
NEIGHBOURS = 10
"""Vertices asked at each sample: all within two spacings."""
REACH_MM = 12.0
"""Surface further along the normal is another part of the head."""
TRUSTED_MM = 2.5
"""A vertex counts where skin of the scan is this near; elsewhere completion made it up."""
LEAST_WEIGHT = 1e-3
"""Of a vertex that is not trusted, when heads are registered to each other: without any trusted
skin they still have a place."""
LEAST_SHARED = 0.4
"""Share of the samples that must be trusted on both sides."""
RELIEF_MM = 30.0
"""What varies over longer distances (pose, distortion, the width of a face that weight changes)
is left to the modes."""
MODE_NOISE_MM = 3.5
"""Misfit of one sample; larger than the skin's noise because neighbours share their error."""
OUTLIER_MM = 4.0
"""Deviations beyond this (the lower jaw, hair, a hand) are limited to it."""


@dataclass(frozen=True)
class Shape:
    """What geometry keeps of a head.

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
def kept_vertices() -> NDArray[np.int64]:
    """(N,) template vertices that stand for a head's surface: an even spread without the scalp."""
    template = load_template()
    spread = thin(template.points, STEP_MM)
    return spread[template.region(*REGIONS_KEPT)[spread]]


def shape_of(head: ReconstructedHead) -> Shape:
    """The kept vertices of a head and which of them lie on its own skin.

    Parameters
    ----------
    head : ReconstructedHead
    """
    # Subdivision keeps the template's own vertices first, so that indices agree.
    points = head.completed.points[kept_vertices()]
    distance, _ = cKDTree(head.as_is.points).query(points, distance_upper_bound=TRUSTED_MM)
    return Shape(points, np.isfinite(distance).astype(np.float32))


def compare(probes: list[Shape], gallery: list[Shape]) -> NDArray[np.float64]:
    """How similar the surfaces of every probe and every gallery head are.

    Each face is registered rigidly to the average one (its size is kept), its height over it is
    measured along fixed normals, and its side's mean is subtracted. The deviations of two faces are
    then correlated twice, over the samples that both trust: as relief (the part that is finer than
    `RELIEF_MM`), and as coefficients of the template's shape modes in standard deviations. The
    first needs no model of faces, the second is blind to what no face does; the mean of both is
    returned.

    Parameters
    ----------
    probes, gallery : list of Shape
        Two or more on each side.

    Returns
    -------
    (P, G) float64 ndarray
        In [-1, 1], higher is more similar; 0 where too little skin is shared.

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
def _samples() -> NDArray[np.int64]:
    """(M,) indices into `kept_vertices`: the face, from the brow ridge down."""
    points = load_template().points[kept_vertices()]
    return np.flatnonzero((points[:, 2] < TOP_MM) & (points[:, 1] > BACK_MM))


@lru_cache(maxsize=1)
def _basis() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Modes along the normals (K, M) and neighbourhoods (M, M) of the samples."""
    template, chosen = load_template(), kept_vertices()[_samples()]
    points = template.points[chosen].astype(np.float64)
    square = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    along = (template.modes[:, chosen] * template.normals[chosen]).sum(axis=2)
    return along.astype(np.float64), np.exp(-0.5 * square / RELIEF_MM**2)


def _relief(height: NDArray[np.float64], trust: NDArray[np.float64]) -> NDArray[np.float64]:
    """(S, M) mm, without what varies slowly over the trusted samples."""
    _, near = _basis()
    slow = (trust * height) @ near / np.maximum(trust @ near, 1e-6)
    relief: NDArray[np.float64] = height - slow
    return relief


def _modes(height: NDArray[np.float64], trust: NDArray[np.float64]) -> NDArray[np.float64]:
    """(K,) most probable mode coefficients of one face's deviations (ridge regression)."""
    along, _ = _basis()
    heavy = along * (trust / MODE_NOISE_MM**2)
    solved = np.linalg.solve(heavy @ along.T + np.eye(len(along)), heavy @ height)
    return solved.astype(np.float64)


def _deviations(shapes: list[Shape]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(S, M) limited deviations from the side's mean height, mm, and trust, 0 to 1."""
    heights, trust = (np.stack(side) for side in zip(*map(_heights, shapes), strict=True))
    # A sample that hardly anybody shows has no mean of its own: the average head's stands in.
    few = 1.0
    mean = (trust * heights).sum(axis=0) / (trust.sum(axis=0) + few)
    return np.clip(heights - mean, -OUTLIER_MM, OUTLIER_MM), trust


def _heights(shape: Shape) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(M,) mm over the average face along its normals, and how far each is trusted.

    Heights over fixed places, not the vertices' own offsets: along the surface vertices slide with
    the fit to the whole head, scalp included, which would link scans that share no face.
    """
    template, kept, here = load_template(), kept_vertices(), _samples()
    model = template.points[kept].astype(np.float64)
    weight = np.full(len(kept), 1e-9)
    weight[here] = shape.trust[here] + LEAST_WEIGHT
    placed = registered_rigidly(shape.points, model, weight)
    normals = template.normals[kept[here]].astype(np.float64)
    _, near = cKDTree(placed).query(model[here], k=NEIGHBOURS)
    away = placed[near] - model[here][:, None]
    height = (away * normals[:, None]).sum(axis=2)
    beside = (away**2).sum(axis=2) - height**2
    share = np.exp(-0.5 * beside / SIDEWAYS_MM**2) * (np.abs(height) < REACH_MM) + 1e-12
    share /= share.sum(axis=1, keepdims=True)
    return (share * height).sum(axis=1), (share * shape.trust[near]).sum(axis=1)
