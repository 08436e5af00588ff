"""The volumes of a series: where the head lies in each, and what is made of them together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from faceblind.errors import ScanError
from faceblind.geometry.grid import Volume, memory_order
from faceblind.geometry.transforms import angle_degrees
from faceblind.head.alignment import Alignment
from faceblind.head.motion import How, Motion, apart, around, follow
from faceblind.head.reference_volume import at_time, volumes
from faceblind.head.salt_and_pepper import with_dark_air
from faceblind.head.skin import Skin
from faceblind.protect.region import ReplacedRegion
from faceblind.scan import Scan

MOST_SHIFTED_MM = 45.0
MOST_TURNED_DEGREES = 25.0
"""What is followed; people who move more are repositioned, and the series is two."""

LEAST_GAPS = 0.15
"""Share of the changed voxels with the value of NaN air from which new air is NaN. Noise has that
value in some hundredths; a new face fills the rest."""


@dataclass(frozen=True)
class Part:
    """Volumes of a scan in which the head lies in one place.

    Parameters
    ----------
    scan : Scan
        All its volumes, with an affine that puts the head of these where it is in the leading one.
    times : tuple of int
        Which volumes these are.
    look : Scan
        The leading volume on the same grid, with dark air; what it says of the head holds in the
        first part.
    skin : Skin
        Of the head in the leading volume; what these do not show of it counts as cut.
    moved_mm : float
        How far the head moved since the leading volume, at its surface.
    is_salted : bool
        Whether the air is salt and pepper, see `faceblind.head.salt_and_pepper`.
    """

    scan: Scan
    times: tuple[int, ...]
    look: Scan
    skin: Skin
    moved_mm: float = 0.0
    is_salted: bool = False


def parts_of(scan: Scan, skin: Skin, alignment: Alignment, lead: int) -> list[Part]:
    """A scan as parts in which the head lies still, that of the leading volume first.

    Parameters
    ----------
    scan : Scan
        3-D, or a series.
    skin, alignment : Skin, Alignment
        Of the head in the leading volume.
    lead : int

    Raises
    ------
    ScanError
        If the head moves too far, or shows somewhere, but not where.
    """
    if volumes(scan) == 1:
        return [_part(scan, (0,), 0, skin)]
    motion = follow(scan, lead, around(alignment))
    _require_followed(motion, lead, scan.source or "scan")
    parts = []
    for number, (move, times) in enumerate(motion.groups()):
        placed = scan
        seen = skin
        if number:
            placed = Scan(scan.voxels, move @ scan.affine, scan.modality, scan.source)
            seen = _seen(skin, placed)
        far = apart(move, np.eye(4), motion.centre)
        parts.append(_part(placed, tuple(times), lead, seen, far))
    return parts


def _part(scan: Scan, times: tuple[int, ...], lead: int, skin: Skin, moved_mm: float = 0.0) -> Part:
    shown = at_time(scan, lead)
    look = with_dark_air(shown)
    return Part(scan, times, look, skin, moved_mm, look is not shown)


def _require_followed(motion: Motion, lead: int, name: str) -> None:
    """Refuse a series in which the head cannot be followed."""
    whole = motion.centre
    for t, (move, how) in enumerate(zip(motion.volume_to_leader, motion.how, strict=True)):
        shift = float(np.linalg.norm(move[:3, :3] @ whole + move[:3, 3] - whole))
        turn = angle_degrees(move, np.eye(4))
        if how is How.LOST:
            what = "shows the head elsewhere than the volumes beside it, and it is not sure where"
        elif shift > MOST_SHIFTED_MM or turn > MOST_TURNED_DEGREES:
            what = f"lies {shift:.0f} mm and {turn:.0f} degrees from volume {lead + 1}"
        else:
            continue
        raise ScanError(
            f"{name}: the head moves too far within the series: volume {t + 1} of "
            f"{len(motion.how)} {what}; split the series there, or align its volumes first"
        )


def _seen(skin: Skin, scan: Scan) -> Skin:
    """A skin of which what a scan does not show counts as cut."""
    index = scan.index(skin.points)
    inside = ((index >= 1.0) & (index <= np.asarray(scan.shape) - 2.0)).all(axis=1)
    return replace(skin, edge=skin.edge | ~inside)


def make(
    scan: Scan, pieces: Iterable[tuple[Part, ReplacedRegion, Iterable[Volume]]]
) -> tuple[Scan, ReplacedRegion]:
    """A scan with new intensities, and what was replaced.

    Parameters
    ----------
    scan : Scan
        The original.
    pieces : iterable of (Part, ReplacedRegion, iterable of ndarray)
        For each part the region of its volumes, and for each of them new intensities in memory
        order, looked at under the region's mask only. NaN leaves a voxel as it is.

    Returns
    -------
    Scan
    ReplacedRegion
        With one mask if all volumes share it, else with one for each.
    """
    back = np.argsort(memory_order(scan))
    done: list[tuple[Part, ReplacedRegion]] = []

    def changes() -> Iterator[tuple[int, NDArray[np.bool_], Volume]]:
        for part, region, new in pieces:
            done.append((part, region))
            for t, volume in zip(part.times, new, strict=True):
                new = volume.transpose(back)
                yield t, region.mask & ~np.isnan(new), new

    made = scan.with_volumes(changes())
    _, first = done[0]
    if len(done) == 1:
        return _with_gaps(made, scan, first.mask), first
    mask = np.zeros(scan.voxels.shape, bool, order="F")
    for part, region in done:
        for t in part.times:
            mask[..., t] = region.mask
    far = max(part.moved_mm for part, _ in done)
    return _with_gaps(made, scan, mask), replace(first, mask=mask, moved_mm=far)


def _with_gaps(done: Scan, scan: Scan, mask: NDArray[np.bool_]) -> Scan:
    """The same with NaN as new air where the scan's own air is NaN up to the head."""
    stored = scan.stored
    if stored is None or stored.raw.dtype.kind != "f" or stored.voxels is stored.raw:
        return done
    before, after = scan.voxels[mask], done.voxels[mask]
    gaps = ~np.isfinite(stored.raw[mask])
    if not gaps.any():
        return done
    # All that is not finite reads as one value. Where noise surrounds the head, new air is noise.
    as_gap, changed = after == before[gaps][0], after != before
    if as_gap[changed].sum() < LEAST_GAPS * changed.sum():
        return done
    new = np.zeros(scan.voxels.shape, bool)
    new[mask] = as_gap
    return done.with_gaps(new)
