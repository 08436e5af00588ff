"""Brain extraction by tools that are not among this package's extras."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PROGRAMS = {
    "deepbet": (
        "import sys, warnings; warnings.simplefilter('ignore'); from deepbet import run_bet;"
        "run_bet([sys.argv[1]], mask_paths=[sys.argv[2]], no_gpu=True, skip_broken=False)"
    ),
    "radveil": "import sys, radveil; radveil.deskull(sys.argv[1], mask_path=sys.argv[2])",
}
"""By the module that is needed: deepbet (T1 only), SynthStrip through RadVeil. Each reads a NIfTI
file and writes a mask."""


def dice(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Overlap of two masks."""
    return float(2 * (a & b).sum() / max(int(a.sum() + b.sum()), 1))
