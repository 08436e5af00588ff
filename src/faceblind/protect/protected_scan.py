"""A protected scan, and the check that nothing else of it changed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from faceblind.errors import ScanError
from faceblind.protect.placement import Placement
from faceblind.protect.region import ReplacedRegion
from faceblind.scan import Scan


@dataclass(frozen=True)
class ProtectedScan:
    """A protected scan.

    Parameters
    ----------
    scan : Scan
        The result; voxels outside `region.mask` are the input's, bit for bit.
    region : ReplacedRegion
        What was replaced and what the brain's protection left.
    placement : Placement
        Where the template lies. It helps to undo a protection: keep it private.
    method : str
        ``"deface"`` or ``"reface"``.
    """

    scan: Scan
    region: ReplacedRegion
    placement: Placement
    method: str


def require_untouched(scan: Scan, done: ProtectedScan) -> None:
    """Refuse a result that differs outside its region: the last line of defence.

    Parameters
    ----------
    scan : Scan
        From a file.
    done : ProtectedScan
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
