"""Where the cut runs in one head: one shape for all, moved as a whole, then lifted a little.

The average cut would come near the brain of a full forehead and miss the skin of a flat one. A
motion of the whole tells nothing of a person, because whoever looks at a cut moves it back; so it
does most of the work. What it leaves to do is a lift of the forehead, see
`faceblind.protect.cut_lift`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linprog
from scipy.spatial import cKDTree

from faceblind.geometry.points import thin
from faceblind.geometry.transforms import rotation_matrices
from faceblind.head.brain_cover import Cover, template_fields
from faceblind.head.skin import Skin
from faceblind.protect.brain_margin import LIFTED_MM, NOTHING_SPARED
from faceblind.protect.cut_lift import (
    LIFT_MM,
    MOST_LIFT_MM,
    SINK_MM,
    USUAL_LIFT_MM,
    free_share,
    lift_at,
    lift_weights,
)
from faceblind.protect.placement import Placement, hung, one_size

NEAR_BRAIN_MM = 13.0
"""How near the average brain a place must be for a person's brain to reach it."""
NEAR_SMALL_MM = 21.0
"""The same for a small head, whose brain is larger and whose form is further from the average."""
LOWEST_FLOOR_MM = 16.0
"""Template height from which the brain's floor is looked at."""
_LOWEST_SKIN_MM = -90.0
"""The same for skin: below the chin the neck bends."""
_AROUND_MM = 15.0
"""Skin that a motion of the cut may bring into its reach."""
_FLOOR_CELL_MM, _SKIN_CELL_MM = 4.0, 7.0
_UNDER_SKIN_MM = 2.0
"""The cut must run this far under the skin, so that rounding and noise leave none."""
_WORTH_CUTTING_MM = 2.0
"""Allowed depth (template) from which a place is meant to go."""
_BROW_MM, _BROW_WIDE_MM = (-5.0, 45.0), 52.0
"""Template heights, and how far to the sides, of eyes and brow."""
_BROW_WORTH, _BESIDE_WORTH = 20.0, 5.0
"""How much more skin weighs there, where a face is told, and beside it at the temples. Below,
nothing of the brain is near, and the room for the new face takes what is left."""
_EVEN = (0.02, 0.01, 0.005)
"""What a millimetre off the usual lift weighs against a mean millimetre of skin that stays: the
first, and less for a head whose middle of the forehead would stay otherwise."""
_MIDDLE_WIDE_MM, _MOST_IN_MIDDLE = 25.0, 24
"""How far to the sides that is, and in how many cells skin may stay there: 19 and less where the
brain or a wrinkle keeps it (167 people), 57 in one whose usual lift was the cause."""
_STILL = 0.002
"""The same for a millimetre, or a degree, of motion, which tells nothing."""
_ROUNDS = 2
"""Motions are sought as if they were small, then again from there."""
_MOST_MM, _MOST_DEGREES = 4.0, 6.0
"""Of each axis in one round."""
_MIDDLE = np.array([0.0, 60.0, 30.0])
"""Template mm; the cut turns about here, behind the brow."""
_CENTRE = np.array([0.0, 0.0, 40.0])
"""Template mm, within the brain: skin faces away from here."""
_DEAR = 1e9
"""Price of a cut that could not be worked out."""
_FEWEST = 100
"""Places below which a forehead is not seen."""


@dataclass(frozen=True)
class CutFit:
    """The cut of one head, in numbers so coarse that its shape says little of the person.

    Parameters
    ----------
    scan_to_cut : (4, 4) float64 ndarray
        Scan RAS+ mm to template mm of the cut: a size in steps of
        `faceblind.protect.placement.CUT_SIZE_STEP`, a pose in whole millimetres and degrees
        from the head's.
    lift_mm : (3, 5) float64 ndarray
        How much shallower the cut is over the forehead, for the brain's sake, or deeper (negative),
        for a flat forehead's, in whole template mm: rows at the middle and at the sides, columns
        upwards from the brow.
    spared_mm : tuple of seven float
        By how much further than usual the region keeps from the average brain, see
        `faceblind.protect.brain_margin.to_spare`; whole template mm.
    """

    scan_to_cut: NDArray[np.float64]
    lift_mm: NDArray[np.float64]
    spared_mm: tuple[float, ...] = NOTHING_SPARED


