"""Remove the face: everything in the region becomes air."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceblind.geometry.grid import Volume, memory_order
from faceblind.head.whole_head import Head, find_whole_head
from faceblind.protect.air_model import Air, Noise, air_of_volumes, fill
from faceblind.protect.cut_fit import CutFit
from faceblind.protect.placement import place
from faceblind.protect.protected_scan import ProtectedScan
from faceblind.protect.region import ReplacedRegion, face_region
from faceblind.protect.region_options import RegionOptions
from faceblind.protect.volumes import Part, make, parts_of
from faceblind.scan import Scan
from faceblind.system.threads import begun


def deface(
    scan: Scan,
    *,
    head: Head | None = None,
    options: RegionOptions | None = None,
    seed: int = 0,
    fit: CutFit | None = None,
) -> ProtectedScan:
    """Replace face, ears and the air around the head by air.

    Parameters
    ----------
    scan : Scan
        Any contrast and orientation. In a 4-D series the region follows the head.
    head : Head, optional
        If known already, such as from another scan of the session.
    options : RegionOptions, optional
        What may stay.
    seed : int
        Start of the random numbers of the new air.
    fit : CutFit, optional
        `ReplacedRegion.fit` of another image in the same space, whose region this one must share:
        a map or labels need not show what lies over the brain.

    Returns
    -------
    ProtectedScan

    Raises
    ------
    ScanError, AlignmentError
        As `find_whole_head`, where `head` is not given; ScanError where the head of a series moves
        further than can be followed.
    """
    head = head or find_whole_head(scan)
    placement = place(head.alignment)
    rng = np.random.default_rng(seed)

    def pieces() -> Iterator[tuple[Part, ReplacedRegion, Iterator[Volume]]]:
        known = fit
        for part in parts_of(scan, head.skin, head.alignment, head.lead):
            airs = begun(
                air_of_volumes(part.scan, placement.scan_to_template, part.skin, rng, part.times)
            )
            region = face_region(part.look, part.skin, head.alignment, placement, options, known)
            inside = region.mask.transpose(memory_order(scan))
            yield part, region, _blanked(airs, inside)
            # How deep the brain lies is the leading volume's to tell, for all of them.
            known = region.fit

    made, region = make(scan, pieces())
    return ProtectedScan(made, region, placement, "deface")


def _blanked(
    airs: Iterator[tuple[NDArray[Any], Air, Noise]], inside: NDArray[np.bool_]
) -> Iterator[Volume]:
    for _, air, noise in airs:
        yield fill(air, inside, noise)
