"""How near protection comes to the brains of small heads.

``python bench/children.py [-n 40] [--ages 3 7] [--sizes 1 0.9 0.8] [--covers 1 0]`` draws
children, scans them in every contrast at 2 mm, scales scan and truth together, and counts the
voxels (1 mm before scaling) of the region that is replaced in the true brain, and within 1, 1.5 and
2 mm of it. Both methods replace the same region. Skin that is left is counted, too.

No scan of a real child is among the data. The volunteers' children are adult heads in their
anatomy, made smaller; ``--covers`` gives them scalp and skull of a share of that thickness. Real
ones: the skull at a halo pin's frontal place is 2.9 mm thick with a standard deviation of 1.0
(Loder 1996, J Pediatr Orthop 16:340), below 3 mm in 85 % of children under 4 years
(Domenech-Fernandez et al. 2021, Eur Spine J 30:410); head circumference is 89 % of the adult one
at 3 years and 93 % at 6 (see `faceblind.volunteers.people.ageing`), the brain has 87 and 95 % of
its volume (assumed). A cover of 0.6 leaves 5 to 8 mm over the brain of a child of 3 years; 0 takes
the share that fits the age.

``--rotate 3`` takes each child in three of the contrasts only, each of them in one size, so that
nine children show all contrasts in all of three sizes.

One line of JSON for each scan is appended to ``--log``, and scans that it has already are not made
again; ``--record`` keeps the table for the documentation.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy import ndimage

from evidence import Record, Table, add_option, command, write
from faceblind.errors import FaceblindError
from faceblind.geometry.grid import Grid
from faceblind.head.whole_head import Head, find_whole_head
from faceblind.protect.placement import place
from faceblind.protect.region import face_region
from faceblind.scan import Scan
from faceblind.volunteers.people.shape import PeopleSettings, Person, sample_person
from faceblind.volunteers.scanner.protocols import PROTOCOLS
from faceblind.volunteers.scanner.settings import ScannerSettings
from faceblind.volunteers.scanner.simulate import scan_session
from protect_measures import skin_outside

WITHIN_MM = (0.0, 1.0, 1.5, 2.0)
_LOOKED_MM = 8.0
FACE = ("brow", "eyes", "nose", "mouth", "chin", "cheeks")


@dataclass(frozen=True)
class Shell:
    """Voxels in and around the true brain of a head.

    Attributes
    ----------
    points : (N, 3) float64 ndarray
        Scan RAS+ mm.
    away_mm : (N,) float64 ndarray
        From the centre of the nearest voxel of the brain; 0 within it.
    """

    points: NDArray[np.float64]
    away_mm: NDArray[np.float64]

    def scaled(self, size: float) -> Shell:
        """Of the same head, larger or smaller."""
        return Shell(self.points * size, self.away_mm * size)


def shell_of(person: Person, settings: ScannerSettings) -> Shell:
    """In voxels of 1 mm; every series of the person lies in the same pose."""
    truth = scan_session(person, ("T1w",), replace(settings, spacing_mm=1.0))["T1w"]
    away = ndimage.distance_transform_edt(~truth.brain, truth.scan.spacing)
    inner = ndimage.distance_transform_edt(truth.brain, truth.scan.spacing)
    index = np.argwhere((away < _LOOKED_MM) & (inner < 4.0))
    return Shell(truth.scan.world(index), away[tuple(index.T)])


def scaled(scan: Scan, size: float) -> Scan:
    """The same voxels with another spacing."""
    return Scan(scan.voxels, np.diag([size, size, size, 1.0]) @ scan.affine, scan.modality)


def inside(cut: Grid, points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(N,) whether places lie in a region."""
    index = apply_affine(np.linalg.inv(cut.affine), points)
    found = ndimage.map_coordinates(cut.values, index.T, order=1, mode="nearest")
    return np.asarray(found > 0)


def measured(scan: Scan, shell: Shell) -> dict[str, object]:
    """Counts for one scan, or why it was refused."""
    try:
        head: Head = find_whole_head(scan)
        placement = place(head.alignment)
        region = face_region(scan, head.skin, head.alignment, placement)
    except FaceblindError as error:
        return {"error": str(error)}
    away = shell.away_mm[inside(region.cut, shell.points)]
    left = skin_outside(scan, head, region.mask)
    return {
        "error": None,
        "size": float(np.linalg.norm(placement.scan_to_template[:3, :3], axis=1).mean()),
        "within": {f"{mm:g}": int((away <= mm).sum()) for mm in WITHIN_MM},
        "nearest": float(away.min()) if len(away) else None,
        "left": {name: round(area) for name, area in left.items()},
        "spared_mm": getattr(region.fit, "spared_mm", None),
    }


Wanted = tuple[int, float, str, float]
"""Number of a child, cover, contrast and size."""


