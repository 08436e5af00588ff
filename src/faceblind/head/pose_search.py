"""Where is the head, whatever the header says: a global search over rotations and translations.

The skin of the scan and the template are compared as fields of surface normals on a coarse grid.
Normals tell a forehead from an occiput of the same curvature, and missing skin (a cut field of
view) merely adds nothing. For each rotation of the template, one Fourier cross-correlation scores
all translations at once (as in fast rotational matching, Roseman 2003, Ultramicroscopy 94:225).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.spatial.transform import Rotation

CELL_MM = 10.0
"""Grid cell: coarse enough that 15 degrees of misfit still overlap, fine enough to see a nose."""

CELLS = 36
"""Cells per axis: 360 mm hold a head with shoulders; what lies beyond wraps around harmlessly."""


@lru_cache(maxsize=1)
def tilts() -> NDArray[np.float64]:
    """(27, 3, 3) rotations that cover tilts up to 45 degrees, the smallest first."""
    steps = np.deg2rad([-30.0, 0.0, 30.0])
    turns = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    turns = turns[np.argsort((turns**2).sum(axis=1), kind="stable")]
    return np.asarray(Rotation.from_rotvec(turns).as_matrix(), np.float64)


def orientations(everywhere: bool) -> NDArray[np.float64]:
    """Axis orientations to try: signed permutations, proper ones only.

    Handedness is the header's to tell: a head is too symmetric.

    Parameters
    ----------
    everywhere : bool
        False: the header is about right. True: all 24, which with the tilts covers every
        rotation to about 20 degrees.

    Returns
    -------
    (N, 3, 3) float64 ndarray
    """
    if not everywhere:
        return np.eye(3)[None]
    return np.rint(Rotation.create_group("O").as_matrix())


def normal_field(
    points: NDArray[np.floating], normals: NDArray[np.floating], origin: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Sum of the normals in each cell of a periodic grid, trilinearly shared.

    Parameters
    ----------
    points, normals : (P, 3) ndarray
        Surface samples in millimetres and their outward unit normals (times their weight).
    origin : (3,) ndarray
        Position of the centre of cell (0, 0, 0) in millimetres.

    Returns
    -------
    (3, CELLS, CELLS, CELLS) float32 ndarray
    """
    where = (points - origin) / CELL_MM
    base = np.floor(where).astype(np.int64)
    part = where - base
    cell, shares = (base % CELLS, (base + 1) % CELLS), (1.0 - part, part)
    corners = list(np.ndindex(2, 2, 2))
    cells = [(cell[a][:, 0] * CELLS + cell[b][:, 1]) * CELLS + cell[c][:, 2] for a, b, c in corners]
    # A surface passes few of the cells.
    filled = np.zeros(CELLS**3, bool)
    filled[np.concatenate(cells)] = True
    number = np.cumsum(filled) - 1
    sums = np.zeros((3, number[-1] + 1), dtype=np.float32)
    for (a, b, c), place in zip(corners, cells, strict=True):
        weight = shares[a][:, 0] * shares[b][:, 1] * shares[c][:, 2]
        there = number[place]
        for axis in range(3):
            sums[axis] += np.bincount(there, weight * normals[:, axis], sums.shape[1])
    field = np.zeros((3, CELLS**3), dtype=np.float32)
    field[:, filled] = sums
    return field.reshape(3, CELLS, CELLS, CELLS)


def _saturated(field: NDArray[np.float32]) -> NDArray[np.float32]:
    """Limit each cell to unit length, so that clutter counts no more than plain skin."""
    length = np.sqrt((field**2).sum(axis=0))
    typical = np.median(length[length > 0.05 * length.max()])
    return field / np.maximum(length, typical)


