"""Attack 6: parts of a head in the air, where the scanner wrapped them or a tool forgot them.

What sticks out beyond one border of the field of view comes in again at the opposite one: a nose
behind the head, an ear on the other side. A tool that masks the face leaves the copy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy import ndimage

from faceblind.attacks.surface import region_mask
from faceblind.geometry.grid import Grid, Mask, dilate, erode, from_scan, regrid
from faceblind.geometry.points import thin, tree_of
from faceblind.head.alignment import Alignment
from faceblind.head.segmentation import HeadMask
from faceblind.scan import Scan

LEAST_ML = 2.5
"""A nose has 8 to 12 ml, an ear 4; less shows nobody."""
CORE_ML = 0.7
"""What 2 mm off every side must leave: a nose keeps 2 ml, pads, cables and skins of air nothing."""
LEAST_LEVEL = 0.25
"""Share of the tissue's level; ghosts are weaker."""
AWAY_MM = 9.0
"""Distance outside the fitted head from which tissue is not the head's own."""
BORDER_MM = 14.0
"""A wrapped part that touches the head is told from hair and swellings by its border: it comes in
from there."""
NECK_Z = -95.0
"""Template mm below which shoulders and collars lie."""
SHOULDER_Z = -110.0
"""Template mm below which the middle of a piece lies that is a shoulder: -120 to -142 in ten that a
cut had parted from the neck. What repeats a part of the face counts there, too."""
BESIDE_MM = 9.0
"""How far beside the part of the face that it repeats a wrapped piece may lie: wrapping shifts
along one axis only."""
OTHER_SIDE_MM = 70.0
"""How far it must lie from that part along that axis."""
COPIES = ("nose", "chin", "left ear", "right ear")
"""What sticks out of a head, so that it is wrapped first."""
WIDEST_MM = 75.0
"""Width of a piece beyond which it repeats none of them; head holders are wider."""
COMPACT = 0.3
"""Share of its volume that 2 mm off every side leave of a piece that repeats nothing known."""
SPARED_EAR_MM = 22.0
"""The fit is loose at ears; what touches the head this near to one is the ear."""


@dataclass(frozen=True)
class Piece:
    """Something bright that is not the head where it was found.

    Parameters
    ----------
    millilitres : float
    side : str
        Side of the head it lies on, such as ``"posterior"``.
    like : str
        Region of the face or ear it would be if it had been shifted along one axis; empty if none.
    """

    millilitres: float
    side: str
    like: str = ""


_SIDES = (("left", "right"), ("posterior", "anterior"), ("inferior", "superior"))


def find_pieces(scan: Scan, head: HeadMask, alignment: Alignment) -> tuple[Piece, ...]:
    """Solid bright pieces that are not part of the head, the largest first.

    Parameters
    ----------
    scan : Scan
        Of a series, the first volume is used.
    head : HeadMask
        Of the same scan.
    alignment : Alignment
        Of the same scan.
    """
    grid = regrid(from_scan(scan), np.full(3, 2.0))
    if grid.values.shape != head.mask.shape:
        return ()
    level = head.level(LEAST_LEVEL)
    loose = ~dilate(head.mask, 2)
    odd = (grid.values > level) & (loose | _far_out(grid, head.mask & ~loose, alignment))
    labels, _ = ndimage.label(odd)
    voxel = float(np.prod(grid.spacing)) / 1e3
    found = []
    for index, box in enumerate(ndimage.find_objects(labels), start=1):
        around = tuple(slice(max(s.start - 1, 0), s.stop + 1) for s in box)
        piece = labels[around] == index
        size = float(piece.sum()) * voxel
        # Padding with air: what the border cuts has been a solid thing beyond it.
        core = float(erode(np.pad(piece, 1, mode="edge"), 1)[1:-1, 1:-1, 1:-1].sum()) * voxel
        if size < LEAST_ML or core < CORE_ML:
            continue
        places = np.argwhere(piece) + [s.start for s in around]
        world = apply_affine(grid.affine, places)
        side, like = _described(world, grid, alignment)
        if not like and _is_shoulder(world, alignment):
            continue
        apart = bool(loose[around][piece].mean() > 0.5)
        # Tables, holders and swellings are no copies; a compact thing in the air may be one.
        if like or (apart and core > COMPACT * size):
            found.append(Piece(size, side, like))
    return tuple(sorted(found, key=lambda piece: -piece.millilitres))


