"""Which voxels a protection replaces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray

from faceblind.errors import ScanError
from faceblind.geometry.grid import Grid, is_positive, memory_order, resized_affine
from faceblind.head.alignment import Alignment
from faceblind.head.brain_cover import (
    CHILD_COVER,
    cover_share,
    find_cover,
    head_size,
    template_fields,
)
from faceblind.head.brain_estimate import likely_brain
from faceblind.head.brain_pose import find_brain_pose
from faceblind.head.dim_scalp import MOST_OUTSIDE
from faceblind.head.segmentation import find_head
from faceblind.head.skin import Skin
from faceblind.head.template import REGIONS
from faceblind.head.thin_cover import side_cover
from faceblind.protect.boundary import ROOM_FROM_BRAIN_MM, inside_at, room_limit
from faceblind.protect.brain_margin import (
    EARS_FRONT_MM,
    LIFTED_MM,
    before_orbits,
    brain_margin,
    spared,
    to_spare,
)
from faceblind.protect.cut_fit import CutFit, fit_cut
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
ENTERED_MM = 0.5
"""Further than this inside the region no place may lie that may be brain, in a small head."""
FAR_MM = 1.0
"""How far the average brain, laid by the scan's own, must stay out of the usual cut of a head whose
cover looks thin: 0.5 to 7.3 mm in eleven real adults, 1 to 6 mm within it in children with an
adult's head size and a thin cover."""
LEAST_BROW, LEAST_BROW_SEEN = 0.85, 0.5
"""Share of a small head's brow, as far as it is seen, that must have skin: all of it in heads that
were found well, 0 to 0.64 where noise was taken for skin in T2*-weighted series; and share that
must be seen, because crania alone are found by 3 mm less well."""
LEAST_EYES = 0.75
"""The same for the eyes, whatever is seen of them: 0.82 and more, 0.55 and 0.69 in two
T2*-weighted series that were found 6 and 8 mm too low."""
LEAST_CONFIDENCE = 0.7
"""Confidence that a small head needs: those found well had 0.78 and mostly 1, one that lost brain
0.55."""
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
    fit = fit or _fitted(scan, skin, alignment, placement, name)
    grid = working_grid(scan)
    cut = _on_grid(grid, placement, name, fit, options)
    order = memory_order(scan)
    shape = tuple(scan.shape[axis] for axis in order)
    mask = is_positive(cut.values, shape).transpose(np.argsort(order))
    return ReplacedRegion(
        mask, name, cut, fit, _remaining(alignment, placement.scan_to_template, name, fit)
    )


def _fitted(
    scan: Scan, skin: Skin, alignment: Alignment, placement: Placement, name: str
) -> CutFit:
    """Where the cut runs, so that it spares what may be brain."""
    affine = placement.scan_to_template
    thickness = cover_share(head_size(affine))
    if thickness > CHILD_COVER:
        beside = side_cover(scan, skin, affine)
        if beside is not None and beside.is_thin:
            if thickness >= 1.0 and beside.shows_cortex:
                usual = _sparing(scan, skin, alignment, placement, name, thickness)
                if _brain_is_far(scan, alignment, placement, name, usual):
                    return usual
            thickness = CHILD_COVER
    return _sparing(scan, skin, alignment, placement, name, thickness)


def _brain_is_far(
    scan: Scan, alignment: Alignment, placement: Placement, name: str, fit: CutFit
) -> bool:
    """Whether the average brain, where the scan's own tissues have it, stays out of a cut."""
    found = find_brain_pose(alignment.scan_to_template, scan, find_head(scan))
    if not found.is_sure:
        return False
    surface = found.surface()
    where = apply_affine(placement.scan_to_template, surface)
    brain, cut = template_fields().at("brain", where), _inside(surface, placement, name, fit)
    return bool((spared(cut, brain, where, fit.spared_mm) < -FAR_MM).all())


def _sparing(
    scan: Scan,
    skin: Skin,
    alignment: Alignment,
    placement: Placement,
    name: str,
    thickness: float,
) -> CutFit:
    """The same where what lies over the brain is so thick, see `cover_share`."""
    affine = placement.scan_to_template
    size, small = head_size(affine), thickness < 1.0
    cover = find_cover(scan, skin, affine, thickness)
    if small and not _is_clear(alignment):
        raise ScanError(
            f"{scan.source or 'scan'}: this small head, or its brow, is not seen clearly enough "
            "to tell how near the brain lies; protect it together with another scan of the same "
            "session"
        )
    if cover.outside_share > MOST_OUTSIDE:
        raise ScanError(
            f"{scan.source or 'scan'}: the scalp of this small head is too dark to tell how near "
            "to it the brain lies; protect it together with another scan of the same session"
        )
    likely = likely_brain(alignment, skin, size, thickness)
    likely = likely[~before_orbits(apply_affine(affine, likely))]
    places = apply_affine(affine, likely)
    front = (places[:, 1] > EARS_FRONT_MM) & (places[:, 2] > LIFTED_MM)
    fit = fit_cut(cover, skin, name, placement, likely[front] if small else None)
    brain, cut = template_fields().at("brain", places), _inside(likely, placement, name, fit)
    fit = replace(fit, spared_mm=to_spare(cut, brain, places))
    if small and bool((spared(cut, brain, places, fit.spared_mm) > ENTERED_MM).any()):
        raise ScanError(
            f"{scan.source or 'scan'}: no cut takes the face of this small head and surely spares "
            "its brain; protect it by hand"
        )
    return fit


def _is_clear(alignment: Alignment) -> bool:
    """Whether a small head is found so well that its cut spares the brain."""
    seen, borne_out = alignment.seen["brow"], alignment.support["brow"]
    brow = seen >= LEAST_BROW_SEEN and borne_out >= LEAST_BROW * seen
    eyes = alignment.support["eyes"] >= LEAST_EYES * alignment.seen["eyes"]
    return brow and eyes and alignment.confidence >= LEAST_CONFIDENCE


def _inside(
    points: NDArray[np.float64], placement: Placement, name: str, fit: CutFit
) -> NDArray[np.float32]:
    """(N,) millimetres inside the region, before more is spared; points are scan mm."""
    where, in_cut, on_face = (
        apply_affine(affine, points)
        for affine in (placement.scan_to_template, fit.scan_to_cut, placement.scan_to_face)
    )
    moved = template_fields().at(name, in_cut) - lift_at(in_cut, fit.lift_mm).astype(np.float32)
    return inside_at(moved, name, where, on_face)


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

    moved, lift, *_ = map_threads(
        lambda work: work(),
        [
            partial(fields.on_grid, name, of_cut, shape),
            partial(lift_on_grid, of_cut, shape, fit.lift_mm),
            partial(at, name),
            partial(at, "brain"),
        ],
    )
    where = places(grid, affine)
    cut = _combined(moved - lift, at, name, where, options)
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
    at: Field,
    name: str,
    where: NDArray[np.float64],
    options: RegionOptions,
) -> NDArray[np.float32]:
    """Millimetres inside the region, from those inside the cut that was moved and lifted.

    Ears go as by the unmoved cut, the average brain and eyes that stay are spared. `at` gives
    fields at (N, 3) `where`, template mm of `Placement.affine`, in the shape of `moved`.
    """
    forward, height = (where[:, axis].reshape(moved.shape) for axis in (1, 2))
    behind = np.float32(EARS_FRONT_MM) - forward.astype(np.float32)
    cut = np.maximum(moved, np.minimum(at(name), behind))
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
    cut = _combined(moved, lambda field: fields.at(field, where), name, where, RegionOptions())
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
