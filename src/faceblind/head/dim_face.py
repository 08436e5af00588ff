"""The head of a scan whose face hardly stands out of the noise.

Where head-and-neck arrays show the chin at a signal-to-noise ratio of one to three, no threshold
finds it: it is unseen, not absent. The brain, which is bright, tells where the face must lie; there
the level on either side of the average skin is compared over centimetres, which averages the noise
away, and the boundary between the two levels is the person's skin. A face that was taken out shows
no such step.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from faceblind.errors import FaceblindError
from faceblind.geometry.arrays import smooth_step
from faceblind.geometry.grid import Grid, Mask, Volume, blur, resize
from faceblind.head.air_rise import rise_above_air
from faceblind.head.alignment import CONFIDENT, Alignment, align
from faceblind.head.brain_pose import find_brain_pose
from faceblind.head.presence import IMPORTANCE, find_presence, weigh
from faceblind.head.segmentation import HeadMask, find_head
from faceblind.head.skin import Skin, find_skin, skin_of_field
from faceblind.head.skin_field import skin_field
from faceblind.head.template import load_template
from faceblind.scan import Scan

REACH_MM = 16.0
"""How far a face's skin is looked for from the average one, placed by the brain."""
WIDE_MM = 8.0
"""Gaussian over which the levels on either side of the skin are averaged."""
SHELL_MM = 14.0
"""Only what lies this near to the average skin tells the two levels."""
LEAST_STEP = 0.12
"""Least step of the logarithm at a skin: tissue at a signal-to-noise ratio of 1 is 0.21 above air
(Rician mean). Below it, a place shows no skin."""
MOST_RISE = 1.6
"""Tissue further above the air beside it counts as this, so that the brain does not outweigh the
chin."""
NEAR_MM = 10.0
"""How near to the average skin, placed by the brain, a person's skin lies: the place is wrong by
6 mm at most, and noses differ by as much."""
BORDER_MM = 5.0
"""Places this near to the border of the field of view show no skin."""
LEAST_FACE, LEAST_NOSE = 0.75, 0.6
"""Share of the face and of the nose in view with skin so near. Twelve simulated faces in noise have
0.97 and 0.99 and more; 24 heads without their faces 0.71 and 0.34 and less."""
LEAST_NOSE_SEEN = 0.3
"""Share of the nose in the field of view from which it must show."""
LEAST_WITHOUT_NOSE = 0.9
"""Share of a face whose nose lies outside the field of view."""
LEAST_SEEN = 0.4
"""Share of the face that must lie in the field of view."""
_TURNS = 6
_OUTSIDE = 99.0


@dataclass(frozen=True)
class DimHead:
    """A head found by its brain.

    Parameters
    ----------
    skin : Skin
        Scan RAS+ mm; where no step shows, `Skin.edge` is set, as where the field of view ends.
    alignment : Alignment
        Of that skin.
    flat : Scan
        The scan in which air and tissue have about one level each, see `AirRise`.
    head : HeadMask
        Of `flat`, by levels: the face may be missing.
    """

    skin: Skin
    alignment: Alignment
    flat: Scan
    head: HeadMask


def find_dim_head(scan: Scan) -> DimHead | None:
    """Look for a head whose face is dim, where its brain says.

    Parameters
    ----------
    scan : Scan
        Of a series, the first volume is used.

    Returns
    -------
    DimHead or None
        None where the brain does not tell for sure where the head lies, where the skin is not
        found with confidence there, or where it shows no face.
    """
    try:
        risen = rise_above_air(scan)
        head = find_head(risen.flat)
        rough = align(find_skin(risen.flat, head), risen.flat, maybe_faceless=True)
        pose = find_brain_pose(rough.scan_to_template, risen.flat, head)
        if not pose.is_sure:
            return None
        skin = _skin(risen.rise, risen.flat, head, pose.scan_to_template)
        if not _shows_face(skin, scan, pose.scan_to_template):
            return None
        alignment = align(skin, risen.flat)
    except FaceblindError:
        return None
    if alignment.confidence < CONFIDENT or find_presence(alignment).is_gone:
        return None
    return DimHead(skin, alignment, risen.flat, head)


