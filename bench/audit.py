"""How well the audit tells a hidden face from a removed one: a labelled set made by script.

    python bench/audit.py OUT -n 12 --spacing 1.5 [--no-link]

Makes synthetic volunteers, hides their faces in every way of `manipulations.METHODS` and by
faceblind itself, audits each scan and, as the truth, searches each among the originals: a method
leaks where more people are found at rank 1 than chance explains (lower Wilson bound above 1 / n).
The area under the ROC curve is that of the audit's score over single scans against their method's
truth, for the methods that thresholds were chosen on and for those held out.
"""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from faceblind.attacks.examine import Examined, examine
from faceblind.attacks.likeness import Likeness, link_scores, scan_likeness
from faceblind.attacks.ranking import VARIANTS
from faceblind.attacks.verdict import judge
from faceblind.evaluation.intervals import wilson_interval
from faceblind.evaluation.metrics import expected_ranks, mate_indices
from faceblind.formats import load
from faceblind.formats.nifti import save
from faceblind.protect.blank import deface
from faceblind.protect.reface import reface
from faceblind.recognition.registry import get_recogniser
from faceblind.runner import run_many
from faceblind.volunteers.mri import ScannerSettings, simulate
from faceblind.volunteers.shape import sample_person
from manipulations import METHODS, prepare

OURS = {"our deface": deface, "our reface": reface}
TUNING = {method.name for method in METHODS if method.tuning}


def make(index: int, root: Path, spacing: float, seed: int) -> None:
    """One volunteer, hidden in every way."""
    person = sample_person(seed, index)
    original = root / "original" / f"{person.name}_T1w.nii.gz"
    original.parent.mkdir(parents=True, exist_ok=True)
    if not original.exists():
        save(simulate(person, ScannerSettings(spacing_mm=spacing)).scan, original)
    scan = load(original)
    subject, _ = prepare(scan, index)
    for name in [*(method.name for method in METHODS), *OURS]:
        path = root / name.replace(" ", "_") / original.name
        if path.exists():
            continue
        path.parent.mkdir(exist_ok=True)
        if name in OURS:
            save(OURS[name](scan).scan, path)
        else:
            method = next(m for m in METHODS if m.name == name)
            save(method.apply(subject), path)


def look(path: Path, recogniser: str | None) -> Examined:
    """All attacks on one file."""
    return examine(path, None, recogniser)


def original_likeness(path: Path) -> Likeness:
    """What the gallery holds of one person."""
    return scan_likeness(path, "sface")


def hits(found: dict[str, Examined], originals: dict[str, Likeness]) -> float:
    """People at rank 1 in the worst variant."""
    identity = get_recogniser("sface").identity
    worst = 0.0
    for variant in VARIANTS:
        side = {
            p: e.likenesses.get(variant, e.likenesses["completed"])
            for p, e in found.items() if "completed" in e.likenesses
        }  # fmt: skip
        if len(side) < 2:
            continue
        scores = link_scores(side, originals, identity)
        mates = mate_indices(scores.probe_persons, scores.gallery_persons)
        worst = max(worst, float((expected_ranks(scores.values, mates) == 1).sum()))
    return worst


def auroc(scores: np.ndarray, leaks: np.ndarray) -> float:
    """Probability that a leaking scan scores above one that does not; ties count half."""
    bad, good = scores[leaks], scores[~leaks]
    if not len(bad) or not len(good):
        return float("nan")
    above = (bad[:, None] > good[None]).mean()
    return float(above + 0.5 * (bad[:, None] == good[None]).mean())


def main() -> None:
    """Make, audit, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("-n", type=int, default=12)
    parser.add_argument("--spacing", type=float, default=1.5)
    parser.add_argument("--seed", type=int, default=500)
    parser.add_argument("--jobs", type=int, default=-1)
    parser.add_argument("--no-link", action="store_true")
    given = parser.parse_args()
    work = partial(make, root=given.out, spacing=given.spacing, seed=given.seed)
    for outcome in run_many(work, range(given.n), n_jobs=given.jobs, label="People"):
        if not outcome.ok:
            print("not made:", outcome.name, outcome.error)
    run = partial(run_many, n_jobs=given.jobs, show_progress=False)
    originals: dict[str, Likeness] = {}
    if not given.no_link:
        for one in run(original_likeness, sorted((given.out / "original").glob("*.nii.gz"))):
            if one.value is not None:
                originals[one.item.name.split("_")[0]] = one.value
    rows: list[dict[str, Any]] = []
    print(f"{'method':16} {'set':8} pass fail unsure  score  rank 1")
    for name in [*(method.name for method in METHODS), *OURS]:
        paths = sorted((given.out / name.replace(" ", "_")).glob("*.nii.gz"))
        outcomes = run(partial(look, recogniser=None if given.no_link else "sface"), paths)
        found = {o.item.name.split("_")[0]: o.value for o in outcomes if o.value is not None}
        status = [judge("", e.findings).status for e in found.values()]
        status += ["unsure"] * (len(paths) - len(found))
        # A head that cannot be found counts as undecided: half a face.
        scores = [e.findings.score for e in found.values()] + [0.5] * (len(paths) - len(found))
        kind = "ours" if name in OURS else "tuning" if name in TUNING else "held out"
        right = hits(found, originals) if originals else float("nan")
        low, _ = wilson_interval(right, len(paths)) if originals else (0.0, 1.0)
        counts = {s: status.count(s) for s in ("pass", "fail", "unsure")}
        rows.append({"method": name, "set": kind, "scores": scores, "rank1": right, **counts,
                     "leaks": bool(low > 1 / max(len(originals), 1))})  # fmt: skip
        print(
            f"{name:16} {kind:8} {counts['pass']:4} {counts['fail']:4} {counts['unsure']:6} "
            f"{np.mean(scores):6.2f}  {right:g} of {len(paths)}",
            flush=True,
        )
    for kinds in () if given.no_link else (("tuning",), ("held out", "ours")):
        chosen = [row for row in rows if row["set"] in kinds]
        scores_of = np.concatenate([row["scores"] for row in chosen])
        leaks = np.concatenate([np.full(len(row["scores"]), row["leaks"]) for row in chosen])
        print(f"AUROC, {' and '.join(kinds)}: {auroc(scores_of, leaks):.3f}")
    (given.out / "audit_bench.json").write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
