"""Replace the face by the average one, in the scan's own contrast."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from nibabel.affines import apply_affine, voxel_sizes
from numpy.typing import NDArray

from faceblind.geometry.arrays import smooth_step
from faceblind.geometry.grid import Grid, Volume, blur, memory_order, resize, resized_affine
from faceblind.geometry.interpolation import trilinear_at, trilinear_on_grid
from faceblind.head.brain_cover import template_fields
from faceblind.head.salt_and_pepper import darkest
from faceblind.head.skin import Skin
from faceblind.head.whole_head import Head, find_whole_head
from faceblind.protect.air_model import Air, Noise, air_of_volumes, fill
from faceblind.protect.cut_fit import CutFit
from faceblind.protect.placement import Placement, place
from faceblind.protect.protected_scan import ProtectedScan
from faceblind.protect.region import ReplacedRegion, face_region, places
from faceblind.protect.region_options import RegionOptions
from faceblind.protect.rim import (
    BESIDE_MM,
    LINE_MM,
    Seam,
    beside_what_stays,
    distance_from,
    outside_skin,
    rim_offset,
)
from faceblind.protect.texture import UNEVEN_MM
from faceblind.protect.tissue_model import (
    DEPTHS_MM,
    Levels,
    at_places,
    average_face,
    measure_levels,
    signal_map,
)
from faceblind.protect.volumes import Part, make, parts_of
from faceblind.scan import Scan
from faceblind.system.threads import begun

FINE_MM = 1.5
"""Spacing on which the new face is made: that of its own map."""
MOST_OFF_MM = 20.0
"""Skin further from the average face than this is another part of the head, as an ear."""
LAYER_MM = 2.0
"""New skin over a cut that lies further out than the new face, as over a prominent forehead: thin,
because it repeats how far this head's cut was lifted."""
SEAM_MM = 5.0
"""From the seam to the full thickness of that skin."""
SCALP_LOW_MM, SCALP_FADE_MM = 22.0, 16.0
"""Template height from which, over how much, new skin lies on a skull: from the brow up."""
SOFT = ("skin", "fat", "muscle")
SOFT_RANGE = np.array([0.6, 1.5])
"""Between these parts of the least and the greatest level of `SOFT`, over air, tissue is soft."""
WITHOUT_SIGNAL = ("air", "bone")
"""Tissues of the average face that look like air."""
FEATHER_MM = 4.0
"""Width, inside the region, over which new tissue takes on the brightness beside it."""


def reface(
    scan: Scan,
    *,
    head: Head | None = None,
    options: RegionOptions | None = None,
    seed: int = 0,
) -> ProtectedScan:
    """Replace face and ears by those of the average head, and the air around by new air.

    Parameters
    ----------
    scan : Scan
        Any contrast and orientation. In a 4-D series region and face follow the head.
    head : Head, optional
        If known already.
    options : RegionOptions, optional
        What may stay.
    seed : int
        Start of the random numbers of the noise.

    Returns
    -------
    ProtectedScan

    Raises
    ------
    ScanError, AlignmentError
        As `find_whole_head`, where `head` is not given.
    """
    head = head or find_whole_head(scan)
    placement = place(head.alignment)
    rng = np.random.default_rng(seed)

    def pieces() -> Iterator[tuple[Part, ReplacedRegion, Iterator[Volume]]]:
        known: CutFit | None = None
        for part in parts_of(scan, head.skin, head.alignment, head.lead):
            airs = begun(
                air_of_volumes(part.scan, placement.scan_to_template, part.skin, rng, part.times)
            )
            region = face_region(part.look, part.skin, head.alignment, placement, options, known)
            inside = region.mask.transpose(memory_order(scan))
            yield part, region, _faces(part, placement, region, airs, inside, seed)
            known = region.fit

    made, region = make(scan, pieces())
    return ProtectedScan(made, region, placement, "reface")


def _faces(
    part: Part,
    placement: Placement,
    region: ReplacedRegion,
    airs: Iterator[tuple[NDArray[Any], Air, Noise]],
    inside: NDArray[np.bool_],
    seed: int,
) -> Iterator[Volume]:
    """New air with the new face in it, for each volume of a part."""
    filled = begun((volume, air, noise, fill(air, inside, noise)) for volume, air, noise in airs)
    model = _Model(part.scan, part.skin, placement, region, seed)
    for volume, air, noise, new_air in filled:
        yield model.volume(volume, air, noise, inside, new_air, salted=part.is_salted)


@dataclass(frozen=True)
class _Box:
    """Part of the scan (memory order) that the new face fills, on a fine and a full grid."""

    full: tuple[slice, slice, slice]
    shape: tuple[int, int, int]
    affine: NDArray[np.float64]


