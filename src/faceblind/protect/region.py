"""Which voxels a protection replaces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray

from faceblind.geometry.grid import Grid, is_positive, memory_order, resized_affine
from faceblind.head.alignment import Alignment
from faceblind.head.brain_cover import template_fields
from faceblind.head.skin import Skin
from faceblind.head.template import REGIONS
from faceblind.protect.boundary import ROOM_FROM_BRAIN_MM, room_limit
from faceblind.protect.brain_margin import EARS_FRONT_MM, brain_margin, spared
from faceblind.protect.cut_choice import choose_cut
from faceblind.protect.cut_fit import CutFit
from faceblind.protect.cut_lift import lift_at, lift_on_grid
from faceblind.protect.placement import Placement
from faceblind.protect.region_options import RegionOptions
from faceblind.scan import Scan
from faceblind.system.threads import map_threads

WORKING_MM = 2.0
"""Spacing on which the template's smooth fields are mapped into the scan."""
FAR_FROM_BRAIN_MM = 15.0
"""The same for teeth and neck, which need not come near."""
TEETH_CENTRE = np.array([0.0, 50.0, -50.0])
TEETH_REACH = np.array([37.0, 46.0, 27.0])
"""Template mm: an ellipsoid around both arches, from the lips to behind the last molars."""
NECK_TOP_MM = -62.0
"""Height in the middle of a plane that rises to the chin and falls to the nape: below is neck."""
NECK_DEPTH_MM = 22.0
"""Skin, fat and outer muscle; spine and cord lie deeper."""
Field = Callable[[str], NDArray[np.float32]]
"""A field of `TemplateFields` by name, at places that are settled."""


@dataclass(frozen=True)
class ReplacedRegion:
    """Voxels to replace, and what the brain's protection left of the face.

    Parameters
    ----------
    mask : (I, J, K) or (I, J, K, T) bool ndarray
        On the scan's grid; for each volume where the head moves through a series.
    name : str
        The field of `TemplateFields` that the cut was made from.
    cut : Grid
        On a working grid in memory order: millimetres (template) inside the region, negative
        outside, 0 on the boundary.
    fit : CutFit
        Where the cut lies, and how it is lifted over the forehead.
    remaining : dict of str to float
        Region of the face to the share of its skin that stays although it would go; only where
        the share is above 1 %.
    moved_mm : float
        How far the head moves through a series, at its surface.
    """

    mask: NDArray[np.bool_]
    name: str
    cut: Grid
    fit: CutFit
    remaining: dict[str, float]
    moved_mm: float = 0.0


def face_region(
    scan: Scan,
    skin: Skin,
    alignment: Alignment,
    placement: Placement,
    options: RegionOptions | None = None,
    fit: CutFit | None = None,
) -> ReplacedRegion:
    """The face, the ears and the air around the head, without what must stay.

    The boundary is the template's, moved as a whole. Over the forehead, where the brain comes
    close, it is lifted or sunk by a smooth amount given by fifteen whole millimetres.

    Parameters
    ----------
    scan : Scan
    skin : Skin
        Of `scan`, or of another scan of the same session moved onto it.
    alignment : Alignment
        Of `skin`; used to name what was left.
    placement : Placement
    options : RegionOptions, optional
    fit : CutFit, optional
        Of the region of another image in the same space, to get the same region; by default it is
        measured in `scan`.
    """
    options = options or RegionOptions()
    name = "cut_ears_kept" if options.keep_ears else "cut"
    fit = fit or choose_cut(scan, skin, alignment, placement, name)
    grid = working_grid(scan)
    cut = _on_grid(grid, placement, name, fit, options)
    order = memory_order(scan)
    shape = tuple(scan.shape[axis] for axis in order)
    mask = is_positive(cut.values, shape).transpose(np.argsort(order))
    return ReplacedRegion(
        mask, name, cut, fit, _remaining(alignment, placement.scan_to_template, name, fit)
    )


def working_grid(scan: Scan) -> Grid:
    """About 2 mm over the scan's extent, axes in memory order; holds no values."""
    order = memory_order(scan)
    full = np.array(scan.shape)[order]
    size = np.maximum(2, np.round(full * scan.spacing[order] / WORKING_MM))
    shape = tuple(int(n) for n in np.minimum(size, full))
    affine = np.array(scan.affine)
    affine[:, :3] = affine[:, order]
    return Grid(np.broadcast_to(np.float32(0), shape), resized_affine(affine, tuple(full), shape))