def _far_out(grid: Grid, mask: Mask, alignment: Alignment) -> Mask:
    """Places of the head mask near a border and far outside the fitted head."""
    last = np.asarray(mask.shape) - 1
    margin = np.ceil(BORDER_MM / grid.spacing).astype(int)
    near = np.ones(mask.shape, bool)
    near[tuple(slice(m, n - m + 1) for m, n in zip(margin, last, strict=True))] = False
    far = np.zeros(mask.shape, bool)
    # What lies at the border continues inwards until it meets the head.
    index = np.argwhere(mask & dilate(near, 4))
    if len(index) == 0:
        return far
    world = apply_affine(grid.affine, index)
    place = apply_affine(alignment.scan_to_template, world)
    away = (_outside_by(world, alignment) > AWAY_MM) & (place[:, 2] > NECK_Z)
    far[tuple(index[away].T)] = True
    return far


def _outside_by(world: NDArray[np.float64], alignment: Alignment) -> NDArray[np.float64]:
    """(N,) mm outside the fitted head; 0 at the ears, whose fit is loose, and at the neck's end."""
    template = alignment.template
    few = thin(template.points, 4.0)
    points = alignment.fitted()[few]
    turn = np.linalg.inv(alignment.scan_to_template_rigid)[:3, :3]
    normals = template.normals[few] @ turn.T
    distance, nearest = tree_of(points).query(world)
    along = ((world - points[nearest]) * normals[nearest]).sum(axis=1)
    ears = template.region("ears")[few][nearest] & (distance < SPARED_EAR_MM)
    away: NDArray[np.float64] = np.where((along > 0.5 * distance) & ~ears, distance, 0.0)
    return away


def _is_shoulder(world: NDArray[np.float64], alignment: Alignment) -> bool:
    """Whether a piece that repeats no part of the face lies where shoulders do."""
    height = apply_affine(alignment.scan_to_template, world)[:, 2]
    return bool(np.median(height) < SHOULDER_Z)


def _described(world: NDArray[np.float64], grid: Grid, alignment: Alignment) -> tuple[str, str]:
    """Side of the head on which a piece lies, and what it repeats."""
    affine = alignment.scan_to_template
    places = apply_affine(affine, world)
    place = places.mean(axis=0)
    template = alignment.template
    middle = 0.5 * (template.points.min(axis=0) + template.points.max(axis=0))
    middle[2] = 0.0
    half = np.array([75.0, 100.0, 115.0])
    axis = int(np.abs((place - middle) / half).argmax())
    side = _SIDES[axis][int(place[axis] > middle[axis])]
    # Wrapping shifts along an axis of the scanner's grid, which a tilted head does not share.
    ways = affine[:3, :3] @ grid.affine[:3, :3]
    ways = ways / np.linalg.norm(ways, axis=0)
    like, nearest = "", BESIDE_MM
    for name in COPIES:
        region = template.points[region_mask(template, name)].astype(np.float64)
        if name.endswith("ear"):
            region = region[np.abs(region[:, 0]) > 60.0]
        for way in ways.T:
            shift = (region - place) @ way
            # A copy lies on the other side of the head; beside itself the region lies anyway.
            # Shoulders lie under the ears.
            if abs(float(shift.mean())) < OTHER_SIDE_MM or float(shift.mean()) * way[2] > 40.0:
                continue
            beside = np.linalg.norm(region - place - shift[:, None] * way, axis=1).min()
            width = np.linalg.norm(np.ptp(places - (places @ way)[:, None] * way, axis=0))
            if beside < nearest and width < WIDEST_MM:
                like, nearest = name, float(beside)
    return side, like
