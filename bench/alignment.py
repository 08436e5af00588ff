"""How well heads are found: synthetic volunteers turned, mislabelled and cut at random.

    python bench/alignment.py COHORT [--seed 0]

COHORT is a folder that ``faceblind volunteers`` wrote. Each scan gets one of the 24 axis
orientations, a tilt of up to 30 degrees about a random axis, and a cut that takes vertex, neck
and chin, or an ear. Errors are distances between the true landmarks and those of the alignment.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from faceblind.formats import load
from faceblind.head.alignment import CONFIDENT, align
from faceblind.head.skin import find_skin
from faceblind.scan import Scan


def cut(scan: Scan, landmarks: dict[str, np.ndarray], rng: np.random.Generator) -> Scan:
    """Scan without a slab at its top, bottom or one side, as a field of view may cut it."""
    scan = scan.canonical()
    index = {name: scan.index(point[None])[0] for name, point in landmarks.items()}
    low, high = np.zeros(3, int), np.array(scan.shape)
    kind = rng.choice(["none", "vertex", "chin", "ear"])
    per_mm = 1 / scan.spacing
    if kind == "vertex":
        high[2] = min(high[2], int(index["vertex"][2] - rng.uniform(0, 30) * per_mm[2]))
    elif kind == "chin":
        low[2] = max(0, int(index["menton"][2] + rng.uniform(-10, 25) * per_mm[2]))
    elif kind == "ear":
        low[0] = max(0, int(index["preauricular_left"][0] + rng.uniform(-10, 8) * per_mm[0]))
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    affine = scan.affine.copy()
    affine[:3, 3] = scan.world(low[None])[0]
    return Scan(np.ascontiguousarray(scan.voxels[box]), affine)


def turned(scan: Scan, rng: np.random.Generator) -> tuple[Scan, np.ndarray]:
    """Scan with a wrong header, and the (3, 3) rotation that was applied."""
    axes = Rotation.create_group("O")[int(rng.integers(24))]
    way = rng.normal(size=3)
    tilt = Rotation.from_rotvec(np.deg2rad(rng.uniform(0, 30)) * way / np.linalg.norm(way))
    turn = (tilt * axes).as_matrix()
    affine = scan.affine.copy()
    affine[:3] = turn @ affine[:3]
    return Scan(scan.voxels, affine), turn


def read_landmarks(path: Path) -> dict[str, np.ndarray]:
    """Landmarks of one volunteer, name to (3,) RAS+ mm."""
    rows = [line.split("\t") for line in path.read_text().splitlines()[1:]]
    return {row[0]: np.array(row[1:4], float) for row in rows}


def main() -> None:
    """Measure one cohort."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cohort", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-n", type=int, default=1000)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    everything, refused, silent, seconds = [], 0, 0, []
    for folder in sorted((arguments.cohort / "truth").glob("sub-*"))[: arguments.n]:
        truth = read_landmarks(folder / "T1w" / "landmarks.tsv")
        path = next((arguments.cohort / "scans" / folder.name).rglob("*.nii.gz"))
        scan, turn = turned(cut(load(path), truth, rng), rng)
        skin = find_skin(scan)
        start = time.perf_counter()
        found = align(skin, scan)
        seconds.append(time.perf_counter() - start)
        placed = found.landmarks()
        names = sorted(set(truth) & set(placed))
        errors = np.array([np.linalg.norm(turn @ truth[name] - placed[name]) for name in names])
        if found.confidence < CONFIDENT:
            refused += 1
        else:
            everything.append(errors)
            silent += bool(np.median(errors) > 10)
        print(
            f"{folder.name} confidence {found.confidence:.2f} median {np.median(errors):.1f} "
            f"worst {errors.max():.1f} mm ({names[int(errors.argmax())]}) {seconds[-1]:.1f} s",
            flush=True,
        )
    pooled = np.concatenate(everything)
    print(
        f"landmark error: median {np.median(pooled):.2f} mm, "
        f"95th percentile {np.percentile(pooled, 95):.2f} mm; refused {refused}; "
        f"silently wrong {silent}; median {np.median(seconds):.2f} s"
    )
    for i, name in enumerate(names):
        column = np.array([errors[i] for errors in everything])
        print(f"  {name}: {np.median(column):.1f} (95 %: {np.percentile(column, 95):.1f}) mm")


if __name__ == "__main__":
    main()
