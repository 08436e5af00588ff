"""From skin to a recognisable surface, as the scan shows it and completed.

The *as-is* face is the scan's own skin, cleaned and posed upright. The *completed* face is the
template, bent into this head's shape and then moved onto the skin along its normals wherever
there is skin; where the field of view, signal loss or hair left none, the movement is interpolated
smoothly and fades to the fitted shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, cg

from faceblind.errors import AlignmentError
from faceblind.face import mesh
from faceblind.face.raycast import first_hits
from faceblind.face.subdivide import subdivision
from faceblind.head.align import Alignment
from faceblind.head.skin import Skin
from faceblind.head.template import REGIONS, Template

Variant = Literal["as-is", "completed"]


@dataclass(frozen=True)
class FaceSettings:
    """All constants of the reconstruction, each with its reason.

    Parameters
    ----------
    reach_mm : float
        How far from the fitted template skin is looked for. Three times the shape fit's usual
        residual; more would catch headphones and the other lip.
    agreement : float
        Cosine between template and skin normals below which a hit is another part of the face.
    pit_mm : float
        Skin this much deeper than its surroundings is signal loss, not anatomy.
    bending : float
        Weight of smoothness against skin, in units of one template sample: noise below about
        two samples (3 mm) goes, nose tip, lids and lips stay.
    return_to_shape : float
        Pull to the fitted shape where there is no skin; small, so that it acts over centimetres.
    iterations : int
        Smoothing passes over the as-is surface.
    passband : float
        Share of the mesh frequencies that smoothing keeps, see `mesh.smooth`.
    below_mm : float
        The as-is surface ends this far below the chin: shoulders only cost time.
    """

    reach_mm: float = 9.0
    agreement: float = 0.5
    pit_mm: float = 3.0
    bending: float = 1.0
    return_to_shape: float = 2e-4
    iterations: int = 15
    passband: float = 0.15
    below_mm: float = 60.0


SETTINGS = FaceSettings()


@dataclass(frozen=True)
class Face:
    """A face, upright and in true size.

    Parameters
    ----------
    points : (P, 3) float32 ndarray
        Rigidly posed template frame, mm: +x the person's right, +y out of the face, +z up.
    faces : (F, 3) int32 ndarray
        Counter-clockwise from outside.
    normals : (P, 3) float32 ndarray
        Outward unit normals.
    variant : {"as-is", "completed"}
    landmarks : (5, 3) float32 ndarray
        Person's right eye, left eye, nose tip, right and left mouth corner, same frame.
    """

    points: NDArray[np.float32]
    faces: NDArray[np.int32]
    normals: NDArray[np.float32]
    variant: Variant
    landmarks: NDArray[np.float32]


FIVE_LANDMARKS = ("pupil_right", "pupil_left", "pronasale", "cheilion_right", "cheilion_left")
"""What recognisers align a face by, in the order that `Face.landmarks` and YuNet use."""


def reconstruct(
    skin: Skin, alignment: Alignment, settings: FaceSettings = SETTINGS
) -> tuple[Face, Face]:
    """Both variants of the face.

    Parameters
    ----------
    skin : Skin
        Scan RAS+ mm.
    alignment : Alignment
        Of the same scan.
    settings : FaceSettings, optional

    Returns
    -------
    as_is, completed : Face

    Raises
    ------
    AlignmentError
        If no skin is left above the neck.
    """
    posed = _posed(skin, alignment.pose)
    completed = _completed(posed, alignment, settings)
    return _as_is(posed, alignment, completed, settings), completed


def _posed(skin: Skin, pose: NDArray[np.float64]) -> Skin:
    """The skin in the upright frame."""
    points = skin.points @ pose[:3, :3].T.astype(np.float32) + pose[:3, 3].astype(np.float32)
    normals = skin.normals @ pose[:3, :3].T.astype(np.float32)
    return Skin(points, skin.faces, normals, skin.edge)


def _as_is(skin: Skin, alignment: Alignment, completed: Face, settings: FaceSettings) -> Face:
    """The scan's own surface, without shoulders and speckle."""
    shaped = alignment.template.shape(alignment.shape)
    lowest = shaped[alignment.template.landmark_index["menton"], 2] - settings.below_mm
    keep = skin.points[:, 2] > lowest
    if keep.sum() < 100:
        raise AlignmentError("no skin above the neck")
    points, faces, _ = mesh.crop(skin.points, skin.faces, keep)
    points, faces, _ = mesh.largest_component(points, faces)
    points = mesh.smooth(points, faces, settings.iterations, settings.passband)
    normals = mesh.vertex_normals(points, faces)
    return Face(points, faces, normals, "as-is", completed.landmarks)


