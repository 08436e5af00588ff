"""Bending heads until their measures are what they should be.

One smooth displacement field per measure, which changes that measure by one millimetre and no
other to first order, is all that a calibration needs. The fields are the most likely ones under a
prior on how heads differ: smooth Gaussian processes of three lengths and the head model's own
parameters for nose, mouth, chin and ears.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from faceblind.volunteers.people.anthropometry import MEASURES, measure
from faceblind.volunteers.people.head_model import PARTS, HeadModel
from faceblind.volunteers.people.reference_face import smooth_step

Doubles = NDArray[np.float64]

# Length of the process and SD of the displacement, mm, number of control points, and the box
# (least y, least z, greatest z, greatest |x|) that holds them: head, face, middle of the face.
_PROCESSES = (
    (60.0, 4.0, 30, (-200.0, -110.0, 200.0, 200.0)),
    (26.0, 1.6, 40, (20.0, -100.0, 60.0, 80.0)),
    (12.0, 1.0, 16, (62.0, -60.0, 25.0, 26.0)),
)  # fmt: skip
# SD of the weight of parameters of the head model.
_PARAMETERS: Mapping[str, float] = {
    "ear-scale-vert": 0.5, "ear-scale": 0.4, "nose-scale-depth": 0.4, "nose-scale-vert": 0.4,
    "nose-scale-horiz": 0.4, "nose-point-up": 0.1, "nose-trans-forward": 0.3,
    "mouth-scale-horiz": 0.4, "chin-height": 0.2, "chin-jaw-drop": 0.2, "head-scale-depth": 0.4,
    "head-scale-horiz": 0.3, "head-scale-vert": 0.3, "cheek-bones": 0.2, "chin-bones": 0.2,
    "forehead-temple": 0.2,
}  # fmt: skip
_STEPS = 3


def bend(amounts: Doubles | tuple[float, ...]) -> Doubles:
    """(N, 3) displacement of the coarse points, mm, for (len(MEASURES),) amounts, mm."""
    return np.tensordot(fields(), np.asarray(amounts, np.float64), axes=1)


def solve(skin: NDArray[np.floating], targets: Doubles) -> Doubles:
    """Amounts for `bend` that give a head its measures.

    Parameters
    ----------
    skin : (P, 3) ndarray
        Outer skin of the head with closed eyes, template frame, mm.
    targets : (len(MEASURES),) ndarray
        Wanted measures in the order of `MEASURES`, mm.

    Returns
    -------
    (len(MEASURES),) ndarray
        Within 0.1 mm of the targets for heads like those of `HeadModel`.
    """
    amounts = np.zeros(len(MEASURES))
    for _ in range(_STEPS):
        found = measure(skin + np.tensordot(_outer_fields(), amounts, axes=1))
        amounts += targets - np.array(list(found.values()))
    return amounts


@lru_cache(maxsize=1)
def fields() -> Doubles:
    """(N, 3, len(MEASURES)) displacement of each coarse point for 1 mm of each measure."""
    model = HeadModel.load()
    basis = np.concatenate([_processes(), _parameters()])
    start = model.points(expression=model.closed_eyes)
    size = 1.0
    before = np.array(list(measure(model.outer_skin(start)).values()))
    slope = np.empty((len(MEASURES), len(basis)))
    for k, one in enumerate(basis):
        after = measure(model.outer_skin(start + size * one))
        slope[:, k] = (np.array(list(after.values())) - before) / size
    # The likeliest weights under a unit normal prior: the basis is scaled to its SD.
    weights = np.linalg.solve(slope @ slope.T + 1e-6 * np.eye(len(slope)), slope).T
    result = np.tensordot(basis, weights, axes=(0, 0))
    result.setflags(write=False)
    return result


@lru_cache(maxsize=1)
def _outer_fields() -> Doubles:
    """(P, 3, len(MEASURES)) `fields` at the vertices of the outer skin."""
    model, each = HeadModel.load(), np.moveaxis(fields(), 2, 0)
    return np.stack([model.outer_skin(f) for f in each], axis=2).astype(np.float64)


def _parameters() -> Doubles:
    """(K, N, 3) displacement by one SD of each of `_PARAMETERS`."""
    model = HeadModel.load()
    start = model.points().astype(np.float64)
    return np.stack([model.points(local={n: sd}) - start for n, sd in _PARAMETERS.items()])


def _processes() -> Doubles:
    """(K, N, 3) displacement by one SD of symmetric smooth fields, eyes and ears kept rigid."""
    model = HeadModel.load()
    where = model.points().astype(np.float64)
    flip = np.array([-1.0, 1.0, 1.0])
    skin = where[model.parts == PARTS.index("skin")]
    rows = []
    for length, sd, count, (least_y, least_z, top, wide) in _PROCESSES:
        inside = (skin[:, 0] >= 0) & (skin[:, 0] < wide) & (skin[:, 1] > least_y)
        inside &= (skin[:, 2] > least_z) & (skin[:, 2] < top)
        centres = _spread(skin[inside], count)
        near, far = _kernel(where, centres, length), _kernel(where * flip, centres, length)
        # Whitened, so that independent weights have the covariance of the process.
        gram = _kernel(centres, centres, length)
        mirrored = _kernel(centres * flip, centres, length)
        for axis, sign in ((0, -1), (1, 1), (2, 1)):
            value, vector = np.linalg.eigh(gram + sign * mirrored)
            keep = value > 1e-3 * value.max()
            modes = (near + sign * far) @ (vector[:, keep] / np.sqrt(value[keep]))
            field = np.zeros((keep.sum(), *where.shape))
            field[:, :, axis] = sd * modes.T
            rows.append(field)
    basis = np.concatenate(rows)
    _hold(basis, where)
    basis[:, :, 1:] -= basis[:, list(model.tragion), 1:].mean(axis=1)[:, None]
    return basis


def _hold(basis: Doubles, where: Doubles) -> None:
    """Let each eye with its lids, and each ear, move as one piece."""
    model = HeadModel.load()
    wing = model.footprint("ear-wing", "ear-lobe", "ear-flap")[:, 0].astype(np.float64)
    for side in (1, -1):
        ball = (model.parts == PARTS.index("eyes")) & (where[:, 0] * side > 0)
        away = np.linalg.norm(where - where[ball].mean(axis=0), axis=1)
        share = smooth_step(away, 26, 15).astype(np.float64)[:, None]
        basis += share * (basis[:, ball].mean(axis=1)[:, None] - basis)
        share = np.where(where[:, 0] * side > 0, smooth_step(wing, 0.02, 0.25), 0.0)[:, None]
        root = model.tragion[1 if side > 0 else 0]
        basis += share * (basis[:, root][:, None] - basis)


def _kernel(points: Doubles, centres: Doubles, length: float) -> Doubles:
    square = ((points[:, None] - centres) ** 2).sum(axis=2)
    return np.exp(-square / (2 * length**2))


def _spread(points: Doubles, count: int) -> Doubles:
    """`count` of the points, each as far as can be from those chosen before."""
    chosen = [int(points[:, 1].argmax())]
    away = np.full(len(points), np.inf)
    for _ in range(min(count, len(points)) - 1):
        away = np.minimum(away, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
        chosen.append(int(away.argmax()))
    return points[chosen]
