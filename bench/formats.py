"""Time loading and saving: ``python bench/formats.py SCAN.nii.gz ...``."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import faceblind


def median_seconds(work: Callable[[], object], repeats: int = 5) -> float:
    """Median wall time of `work` in seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main(paths: list[str]) -> None:
    """Print one line of a Markdown table for each scan."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "out.nii.gz"
        for path in paths:
            scan = faceblind.load(path)
            load = median_seconds(lambda path=path: faceblind.load(path))
            save = median_seconds(lambda scan=scan: faceblind.save(scan, target, overwrite=True))
            name = "×".join(map(str, scan.shape))
            print(f"| {name} {scan.stored.raw.dtype} | {load:.2f} s | {save:.2f} s |")


if __name__ == "__main__":
    main(sys.argv[1:])