@dataclass(frozen=True)
class _Dense:
    """The template subdivided once, as a linear map of its vertices."""

    weights: sparse.csr_matrix
    faces: NDArray[np.int32]
    smoothness: sparse.csr_matrix
    reach: NDArray[np.float32]


@lru_cache(maxsize=2)
def _dense(template: Template) -> _Dense:
    weights, faces = subdivision(len(template.points), template.faces)
    count = weights.shape[0]
    bending = sparse.identity(count, format="csr") - mesh.neighbour_mean(count, faces)
    nearest = np.asarray(weights.argmax(axis=1)).ravel()
    ears = template.regions[nearest] == REGIONS.index("ears")
    # Along the folds of an ear the normals point everywhere: only the near skin is its own.
    reach = np.where(ears, 0.5, 1.0).astype(np.float32)
    return _Dense(weights, faces, (bending.T @ bending).tocsr(), reach)


def _completed(skin: Skin, alignment: Alignment, settings: FaceSettings) -> Face:
    """The fitted template moved onto the skin."""
    template = alignment.template
    dense = _dense(template)
    points = (dense.weights @ template.shape(alignment.shape)).astype(np.float32)
    normals = mesh.vertex_normals(points, dense.faces)
    offset, trust = _offsets(skin, points, normals, settings, dense.reach)
    offset = _interpolate(dense.smoothness, offset, trust, settings)
    moved = points + offset[:, None] * normals
    five = [template.landmark_index[name] for name in FIVE_LANDMARKS]
    # Subdivision keeps the template's own vertices first.
    return Face(
        moved, dense.faces, mesh.vertex_normals(moved, dense.faces), "completed", moved[five]
    )


def _offsets(
    skin: Skin,
    points: NDArray[np.float32],
    normals: NDArray[np.float32],
    settings: FaceSettings,
    reach: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Signed distance (P,) along the normals to the skin, mm, and trust in it, 0 or 1."""
    far = settings.reach_mm * reach
    start = points + far[:, None] * normals
    depth, hit = first_hits(skin.points, skin.faces, start, -normals)
    offset = far - depth
    vertex = skin.faces[np.maximum(hit, 0)]
    facing = (skin.normals[vertex].mean(axis=1) * normals).sum(axis=1)
    capped = skin.edge[vertex].any(axis=1)
    trusted = (hit >= 0) & (np.abs(offset) < far) & (facing > settings.agreement) & ~capped
    return np.where(trusted, offset, 0).astype(np.float32), trusted.astype(np.float32)


def _interpolate(
    smoothness: sparse.csr_matrix,
    offset: NDArray[np.float32],
    trust: NDArray[np.float32],
    settings: FaceSettings,
) -> NDArray[np.float32]:
    """Smooth offsets (P,) mm that follow the trusted ones; pits are found and bridged."""
    smooth = _bend(smoothness, offset, trust, 20.0 * settings.bending, settings)
    pit = (offset < smooth - settings.pit_mm) & (trust > 0)
    return _bend(smoothness, offset, np.where(pit, 0, trust), settings.bending, settings)


def _bend(
    smoothness: sparse.csr_matrix,
    offset: NDArray[np.float32],
    trust: NDArray[np.float32],
    bending: float,
    settings: FaceSettings,
) -> NDArray[np.float32]:
    """Thin-plate fit: minimise trust (x - offset)^2 + bending |L x|^2 + pull x^2."""
    diagonal = trust + settings.return_to_shape
    system = bending * smoothness + sparse.diags(diagonal)
    inverse = 1.0 / system.diagonal()
    count = len(offset)
    jacobi = LinearOperator((count, count), matvec=lambda x: inverse * x.ravel())
    solution, _ = cg(system, trust * offset, x0=trust * offset, rtol=1e-4, maxiter=400, M=jacobi)
    return solution.astype(np.float32)
