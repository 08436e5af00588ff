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
from scipy.spatial import cKDTree

from faceblind.errors import AlignmentError
from faceblind.geometry import mesh
from faceblind.geometry.points import thin
from faceblind.geometry.raycast import first_hits
from faceblind.geometry.subdivision import subdivision
from faceblind.head.alignment import Alignment
from faceblind.head.skin import Skin
from faceblind.head.template import Template

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
    fold_cosine : float
        Template vertices whose own normal leaves the smoothed one by more than this lie in a fold
        (between lips and lids, in the ear), where rays along the normal meet the wrong side.
    pit_mm : float
        Skin this much deeper than its surroundings is signal loss, not anatomy.
    pit_passes : int
        A pit drags its surroundings down, so that only its bottom looks deep at first. Three
        passes bridge pits up to a centimetre wide, and hardly touch intact faces.
    bending : float
        Weight of smoothness against skin in the coarse movement, per template vertex.
    return_to_shape : float
        Pull to the fitted shape where there is no skin; small, so that it acts over centimetres.
    fine_passes : int
        Averaging of the fine movement over direct neighbours (1.5 mm apart in the face): noise
        goes, nose tip, lids and lips stay.
    iterations : int
        Terms of the smoothing filter over either surface.
    passband : float
        Share of the mesh frequencies that smoothing keeps, see `mesh.smooth`.
    below_mm : float
        The as-is surface ends this far below the chin: shoulders only cost time.
    """

    reach_mm: float = 9.0
    agreement: float = 0.5
    fold_cosine: float = 0.6
    pit_mm: float = 3.0
    pit_passes: int = 3
    bending: float = 2.0
    return_to_shape: float = 1e-3
    fine_passes: int = 2
    iterations: int = 20
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
    posed = _posed(skin, alignment.scan_to_template_rigid)
    completed = _completed(posed, alignment, settings)
    return _as_is(posed, alignment, completed.landmarks, settings), completed


def as_is(skin: Skin, alignment: Alignment, settings: FaceSettings = SETTINGS) -> Face:
    """The as-is variant alone, in a fraction of the time; landmarks are the fitted template's.

    Parameters
    ----------
    skin, alignment, settings
        As for `reconstruct`.

    Raises
    ------
    AlignmentError
        If no skin is left above the neck.
    """
    template = alignment.template
    shaped = template.shape(alignment.shape)
    landmarks = shaped[[template.landmark_index[name] for name in FIVE_LANDMARKS]]
    posed = _posed(skin, alignment.scan_to_template_rigid)
    return _as_is(posed, alignment, landmarks.astype(np.float32), settings)


def _posed(skin: Skin, pose: NDArray[np.float64]) -> Skin:
    """The skin in the upright frame."""
    points = skin.points @ pose[:3, :3].T.astype(np.float32) + pose[:3, 3].astype(np.float32)
    normals = skin.normals @ pose[:3, :3].T.astype(np.float32)
    return Skin(points, skin.faces, normals, skin.edge)


def _as_is(
    skin: Skin, alignment: Alignment, landmarks: NDArray[np.float32], settings: FaceSettings
) -> Face:
    """The scan's own surface, without shoulders and speckle."""
    shaped = alignment.template.shape(alignment.shape)
    lowest = shaped[alignment.template.landmark_index["menton"], 2] - settings.below_mm
    keep = skin.points[:, 2] > lowest
    if keep.sum() < 100:
        raise AlignmentError("no skin above the neck; check that this is a head scan")
    points, faces, _ = mesh.crop(skin.points, skin.faces, keep)
    points, faces, _ = mesh.largest_component(points, faces)
    points = mesh.smooth(points, faces, settings.iterations, settings.passband)
    normals = mesh.checked_normals(points, faces)
    return Face(points, faces, normals, "as-is", landmarks)


@dataclass(frozen=True)
class _Dense:
    """The template subdivided once, as a linear map of its vertices, and how to smooth on it.

    Parameters
    ----------
    weights : (Q, P) csr_matrix
        Dense vertices from the template's.
    faces : (G, 3) int32 ndarray
    gather : (P, Q) csr_matrix
        Sums of dense values around each template vertex.
    spread : (Q, Q) csr_matrix
        Mean over direct neighbours and self.
    mean : (Q, Q) csr_matrix
        Mean over about a centimetre.
    smoothness : (P, P) csr_matrix
        Bending energy of values on the template.
    ears : (Q,) bool ndarray
        Where the surface is all folds: ears keep their fitted shape and move as a whole.
    folds : (R,) int64 ndarray
        Vertices between the lips and the lids and in the nostrils.
    unfold : (R, Q) csr_matrix
        Mean of the neighbours of each of `folds`; repeated, it bridges the fold. The skin then
        says how deep the groove is.
    """

    weights: sparse.csr_matrix
    faces: NDArray[np.int32]
    gather: sparse.csr_matrix
    spread: sparse.csr_matrix
    mean: sparse.csr_matrix
    smoothness: sparse.csr_matrix
    ears: NDArray[np.bool_]
    folds: NDArray[np.int64]
    unfold: sparse.csr_matrix


