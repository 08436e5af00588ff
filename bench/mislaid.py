"""Does the audit see what a misplaced protection leaves?

    python bench/mislaid.py OUT.jsonl SCAN [SCAN ...] [--variants 6] [--seed 0] [--part N]

Protects each scan by both methods, moves the region and what was put there over the intact scan (4
to 20 mm along, 3 to 10 degrees about the head's axes), and audits the result. The truth is the
share of each region's skin under which nothing was replaced. A line per case: truth, score, status.
``--part N`` gives each scan every N-th of all motions, another N-th to the next and to the other
method, so that N scans see all of them. ``--record`` keeps what OUT.jsonl holds for the
documentation; without scans it does only that. Skin that a cut shaved by less than 2 mm counts as
left.

``--dangerous`` gives every scan the motions that leave most of a face, for a record of their own.
``--forwards`` only asks one attack, what lies below the forehead of a new face that lies too far
forward, of which a scan takes a few seconds.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

from evidence import Record, Table, add_option, command, write
from faceblind.attacks.examine import examine
from faceblind.attacks.remaining_face import find_remaining
from faceblind.attacks.second_skin import second_skin_share
from faceblind.attacks.settings import SETTINGS
from faceblind.attacks.verdict import judge
from faceblind.errors import FaceblindError
from faceblind.formats import load
from faceblind.formats.nifti import save
from faceblind.geometry.grid import from_scan, regrid
from faceblind.head.segmentation import find_head
from faceblind.head.skin import find_skin
from faceblind.head.whole_head import Head, find_whole_head
from faceblind.protect.deface import deface
from faceblind.protect.protected_scan import ProtectedScan
from faceblind.protect.reface import reface
from faceblind.scan import Scan

SPACING_MM = 1.5
CENTRE = np.array([0.0, 20.0, 20.0])
"""Template mm about which a region is turned."""
SHIFTS_MM, TURNS_DEGREES = (4, 8, 12, 20), (3, 6, 10)


FORWARDS_MM = (0.0, 4.0, 6.0, 8.0, 10.0)


@dataclass(frozen=True)
class Motion:
    """By how much a region is misplaced: mm along, or degrees about, one axis of the head."""

    axis: int
    shift_mm: float = 0.0
    turn_degrees: float = 0.0

    def matrix(self, head: Head) -> np.ndarray:
        """Scan mm to scan mm."""
        way = np.eye(3)[self.axis]
        move = np.eye(4)
        move[:3, :3] = Rotation.from_rotvec(np.radians(self.turn_degrees) * way).as_matrix()
        move[:3, 3] = CENTRE - move[:3, :3] @ CENTRE + self.shift_mm * way
        pose = head.alignment.scan_to_template_rigid
        return np.asarray(np.linalg.inv(pose) @ move @ pose)


MOTIONS = [
    *(Motion(axis, shift_mm=s * mm) for axis in range(3) for mm in SHIFTS_MM for s in (1, -1)),
    *(
        Motion(axis, turn_degrees=s * d)
        for axis in range(3)
        for d in TURNS_DEGREES
        for s in (1, -1)
    ),
]


FEW = [
    Motion(0),
    Motion(1, shift_mm=8),
    Motion(1, shift_mm=12),
    Motion(2, shift_mm=-12),
    Motion(0, turn_degrees=-10),
]
"""In place, forwards twice, down, chin down: the motions that leave most of a face."""


DANGEROUS = [
    Motion(1, shift_mm=4),
    Motion(1, shift_mm=8),
    Motion(2, shift_mm=-8),
    Motion(2, shift_mm=-12),
    Motion(0, turn_degrees=-6),
    Motion(0, turn_degrees=-10),
]
"""Forwards, down and chin down, by so little that a protection still covers most of a face."""


def coarse(path: Path) -> Scan:
    """The first volume on voxels of at least `SPACING_MM`."""
    scan = load(path)
    scan = Scan(scan.volume(), scan.affine, scan.modality)
    if scan.spacing.min() >= SPACING_MM:
        return scan
    grid = regrid(from_scan(scan), np.maximum(scan.spacing, SPACING_MM))
    return Scan(grid.values, grid.affine, scan.modality)


def mislaid(scan: Scan, done: ProtectedScan, head: Head, motion: Motion) -> tuple[Scan, np.ndarray]:
    """The intact scan with a protection's region moved over it, and where that lies."""
    back = np.linalg.inv(scan.affine) @ np.linalg.inv(motion.matrix(head)) @ scan.affine

    def moved(values: np.ndarray, order: int) -> np.ndarray:
        return ndimage.affine_transform(
            np.asarray(values, np.float32), back[:3, :3], back[:3, 3], order=order, mode="nearest"
        )

    mask = moved(done.region.mask, 1) > 0.5
    new = moved(done.scan.voxels, 0 if done.method == "deface" else 1)
    voxels = np.where(mask, new, np.asarray(scan.voxels, np.float32))
    return Scan(voxels.astype(np.float32), scan.affine, scan.modality), mask