class _Model:
    """Shape of the new face in one scan; the contrast comes later, volume by volume."""

    def __init__(
        self,
        scan: Scan,
        skin: Skin,
        placement: Placement,
        region: ReplacedRegion,
        seed: int = 0,
    ) -> None:
        self.skin = skin
        self.affine = placement.scan_to_template
        self.placement = placement
        self.face = average_face().placed(placement)
        order = memory_order(scan)
        self.full_affine = np.array(scan.affine)
        self.full_affine[:, :3] = self.full_affine[:, order]
        self.full_shape = tuple(scan.shape[axis] for axis in order)
        cut_at_skin = at_places(region.cut, skin.points)
        self.kept = cut_at_skin < -1.0
        self.box = self._box(region)
        self.cut = self._fine(region.cut)
        self.uneven = _uneven(self.box.shape, seed)
        seam = self._seam(cut_at_skin)
        offset = rim_offset(seam, self._coarse(), _half(self.box.shape), placement.scan_to_face)
        depth = self._template(self.face.depth, self.box.affine, self.box.shape)
        depth -= resize(offset, self.box.shape)
        # Where the average surface runs below the cut, the cut's own surface gets a skin.
        layer = self._layer(region, seam, offset)
        self.depth = np.where(layer > 0.0, np.maximum(depth, layer - self.cut), depth)

    def _layer(self, region: ReplacedRegion, seam: Seam, offset: Volume) -> Volume:
        """Least thickness of new skin over the cut, mm, where the cut lies in the head.

        It thins out towards the seam, where the person's own skin goes on.

        Parameters
        ----------
        region : ReplacedRegion
        seam : Seam
        offset : (U, V, W) float32 ndarray
            On the coarse grid: how far the average head moves inwards to meet this one.
        """
        fields, affine = template_fields(), self._coarse()
        limit = fields.on_grid(region.name, region.fit.scan_to_cut @ affine, offset.shape)
        limit += fields.on_grid("depth", self.affine @ affine, offset.shape) - offset
        layer = np.clip(limit, 0.0, np.float32(LAYER_MM))
        away = distance_from(seam.line, affine, offset.shape)
        layer *= np.clip(away / np.float32(SEAM_MM), 0.0, 1.0)
        # In the air beside the head the cut has nothing to cover: skin on it would be a fin.
        cut = resize(self.cut, offset.shape)
        shell = np.argwhere((layer > 0.0) & (cut > -1.0) & (cut < LAYER_MM + 1.0))
        outside = outside_skin(self.skin, apply_affine(affine, shell))
        layer[tuple(shell.T)] *= np.clip(1.0 - outside / LAYER_MM, 0.0, 1.0)
        return resize(layer, self.box.shape)

    def _coarse(self) -> NDArray[np.float64]:
        """(4, 4) index to scan mm of a grid over the box with half as many voxels each way."""
        return resized_affine(self.box.affine, self.box.shape, _half(self.box.shape))

    def _template(
        self, values: Volume, grid_affine: NDArray[np.float64], shape: tuple[int, ...]
    ) -> Volume:
        """A map of the average face on a grid of the scan."""
        index = np.linalg.inv(average_face().affine) @ self.affine @ grid_affine
        return trilinear_on_grid(values, index, shape)

    def _box(self, region: ReplacedRegion) -> _Box:
        """Bounding box of the average head's part of the region."""
        depth = self._template(self.face.depth, region.cut.affine, region.cut.values.shape)
        inside = np.argwhere((depth > -8.0) & (region.cut.values > -6.0))
        if not len(inside):
            inside = np.zeros((1, 3), int)
        factor = np.array(self.full_shape) / np.array(region.cut.values.shape)
        low = np.floor(inside.min(axis=0) * factor).astype(int)
        high = np.minimum(np.ceil((inside.max(axis=0) + 1) * factor), self.full_shape).astype(int)
        size = high - low
        spacing = voxel_sizes(self.full_affine)
        fine = np.maximum(2, np.round(size * spacing / FINE_MM)).astype(int)
        start = np.array(self.full_affine)
        start[:3, 3] = self.full_affine[:3, :3] @ low + self.full_affine[:3, 3]
        shape = (int(fine[0]), int(fine[1]), int(fine[2]))
        affine = resized_affine(start, tuple(int(n) for n in size), shape)
        first, second, third = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
        return _Box((first, second, third), shape, affine)

    def _fine(self, grid: Grid) -> Volume:
        """A working grid's field on the box."""
        to_grid = np.linalg.inv(grid.affine) @ self.box.affine
        return trilinear_on_grid(grid.values, to_grid, self.box.shape)

    def _seam(self, cut_at_skin: NDArray[np.float32]) -> Seam:
        """Where the person's skin goes on, and how far the new face runs outside it there."""
        skin, face = self.skin, self.face
        points = skin.points.astype(np.float64)
        near = np.flatnonzero((np.abs(cut_at_skin) < BESIDE_MM) & ~skin.edge)
        near = near[beside_what_stays(points, cut_at_skin, near)]
        cut = cut_at_skin[near]
        beside = points[near[cut < 0.0]]
        index = face.index(apply_affine(self.affine, beside))
        off = trilinear_at(face.depth, index.T)
        good = np.abs(off) < MOST_OFF_MM
        line = points[near[np.abs(cut) < LINE_MM]]
        return Seam(line, beside[good], off[good].astype(np.float64))

    def volume(
        self,
        volume: NDArray[np.generic],
        air: Air,
        noise: Noise,
        inside: NDArray[np.bool_],
        out: Volume,
        *,
        salted: bool = False,
    ) -> Volume:
        """(I, J, K) `out` in memory order, under the mask `inside` new air, with the face in it.

        Where air is salt and pepper (`salted`), it lies in the middle of the range, and bone and
        cavities are salt and pepper, too.
        """
        full = Grid(volume, self.full_affine)
        floor = darkest(volume) if salted else air.level
        levels = measure_levels(full, self.skin, self.affine, self.kept, floor, air.sigma)
        part = tuple(s.stop - s.start for s in self.box.full)
        beside = resize(volume[self.box.full], self.box.shape)
        smooth = self._feathered(self._signal(levels), beside, levels, floor)
        smooth -= np.float32(floor)
        if not salted:
            # Beside bone and cavities of salt and pepper, even tissue seems uneven.
            smooth *= 1.0 + np.float32(levels.texture.uneven) * self.uneven
        signal = resize(smooth, part)
        spacing = voxel_sizes(self.box.affine)
        share = np.clip(self.depth / np.float32(spacing.mean()) + 0.5, 0, 1)
        covered = resize(share * self._solid() if salted else share, part)
        ceiling = np.float32(np.nanmax(volume)) if salted else np.float32(np.inf)
        first, rows, columns = self.box.full
        for k, i in enumerate(range(first.start, first.stop)):
            plane, here = out[i, rows, columns], inside[i, rows, columns]
            tissue = signal[k][here]
            spread = levels.texture.spread(tissue)
            tissue += np.float32(floor) + spread * noise.slice(i)[rows, columns][here]
            if floor >= 0:
                # Magnitude images know no negative values.
                np.abs(tissue, out=tissue)
            np.minimum(tissue, ceiling, out=tissue)
            plane[here] += covered[k][here] * (tissue - plane[here])
        return out

    def _solid(self) -> Volume:
        """(A, B, C) on the box, how far each place gives a signal, 0 to 1."""
        tissue = average_face()
        dark = [tissue.label(name) for name in WITHOUT_SIGNAL]
        solid = 1.0 - np.isin(self.face.tissue, dark).astype(np.float32)
        return np.maximum(self._template(solid, self.box.affine, self.box.shape), self._shell())

    def _shell(self) -> Volume:
        """(A, B, C) on the box, 1 at the new skin to 0 at 2 mm below it."""
        return np.asarray(np.clip(1.0 - self.depth / np.float32(2.0), 0, 1), np.float32)

    def _signal(self, levels: Levels) -> Volume:
        clean = self._template(signal_map(levels, self.face), self.box.affine, self.box.shape)
        air = levels.values[average_face().label("air")]
        skin = levels.values[average_face().label("skin")]
        # The map's skin sits on the unmoved surface; moved outwards it would show air.
        clean = clean + self._shell() * (skin - clean)
        coarse = tuple(max(2, n // 4) for n in self.box.shape)
        affine = resized_affine(self.box.affine, self.box.shape, coarse)
        where = places(Grid(np.empty(coarse, bool), affine), self.affine)
        shading = resize(levels.shading.at(where).reshape(coarse), self.box.shape)
        # Under the forehead's skin lies bone, as under the scalp that stays.
        over = smooth_step((where[:, 2] - SCALP_LOW_MM) / SCALP_FADE_MM).astype(np.float32)
        scalp = np.interp(self.depth, DEPTHS_MM, levels.scalp).astype(np.float32)
        clean += resize(over.reshape(coarse), self.box.shape) * (air + scalp - clean)
        return np.asarray(air + (clean - air) * shading, np.float32)

    def _feathered(self, signal: Volume, beside: Volume, levels: Levels, air: float) -> Volume:
        """Take on the level of the kept soft tissue across the seam, not that of bone below."""
        soft = [levels.values[average_face().label(name)] for name in SOFT]
        low, high = air + SOFT_RANGE * (np.array([min(soft), max(soft)]) - air)
        kept = ((self.cut < 0) & (beside > low) & (beside < high)).astype(np.float32)
        sigma = 2.0 / voxel_sizes(self.box.affine)
        weight = blur(kept, sigma)
        level = blur(beside * kept, sigma) / np.maximum(weight, 1e-6)
        share = np.clip(1.0 - self.cut / np.float32(FEATHER_MM), 0, 1)
        share *= np.clip(weight / np.float32(0.05), 0, 1)
        return signal + share * (level - signal)


def _uneven(shape: tuple[int, int, int], seed: int) -> Volume:
    """Unit noise that changes over `UNEVEN_MM`, on the fine grid; the same for every volume."""
    # A stream of its own: that of the air is drawn from in another thread.
    rng = np.random.default_rng([seed, 1])
    field = blur(rng.standard_normal(shape, np.float32), np.full(3, UNEVEN_MM / FINE_MM))
    return np.asarray(field / max(float(field.std()), 1e-6), np.float32)


def _half(shape: tuple[int, int, int]) -> tuple[int, int, int]:
    first, second, third = (max(2, n // 2) for n in shape)
    return first, second, third