def _local_mean(points: NDArray[np.float32]) -> sparse.csr_matrix:
    """(Q, Q) Gaussian mean over an even subset of the vertices around each, 4 mm wide.

    Averaging over neighbours in the mesh would follow the finely meshed lips and lids.
    """
    subset = thin(points, 2.5)
    near = cKDTree(points).sparse_distance_matrix(
        cKDTree(points[subset]), 10.0, output_type="coo_matrix"
    )
    weight = np.exp(-0.5 * (near.data / 4.0) ** 2)
    count = len(points)
    mean = sparse.coo_matrix((weight, (near.row, subset[near.col])), (count, count)).tocsr()
    return (sparse.diags(1.0 / np.asarray(mean.sum(axis=1)).ravel()) @ mean).astype(np.float32)


def _ways(
    points: NDArray[np.float32], faces: NDArray[np.int32], mean: sparse.csr_matrix
) -> NDArray[np.float32]:
    """Unit normals (Q, 3) averaged over a centimetre, along which rays do not cross."""
    ways = mean @ mesh.checked_normals(points, faces)
    return ways / np.maximum(np.linalg.norm(ways, axis=1, keepdims=True), 1e-6)


@lru_cache(maxsize=2)
def _dense(template: Template, fold_cosine: float) -> _Dense:
    weights, faces = subdivision(len(template.points), template.faces)
    count = weights.shape[0]
    bending = sparse.identity(len(template.points), format="csr") - mesh.neighbour_mean(
        len(template.points), template.faces
    )
    spread = 0.5 * (sparse.identity(count) + mesh.neighbour_mean(count, faces))
    spread = spread.tocsr().astype(np.float32)
    ears = weights @ template.region("ears").astype(np.float32) > 0.5
    points = weights @ template.points
    mean = _local_mean(points)
    flatness = (_ways(points, faces, mean) * mesh.checked_normals(points, faces)).sum(axis=1)
    fold = (flatness < fold_cosine).astype(np.float32)
    fold = (spread @ (spread @ fold) > 0) & ~ears
    folds = np.flatnonzero(fold)
    return _Dense(
        weights,
        faces,
        weights.T.tocsr(),
        spread,
        mean,
        (bending.T @ bending).tocsr(),
        ears,
        folds,
        spread[folds],
    )


def _completed(skin: Skin, alignment: Alignment, settings: FaceSettings) -> Face:
    """The fitted template moved onto the skin."""
    template = alignment.template
    dense = _dense(template, settings.fold_cosine)
    points = (dense.weights @ template.shape(alignment.shape)).astype(np.float32)
    for _ in range(150):
        points[dense.folds] = dense.unfold @ points
    ways = _ways(points, dense.faces, dense.mean)
    offset, trusted = _offsets(skin, points, ways, settings)
    trusted &= ~dense.ears
    offset = _interpolate(dense, offset, trusted.astype(np.float32), settings)
    moved = points + offset[:, None] * ways
    moved = mesh.smooth(moved, dense.faces, settings.iterations, settings.passband)
    five = [template.landmark_index[name] for name in FIVE_LANDMARKS]
    # Subdivision keeps the template's own vertices first.
    return Face(
        moved, dense.faces, mesh.checked_normals(moved, dense.faces), "completed", moved[five]
    )


def _offsets(
    skin: Skin, points: NDArray[np.float32], ways: NDArray[np.float32], settings: FaceSettings
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Signed distance (Q,) along `ways` to the skin, mm, and whether to trust it."""
    far = np.float32(settings.reach_mm)
    depth, hit = first_hits(skin.points, skin.faces, points + far * ways, -ways)
    offset = far - depth
    vertex = skin.faces[np.maximum(hit, 0)]
    facing = (skin.normals[vertex].mean(axis=1) * ways).sum(axis=1)
    capped = skin.edge[vertex].any(axis=1)
    trusted = (hit >= 0) & (np.abs(offset) < far) & (facing > settings.agreement) & ~capped
    return np.where(trusted, offset, 0).astype(np.float32), trusted


def _interpolate(
    dense: _Dense, offset: NDArray[np.float32], trust: NDArray[np.float32], settings: FaceSettings
) -> NDArray[np.float32]:
    """Offsets (Q,) mm that follow the trusted ones, bridge pits and run smoothly over gaps.

    A coarse movement is solved on the template's own vertices and a fine one added where there
    is skin, which costs a tenth of one solution on the dense mesh.
    """
    coarse = dense.weights @ _bend(dense, offset, trust, settings)
    for _ in range(settings.pit_passes):
        trust = np.where(offset < coarse - settings.pit_mm, 0, trust).astype(np.float32)
        coarse = dense.weights @ _bend(dense, offset, trust, settings)
    fine, share = trust * (offset - coarse), trust
    for _ in range(settings.fine_passes):
        fine, share = dense.spread @ fine, dense.spread @ share
    return (coarse + fine / np.maximum(share, 0.25)).astype(np.float32)


def _bend(
    dense: _Dense, offset: NDArray[np.float32], trust: NDArray[np.float32], settings: FaceSettings
) -> NDArray[np.float32]:
    """Thin-plate fit (P,): minimise trust (x - offset)^2 + bending |L x|^2 + pull x^2."""
    weight = dense.gather @ trust
    pulled = dense.gather @ (trust * offset)
    system = settings.bending * dense.smoothness + sparse.diags(weight + settings.return_to_shape)
    inverse = 1.0 / system.diagonal()
    count = len(weight)
    jacobi = LinearOperator((count, count), matvec=lambda x: inverse * x.ravel())
    start = pulled / np.maximum(weight, 0.1)
    solution, _ = cg(system, pulled, x0=start, rtol=1e-3, maxiter=300, M=jacobi)
    return solution.astype(np.float32)