def audited(scan: Scan) -> dict[str, object]:
    """Status, score and regions of a scan, audited from its file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sub-01_T1w.nii.gz"
        save(scan, path)
        try:
            verdict = judge("", examine(path).findings)
        except FaceblindError as error:
            return {"status": "unsure", "score": None, "error": str(error).split(": ", 1)[-1]}
    found = verdict.findings
    assert found is not None
    shown = {name: round(region.share, 2) for name, region in found.regions.items()}
    return {"status": verdict.status, "score": round(found.score, 3), "shown": shown,
            "replaced": found.replaced, "placed": found.placed,
            "reasons": list(map(str, verdict.reasons))}  # fmt: skip


def forwards(path: Path) -> list[dict[str, Any]]:
    """How much of the person's forehead is left below a new face, and is seen there."""
    scan = coarse(path)
    head = find_whole_head(scan)
    done = reface(scan, head=head)
    rows = []
    for shift in FORWARDS_MM:
        one, mask = mislaid(scan, done, head, Motion(1, shift_mm=shift))
        _, true = find_remaining(scan, one, mask, head.skin, head.alignment, air=False)
        found = find_head(one)
        place = head.alignment.scan_to_template
        second = second_skin_share(one, found, find_skin(one, found), place)
        rows.append({"scan": path.name, "shift_mm": shift, "brow": true["brow"], "second": second})
    return rows


def forwards_table(rows: list[dict[str, Any]]) -> Table:
    """A row for each shift, for the record."""
    caption = (
        "Share of the brow that is the person's, and of the forehead below whose skin another "
        f"lies, of a new face too far forward; doubted above {SETTINGS.most_second:g}."
    )
    cells = []
    for shift in FORWARDS_MM:
        group = [row for row in rows if row["shift_mm"] == shift]
        brow, second = ([row[key] for row in group] for key in ("brow", "second"))
        doubted = sum(share > SETTINGS.most_second for share in second)
        cells.append((f"{shift:g} mm", len(group), f"{np.mean(brow):.2f}",
                      f"{min(second):.2f} to {max(second):.2f}", doubted))  # fmt: skip
    return Table(caption, ("forwards", "scans", "brow left", "seen", "doubted"), tuple(cells))


def named(row: dict[str, Any]) -> str:
    """What was moved, and by how much."""
    if row["shift_mm"]:
        way = ("to the side", "forwards", "up")[row["axis"]]
        return f"{row['method']}, {row['shift_mm']:+g} mm {way}"
    if row["turn_degrees"]:
        return f"{row['method']}, {row['turn_degrees']:+g} degrees about {'xyz'[row['axis']]}"
    return f"{row['method']}, in place"


def table(rows: list[dict[str, Any]]) -> Table:
    """A row for each motion, for the record."""
    caption = "Means of the share of a face that is left in truth, and of the audit's score."
    head = ("motion", "scans", "left", "score", "pass", "pass with half a feature left")
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(named(row), []).append(row)
    cells = []
    for name, group in sorted(groups.items()):
        passed = sum(row["status"] == "pass" for row in group)
        open_ = sum(map(hides_half, group))
        left, score = (float(np.mean([row[k] or 0.0 for row in group])) for k in ("true", "score"))
        cells.append((name, len(group), f"{left:.2f}", f"{score:.2f}", passed, open_))
    return Table(caption, head, tuple(cells))


WAYS = ("in place", "mm forwards or down", "mm back or up", "mm to a side", "degrees")


def size_of(row: dict[str, Any]) -> tuple[int, float]:
    """Which of `WAYS` a protection was moved, and how far."""
    if row["shift_mm"]:
        covers = (row["axis"], row["shift_mm"] > 0) in ((1, False), (2, True))
        return 3 if row["axis"] == 0 else 2 if covers else 1, abs(row["shift_mm"])
    if row["turn_degrees"]:
        return 4, abs(row["turn_degrees"])
    return 0, 0.0


