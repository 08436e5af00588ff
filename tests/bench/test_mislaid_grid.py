"""The grid of misplaced protections, and how it is counted."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest


@pytest.fixture(scope="module")
def grid(script):
    with pytest.MonkeyPatch.context() as patch:
        # The bench's scripts import one another by name.
        patch.syspath_prepend(str(Path(__file__).parents[2] / "bench"))
        return script("bench/mislaid.py")


@pytest.mark.parametrize("part", [3, 6])
def test_as_many_scans_as_parts_see_every_motion_by_both_methods(grid, part):
    args = SimpleNamespace(part=part, dangerous=False)
    for method in (0, 1):
        seen = [
            motion
            for scan in range(part)
            for motion in grid.chosen_motions(args, scan, "a.nii.gz", method)
        ]
        assert len(seen) == len(grid.MOTIONS) == 42
        assert set(seen) == set(grid.MOTIONS)


def test_every_scan_gets_the_motions_that_leave_most_of_a_face(grid):
    args = SimpleNamespace(part=6, dangerous=True)
    assert set(grid.DANGEROUS) <= set(grid.MOTIONS)
    for scan, method in ((0, 0), (3, 1)):
        assert grid.chosen_motions(args, scan, "a.nii.gz", method) == grid.DANGEROUS
    assert [grid.size_of(vars(one))[0] for one in grid.DANGEROUS] == [1, 1, 1, 1, 4, 4]


def row(shift=0.0, axis=0, turn=0.0, status="pass", brow=0.0, method="deface"):
    return {
        "method": method, "axis": axis, "shift_mm": shift, "turn_degrees": turn, "true": 0.2,
        "true_regions": {"brow": brow, "nose": 0.0}, "score": 0.1, "status": status,
    }  # fmt: skip


def test_passes_are_counted_by_how_far_a_protection_was_moved(grid):
    rows = [
        row(), row(method="reface"),
        row(12.0, axis=1, status="unsure", brow=0.9), row(-12.0, axis=2, brow=0.6),
        row(-12.0, axis=1), row(12.0, axis=2), row(-4.0), row(turn=-10.0, status="fail"),
    ]  # fmt: skip
    cells = [line[:3] + line[5:] for line in grid.by_size(rows).rows]
    assert cells == [
        ("deface", "in place", 1, 1, 0, 0, 0),
        ("deface", "12 mm forwards or down", 2, 1, 1, 0, 1),
        ("deface", "12 mm back or up", 2, 2, 0, 0, 0),
        ("deface", "4 mm to a side", 1, 1, 0, 0, 0),
        ("deface", "10 degrees", 1, 0, 0, 1, 0),
        ("reface", "in place", 1, 1, 0, 0, 0),
    ]
