"""Whether the face that `reface` makes looks like the scan around it.

``python bench/new_face.py SCAN...`` refaces each scan and compares the new face with the person's
own, which lay in the same place and under the same coil:

- the step of the skin where the region ends, 95th percentile, by part, and what the measure finds
  in the scan before; and the share of new skin that hides air of the scan;
- intensity by depth, 0 to 15 mm below the skin, and in the fat (2 to 5 mm), by part;
- roughness between neighbours (noise) and over three voxels (texture), chin apart;
- stripes: how unlike the three directions are in the inner face;
- the area under the curve of a random forest that tells patches of 5 mm of the new face from the
  person's own, trained on the other scans; it needs scikit-learn, which faceblind does not.

Pictures are not written: nobody's face leaves this script. ``--record`` keeps the figures.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import faceblind
import new_face_measures as measures
from evidence import Cell, Record, Table, add_option, command, write
from faceblind.errors import FaceblindError

PATCHES = 1500
PARTS = ("forehead", "middle", "cheeks", "chin")
RIM = ("forehead", "temples", "behind the ears", "throat")
Features = tuple[NDArray[np.float32], NDArray[np.float32]]


def steps_row(pair: measures.Pair) -> dict[str, Cell]:
    """95th percentiles by part of the rim, after (before)."""
    row: dict[str, Cell] = {}
    both = [measures.steps(side) for side in (pair.after, pair.before)]

    def text(which: int, name: str) -> str:
        parts = [(found[which], measures.rim_parts(found[0])) for found in both]
        values = [value[masks[name]] for value, masks in parts]
        digits = 1 if which == 1 else 0
        told = (f"{np.quantile(v, 0.95):.{digits}f}" if len(v) >= 20 else "–" for v in values)
        return "{} ({})".format(*told)

    for name in RIM:
        row[name] = text(1, name)
    for name in ("forehead", "temples"):
        row[f"bend, {name}"] = text(2, name)
    row["all"] = round(float(np.quantile(both[0][1], 0.95)), 1) if len(both[0][1]) else "–"
    row["air under skin, %"] = round(100 * measures.enclosed_air(pair), 1)
    return row


def tissue_row(pair: measures.Pair) -> dict[str, Cell]:
    """Intensity by depth, noise, texture and stripes, new over own."""
    errors = measures.profile_errors(pair)
    row: dict[str, Cell] = {}
    for name in PARTS:
        one = errors.get(name)
        row[name] = "–" if one is None else f"{100 * one[0]:.0f} % ({one[1]:.2f})"
    for label, parts, lag in (
        ("noise", (), 1), ("noise, chin", ("chin",), 1), ("texture", (), 3),
    ):  # fmt: skip
        new, own = (measures.roughness(s, parts, lag) for s in (pair.after, pair.before))
        row[label] = round(new / own, 2) if np.isfinite(new / own) else "–"
    row["stripes"] = f"{measures.stripes(pair.after):.1f} ({measures.stripes(pair.before):.1f})"
    return row


def told_apart(features: list[Features]) -> list[float]:
    """Area under the curve for each pair, of a forest that saw the others."""
    try:
        from sklearn.ensemble import (  # type: ignore[import-not-found,unused-ignore]
            RandomForestClassifier,
        )
        from sklearn.metrics import (  # type: ignore[import-not-found,unused-ignore]
            roc_auc_score,
        )
    except ImportError:
        print("the classifier needs scikit-learn: left out")
        return []
    out = []
    for left in range(len(features)):
        others = [f for k, f in enumerate(features) if k != left]
        train = np.concatenate([side for pair in others for side in pair])
        truth = np.concatenate([np.full(len(s), k) for pair in others for k, s in enumerate(pair)])
        forest = RandomForestClassifier(200, min_samples_leaf=5, random_state=0)
        forest.fit(train, truth)
        own, new = features[left]
        score = forest.predict_proba(np.concatenate([own, new]))[:, 1]
        out.append(float(roc_auc_score(np.repeat([0, 1], [len(own), len(new)]), score)))
    return out


def main() -> None:
    """Print two tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scans", type=Path, nargs="+")
    add_option(parser)
    given = parser.parse_args()
    rims: list[dict[str, Cell]] = []
    tissues: list[dict[str, Cell]] = []
    features: list[Features] = []
    for path in given.scans:
        name = path.name.removesuffix(".gz").removesuffix(".nii")
        start = time.perf_counter()
        try:
            pair = measures.pair_of(faceblind.load(path))
        except FaceblindError as error:
            print(f"{name}: refused: {error}", flush=True)
            continue
        rims.append({"scan": name} | steps_row(pair))
        tissues.append({"scan": name} | tissue_row(pair))
        level = measures.soft_level(pair)
        own, new = (
            measures.patches(side, level, pair.air, PATCHES, seed)
            for seed, side in enumerate((pair.before, pair.after))
        )
        features.append((own, new))
        for row in (rims[-1], tissues[-1]):
            print("  ".join(f"{key}: {value}" for key, value in row.items()), flush=True)
        print(f"  {time.perf_counter() - start:.0f} s", flush=True)
    for row, area in zip(tissues, told_apart(features), strict=False):
        row["AUC"] = round(area, 2)
        print(f"{row['scan']}: AUC {area:.2f}")
    if given.record:
        question = "Does the new face look like the scan around it?"
        about = ("new-face", "The new face", "protection", question, "bench/new_face.py")
        write(Record(*about, command(), (0,), False, tables(rims, tissues)))


def tables(rims: list[dict[str, Cell]], tissues: list[dict[str, Cell]]) -> tuple[Table, ...]:
    """The figures for the record."""
    captions = (
        "Step of the skin across the rim, mm, 95th percentile, and what the same measure finds in "
        "the scan before (aim: 1.5); share of new skin near the rim under which air of the scan "
        "was kept.",
        "The new face over the person's own in its place. By part: mean deviation of the intensity "
        "0 to 15 mm below the skin, and the ratio in the fat (aim: 15 %); roughness between "
        "neighbours and over three voxels (aim: 0.8 to 1.2); greatest over least energy of three "
        "directions (before); area under the curve of a forest that tells patches (aim: 0.75).",
    )
    return tuple(
        Table(caption, tuple(rows[0]), tuple(tuple(row.values()) for row in rows))
        for caption, rows in zip(captions, (rims, tissues), strict=True)
    )


if __name__ == "__main__":
    main()
