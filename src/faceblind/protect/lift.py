"""How much the cut rises or sinks over one person's forehead, in few coarse numbers.

The average cut would come near the brain of a full forehead and miss the skin of a flat one. It is
moved by a field so smooth and so coarse that it says little of the person: fifteen whole
millimetres, the same left and right.
"""

from __future__ import annotations

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy import ndimage
from scipy.optimize import linprog
from scipy.spatial import cKDTree

from faceblind.head.brain import Cover, template_fields
from faceblind.head.skin import Skin
from faceblind.protect.placement import smooth_step

NEAR_BRAIN_MM = 13.0
"""How near the average brain a place must be for a person's brain to reach it."""
FADE_LOW_MM, FADE_MM = 8.0, 22.0
"""Template height from which, and over how much, the cut may be lifted or sunk."""
LIFT_MM, SINK_MM = 10.0, 6.0
"""By how much, at most."""
_LIFT_X = (0.0, 40.0, 62.0)
_LIFT_Z = (20.0, 36.0, 52.0, 68.0, 84.0)
_FLOOR_CELL_MM, _SKIN_CELL_MM = 4.0, 7.0
LOWEST_FLOOR_MM = 16.0
"""Template height from which the brain's floor and the skin are looked at."""
_UNDER_SKIN_MM = 1.5
"""The cut shall run this far under the skin, so that rounding and noise leave none."""
_WORTH_CUTTING_MM = 2.0
"""Allowed depth (template) from which a place of the forehead is meant to go."""
_BROW_TOP_MM, _BROW_WORTH = 45.0, 5.0
"""Below this template height a face is told by the brow ridge: how much more its skin weighs."""
USUAL_LIFT_MM = np.array(
    [[5.0, 3.0, 6.0, 5.0, 4.0], [8.0, 10.0, 5.0, 4.0, 2.0], [2.0, 2.0, 0.0, 0.0, 0.0]]
)
"""The lift that tells nobody: six in ten of 60 synthetic adults need no more. Zero suits few; from
here most nodes need not move, and vary by 1.7 instead of 2.5 mm between people with as much skin
left."""
_EVEN = 0.02
"""What a millimetre off the usual lift weighs against a mean millimetre of skin that stays."""