def by_size(rows: list[dict[str, Any]]) -> Table:
    """A row for each method and size of a motion."""
    caption = (
        "Verdicts by size of the motion; means of the share of a face that is left in truth, and "
        "of the audit's score."
    )
    head = ("method", "motion", "cases", "left", "score", "pass", "unsure", "fail",
            "pass with half a feature left")  # fmt: skip
    cells = []
    for method, (way, size) in sorted({(row["method"], size_of(row)) for row in rows}):
        group = [r for r in rows if r["method"] == method and size_of(r) == (way, size)]
        name = f"{size:g} {WAYS[way]}" if size else WAYS[way]
        counts = [sum(r["status"] == s for r in group) for s in ("pass", "unsure", "fail")]
        left, score = (float(np.mean([r[k] or 0.0 for r in group])) for k in ("true", "score"))
        cells.append((method, name, len(group), f"{left:.2f}", f"{score:.2f}", *counts,
                      sum(map(hides_half, group))))  # fmt: skip
    return Table(caption, head, tuple(cells))


def hides_half(row: dict[str, Any]) -> bool:
    """Whether a scan passes in which half of a feature's skin is the person's."""
    return row["status"] == "pass" and max(row["true_regions"].values()) >= 0.5


def chosen_motions(args: argparse.Namespace, scan: int, name: str, method: int) -> list[Motion]:
    """By which motions a scan's protection is misplaced, see the options of `main`."""
    if args.dangerous:
        return DANGEROUS
    if args.part:
        return MOTIONS[(scan + 3 * method) % args.part :: args.part]
    if args.variants:
        return random.Random(f"{args.seed} {name}").sample(MOTIONS, args.variants)
    return FEW[1:]


def run(args: argparse.Namespace) -> None:
    """Append a line for each case."""
    for number, path in enumerate(args.scans):
        scan = coarse(path)
        head = find_whole_head(scan)
        for which, method in enumerate((deface, reface)):
            done = method(scan, head=head)
            for motion in (Motion(0), *chosen_motions(args, number, path.name, which)):
                one, mask = mislaid(scan, done, head, motion)
                left, true = find_remaining(scan, one, mask, head.skin, head.alignment, air=False)
                row = {"scan": path.name, "method": done.method, "axis": motion.axis,
                       "shift_mm": motion.shift_mm, "turn_degrees": motion.turn_degrees,
                       "true": round(left, 3), "true_regions": true, **audited(one)}  # fmt: skip
                with args.out.open("a") as lines:
                    lines.write(json.dumps(row) + "\n")


def main() -> None:
    """Run as a script."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("scans", type=Path, nargs="*")
    parser.add_argument("--variants", type=int, default=6, help="0 for a fixed few")
    parser.add_argument("--part", type=int, default=0, help="one in so many of all motions")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dangerous", action="store_true", help="what leaves most of a face")
    parser.add_argument("--forwards", action="store_true", help="new faces, one attack")
    parser.add_argument("--in-silico", action="store_true", help="the scans are simulated")
    add_option(parser)
    args = parser.parse_args()
    if args.forwards:
        for row in (row for path in args.scans for row in forwards(path)):
            with args.out.open("a") as lines:
                lines.write(json.dumps(row) + "\n")
        if args.record:
            rows = [json.loads(line) for line in args.out.read_text().splitlines()]
            question = "Is a new face that lies too far forward seen by what lies below it?"
            about = ("mislaid-forwards", "New faces too far forward", "audit", question)
            tables = (forwards_table(rows),)
            write(Record(*about, "bench/mislaid.py", command(), (), args.in_silico, tables))
        return
    run(args)
    if args.record:
        rows = [json.loads(line) for line in args.out.read_text().splitlines()]
        question = "Does the audit see what a protection leaves that lies in the wrong place?"
        about = ("mislaid", "Protections in the wrong place", "audit", question)
        if args.dangerous:
            about = ("mislaid-dangerous", "Protections that leave most of a face", *about[2:])
        tables = (by_size(rows),) if args.part else (table(rows),)
        write(Record(*about, "bench/mislaid.py", command(), (args.seed,), False, tables))


if __name__ == "__main__":
    main()