def _shows_face(skin: Skin, scan: Scan, scan_to_template: NDArray[np.float64]) -> bool:
    """Whether the skin lies where the brain has a face, the nose above all.

    A template bends onto a cut, and a cut keeps the skin of the brow where the brain is near; but
    behind a nose that was taken out, nothing is as near.
    """
    template = load_template()
    index = scan.index(apply_affine(np.linalg.inv(scan_to_template), template.points))
    margin = BORDER_MM / scan.spacing
    within = (index >= margin) & (index <= np.asarray(scan.shape) - 1 - margin)
    inside = np.asarray(within.all(axis=1), bool)
    tree = cKDTree(apply_affine(scan_to_template, skin.points[~skin.edge]))
    away, _ = tree.query(template.points, distance_upper_bound=NEAR_MM)
    near = np.asarray(np.isfinite(away) & inside, bool)
    seen = {name: float(inside[template.region(name)].mean()) for name in IMPORTANCE}
    shown = {name: float(near[template.region(name)].mean()) for name in IMPORTANCE}
    face = weigh(shown, seen)
    if face.seen < LEAST_SEEN:
        return False
    if seen["nose"] < LEAST_NOSE_SEEN:
        return face.share >= LEAST_WITHOUT_NOSE
    return shown["nose"] >= LEAST_NOSE * seen["nose"] and face.share >= LEAST_FACE


def _skin(rise: Grid, flat: Scan, head: HeadMask, scan_to_template: NDArray[np.float64]) -> Skin:
    """The skin by levels, but in the face by the step near the average skin."""
    zone, outwards = _face_zone(rise, scan_to_template)
    beside = resize(head.mask.astype(np.float32), rise.values.shape) > 0.5
    mask, step = _by_steps(rise, zone, outwards, beside)
    field = skin_field(rise.like(flat.voxels), head)
    shape = field.values.shape
    share = resize(zone, shape)
    soft = resize(blur(mask.astype(np.float32), np.full(3, 0.8)), shape)
    skin = skin_of_field(field.like((1 - share) * field.values + share * soft), "scan")
    index = apply_affine(np.linalg.inv(rise.affine), skin.points).T
    found, there = (
        ndimage.map_coordinates(volume, index, order=1, mode="nearest") for volume in (step, zone)
    )
    return replace(skin, edge=skin.edge | ((there > 0.5) & (found < LEAST_STEP)))


def _face_zone(
    grid: Grid, scan_to_template: NDArray[np.float64]
) -> tuple[Volume, NDArray[np.float32]]:
    """How far each voxel belongs to the face (0 to 1), and mm outside the average skin there."""
    template = load_template()
    shape = grid.values.shape
    index = np.indices(shape, dtype=np.float32).reshape(3, -1).T
    x, y, z = apply_affine(scan_to_template @ grid.affine, index).T.astype(np.float32)
    share = smooth_step((y - 10.0) / 25.0) * smooth_step((65.0 - z) / 20.0)
    share *= smooth_step((z + 125.0) / 20.0)
    zone = (share > 0) & (np.abs(x) < 110.0) & (y < 170.0)
    places = np.stack([x[zone], y[zone], z[zone]], axis=1)
    _, nearest = cKDTree(template.points).query(places)
    outwards = np.full(len(share), _OUTSIDE, np.float32)
    ways = template.smooth_ways[nearest]
    outwards[zone] = ((places - template.points[nearest]) * ways).sum(axis=1)
    return (share * zone).astype(np.float32).reshape(shape), outwards.reshape(shape)


def _by_steps(
    rise: Grid, zone: Volume, outwards: NDArray[np.float32], beside: Mask
) -> tuple[Mask, Volume]:
    """The head's mask, and the step of the logarithm between its two sides.

    Each side's level is a mean over `WIDE_MM`; voxels near the average skin go to the side whose
    level is nearer, by turns (local binary fitting, Li et al. 2008, doi:10.1109/TIP.2008.2002304).
    """
    values = np.maximum(rise.values, -1.0).astype(np.float32)
    sigma = WIDE_MM / rise.spacing
    within = zone > 0
    prior = np.where(within, outwards < 0, beside)
    free = within & (np.abs(outwards) < REACH_MM)
    # What lies deeper, as behind a cut, must not lend its level to the skin.
    shell = np.abs(outwards) < SHELL_MM
    mask, step = prior, np.zeros_like(values)
    for _ in range(_TURNS):
        inside = (mask & shell).astype(np.float32)
        outside = (~mask & shell).astype(np.float32)
        outer = blur(values * outside, sigma) / np.maximum(blur(outside, sigma), 1e-3)
        even = np.minimum(values, outer + MOST_RISE)
        inner = blur(even * inside, sigma) / np.maximum(blur(inside, sigma), 1e-3)
        step = inner - outer
        fresh = np.where(free & (step > LEAST_STEP), values > (inner + outer) / 2, prior)
        smooth = ndimage.binary_opening(ndimage.binary_closing(fresh))
        mask = np.where(within, smooth, fresh)
    return np.asarray(mask, bool), step
