"""Where a head lies by the skin that a protection left.

A witness where a brain is unlike its skull, and does not tell the place of the face.
A scalp fit that takes all skin is drawn to our own cut or new face, wherever that lies. Here the
skin that it may have changed is left out.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy import ndimage

from faceblind.attacks.locate import LocatedHead
from faceblind.attacks.own_protection.cut import beyond_cut, on_cut_mm
from faceblind.attacks.own_skin import coarsely, region_under_face
from faceblind.errors import AlignmentError
from faceblind.geometry import icp
from faceblind.head.alignment import Alignment
from faceblind.head.fitting import SETTINGS, SkinTargets
from faceblind.protect.placement import Placement
from faceblind.scan import Scan

FROM_CUT_MM, FROM_FACE_MM = 1.5, 4.0
"""Skin so near to the cut's surface, or to where a new face was put, may be its rim."""
SCALES_MM = (15.0, 12.0, 10.0, 8.0, 8.0, 6.0, 6.0, 5.0, 5.0, 5.0, 5.0, 5.0)


def place_by_kept_skin(located: LocatedHead, scan: Scan) -> NDArray[np.float64] | None:
    """(4, 4) scan RAS+ mm to template mm, by scalp, ears and neck that the protection left.

    Parameters
    ----------
    located : LocatedHead
        With a protection of faceblind's.
    scan : Scan
        That was looked at.

    Returns
    -------
    (4, 4) float64 ndarray or None
        The brow is off by 4 mm forwards and 5 mm upwards (standard deviations, ten simulated
        heads, both methods). None where too little skin is left.
    """
    start = located.by_scalp
    if start is None:
        return None
    kept, skin = kept_skin(located, scan), located.skin
    left = replace(skin, points=skin.points[kept], normals=skin.normals[kept], edge=skin.edge[kept])
    try:
        targets = SkinTargets.of(left, scan)
    except AlignmentError:
        return None
    return _fitted(targets, start)


def kept_skin(located: LocatedHead, scan: Scan) -> NDArray[np.bool_]:
    """(V,) vertices of the skin that faceblind's protection, where it lies, cannot have changed.

    Parameters
    ----------
    located, scan
        As for `place_by_kept_skin`.
    """
    known, points = located.known, located.skin.points.astype(np.float64)
    if known.place is not None:
        return beyond_cut(points, known.place) < -(on_cut_mm(scan) + FROM_CUT_MM)
    if known.face_at is not None:
        return _beside_face(points, located, known.face_at, scan)
    return np.ones(len(points), bool)


def _beside_face(
    points: NDArray[np.float64], located: LocatedHead, placement: Placement, scan: Scan
) -> NDArray[np.bool_]:
    coarse = coarsely(scan)
    taken = region_under_face(coarse, located, placement)
    away = ndimage.distance_transform_edt(~taken, sampling=coarse.spacing)
    index = np.rint(apply_affine(np.linalg.inv(coarse.affine), points)).astype(np.int64)
    index = np.clip(index, 0, np.asarray(taken.shape) - 1)
    return np.asarray(away[tuple(index.T)] > FROM_FACE_MM, np.bool_)


def _fitted(targets: SkinTargets, start: Alignment) -> NDArray[np.float64]:
    """Pose and all shape modes, from the average shape in the pose of `start`."""
    template = start.template
    aligner = targets.aligner(template, SETTINGS, faceless=True)
    samples = aligner.fine_samples
    pose, shape = icp.fit_shape(
        aligner.fine, samples.points, samples.normals, samples.modes,
        samples.weights * aligner.emphasis[samples.regions],
        np.asarray(np.linalg.inv(start.scan_to_template_rigid), np.float64),
        SCALES_MM, SETTINGS.shape_noise_mm,
    )  # fmt: skip
    shaped = template.shape(shape).astype(np.float64)
    affine = icp.fit_affine(shaped, template.points.astype(np.float64))
    return np.asarray(affine @ np.linalg.inv(pose), np.float64)