def fit_cut(
    cover: Cover,
    skin: Skin,
    name: str,
    placement: Placement,
    brain: NDArray[np.float64] | None = None,
    *,
    believes_cover: bool = True,
) -> CutFit:
    """Motion and lift with which the cut spares the brain's floor and leaves least skin.

    Of all that spare the floor everywhere, those that leave least skin, and among them the lift
    nearest to `USUAL_LIFT_MM`: linear programmes, because a small motion moves the cut by so much
    along its normals. Where that lift would leave much of the forehead's middle, it
    counts less.

    Parameters
    ----------
    cover : Cover
    skin : Skin
        Of the same scan.
    name : str
        Field of `TemplateFields` that the cut is made from.
    placement : Placement
    brain : (N, 3) float64 ndarray, optional
        Further places to spare, of a small head, whose cut may be lifted more for it; scan mm, see
        `faceblind.head.brain_estimate`.
    believes_cover : bool
        The cut is lifted more for what was read of the cover, too, not only for `brain`.

    Returns
    -------
    CutFit
        Unmoved, with the usual lift, where no forehead shows.
    """
    affine = hung(placement.scan_to_template, one_size(placement.scales), placement.turn)
    seen = _seen(cover, skin, placement.scan_to_template, brain)
    most = _Most(*((LIFT_MM, LIFT_MM) if brain is None else (MOST_LIFT_MM, MOST_LIFT_MM)))
    if not believes_cover:
        most = replace(most, for_cover_mm=LIFT_MM)
    found: list[_Candidate] = []
    for even in _EVEN:
        found.append(_candidate(seen, name, affine, even, most))
        if found[-1].in_middle <= _MOST_IN_MIDDLE:
            break
    return min(found, key=lambda one: one.in_middle).fit


@dataclass(frozen=True)
class _Most:
    """How far the cut may be lifted at all, and for what was read of the cover."""

    lift_mm: float
    for_cover_mm: float


@dataclass(frozen=True)
class _Candidate:
    """A cut, and in how many cells it leaves skin in the middle."""

    fit: CutFit
    in_middle: int


def _candidate(
    seen: tuple[_Places | None, _Places | None],
    name: str,
    affine: NDArray[np.float64],
    even: float,
    most: _Most,
) -> _Candidate:
    """The best of all motions that are tried, each with its best lift."""
    best, least = _Candidate(CutFit(affine, USUAL_LIFT_MM.copy()), 0), np.inf
    for left in range(_ROUNDS, -1, -1):
        task = _task(seen, name, affine, most)
        if task is None:
            break
        # Small motions are a simplification: what a cut takes is worked out where it lies.
        _, lift, price = _solved(task, even, moving=False)
        if price < least:
            fit = CutFit(affine, np.ceil(lift - 0.05) + 0.0)
            best, least = _Candidate(fit, _left_in_middle(task, fit.lift_mm)), price
        if left:
            affine = moved_cut(affine, np.round(_solved(task, even, moving=True)[0]))
    return best


def _left_in_middle(task: _Task, lift_mm: NDArray[np.float64]) -> int:
    stays = task.depth < lift_at(task.wanted, lift_mm)
    return int(np.count_nonzero(stays & (np.abs(task.wanted[:, 0]) < _MIDDLE_WIDE_MM)))


