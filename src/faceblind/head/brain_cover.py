"""What must not be touched: the brain, its coverings, and how much lies over them.

The place of the brain comes from the template and the alignment; how deep it lies under this
person's forehead comes from the scan itself. Bone is where the profile of intensities from the
skin inwards is darkest. No contrast is assumed: where no bone is seen, the usual cover holds.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from faceblind.geometry.interpolation import trilinear_at, trilinear_on_grid
from faceblind.head.skin import Skin
from faceblind.head.skin_profile import inner_side, values_along
from faceblind.scan import Scan

COVER_X = (5.0, 15.0, 25.0, 35.0, 45.0, 55.0)
COVER_Z = (8.0, 20.0, 28.0, 36.0, 44.0, 52.0)
COVER_MM = np.array(
    [
        [22.0, 15.0, 13.0, 11.0, 7.5, 6.0],
        [22.0, 15.0, 13.0, 11.0, 7.5, 6.0],
        [22.0, 18.0, 13.0, 8.5, 6.5, 6.0],
        [18.0, 14.0, 11.0, 7.5, 6.0, 6.0],
        [13.0, 10.0, 8.5, 6.5, 6.0, 6.0],
        [7.0, 6.0, 6.0, 6.0, 6.0, 6.0],
    ]
)
"""Depth under the skin without brain, by distance from the middle (rows) and by height (columns),
template mm: about 1 mm less than the least depth of brain masks (SynthStrip, any contrast) in
nine real scans of seven adults. Sinuses and orbits lie in front of the brain low in the middle."""
PIVOT = np.array([0.0, 0.0, 40.0])
"""Template mm: the middle of the brain, about which the head pitches."""
LEAST_SHARE = 0.55
"""Small children have about half of an adult's scalp and skull; below that nothing is believed."""
ADULT_SIZE, CHILD_SIZE = 1.02, 1.06
"""Template mm per scan mm up to which a head counts as an adult's, and from which as a child's of
up to 6 years or so; adults have 0.88 to 1.01."""
SMALL_HEAD = 1.03
"""Template mm per scan mm from which a head counts as small and its bone is measured."""
ADULT_COVER_MM = 12.0
"""What lies over an adult's brain, template mm; a child's brow has no sinus to make it more."""
CHILD_COVER = 0.6
"""Scalp, skull and fluid of a small child against those of an adult's head made as small. The
head of a child of 3 to 6 years has 89 to 93 % of the adult circumference (see
`faceblind.volunteers.people.ageing`), its brain 87 to 95 % of the adult volume, which leaves
6 to 8 mm of 12 to 13; the frontal skull is 2.9 (SD 1.0) mm thick where halo pins go (Loder 1996,
J Pediatr Orthop 16:340) and below 3 mm in 85 % of children under 4 (Domenech-Fernandez et al. 2021,
Eur Spine J 30:410)."""
KEPT_MM, THICK_KEPT = 0.3, 0.4
"""Kept over that, scan mm; more for every millimetre by which slices are thicker than 2 mm, between
which the skin is less well known."""
MARGIN_MM = 2.0
"""Kept over the inner side of the bone: meninges and the profile's blur."""
_DEEPEST_MM = 20.0
OUTSIDE_MM = 2.0
"""As much of the head outside the skin that was found is no blur."""
_BROW_MM = 16.0
"""Template height from which that is looked for; below, lids and lashes lie before the skin."""
_OUTWARD_MM = 7.0
"""How far outside the skin that was found more of the head is looked for."""
_AIR_MM = (10.0, 14.0)
"""There lies air."""
_AIR_SIGMAS, _SKIN_SHARE = 4.0, 0.2
"""Level over the air, in its spreads and as a share of the skin's, from which something is head."""
_BLUR_VOXELS = 0.9
"""How far outside its half level a sharp edge reaches that share."""


