"""Remove the face: everything in the region becomes air."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceblind.errors import AlignmentError, ScanError
from faceblind.head.align import CONFIDENT, Alignment, align
from faceblind.head.grid import Volume
from faceblind.head.is_head import require_head
from faceblind.head.refusal import about
from faceblind.head.skin import Skin, find_skin
from faceblind.protect.air import air_of_volumes, fill
from faceblind.protect.cut_fit import CutFit
from faceblind.protect.features import face_is_gone, faceless
from faceblind.protect.found import looked_again
from faceblind.protect.placement import Placement, place
from faceblind.protect.regions import Choices, Region, face_region, memory_order
from faceblind.scan import Scan
from faceblind.threads import begun


@dataclass(frozen=True)
class Head:
    """What is known of the head in a scan before it is protected.

    Parameters
    ----------
    skin : Skin
        In the scan's RAS+ mm.
    alignment : Alignment
        Of that skin.
    """

    skin: Skin
    alignment: Alignment


@dataclass(frozen=True)
class Protected:
    """A protected scan.

    Parameters
    ----------
    scan : Scan
        The result; voxels outside `region.mask` are the input's, bit for bit.
    region : Region
        What was replaced and what the brain's protection left.
    placement : Placement
        Where the template lies. It helps to undo a protection: keep it private.
    method : str
        ``"deface"`` or ``"reface"``.
    """

    scan: Scan
    region: Region
    placement: Placement
    method: str


def find_whole_head(scan: Scan, *, strict: bool = True) -> Head:
    """Skin and alignment, or an error where the head is not found with confidence.

    Parameters
    ----------
    scan : Scan
    strict : bool
        False accepts an alignment of low confidence.

    Raises
    ------
    ScanError
        If there is no head, or its face was taken out before.
    AlignmentError
        If its place is uncertain.
    """
    name = scan.source or "scan"
    skin = find_skin(scan)
    with about(scan):
        skin, alignment = looked_again(scan, skin, align(skin, scan))
        if strict and alignment.confidence < CONFIDENT:
            raise uncertain(name, alignment.confidence)
        require_head(alignment, scan)
        if face_is_gone(alignment):
            raise faceless(name)
    return Head(skin, alignment)


def uncertain(name: str, confidence: float) -> AlignmentError:
    """The error for a head that was not found with confidence."""
    return AlignmentError(
        f"{name}: the head was not found with confidence ({confidence:.2f}, {CONFIDENT:g} needed): "
        "perhaps it is none, or something lies on it (pads, headphones); protect it together with "
        "another scan of the same session"
    )


def deface(
    scan: Scan,
    *,
    head: Head | None = None,
    choices: Choices | None = None,
    seed: int = 0,
    fit: CutFit | None = None,
) -> Protected:
    """Replace face, ears and the air around the head by air.

    Parameters
    ----------
    scan : Scan
        Any contrast and orientation; a 4-D series gets one region for all its volumes.
    head : Head, optional
        If known already, such as from another scan of the session.
    choices : Choices, optional
        What may stay.
    seed : int
        Start of the random numbers of the new air.
    fit : CutFit, optional
        `Region.fit` of another image in the same space, whose region this one shall share:
        a map or labels need not show what lies over the brain.

    Returns
    -------
    Protected

    Raises
    ------
    ScanError, AlignmentError
        As `find_whole_head`, where `head` is not given.
    """
    head = head or find_whole_head(scan)
    placement = place(head.alignment)
    rng = np.random.default_rng(seed)
    airs = begun(air_of_volumes(scan, placement.affine, head.skin, rng))
    region = face_region(scan, head.skin, head.alignment, placement, choices, fit)
    inside = region.mask.transpose(memory_order(scan))
    new = (fill(air, inside, noise) for _, air, noise in airs)
    return Protected(with_volumes(scan, region.mask, new), region, placement, "deface")


def with_volumes(scan: Scan, mask: NDArray[np.bool_], volumes: Iterable[Volume]) -> Scan:
    """A scan with new intensities under a mask.

    Parameters
    ----------
    scan : Scan
    mask : (I, J, K) bool ndarray
    volumes : iterable of ndarray
        One for each volume of the scan, in memory order; looked at under the mask only. NaN
        leaves a voxel as it is.
    """
    back = np.argsort(memory_order(scan))
    columns = [new.transpose(back)[mask] for new in volumes]
    values = columns[0] if scan.voxels.ndim == 3 else np.stack(columns, axis=1)
    changes = ~np.isnan(values)
    where = mask
    if not changes.all():
        where = np.zeros(scan.voxels.shape, bool)
        where[mask] = changes
        values = values[changes]
    return _with_gaps(scan.with_changes(where, values), scan, mask)


def _with_gaps(done: Scan, scan: Scan, mask: NDArray[np.bool_]) -> Scan:
    """The same with NaN as new air where the scan's own air under the mask is mostly NaN."""
    stored = scan.stored
    if stored is None or stored.raw.dtype.kind != "f" or stored.voxels is stored.raw:
        return done
    gaps = ~np.isfinite(stored.raw[mask])
    if not gaps.any():
        return done
    # All that is not finite reads as one value.
    air = scan.voxels[mask] == scan.voxels[mask][gaps][0]
    if gaps.sum() < 0.5 * air.sum():
        return done
    new = np.zeros(scan.voxels.shape, bool)
    new[mask] = done.voxels[mask] == scan.voxels[mask][gaps][0]
    return done.with_gaps(new)


def require_untouched(scan: Scan, done: Protected) -> None:
    """Refuse a result that differs outside its region: the last line of defence.

    Parameters
    ----------
    scan : Scan
        From a file.
    done : Protected
        The same scan, protected.

    Raises
    ------
    ScanError
    """
    if scan.stored is None or done.scan.stored is None:
        return
    before, after = scan.stored.raw, done.scan.stored.raw
    # NaN differs from itself, so bytes are compared.
    kind = np.dtype(f"u{before.dtype.itemsize}")
    for t in range(1 if before.ndim == 3 else before.shape[3]):
        a, b = (v if v.ndim == 3 else v[..., t] for v in (before, after))
        if bool(((a.view(kind) != b.view(kind)) & ~done.region.mask).any()):
            raise ScanError(f"{scan.source}: voxels outside the region changed; report this")
