"""Fit the template to skin: rigid, affine and shape steps of one robust closest-point solver.

Everything here maps the template into the scan, point to plane (Chen & Medioni 1992, Image and
Vision Computing 10:145), with Geman-McClure weights so that hair, headphones, shoulders and noise
are outvoted. Template points that the field of view does not show take no part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray

from faceblind.geometry.points import Tree
from faceblind.geometry.transforms import rotation_matrix


@dataclass(frozen=True)
class Target:
    """The skin of a scan, ready for closest-point queries.

    Parameters
    ----------
    points, normals : (S, 3) float64 ndarray
        Skin samples and outward unit normals, scan RAS+ mm.
    usable : (S,) bool ndarray
        False on caps where the field of view cut the head.
    tree : Tree
        Over `points`.
    to_index : (4, 4) float64 ndarray
        Scan mm to voxel index.
    shape : (3,) int ndarray
        Volume shape, the field of view.
    """

    points: NDArray[np.float64]
    normals: NDArray[np.float64]
    usable: NDArray[np.bool_]
    tree: Tree
    to_index: NDArray[np.float64]
    shape: NDArray[np.int64]

    def inside(self, points: NDArray[np.float64], margin_mm: float = 3.0) -> NDArray[np.bool_]:
        """(N,) bool: which points lie in the field of view, `margin_mm` away from its border."""
        index = apply_affine(self.to_index, points)
        spacing = 1.0 / np.sqrt((self.to_index[:3, :3] ** 2).sum(axis=1))
        margin = np.minimum(margin_mm / spacing, 0.25 * self.shape)
        return np.all((index >= margin) & (index <= self.shape - 1 - margin), axis=1)


@dataclass(frozen=True)
class Pairs:
    """Closest skin for each template sample.

    Parameters
    ----------
    residual : (N,) float64 ndarray
        Signed distance along the skin's normal, mm; positive outside the skin.
    distance : (N,) float64 ndarray
        Distance to the closest skin sample, mm.
    agreement : (N,) float64 ndarray
        Cosine between the normals, 0 where negative.
    normals : (N, 3) float64 ndarray
        Skin normals.
    seen : (N,) bool ndarray
        Template sample within the field of view and not facing a cap.
    """

    residual: NDArray[np.float64]
    distance: NDArray[np.float64]
    agreement: NDArray[np.float64]
    normals: NDArray[np.float64]
    seen: NDArray[np.bool_]


def pair(target: Target, points: NDArray[np.float64], normals: NDArray[np.float64]) -> Pairs:
    """Find the closest skin for template samples already placed in the scan.

    Parameters
    ----------
    target : Target
    points, normals : (N, 3) float64 ndarray
        Template samples and normals in scan RAS+ mm.
    """
    distance, nearest = target.tree.query(points)
    found = target.normals[nearest]
    gap = points - target.points[nearest]
    return Pairs(
        residual=np.einsum("ij,ij->i", gap, found),
        distance=np.asarray(distance),
        agreement=np.clip(np.einsum("ij,ij->i", normals, found), 0.0, 1.0),
        normals=found,
        seen=target.inside(points) & target.usable[nearest],
    )


def robust_weights(pairs: Pairs, scale_mm: float) -> NDArray[np.float64]:
    """Geman-McClure weight of each pair at `scale_mm`, 0 where unseen or facing away; (N,)."""
    fit = 1.0 / (1.0 + (pairs.distance / scale_mm) ** 2) ** 2
    return fit * pairs.agreement**2 * pairs.seen


def _skew_columns(points: NDArray[np.float64], normals: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 6) derivative of the plane distance by a small rotation and translation."""
    (x, y, z), (u, v, w) = points.T, normals.T
    # Written out because np.cross takes several times as long.
    return np.stack([y * w - z * v, z * u - x * w, x * v - y * u, u, v, w], axis=1)


