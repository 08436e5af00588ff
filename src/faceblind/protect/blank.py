"""Remove the face: everything in the region becomes air."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceblind.errors import AlignmentError, FaceblindError, ScanError
from faceblind.head.align import CONFIDENT, Alignment, align
from faceblind.head.grid import Volume
from faceblind.head.is_head import require_head
from faceblind.head.lead import at_time, leaders
from faceblind.head.refusal import about
from faceblind.head.skin import Skin, find_skin
from faceblind.protect.air import Air, Noise, air_of_volumes, fill
from faceblind.protect.cut_fit import CutFit
from faceblind.protect.features import face_is_gone, faceless
from faceblind.protect.found import looked_again
from faceblind.protect.placement import Placement, place
from faceblind.protect.regions import Choices, Region, face_region, memory_order
from faceblind.protect.volumes import Part, make, parts_of
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
    lead : int
        The volume of a series that both were found in.
    """

    skin: Skin
    alignment: Alignment
    lead: int = 0


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
    first: FaceblindError | None = None
    for t in leaders(scan):
        try:
            return _head_of_volume(at_time(scan, t), t, strict)
        except FaceblindError as error:
            first = first or error
    assert first is not None
    raise first


def _head_of_volume(volume: Scan, lead: int, strict: bool) -> Head:
    name = volume.source or "scan"
    skin = find_skin(volume)
    with about(volume):
        skin, alignment = looked_again(volume, skin, align(skin, volume))
        if strict and alignment.confidence < CONFIDENT:
            raise uncertain(name, alignment.confidence)
        require_head(alignment, volume)
        if face_is_gone(alignment):
            raise faceless(name)
    return Head(skin, alignment, lead)


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
        Any contrast and orientation. In a 4-D series the region follows the head.
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
        As `find_whole_head`, where `head` is not given; ScanError where the head of a series moves
        further than can be followed.
    """
    head = head or find_whole_head(scan)
    placement = place(head.alignment)
    rng = np.random.default_rng(seed)

    def pieces() -> Iterator[tuple[Part, Region, Iterator[Volume]]]:
        known = fit
        for part in parts_of(scan, head.skin, head.alignment, head.lead):
            airs = begun(air_of_volumes(part.scan, placement.affine, part.skin, rng, part.times))
            region = face_region(part.look, part.skin, head.alignment, placement, choices, known)
            inside = region.mask.transpose(memory_order(scan))
            yield part, region, _blanked(airs, inside)
            # How deep the brain lies is the leading volume's to tell, for all of them.
            known = region.fit

    made, region = make(scan, pieces())
    return Protected(made, region, placement, "deface")


def _blanked(
    airs: Iterator[tuple[NDArray[Any], Air, Noise]], inside: NDArray[np.bool_]
) -> Iterator[Volume]:
    for _, air, noise in airs:
        yield fill(air, inside, noise)


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
    mask = done.region.mask
    for t in range(1 if before.ndim == 3 else before.shape[3]):
        a, b, may = (v if v.ndim == 3 else v[..., t] for v in (before, after, mask))
        if bool(((a.view(kind) != b.view(kind)) & ~may).any()):
            raise ScanError(f"{scan.source}: voxels outside the region changed; report this")