def fitting_lift(
    cover: Cover, skin: Skin, name: str, affine: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Whole millimetres by which the cut rises to stay above the cover's floor, or sinks.

    Of all lifts that spare the floor everywhere, the one that leaves least skin, and among those
    the nearest to `USUAL_LIFT_MM`: a linear programme.

    Parameters
    ----------
    cover : Cover
    skin : Skin
        Of the same scan.
    name : str
        Field of `TemplateFields` that the cut is made from.
    affine : (4, 4) float64 ndarray
        Scan RAS+ mm to template mm.

    Returns
    -------
    (3, 5) float64 ndarray
        At the nodes: rows from the middle to the sides (left and right share them), columns
        upwards from the brow. Negative where the cut sinks; the usual where no forehead shows.
    """
    shape = (len(_LIFT_X), len(_LIFT_Z))
    fields = template_fields()
    floor = cover.floor(affine)
    floor = floor[(fields.at("brain", floor) > -NEAR_BRAIN_MM) & (floor[:, 2] > LOWEST_FLOOR_MM)]
    if len(floor) < 100:
        return USUAL_LIFT_MM.copy()
    # Noise on the skin and tubes on the forehead are narrower than a neighbourhood.
    neighbours = cKDTree(floor).query(floor, k=15)[1]
    excess = np.median(fields.at(name, floor)[neighbours], axis=1)
    above = _highest(floor, excess, _FLOOR_CELL_MM)
    floor = floor[above]
    wanted, depth = _skin_to_go(skin, name, affine)
    # Unknowns: lifts, how far they are from the usual, and the skin left at each wanted place.
    nodes, count = int(np.prod(shape)), len(wanted)
    at_floor, at_skin = (_lift_weights(p).reshape(nodes, -1).T for p in (floor, wanted))
    needed = np.minimum(excess[above], LIFT_MM * at_floor.sum(axis=1))
    one, none = np.eye(nodes), np.zeros
    limits = np.block([
        [-at_floor, none((len(floor), nodes + count))],
        [at_skin, none((count, nodes)), -np.eye(count)],
        [one, -one, none((nodes, count))],
        [-one, -one, none((nodes, count))],
    ])  # fmt: skip
    bounds = [(-SINK_MM, LIFT_MM)] * nodes + [(0.0, None)] * (nodes + count)
    worth = np.where(wanted[:, 2] < _BROW_TOP_MM, _BROW_WORTH, 1.0)
    price = np.concatenate([none(nodes), np.full(nodes, _EVEN), worth / max(count, 1)])
    usual = USUAL_LIFT_MM.ravel()
    bound = np.concatenate([-needed, depth - _UNDER_SKIN_MM, usual, -usual])
    found = linprog(price, A_ub=limits, b_ub=bound, bounds=bounds)
    exact = np.full(nodes, LIFT_MM)
    if found.success and found.x is not None:
        exact = np.asarray(found.x[:nodes], np.float64)
    return np.asarray(np.ceil(exact.reshape(shape) - 0.05) + 0.0, np.float64)


def _highest(
    places: NDArray[np.float64], values: NDArray[np.floating], cell_mm: float
) -> NDArray[np.int64]:
    """The place of the highest value in each cell."""
    order = np.argsort(-values, kind="stable")
    cells = np.floor(places[order] / cell_mm).astype(np.int64)
    return np.asarray(order[np.unique(cells, axis=0, return_index=True)[1]], np.int64)


def _skin_to_go(
    skin: Skin, name: str, affine: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places (N, 3) on the forehead whose skin the cut shall take, and how deep it runs there.

    Template mm; of each cell the place that is hardest to reach.
    """
    fields = template_fields()
    points = skin.points[~skin.edge].astype(np.float64)
    where = apply_affine(affine, points)
    where = where[(where[:, 2] > LOWEST_FLOOR_MM) & (where[:, 1] > 0)]
    cut = fields.at(name, where)
    meant = cut + fields.at("depth", where) > _WORTH_CUTTING_MM
    where, cut = where[meant], cut[meant]
    if len(where) < 100:
        return np.zeros((0, 3)), np.zeros(0)
    neighbours = cKDTree(where).query(where, k=15)[1]
    cut = np.median(cut[neighbours], axis=1)
    chosen = _highest(where, -cut, _SKIN_CELL_MM)
    return where[chosen], cut[chosen].astype(np.float64)


def _lift_weights(where: NDArray[np.float64]) -> NDArray[np.float64]:
    """(U, V, N) weights of the lift's nodes at (N, 3) template places.

    Bilinear, fading out below the brow, where bone and air cover the brain.
    """
    across = _hats(np.abs(where[:, 0]), _LIFT_X)
    upwards = _hats(where[:, 2], _LIFT_Z)
    return across[:, None] * upwards[None] * free_share(where[:, 2])


def free_share(height: NDArray[np.floating]) -> NDArray[np.float64]:
    """(N,) share of its lift that a cut has at (N,) template heights, mm: none below the brow."""
    return smooth_step((height - FADE_LOW_MM) / FADE_MM)


def _hats(values: NDArray[np.float64], nodes: tuple[float, ...]) -> NDArray[np.float64]:
    """(len(nodes), N) weights of a piecewise linear interpolation, constant beyond the ends."""
    return np.array([np.interp(values, nodes, row) for row in np.eye(len(nodes))])


def lift_at(where: NDArray[np.float64], lift_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """By how much the cut is lifted, or sunk where negative.

    Parameters
    ----------
    where : (N, 3) ndarray
        Template mm.
    lift_mm : (3, 5) ndarray
        See `fitting_lift`.

    Returns
    -------
    (N,) float64 ndarray
        Millimetres.
    """
    return np.einsum("abn,ab->n", _lift_weights(where), lift_mm)


def lift_on_grid(
    affine: NDArray[np.float64], shape: tuple[int, ...], lift_mm: NDArray[np.float64]
) -> NDArray[np.float32]:
    """`lift_at` on a whole grid, from a table in steps of a millimetre.

    Parameters
    ----------
    affine : (4, 4) float64 ndarray
        Index of the grid to template mm.
    shape : tuple of int
    lift_mm : (3, 5) ndarray
        See `fitting_lift`.

    Returns
    -------
    float32 ndarray of `shape`
        Millimetres.
    """
    if not lift_mm.any():
        return np.zeros(shape, np.float32)
    # All nodes lie on whole millimetres, beyond the outermost of them nothing changes, and what
    # is the same from front to back needs one row of the table.
    wide, top = int(_LIFT_X[-1]), int(_LIFT_Z[-1])
    across, upwards = np.arange(-wide, wide + 1), np.arange(int(FADE_LOW_MM), top + 1)
    x, z = np.meshgrid(across, upwards, indexing="ij")
    where = np.stack([x.ravel(), np.zeros(x.size), z.ravel()], axis=1).astype(np.float64)
    table = lift_at(where, lift_mm).astype(np.float32).reshape(len(across), 1, len(upwards))
    index = affine.copy()
    index[:3, 3] += (wide, 0.0, -FADE_LOW_MM)
    found = ndimage.affine_transform(
        table, index[:3, :3], index[:3, 3], shape, order=1, mode="nearest"
    )
    return np.asarray(found, np.float32)
