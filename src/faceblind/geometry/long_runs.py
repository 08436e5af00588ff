"""When machine code pays: loading it takes half a second, more than a single scan gains.

A process that works on many scans loads `faceblind.geometry.kernels` after its first ones. Results
are the same to the last bit before and after.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from types import ModuleType

PAYS_AFTER = 20_000_000
"""Values looked up between voxels, by NumPy in about 0.7 s: as many as two or three scans need."""

_done = 0


def kernels(work: int = 0) -> ModuleType | None:
    """The compiled loops once they pay, else None.

    Parameters
    ----------
    work : int
        Values that are looked up now.
    """
    global _done
    _done += work
    return _loaded() if _done >= PAYS_AFTER else None


@lru_cache(maxsize=1)
def _loaded() -> ModuleType | None:
    """What numba compiles or finds on disk; None where it cannot, and runs only take longer."""
    try:
        from faceblind.geometry import kernels as compiled
    except Exception as error:  # noqa: BLE001 - numba fails in many ways, such as a full disk
        logging.getLogger(__name__).info("no machine code: %s", error)
        return None
    return compiled
