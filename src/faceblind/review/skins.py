"""Skins as the page shows them, and what of the person's own face is still there."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from faceblind.attacks.surface import LOOKED_AT, in_view, region_mask
from faceblind.head.alignment import Alignment
from faceblind.head.brain_cover import template_fields
from faceblind.head.reference_volume import at_time
from faceblind.head.salt_and_pepper import with_dark_air
from faceblind.head.skin import Skin, find_skin
from faceblind.head.whole_head import find_whole_head
from faceblind.protect.brain_margin import brain_margin
from faceblind.review.images import Picture
from faceblind.scan import Scan

SAME_MM = 1.0
"""Skin of both scans this near to each other is the person's own."""
NEAR_MM = 12.0
"""How far from the fitted template a place still belongs to a region of it."""
MASK_MM = 2.5
SKIN_COLOUR = (222, 184, 155, 255)
LEAK_COLOUR = (214, 40, 40, 255)
_MZ3_MAGIC, _MZ3_FACES, _MZ3_VERTICES, _MZ3_COLOURS = 0x5A4D, 1, 2, 4


@dataclass(frozen=True)
class Overlays:
    """What is known of a scan once its head was found.

    Parameters
    ----------
    protected : Picture
        1 in the brain and its margin, which no protection of faceblind's alters.
    leaking : (P,) bool ndarray
        Vertices of the protected scan's skin that are the person's own face or ears.
    shares : dict of str to float
        Region to the share of its skin that is still there.
    """

    protected: Picture
    leaking: NDArray[np.bool_]
    shares: dict[str, float]


def mz3_bytes(
    points: NDArray[np.float32],
    faces: NDArray[np.int32],
    box: Sequence[Sequence[float]] = (),
    marked: NDArray[np.bool_] | None = None,
) -> bytes:
    """A mesh in Surf Ice's binary format, uncompressed.

    Parameters
    ----------
    points : (P, 3) float32 ndarray
    faces : (F, 3) int32 ndarray
    box : sequence of points, optional
        Corners that are stored after the vertices and belong to no face. The viewer scales a mesh
        by its extent: with one box two meshes are shown alike.
    marked : (P,) bool ndarray, optional
        Vertices in the colour of a leak.
    """
    corners = np.asarray(box, np.float32).reshape(-1, 3)
    kind = _MZ3_FACES | _MZ3_VERTICES | (_MZ3_COLOURS if marked is not None else 0)
    count = len(points) + len(corners)
    head = struct.pack("<HHIII", _MZ3_MAGIC, kind, len(faces), count, 0)
    vertices = np.concatenate([points, corners])
    parts = [head, faces.astype("<i4").tobytes(), vertices.astype("<f4").tobytes()]
    if marked is not None:
        colours = np.full((count, 4), SKIN_COLOUR, np.uint8)
        colours[: len(points)][marked] = LEAK_COLOUR
        parts.append(colours.tobytes())
    return b"".join(parts)


def box_around(skins: Sequence[Skin]) -> list[list[float]]:
    """Two corners of the smallest box around skins; nothing without a skin."""
    if not skins:
        return []
    low = np.min([skin.points.min(axis=0) for skin in skins], axis=0)
    high = np.max([skin.points.max(axis=0) for skin in skins], axis=0)
    return [low.astype(float).tolist(), high.astype(float).tolist()]


def skin_of(scan: Scan) -> Skin:
    """The skin of the first volume."""
    return find_skin(with_dark_air(at_time(scan, 0)))


def find_overlays(before: Scan | None, after: Scan, skin: Skin) -> Overlays:
    """Brain and leaking skin of a protected scan, by the head that is found in its original.

    Parameters
    ----------
    before : Scan or None
        Without it the head is looked for in the protected scan, and any skin where a face should be
        counts.
    after : Scan
    skin : Skin
        Of `after`.

    Raises
    ------
    FaceblindError
        If no head is found.
    """
    source = before if before is not None else after
    head = find_whole_head(source, strict=False)
    own = head.skin.points if before is not None else head.alignment.fitted()
    limit = SAME_MM if before is not None else 2.0 * SAME_MM
    near, _ = cKDTree(own).query(skin.points, distance_upper_bound=limit, workers=1)
    kept = np.isfinite(near) & ~skin.edge
    fitted = head.alignment.fitted()
    region = _regions(head.alignment)
    far, found = cKDTree(fitted).query(skin.points, distance_upper_bound=NEAR_MM, workers=1)
    nearest = np.asarray(found)
    named = np.isfinite(far)
    leaking = np.zeros(len(skin.points), bool)
    leaking[named] = region[nearest[named]] >= 0
    leaking &= kept
    shares = _shares(fitted, region, skin.points[leaking], in_view(after, fitted))
    return Overlays(_protected(after, head.alignment), leaking, shares)


def _regions(alignment: Alignment) -> NDArray[np.int64]:
    """(P,) place in `LOOKED_AT` of each vertex of the template, -1 for the rest of the head."""
    template = alignment.template
    region = np.full(len(template.points), -1, np.int64)
    for place, name in enumerate(LOOKED_AT):
        region[region_mask(template, name)] = place
    return region


def _shares(
    fitted: NDArray[np.floating],
    region: NDArray[np.int64],
    points: NDArray[np.floating],
    seen: NDArray[np.bool_],
) -> dict[str, float]:
    """Share of each region's vertices in view that have leaking skin beside them."""
    if not len(points):
        return {}
    distance, _ = cKDTree(points).query(fitted, distance_upper_bound=NEAR_MM / 2, workers=1)
    there = np.isfinite(distance)
    shares = {}
    for place, name in enumerate(LOOKED_AT):
        of_region = (region == place) & seen
        if of_region.any():
            shares[name] = float(there[of_region].mean())
    return {name: share for name, share in shares.items() if share > 0}


def _protected(scan: Scan, alignment: Alignment) -> Picture:
    """The average brain with the margin that every cut keeps, on a coarse grid over the scan."""
    shape = np.asarray(scan.shape[:3])
    steps = np.maximum(1, np.round(MASK_MM / scan.spacing)).astype(int)
    affine = scan.affine @ np.diag([*steps, 1.0])
    counts = -(-shape // steps)
    to_template = alignment.scan_to_template @ affine
    depth = template_fields().on_grid("brain", to_template, tuple(int(n) for n in counts))
    height = np.einsum("a,a...->...", to_template[2, :3], np.indices(counts)) + to_template[2, 3]
    return Picture(depth > -brain_margin(height.astype(np.float32)), affine)