def places(grid: Grid, affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 3) template mm of every voxel of a grid; each coordinate lies together in memory."""
    axes = [np.arange(n, dtype=np.float64) for n in grid.values.shape]
    index = np.meshgrid(*axes, indexing="ij", sparse=True)
    return np.stack([row.ravel() for row in _mapped(affine @ grid.affine, index)]).T


def _mapped(
    total: NDArray[np.float64], index: Sequence[NDArray[np.float64]]
) -> list[NDArray[np.float64]]:
    """Three coordinates of voxels of a grid, from three arrays of indices."""
    i, j, k = index
    return [total[r, 0] * i + total[r, 1] * j + total[r, 2] * k + total[r, 3] for r in range(3)]


def _on_grid(
    grid: Grid,
    placement: Placement,
    name: str,
    fit: CutFit,
    options: RegionOptions,
) -> Grid:
    affine = placement.scan_to_template
    total, shape = affine @ grid.affine, grid.values.shape
    of_cut = fit.scan_to_cut @ grid.affine
    fields = template_fields()

    @cache
    def at(field: str) -> NDArray[np.float32]:
        return fields.on_grid(field, total, shape)

    def unmoved(chosen: NDArray[np.bool_]) -> NDArray[np.float32]:
        return fields.on_grid(name, total, shape, chosen)[chosen]

    moved, lift, *_ = map_threads(
        lambda work: work(),
        [
            partial(fields.on_grid, name, of_cut, shape),
            partial(lift_on_grid, of_cut, shape, fit.lift_mm),
            partial(at, "brain"),
        ],
    )
    where = places(grid, affine)
    cut = _combined(moved - lift, unmoved, at, where, options)
    _widen(cut, at, placement.scan_to_face @ grid.affine, name, options)
    if options.teeth or options.neck:
        more = np.minimum(_more(at("depth"), where, options), -FAR_FROM_BRAIN_MM - at("brain"))
        cut = np.maximum(cut, more)
    return Grid(spared(cut, at("brain"), where, fit.spared_mm), grid.affine)


def _more(
    depth: NDArray[np.float32], where: NDArray[np.float64], options: RegionOptions
) -> NDArray[np.float32]:
    """Millimetres inside what goes besides the face."""
    shape = depth.shape
    more = np.full(shape, -50.0, np.float32)
    if options.teeth:
        away = (where - TEETH_CENTRE) / TEETH_REACH
        arch = (1.0 - np.sqrt((away**2).sum(axis=1))) * TEETH_REACH.min()
        more = np.maximum(more, arch.astype(np.float32).reshape(shape))
    if options.neck:
        below = (NECK_TOP_MM + 0.3 * where[:, 1] - where[:, 2]).astype(np.float32).reshape(shape)
        more = np.maximum(more, np.minimum(np.float32(NECK_DEPTH_MM) - depth, below))
    return more


def _widen(
    cut: NDArray[np.float32],
    at: Field,
    on_face: NDArray[np.float64],
    name: str,
    options: RegionOptions,
) -> None:
    """Take the room of the new face into millimetres inside the cut, (I, J, K), in place.

    `at` gives fields on their grid, whose index `on_face` maps to template mm of
    `Placement.scan_to_face`.
    """
    fields = template_fields()
    axes = [np.arange(n, dtype=np.float64) for n in cut.shape]
    height = _mapped(on_face, np.meshgrid(*axes, indexing="ij", sparse=True))[2]
    # Elsewhere the room's own limits lie below what the cut takes already.
    may = -height.astype(np.float32) > cut
    may &= -ROOM_FROM_BRAIN_MM - at("brain") > cut
    chosen = np.nonzero(may)
    index = [axis.astype(np.float64) for axis in chosen]

    def at_some(field: str) -> NDArray[np.float32]:
        return at(field)[chosen]

    def at_face(field: str) -> NDArray[np.float32]:
        return fields.at_index(field, on_face, index)

    room = _room(at_some, at_face, np.stack(_mapped(on_face, index)).T, name, options)
    cut[chosen] = np.maximum(cut[chosen], room)


def _room(
    at: Field,
    at_face: Field,
    where: NDArray[np.float64],
    name: str,
    options: RegionOptions,
) -> NDArray[np.float32]:
    """Millimetres inside the room that the lower part of the new face takes in this head.

    It is of one size for all, so that its chin may lie below a small person's own. `at` and
    `at_face` give fields at the places of `Placement.affine` and of `Placement.scan_to_face`, (N,
    3) are the latter themselves.
    """
    room = np.minimum(at_face(name), room_limit(where, at("brain")))
    if options.keep_eyes:
        room = np.minimum(room, -at("eyes"))
    return np.asarray(room, np.float32)


def _combined(
    moved: NDArray[np.float32],
    unmoved: Callable[[NDArray[np.bool_]], NDArray[np.float32]],
    at: Field,
    where: NDArray[np.float64],
    options: RegionOptions,
) -> NDArray[np.float32]:
    """Millimetres inside the region, from those inside the cut that was moved and lifted.

    Ears go as by the `unmoved` cut, of which it gives chosen places, the average brain and eyes
    that stay are spared. `at` gives fields at (N, 3) `where`, template mm of `Placement.affine`, in
    the shape of `moved`.
    """
    forward, height = (where[:, axis].reshape(moved.shape) for axis in (1, 2))
    behind = np.float32(EARS_FRONT_MM) - forward.astype(np.float32)
    # Elsewhere the unmoved cut takes no more than the moved one.
    chosen = behind > moved
    cut = moved.copy()
    cut[chosen] = np.maximum(moved[chosen], np.minimum(unmoved(chosen), behind[chosen]))
    cut = np.minimum(cut, -brain_margin(height) - at("brain"))
    if options.keep_eyes:
        cut = np.minimum(cut, -at("eyes"))
    return np.asarray(cut, np.float32)


def _remaining(
    alignment: Alignment,
    affine: NDArray[np.float64],
    name: str,
    fit: CutFit,
) -> dict[str, float]:
    """Share of each region of the fitted face that only the brain's protection keeps.

    Not what stays by choice: `name` says whether ears go, and eyes count as if they went.
    """
    points, fields = alignment.fitted(), template_fields()
    where, in_cut = apply_affine(affine, points), apply_affine(fit.scan_to_cut, points)
    wanted = fields.at(name, where) > 0
    moved = fields.at(name, in_cut) - lift_at(in_cut, fit.lift_mm).astype(np.float32)
    cut = _combined(
        moved,
        lambda chosen: fields.at(name, where[chosen]),
        lambda field: fields.at(field, where),
        where,
        RegionOptions(),
    )
    cut = spared(cut, fields.at("brain", where), where, fit.spared_mm)
    stays = wanted & (cut <= 0)
    remaining = {}
    for label, region in enumerate(REGIONS):
        if region in ("scalp", "neck"):
            continue
        here = wanted & (alignment.template.regions == label)
        share = float(stays[here].mean()) if here.any() else 0.0
        if share > 0.01:
            remaining[region] = share
    return remaining
