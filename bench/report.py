"""How long the page of a large audit takes, and how large it is.

Run ``python bench/report.py [--scans 1000]``; seconds. The results are made up. Pictures, which
read every scan again, are not part of it: see ``pictures`` below for one scan's share.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import example_results
from faceblind.report.pictures import scan_strip
from faceblind.report.write import write_report

NAME = "sub-%04d/ses-baseline/anat/sub-X_ses-baseline_acq-mprage_desc-defaced_T1w.nii.gz"
"""As long as names in BIDS datasets are."""


def seconds(work: Callable[[], object], runs: int) -> float:
    """Median wall time.

    Parameters
    ----------
    work : callable
    runs : int
    """
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    """Print time and size of both pages, and the time of one scan's pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scans", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--scan", type=Path, help="a scan whose pictures are timed, too")
    given = parser.parse_args()
    report = example_results.audit(given.scans, NAME)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        took = seconds(lambda: write_report(report, root, show_progress=False), given.runs)
        sizes = [
            path.stat().st_size for path in (root / "report.html", root / "private/report.html")
        ]
    shared, own = (size / 1e6 for size in sizes)
    print(f"{given.scans} scans: {took:.2f} s for both pages; {shared:.2f} MB and {own:.2f} MB")
    if given.scan:
        print(f"pictures of one scan: {seconds(lambda: scan_strip(given.scan), given.runs):.2f} s")


if __name__ == "__main__":
    main()