@dataclass(frozen=True)
class TemplateFields:
    """Fields in the template frame, in mm, on one grid; each is unpacked when first asked for.

    Attributes
    ----------
    affine : (4, 4) float64
        Grid index to template mm.
    packed : mapping of str to ndarray
        The fields as they are stored, whole numbers.
    unit_mm : float32
        Millimetres per stored step.
    cut, cut_ears_kept : (A, B, C) float32
        How far a place lies on the side that protection replaces; negative where voxels stay.
    depth : (A, B, C) float32
        Depth under the smooth core of the head (no ears, nose, lips).
    eyes : (A, B, C) float32
        Depth inside the globes and orbits.
    brain : (A, B, C) float32
        Depth inside the average brain.
    inside : (A, B, C) uint8
        Classes of what lies in and around the brain, in no order: rings of skull and scalp, shares
        of grey and white matter; 0 elsewhere.
    """

    affine: NDArray[np.float64]
    packed: Mapping[str, NDArray[Any]]
    unit_mm: np.float32

    @cached_property
    def cut(self) -> NDArray[np.float32]:
        """Where protection replaces, with ears."""
        return self._in_mm("cut")

    @cached_property
    def cut_ears_kept(self) -> NDArray[np.float32]:
        """Where protection replaces, without ears."""
        return self._in_mm("cut_ears_kept")

    @cached_property
    def depth(self) -> NDArray[np.float32]:
        """Depth under the smooth core of the head."""
        return self._in_mm("depth")

    @cached_property
    def eyes(self) -> NDArray[np.float32]:
        """Depth inside globes and orbits."""
        return self._in_mm("eyes")

    @cached_property
    def brain(self) -> NDArray[np.float32]:
        """Depth inside the average brain."""
        return self._in_mm("brain")

    @cached_property
    def inside(self) -> NDArray[np.uint8]:
        """Classes of what lies in and around the brain."""
        inside: NDArray[np.uint8] = self.packed["inside"]
        inside.setflags(write=False)
        return inside

    def _in_mm(self, name: str) -> NDArray[np.float32]:
        field: NDArray[np.float32] = self.packed[name] * self.unit_mm
        field.setflags(write=False)
        return field

    @cached_property
    def _inverse(self) -> NDArray[np.float64]:
        """(4, 4) template mm to grid index."""
        return np.asarray(np.linalg.inv(self.affine), np.float64)

    def at(self, name: str, places: NDArray[np.floating]) -> NDArray[np.float32]:
        """(N,) values of a field at (N, 3) template mm; the border value beyond the grid."""
        inverse = self._inverse
        index = apply_affine(inverse, places)
        return trilinear_at(getattr(self, name), index.T)

    def on_grid(
        self,
        name: str,
        affine: NDArray[np.float64],
        shape: tuple[int, ...],
        chosen: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.float32]:
        """A field on a whole grid; the border value beyond the field's own.

        Parameters
        ----------
        name : str
        affine : (4, 4) float64 ndarray
            Index of the grid to template mm.
        shape : tuple of int
        chosen : bool ndarray of `shape`, optional
            Where the field is asked for; elsewhere is 0.
        """
        return trilinear_on_grid(getattr(self, name), self._inverse @ affine, shape, chosen)

    def at_index(
        self, name: str, affine: NDArray[np.float64], index: Sequence[NDArray[np.float64]]
    ) -> NDArray[np.float32]:
        """`on_grid` at some voxels, bit for bit.

        Parameters
        ----------
        name : str
        affine : (4, 4) float64 ndarray
            Index of the grid to template mm.
        index : sequence of three (N,) float64 ndarray
        """
        total, (i, j, k) = self._inverse @ affine, index
        # Sums in the order of `scipy.ndimage.affine_transform`.
        places = np.stack(
            [total[r, 0] * i + total[r, 1] * j + total[r, 2] * k + total[r, 3] for r in range(3)]
        )
        return trilinear_at(getattr(self, name), places)


@lru_cache(maxsize=1)
def template_fields() -> TemplateFields:
    """Fields that ship with the package, built by ``tools/build_face_region.py``."""
    packed = (files("faceblind") / "data" / "face_region.npz").read_bytes()
    npz = np.load(io.BytesIO(packed))
    return TemplateFields(npz["affine"], npz, np.float32(npz["unit_mm"]))


