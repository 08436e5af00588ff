"""Attack 6: pieces of a head in the air, where the scanner wrapped them or a tool forgot them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from faceblind.head.grid import dilate, from_scan, regrid
from faceblind.head.skin import HeadMask
from faceblind.scan import Scan

LEAST_ML = 3.0
"""A nose has 10 ml, an ear 4; less shows nobody."""
BORDER_MM = 12.0
"""Wrapped pieces come in from a border of the field of view."""
LEAST_LEVEL = 0.3
"""Share of the tissue's level; ghosts are weaker."""
SOLID = 0.25
"""Share of its bounding box that a piece of a head fills; cables and pads fill less."""


@dataclass(frozen=True)
class Piece:
    """Something bright apart from the head.

    Parameters
    ----------
    millilitres : float
    side : str
        Border of the field of view it lies at, such as ``"posterior"``.
    """

    millilitres: float
    side: str


_SIDES = (("left", "right"), ("posterior", "anterior"), ("inferior", "superior"))


def find_pieces(scan: Scan, head: HeadMask) -> tuple[Piece, ...]:
    """Solid bright pieces in the air at a border, the largest first.

    Parameters
    ----------
    scan : Scan
        Of a series, the first volume is used.
    head : HeadMask
        Of the same scan.
    """
    grid = regrid(from_scan(scan), np.array([2.0, 2.0, 2.0]))
    if grid.values.shape != head.mask.shape:
        return ()
    level = head.air_level + LEAST_LEVEL * (head.tissue_level - head.air_level)
    free = (grid.values > level) & ~dilate(head.mask, 2)
    labels, _ = ndimage.label(free)
    voxel = float(np.prod(grid.spacing)) / 1e3
    last = np.asarray(free.shape)
    found = []
    for index, box in enumerate(ndimage.find_objects(labels), start=1):
        piece = labels[box] == index
        if piece.sum() * voxel < LEAST_ML or piece.mean() < SOLID:
            continue
        ends = np.array([[s.start for s in box], [s.stop for s in box]])
        gaps = np.stack([ends[0], last - ends[1]]) * grid.spacing
        end, axis = np.unravel_index(int(gaps.argmin()), gaps.shape)
        if gaps[end, axis] > BORDER_MM:
            continue
        way = grid.affine[:3, axis] * (1 if end else -1)
        world = int(np.abs(way).argmax())
        found.append(Piece(float(piece.sum() * voxel), _SIDES[world][int(way[world] > 0)]))
    return tuple(sorted(found, key=lambda piece: -piece.millilitres))