@dataclass(frozen=True)
class _Places:
    """(N, 3) scan mm, and which of them lie nearest to each; the last `exact` are not smoothed."""

    points: NDArray[np.float64]
    near: NDArray[np.int64]
    exact: int = 0

    def smoothed(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """(N,) medians: noise on the skin and tubes on the forehead are narrower."""
        middle = self.near.shape[1] // 2
        return np.asarray(np.partition(values[self.near], middle, axis=1)[:, middle], np.float64)

    def with_exact(self, points: NDArray[np.float64]) -> _Places:
        """With more places (N, 3), whose values are taken as they are."""
        own = np.arange(len(self.points), len(self.points) + len(points))
        near = np.repeat(own[:, None], self.near.shape[1], axis=1)
        return _Places(np.vstack([self.points, points]), np.vstack([self.near, near]), len(points))


def _places(points: NDArray[np.float64], neighbours: int = 15) -> _Places | None:
    if len(points) < _FEWEST:
        return None
    return _Places(points, np.asarray(cKDTree(points).query(points, k=neighbours)[1], np.int64))


def _seen(
    cover: Cover,
    skin: Skin,
    affine: NDArray[np.float64],
    brain: NDArray[np.float64] | None,
) -> tuple[_Places | None, _Places | None]:
    """The brain's floor, and the skin of the face and the forehead."""
    outward = apply_affine(affine, cover.points) - _CENTRE
    # The wall of a dark hole in the skin faces inwards: its floor would lie in front of the head.
    faces_out = (outward * (cover.normals @ affine[:3, :3].T)).sum(axis=1) > 0.0
    floor = (cover.points - cover.depth_mm[:, None] * cover.normals)[faces_out]
    reach = NEAR_BRAIN_MM if brain is None else NEAR_SMALL_MM
    floor = floor[template_fields().at("brain", apply_affine(affine, floor)) > -reach]
    places = _places(floor)
    if places is not None and brain is not None:
        places = places.with_exact(brain)
    points = skin.points[~skin.edge][::2].astype(np.float64)
    where = apply_affine(affine, points)
    front = (where[:, 2] > _LOWEST_SKIN_MM - _AROUND_MM) & (where[:, 1] > -_AROUND_MM)
    return places, _places(points[front])


@dataclass(frozen=True)
class _Task:
    """What the cut must spare and take: places in template mm of the cut, depth in it there.

    It may be lifted by `most` mm.
    """

    name: str
    most: float
    floor: NDArray[np.float64]
    excess: NDArray[np.float64]
    wanted: NDArray[np.float64]
    depth: NDArray[np.float64]

    def by_motion(self, where: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, 6) how much deeper places lie in a cut that moves by 1 mm or turns by 1 degree."""
        fields, step = template_fields(), np.eye(3)
        slope = np.stack(
            [0.5 * (fields.at(self.name, where + e) - fields.at(self.name, where - e))
             for e in step], axis=1,
        )  # fmt: skip
        turned = np.cross(where - _MIDDLE, slope) * np.pi / 180.0
        return np.asarray(-np.concatenate([slope, turned], axis=1), np.float64)


def _task(
    seen: tuple[_Places | None, _Places | None],
    name: str,
    affine: NDArray[np.float64],
    most: _Most,
) -> _Task | None:
    """What counts for a cut that lies at `affine`; None where no forehead is seen."""
    fields, (floor, skin) = template_fields(), seen
    if floor is None:
        return None
    low = apply_affine(affine, floor.points)
    excess = floor.smoothed(fields.at(name, low))
    if most.for_cover_mm < most.lift_mm:
        read = slice(len(low) - floor.exact)
        excess[read] = np.minimum(excess[read], most.for_cover_mm * free_share(low[read, 2]))
    counts = low[:, 2] > (LOWEST_FLOOR_MM if most.lift_mm <= LIFT_MM else LIFTED_MM)
    if counts.sum() < _FEWEST:
        return None
    low, excess = low[counts], excess[counts]
    highest = _highest(low, excess, _FLOOR_CELL_MM)
    low, excess = low[highest], excess[highest]
    if skin is None:
        return _Task(name, most.lift_mm, low, excess, np.zeros((0, 3)), np.zeros(0))
    where = apply_affine(affine, skin.points)
    inside = fields.at(name, where)
    depth = skin.smoothed(inside)
    meant = inside + fields.at("depth", where) > _WORTH_CUTTING_MM
    meant &= (where[:, 2] > _LOWEST_SKIN_MM) & (where[:, 1] > 0)
    where, depth = where[meant], depth[meant]
    hardest = _highest(where, -depth, _SKIN_CELL_MM)
    return _Task(name, most.lift_mm, low, excess, where[hardest], depth[hardest])


def _highest(
    places: NDArray[np.float64], values: NDArray[np.floating], cell_mm: float
) -> NDArray[np.int64]:
    """The place of the highest value in each cell."""
    order = np.argsort(-values, kind="stable")
    # Cubes that begin at the template's origin are the same in every round, and for everybody.
    return order[thin(places[order], cell_mm, np.zeros(3))]


def _worth(wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) price of a millimetre of skin that stays at each place."""
    across, _, height = wanted.T
    worth = np.where((height > _BROW_MM[0]) & (height < _BROW_MM[1]), _BESIDE_WORTH, 1.0)
    worth[(worth > 1.0) & (np.abs(across) < _BROW_WIDE_MM)] = _BROW_WORTH
    return worth / max(len(wanted), 1)


def _solved(
    task: _Task, even: float, *, moving: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """The motion (6,), empty where it is not `moving`, the lift, not rounded, and the price."""
    moves_floor, moves_skin = (
        task.by_motion(places) if moving else np.zeros((len(places), 0))
        for places in (task.floor, task.wanted)
    )
    moves, nodes, count = moves_floor.shape[1], USUAL_LIFT_MM.size, len(task.wanted)
    lifts_floor, lifts_skin = (
        lift_weights(places).reshape(nodes, -1).T for places in (task.floor, task.wanted)
    )
    needed = np.minimum(task.excess, task.most * lifts_floor.sum(axis=1))
    # Unknowns: motion and its size, lifts and how far they are from the usual, the skin left.
    # Hardly any pair of a limit and an unknown has to do with each other.
    still, lifted, one = (sparse.eye_array(n, format="csc") for n in (moves, nodes, count))
    some = sparse.csc_array
    limits: Any = sparse.block_array([
        [some(moves_floor), None, some(-lifts_floor), None, None],
        [some(-moves_skin), None, some(lifts_skin), None, -one],
        [None, None, lifted, -lifted, None],
        [None, None, -lifted, -lifted, None],
        [still, -still, None, None, None],
        [-still, -still, None, None, None],
    ], format="csc")  # fmt: skip
    usual, none = USUAL_LIFT_MM.ravel(), np.zeros
    bound = np.concatenate([-needed, task.depth - _UNDER_SKIN_MM, usual, -usual, none(2 * moves)])
    price = np.concatenate(
        [
            none(moves),
            np.full(moves, _STILL),
            none(nodes),
            np.full(nodes, even),
            _worth(task.wanted),
        ]
    )
    free = [(-most, most) for most in (*3 * [_MOST_MM], *3 * [_MOST_DEGREES])][:moves]
    lift, positive = (-SINK_MM, task.most), (0.0, None)
    bounds = [*free, *moves * [positive], *nodes * [lift], *(nodes + count) * [positive]]
    found = linprog(price, A_ub=limits, b_ub=bound, bounds=bounds)
    if not found.success or found.x is None:
        return none(moves), np.full(USUAL_LIFT_MM.shape, task.most), _DEAR
    lifts = found.x[2 * moves : 2 * moves + nodes].reshape(USUAL_LIFT_MM.shape)
    motion = np.asarray(found.x[:moves], np.float64)
    return motion, np.asarray(lifts, np.float64), float(np.dot(price, found.x))


def moved_cut(affine: NDArray[np.float64], motion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scan to template of a cut that has moved, or of a stack of cuts.

    Parameters
    ----------
    affine : (..., 4, 4) float64 ndarray
        Before.
    motion : (..., 6) float64 ndarray
        Template mm along x, y, z, and degrees about them.

    Returns
    -------
    (..., 4, 4) float64 ndarray
    """
    turn = rotation_matrices(np.deg2rad(motion[..., 3:]))
    move = np.zeros((*motion.shape[:-1], 4, 4))
    move[..., :3, :3] = turn
    move[..., :3, 3] = _MIDDLE + motion[..., :3] - turn @ _MIDDLE
    move[..., 3, 3] = 1.0
    return np.asarray(np.linalg.solve(move, affine), np.float64)