@dataclass(frozen=True)
class Cover:
    """What lies over the front and sides of the brain.

    Attributes
    ----------
    points, normals : (N, 3) float64 ndarray
        Skin over the brain, scan RAS+ mm, normals outward.
    depth_mm : (N,) float64 ndarray
        Depth under the skin, in scan mm, that surely holds no brain.
    outside_share : float
        Share of the upper scalp, in a small head, of which more than `OUTSIDE_MM` lies outside the
        skin that was found: a thin dark scalp over bright fluid is missed. How much lies outside
        is taken off `depth_mm`. 0 in other heads, where it is not measured.
    """

    points: NDArray[np.float64]
    normals: NDArray[np.float64]
    depth_mm: NDArray[np.float64]
    outside_share: float = 0.0

    def floor(self, affine: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, 3) template mm, below each skin point, where protection must stop.

        Parameters
        ----------
        affine : (4, 4) float64 ndarray
            Scan mm to template mm.
        """
        below = self.points - self.depth_mm[:, None] * self.normals
        return apply_affine(affine, below)


def head_size(scan_to_template: NDArray[np.float64]) -> float:
    """Template mm per scan mm, the mean of three axes, of a (4, 4) scan to template map."""
    return float(np.linalg.norm(scan_to_template[:3, :3], axis=1).mean())


def cover_share(size: float) -> float:
    """Thickness over the brain against an adult's head made as small.

    Parameters
    ----------
    size : float
        Template mm per scan mm.
    """
    return float(np.interp(size, (ADULT_SIZE, CHILD_SIZE), (1.0, CHILD_COVER)))


def find_cover(
    scan: Scan, skin: Skin, scan_to_template: NDArray[np.float64], thickness: float | None = None
) -> Cover:
    """Measure scalp and skull over the front and sides of the brain.

    Parameters
    ----------
    scan : Scan
        Its first volume is used.
    skin : Skin
        Of the same scan.
    scan_to_template : (4, 4) float64 ndarray
        Scan mm to template mm.
    thickness : float, optional
        What `cover_share` says of the head's size by default.

    Returns
    -------
    Cover
        Empty where the scan shows no forehead.
    """
    usable = np.flatnonzero(~skin.edge)[::3]
    points = skin.points[usable].astype(np.float64)
    places = apply_affine(scan_to_template, points)
    over = (places[:, 1] > 5) & (places[:, 2] > 5) & (places[:, 2] < 110)
    points, places = points[over], places[over]
    normals = skin.normals[usable][over].astype(np.float64)
    depth = _usual_depth(np.abs(places[:, 0]), places[:, 2])
    # Template mm per scan mm: 0.88 to 1.0 in adults. Small heads have a thinner cover.
    size = head_size(scan_to_template)
    thickness = cover_share(size) if thickness is None else thickness
    share = min(1.0, SMALL_HEAD / size)
    high = places[:, 2] > 40
    if (size > SMALL_HEAD or thickness <= CHILD_COVER) and high.sum() >= 200:
        share = min(share, _bone_share(scan, points[high], normals[high]))
    depth = depth * max(LEAST_SHARE, share)
    if thickness >= 1.0 or not len(points):
        return Cover(points, normals, depth)
    kept = KEPT_MM + THICK_KEPT * max(float(scan.spacing.max()) - 2.0, 0.0)
    depth = np.minimum(depth, ADULT_COVER_MM * thickness / size - kept)
    outside = np.where(places[:, 2] > _BROW_MM, _outside_skin(scan, points, normals), 0.0)
    share = float((outside[high] > OUTSIDE_MM).mean()) if high.any() else 0.0
    return Cover(points, normals, depth - outside, share)


def _usual_depth(x: NDArray[np.float64], z: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) mm of `COVER_MM` at places, linear between its nodes and constant beyond them."""
    (i, u), (j, v) = (_cell(x, COVER_X), _cell(z, COVER_Z))
    near = COVER_MM[i, j] * (1.0 - u) * (1.0 - v) + COVER_MM[i, j + 1] * (1.0 - u) * v
    depth = near + COVER_MM[i + 1, j] * u * (1.0 - v) + COVER_MM[i + 1, j + 1] * u * v
    return np.asarray(depth, np.float64)


def _cell(
    values: NDArray[np.float64], nodes: Sequence[float]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Between which nodes values (N,) lie, by the lower one, and how far from it, 0 to 1."""
    at = np.asarray(nodes)
    inside = np.clip(values, at[0], at[-1])
    low = np.minimum(np.searchsorted(at, inside, side="right") - 1, len(at) - 2)
    return low, (inside - at[low]) / (at[low + 1] - at[low])


def _outside_skin(
    scan: Scan, points: NDArray[np.float64], normals: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(N,) mm by which head reaches out of the skin that was found."""
    chosen = np.arange(0, len(points), max(1, len(points) // 2000))
    steps = np.concatenate([np.arange(0.0, _OUTWARD_MM + 0.5, 0.5), np.arange(*_AIR_MM)])
    values = values_along(scan, points[chosen], normals[chosen], -steps)
    air = values[:, steps >= _AIR_MM[0]]
    level = float(np.median(air))
    spread = 1.4826 * float(np.median(np.abs(air - level)))
    tree = cKDTree(points[chosen])
    near = tree.query(points[chosen], k=min(12, len(chosen)))[1]
    profiles = np.median(values[near], axis=1)[:, steps <= _OUTWARD_MM]
    least = level + np.maximum(_AIR_SIGMAS * spread, _SKIN_SHARE * (profiles[:, 0] - level))
    above = profiles > least[:, None]
    # The last step at which it is no air: below a dim scalp the bone is as dark as air.
    last = above.shape[1] - np.argmax(above[:, ::-1], axis=1)
    foot = steps[np.where(above.any(axis=1), np.minimum(last, above.shape[1] - 1), 0)]
    blurred = _BLUR_VOXELS * float(np.cbrt(np.prod(scan.spacing)))
    outside = np.maximum(foot - max(blurred, 1.0), 0.0)
    return np.asarray(outside[tree.query(points)[1]], np.float64)


def _bone_share(scan: Scan, points: NDArray[np.float64], normals: NDArray[np.float64]) -> float:
    """Measured depth of the bone's inner side, less a margin, as a share of the usual cover."""
    steps = np.arange(0.0, _DEEPEST_MM + 0.5, 0.5)
    chosen = np.arange(0, len(points), max(1, len(points) // 1500))
    points, normals = points[chosen], normals[chosen]
    values = values_along(scan, points, normals, steps)
    some = points[:: max(1, len(points) // 60)]
    neighbours = cKDTree(points).query(some, k=min(25, len(points)))[1]
    profiles = np.median(values[neighbours], axis=1)
    floors = np.array([inner_side(profile, steps) for profile in profiles])
    found = np.isfinite(floors)
    if found.mean() < 0.5:
        return 1.0
    depth = float(np.quantile(floors[found], 0.25)) - MARGIN_MM
    return depth / float(COVER_MM.min())