def _solve(
    jacobian: NDArray[np.float64],
    residual: NDArray[np.float64],
    weights: NDArray[np.float64],
    prior: NDArray[np.float64],
    prior_centre: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Weighted ridge step: minimise sum w (J x + r)^2 + sum prior (x + centre)^2."""
    weighted = jacobian * weights[:, None]
    normal = weighted.T @ jacobian + np.diag(prior)
    right = -(weighted.T @ residual) - prior * prior_centre
    return np.asarray(np.linalg.solve(normal, right), dtype=np.float64)


def rigid_update(step: NDArray[np.float64], centre: NDArray[np.float64]) -> NDArray[np.float64]:
    """(4, 4) rigid map of a (6,) rotation vector and translation about `centre`."""
    update = np.eye(4)
    update[:3, :3] = rotation_matrix(step[:3])
    update[:3, 3] = centre + step[3:6] - update[:3, :3] @ centre
    return update


def fit_rigid(
    target: Target,
    points: NDArray[np.float64],
    normals: NDArray[np.float64],
    weights: NDArray[np.float64],
    pose: NDArray[np.float64],
    scales_mm: tuple[float, ...],
) -> NDArray[np.float64]:
    """Rigid template-to-scan pose by robust point-to-plane steps, one per entry of `scales_mm`.

    Parameters
    ----------
    target : Target
    points, normals : (N, 3) float64 ndarray
        Template samples, template mm.
    weights : (N,) float64 ndarray
        How much each template sample matters.
    pose : (4, 4) float64 ndarray
        Start, template to scan, rigid.
    scales_mm : tuple of float
        Robust scale of each iteration, usually falling.

    Returns
    -------
    (4, 4) float64 ndarray
        Template to scan, rigid.
    """
    for scale in scales_mm:
        placed = apply_affine(pose, points)
        pairs = pair(target, placed, normals @ pose[:3, :3].T)
        weight = weights * robust_weights(pairs, scale)
        if weight.sum() < 1e-6:
            return pose
        centre = np.average(placed, axis=0, weights=weight)
        jacobian = _skew_columns(placed - centre, pairs.normals)
        prior = np.full(6, 1e-6 * weight.sum())
        step = _solve(jacobian, pairs.residual, weight, prior, np.zeros(6))
        pose = rigid_update(step, centre) @ pose
    return pose


def fit_shape(
    target: Target,
    mean: NDArray[np.float64],
    normals: NDArray[np.float64],
    modes: NDArray[np.float64],
    weights: NDArray[np.float64],
    pose: NDArray[np.float64],
    scales_mm: tuple[float, ...],
    noise_mm: float,
    coefficients: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rigid pose and mode coefficients together, the modes held by their own spread.

    Parameters
    ----------
    target : Target
    mean, normals : (N, 3) float64 ndarray
        Template samples, template mm.
    modes : (K, N, 3) float64 ndarray
        Shape modes at the samples, mm per standard deviation.
    weights : (N,) float64 ndarray
        How much each template sample matters.
    pose : (4, 4) float64 ndarray
        Start, template to scan, rigid.
    scales_mm : tuple of float
        Robust scale of each iteration.
    noise_mm : float
        Misfit expected of one independent sample; sets the weight of the prior
        (ridge of a probabilistic PCA model; Blanz & Vetter 1999).
    coefficients : (K,) float64 ndarray, optional
        Start; zero if absent.

    Returns
    -------
    pose : (4, 4) float64 ndarray
    coefficients : (K,) float64 ndarray
    """
    current = np.zeros(len(modes)) if coefficients is None else coefficients.copy()
    flat = modes.transpose(1, 2, 0)
    for scale in scales_mm:
        shaped = mean + flat @ current
        placed = apply_affine(pose, shaped)
        pairs = pair(target, placed, normals @ pose[:3, :3].T)
        weight = weights * robust_weights(pairs, scale) / noise_mm**2
        if weight.sum() < 1e-6:
            break
        centre = np.average(placed, axis=0, weights=weight)
        in_template = pairs.normals @ pose[:3, :3]
        by_shape = np.einsum("ni,nik->nk", in_template, flat)
        jacobian = np.hstack([_skew_columns(placed - centre, pairs.normals), by_shape])
        prior = np.concatenate([np.full(6, 1e-6 * weight.sum()), np.ones(len(current))])
        centre_of_prior = np.concatenate([np.zeros(6), current])
        step = _solve(jacobian, pairs.residual, weight, prior, centre_of_prior)
        pose = rigid_update(step[:6], centre) @ pose
        current = current + step[6:]
    return pose, current


def fit_affine(points: NDArray[np.float64], shaped: NDArray[np.float64]) -> NDArray[np.float64]:
    """(4, 4) least-squares affine that takes `points` to `shaped`, both (N, 3)."""
    design = np.hstack([points, np.ones((len(points), 1))])
    solution, *_ = np.linalg.lstsq(design, shaped, rcond=None)
    affine = np.eye(4)
    affine[:3] = solution.T
    return affine


def registered_rigidly(
    points: NDArray[np.floating], target: NDArray[np.floating], weights: NDArray[np.floating]
) -> NDArray[np.float64]:
    """`points` turned and shifted onto corresponding ones (Kabsch 1976, Acta Cryst A 32:922).

    Parameters
    ----------
    points, target : (N, 3) ndarray
        Row by row the same places, mm.
    weights : (N,) ndarray
        How much each pair matters; not negative, not all 0.

    Returns
    -------
    (N, 3) float64 ndarray
        The points after the least-squares rotation (never a reflection) and shift.
    """
    centre = np.average(points, axis=0, weights=weights.astype(np.float64))
    aim = np.average(target, axis=0, weights=weights.astype(np.float64))
    away = points - centre
    left, _, right = np.linalg.svd((weights[:, None] * away).T @ (target - aim))
    turn = left @ np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right))]) @ right
    return np.asarray(away @ turn + aim, np.float64)