def wanted(chosen: argparse.Namespace) -> list[Wanted]:
    """The scans to make, child by child and contrast by contrast."""
    names, sizes, some = chosen.protocols, chosen.sizes, chosen.rotate
    found = []
    for cover in chosen.covers:
        for index in range(chosen.first, chosen.first + chosen.n):
            if not some:
                found += [(index, cover, name, size) for name in names for size in sizes]
            for turn in range(some):
                name = names[(some * index + turn) % len(names)]
                size = sizes[(some * index // len(names) + turn) % len(sizes)]
                found.append((index, cover, name, size))
    return found


def key(row: dict[str, object]) -> Wanted:
    """Of a line in the log."""
    return (row["index"], row["cover"], row["protocol"], row["scale"])  # type: ignore[return-value]


def rows(chosen: argparse.Namespace, left: list[Wanted]) -> Iterator[dict[str, object]]:
    """One for each scan."""
    settings = ScannerSettings(
        spacing_mm=chosen.spacing, session_mm=0.0, session_deg=0.0, vertex_cut=0.0, chin_cut=0.0
    )
    people = PeopleSettings(ages=tuple(chosen.ages))
    for (index, cover), mine in groupby(left, key=lambda one: one[:2]):
        person = sample_person(chosen.seed, index, people)
        usual = float(np.interp(person.years, (5.0, 8.0, 18.0), (0.6, 0.75, 1.0)))
        person = replace(person, cover=cover or usual)
        shell = shell_of(person, settings)
        for name, scans in groupby(mine, key=lambda one: one[2]):
            thick = name in ("axFLAIR", "axT2star", "lowfield", "T2star")
            own = replace(settings, spacing_mm=None if thick else chosen.spacing)
            scan = scan_session(person, (name,), own)[name].scan
            for *_, size in scans:
                yield {
                    "index": index, "years": round(person.years, 2), "cover": cover,
                    "scale": size, "protocol": name,
                    **measured(scaled(scan, size), shell.scaled(size)),
                }  # fmt: skip


def summary(found: list[dict[str, object]]) -> str:
    """A table by cover, size and contrast."""
    lines = ["| cover | scale | contrast | scans | refused | within 0, 1, 1.5, 2 mm (scans) "
             "| nearest mm | skin left, most mm2 |", "| --- " * 8 + "|"]  # fmt: skip
    keys = sorted({(r["cover"], r["scale"], r["protocol"]) for r in found})
    for key in [*keys, None]:
        mine = [r for r in found if key in (None, (r["cover"], r["scale"], r["protocol"]))]
        done = [r for r in mine if not r["error"]]
        if not done:
            lines.append(f"| {key} | {len(mine)} all refused |")
            continue
        counts = [
            f"{sum(r['within'][f'{mm:g}'] for r in done)} "
            f"({sum(r['within'][f'{mm:g}'] > 0 for r in done)})"
            for mm in WITHIN_MM
        ]
        near = min(r["nearest"] for r in done if r["nearest"] is not None)
        most = {name: max(r["left"].get(name, 0) for r in done) for name in done[0]["left"]}
        told = " ".join(f"{name} {area}" for name, area in most.items() if area)
        names = ("all", "", "") if key is None else key
        lines.append(
            f"| {' | '.join(map(str, names))} | {len(mine)} | {len(mine) - len(done)} "
            f"| {', '.join(counts)} | {near:.1f} | {told} |"
        )
    return "\n".join(lines)


def table(printed: str) -> Table:
    """The rows of `summary`, for the record; a group that was refused as a whole has no figures."""
    caption = "Voxels of the region in the true brain and near it (in how many scans), by group."
    lines = [[cell.strip() for cell in line.strip("| ").split("|")] for line in printed.split("\n")]
    head = tuple(lines[0])
    return Table(caption, head, tuple((*row, *("",) * (len(head) - len(row))) for row in lines[2:]))


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=40)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=18)
    parser.add_argument("--ages", type=float, nargs=2, default=(3, 7))
    parser.add_argument("--sizes", type=float, nargs="+", default=(1.0, 0.9, 0.8))
    parser.add_argument("--covers", type=float, nargs="+", default=(1.0, 0.0))
    parser.add_argument("--spacing", type=float, default=2.0)
    parser.add_argument("--protocols", nargs="+", default=list(PROTOCOLS))
    parser.add_argument("--rotate", type=int, default=0)
    parser.add_argument("--log", type=Path)
    add_option(parser)
    chosen = parser.parse_args()
    found = []
    if chosen.log and chosen.log.exists():
        found = [json.loads(line) for line in chosen.log.read_text().splitlines()]
    known = {key(row) for row in found}
    for row in rows(chosen, [one for one in wanted(chosen) if one not in known]):
        found.append(row)
        if chosen.log:
            with chosen.log.open("a") as file:
                file.write(json.dumps(row) + "\n")
    printed = summary(found)
    print(printed)
    if chosen.record:
        question = "How near does protection come to the brains of small heads?"
        about = ("children", "Small heads", "protection", question, "bench/children.py")
        write(Record(*about, command(), (chosen.seed,), True, (table(printed),)))


if __name__ == "__main__":
    sys.exit(main())