@dataclass(frozen=True)
class SearchField:
    """The skin of a scan as a field of normals.

    Parameters
    ----------
    origin : (3,) ndarray
        Scan RAS+ mm of the centre of cell (0, 0, 0).
    field : (3, CELLS, CELLS, CELLS) float32 ndarray
        No longer than 1 in each cell.
    """

    origin: NDArray[np.floating]
    field: NDArray[np.float32]

    @classmethod
    def of(cls, points: NDArray[np.floating], normals: NDArray[np.floating]) -> SearchField:
        """Of evenly thinned skin (S, 3), scan RAS+ mm."""
        origin = points.mean(axis=0)
        return cls(origin, _saturated(normal_field(points, normals, origin)))


@dataclass(frozen=True)
class SearchTemplate:
    """A template in every tilt, ready to be compared with skins.

    Parameters
    ----------
    spectra : (27, 3, CELLS, CELLS, CELLS // 2 + 1) complex64 ndarray
        Conjugate spectrum of the field of normals for each of `tilts`.
    size : float
        Root of the summed squares of the weighted normals.
    """

    spectra: NDArray[np.complex64]
    size: float

    @classmethod
    def of(cls, points: NDArray[np.floating], normals: NDArray[np.floating]) -> SearchTemplate:
        """Of evenly thinned samples (T, 3), template RAS+ mm; normals carry the weights."""
        fields = (normal_field(points @ t.T, normals @ t.T, np.zeros(3)) for t in tilts())
        spectra = [np.conj(fft.rfftn(field, axes=(1, 2, 3), workers=2)) for field in fields]
        return cls(np.stack(spectra), float(np.sqrt((normals**2).sum())))


def candidates(
    skin: SearchField,
    template: SearchTemplate,
    *,
    everywhere: bool,
    keep: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The best starting poses, best first.

    Parameters
    ----------
    skin : SearchField
    template : SearchTemplate
    everywhere : bool
        See `orientations`.
    keep : int
        How many to return.

    Returns
    -------
    poses : (keep, 4, 4) float64 ndarray
        Rigid maps from the template to the scan, mm.
    scores : (keep,) float64 ndarray
        Correlation relative to the template's own; higher is better.
    """
    # A turn by whole quarters permutes the grid, so that only the scan's field is turned by it.
    axes = orientations(everywhere)
    targets = [fft.rfftn(_turned(skin.field, turn), axes=(1, 2, 3), workers=2) for turn in axes]
    best = np.empty((len(tilts()), len(axes)))
    shift = np.empty((len(tilts()), len(axes), 3))
    for n, spectrum in enumerate(template.spectra):
        for m, turned in enumerate(targets):
            product = np.einsum("cijk,cijk->ijk", spectrum, turned)
            correlation = fft.irfftn(product, s=(CELLS,) * 3, workers=2)
            peak = int(np.argmax(correlation))
            best[n, m] = correlation.flat[peak]
            place = np.array(np.unravel_index(peak, correlation.shape))
            shift[n, m] = axes[m] @ np.where(place >= CELLS // 2, place - CELLS, place)
    order = np.argsort(-best.ravel(), kind="stable")[:keep]
    tilt_of, turn_of = np.unravel_index(order, best.shape)
    poses = np.tile(np.eye(4), (len(order), 1, 1))
    poses[:, :3, :3] = axes[turn_of] @ tilts()[tilt_of]
    poses[:, :3, 3] = shift[tilt_of, turn_of] * CELL_MM + skin.origin
    return poses, best.ravel()[order] / template.size


def _turned(field: NDArray[np.float32], turn: NDArray[np.float64]) -> NDArray[np.float32]:
    """A field of vectors seen in axes turned by whole quarters."""
    back = turn.T
    # Axis k of the new grid is axis `source[k]` of the old one, backwards where the sign says so.
    source = np.abs(back).argmax(axis=1)
    signs = back[np.arange(3), source]
    out = field[source].transpose(0, *(1 + source)) * signs[:, None, None, None].astype(np.float32)
    for axis in range(3):
        if signs[axis] < 0:
            # Cell 0 stays, cell i becomes cell -i of the periodic grid.
            out = np.roll(np.flip(out, axis + 1), 1, axis + 1)
    return np.asarray(out, np.float32)
