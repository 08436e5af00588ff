"""How well the audit tells a hidden face from a removed one: a labelled set made by script.

    faceblind volunteers COHORT -n 84 --seed 7
    python bench/audit.py OUT --cohort COHORT [-n 84] [--spacing 1.5] [--jobs 2]

Hides the faces of synthetic volunteers in every way of `manipulations.METHODS` and by faceblind
itself, audits each scan as a user would, from its file, and, as the truth, searches some of each
method among all originals: a method leaks where more people are found at rank 1 than chance
explains (exact binomial test at 1 %, times the variants searched). The area under the ROC curve
is that of the audit's score over single scans against their method's truth. Which methods
thresholds may be chosen on and which are held out is declared in `manipulations.METHODS`.

Everybody is audited intact; each other method gets the people of its turn (`PEOPLE`). Findings are
kept per scan in OUT/results; a second run goes on where the first ended, and judges all anew.
``--record`` keeps the table for the documentation.
"""

from __future__ import annotations

import argparse
import json
import pickle
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binom

import evidence
from evidence import Table
from faceblind.attacks.examine import Examined, examine
from faceblind.attacks.findings import Findings
from faceblind.attacks.replaced_face import shared_faces
from faceblind.attacks.verdict import judge
from faceblind.datasets.bids import choose_face_scans
from faceblind.datasets.census import find_scans
from faceblind.errors import FaceblindError
from faceblind.formats import load
from faceblind.formats.nifti import save
from faceblind.geometry.grid import from_scan, regrid
from faceblind.identification.metrics import expected_ranks, mate_indices
from faceblind.identification.ranking import VARIANTS
from faceblind.identification.scan_match import ScanFeatures, link_scores
from faceblind.protect.deface import deface
from faceblind.protect.reface import reface
from faceblind.recognition.registry import DEFAULT_RECOGNISER, get_recogniser
from faceblind.scan import Scan
from faceblind.system.workers import run_many
from feature_files import keep, kept
from manipulations import METHODS, Average, average_of, companion, prepare

OURS = {"our deface": deface, "our reface": reface}
COMPANION = "forgotten companion"
NAMES = [*(method.name for method in METHODS), COMPANION, *OURS]
TUNING = {method.name for method in METHODS if method.tuning}
BEYOND = {"dimmed", "unknown face"}
"""Hard by design: a face is shown, whose the audit cannot say without the original, and it scores
high. The area is given without them, too."""
PEOPLE = {
    "intact": 84, "our deface": 28, "our reface": 28,
    "hug 2 mm": 14, "hug 4 mm": 14, "hug 6 mm": 14,
}  # fmt: skip
"""People per method; `OTHERS` for the rest."""
OTHERS = 10
SEARCHED = 10
"""People of each method that are searched among the originals."""
LEAK = 0.01
"""Chance of as many hits by accident below which a method leaks."""
STRANGERS = 16
"""The last people of the cohort, whose average is pasted over the faces of others."""


def turns(count: int) -> dict[str, list[int]]:
    """Which of `count` people each method is tried on, evenly spread."""
    found = {}
    for place, name in enumerate(NAMES):
        wanted = max(1, round(PEOPLE.get(name, OTHERS) * count / 84))
        if count < OTHERS:
            wanted = count
        usable = count - STRANGERS if name == "unknown face" and count > STRANGERS else count
        step = usable / min(wanted, usable)
        # Each method starts elsewhere, so that everybody gets about as many.
        chosen = {int(place * 3 + k * step) % usable for k in range(min(wanted, usable))}
        found[name] = sorted(chosen)
    return found


def coarser(scan: Scan, spacing: float) -> Scan:
    """The scan on voxels of `spacing` mm."""
    grid = regrid(from_scan(scan), np.full(3, spacing))
    return Scan(grid.values, grid.affine, scan.modality)


@dataclass(frozen=True)
class Record:
    """What the audit found in one scan of a session.

    Parameters
    ----------
    suffix : str
    findings : Findings or None
        None where no head was found.
    error : str
    outline : (N, 3) ndarray or None
        See `faceblind.attacks.replaced_face.outline`.
    seconds : float
        Of processor time.
    """

    suffix: str
    findings: Findings | None
    error: str
    outline: np.ndarray | None
    seconds: float


def one_person(index: int, paths: list[Path], out: Path, spacing: float, stranger: Average) -> None:
    """Hide one face in every way of its turn, and audit each."""
    person = paths[index].name.split("_")[0]
    plan = turns(len(paths))
    todo = [n for n in NAMES if index in plan[n] and not result_of(out, n, person).exists()]
    if not todo:
        return
    scan = coarser(load(paths[index]), spacing)
    subject, _ = prepare(scan, index, stranger)
    for name in todo:
        searched = name == "intact" or index in plan[name][:: max(1, len(plan[name]) // SEARCHED)]
        records: list[Record] = []
        features: dict[str, ScanFeatures] = {}
        for suffix, one in hidden(name, scan, subject).items():
            folder = out / "scans" / f"{name.replace(' ', '_')}_{person}"
            file = folder / f"{person}_{suffix}.nii.gz"
            file.parent.mkdir(parents=True, exist_ok=True)
            save(one, file)
            begun = time.process_time()
            found = look(file, DEFAULT_RECOGNISER if searched else None)
            seconds = time.process_time() - begun
            if isinstance(found, Examined):
                records.append(Record(suffix, found.findings, "", found.outline, seconds))
                features |= found.features
            else:
                records.append(Record(suffix, None, str(found), None, seconds))
            file.unlink()
        target = result_of(out, name, person)
        target.parent.mkdir(parents=True, exist_ok=True)
        if searched:
            keep(target.with_suffix(".npz"), features)
        target.write_bytes(pickle.dumps(records))


def hidden(name: str, scan: Scan, subject: Any) -> dict[str, Scan]:
    """The scans of a session after `name`, by suffix."""
    if name in OURS:
        return {"T1w": OURS[name](scan).scan}
    if name == COMPANION:
        return {"T1w": deface(scan).scan, "T2w": companion(subject)}
    return {"T1w": next(m for m in METHODS if m.name == name).apply(subject)}


def look(path: Path, recogniser: str | None) -> Examined | FaceblindError:
    """All attacks on one file."""
    try:
        return examine(path, None, recogniser)
    except FaceblindError as error:
        return error


def judged(records: Sequence[Record], shared: bool) -> tuple[str, float, list[str]]:
    """Status, score and reasons of a session; its worst scan counts.

    `shared` tells that its face is also another person's.
    """
    order = ("pass", "unsure", "fail")
    status, score, reasons = "pass", 0.0, []
    for record in records:
        if record.findings is None:
            # A head that cannot be found counts as undecided: half a face.
            status, score = max(status, "unsure", key=order.index), max(score, 0.5)
            reasons.append(f"{record.suffix}: {record.error}")
            continue
        found = replace(
            record.findings, replaced_by_other=record.findings.replaced_by_other or shared
        )
        verdict = judge("", found)
        status = max(status, verdict.status, key=order.index)
        score = max(score, found.score)
        reasons += [f"{record.suffix}: {reason}" for reason in map(str, verdict.reasons)]
    return status, score, reasons


def together(out: Path, name: str) -> list[tuple[str, float, list[str]]]:
    """The verdicts on all scans of one method, which a user would audit in one folder."""
    files = sorted((out / "results" / name.replace(" ", "_")).glob("*.pkl"))
    found = {file.stem: pickle.loads(file.read_bytes()) for file in files}  # noqa: S301
    outlines = {
        f"{person} {record.suffix}": record.outline
        for person, records in found.items()
        for record in records
        if record.outline is not None
    }
    same = shared_faces(outlines, {key: key.split()[0] for key in outlines})
    return [
        judged(records, any(f"{person} {r.suffix}" in same for r in records))
        for person, records in found.items()
    ]


def result_of(out: Path, name: str, person: str) -> Path:
    """Where the result of one method on one person lies."""
    return out / "results" / name.replace(" ", "_") / f"{person}.pkl"


def hits(out: Path, name: str, originals: dict[str, ScanFeatures]) -> tuple[int, int, float]:
    """People at rank 1 in the worst variant, how many were searched, and the chance of that."""
    files = sorted((out / "results" / name.replace(" ", "_")).glob("*.npz"))
    found = {file.stem: kept(file) for file in files}
    identity = get_recogniser().identity
    counts = []
    for variant in VARIANTS:
        side = {p: e.get(variant, e["completed"]) for p, e in found.items() if "completed" in e}
        if len(side) < 2 or not any(variant in e for e in found.values()):
            continue
        scores = link_scores(side, originals, identity)
        mates = mate_indices(scores.probe_persons, scores.gallery_persons)
        counts.append(int((expected_ranks(scores.values, mates) == 1).sum()))
    worst = max(counts, default=0)
    by_chance = float(binom.sf(worst - 1, len(files), 1 / max(len(originals), 1)))
    return worst, len(files), min(1.0, by_chance * len(counts)) if counts else 1.0


def auroc(scores: np.ndarray, leaks: np.ndarray) -> float:
    """Probability that a leaking scan scores above one that does not; ties count half."""
    bad, good = scores[leaks], scores[~leaks]
    if not len(bad) or not len(good):
        return float("nan")
    above = (bad[:, None] > good[None]).mean()
    return float(above + 0.5 * (bad[:, None] == good[None]).mean())


def print_area(name: str, rows: list[dict[str, Any]]) -> tuple[str, str]:
    """Print the area under the curve of some methods, and give the row of the record."""
    if not rows:
        return name, "-"
    scores = np.concatenate([row["scores"] for row in rows])
    truth = np.concatenate([np.full(len(row["scores"]), row["leaks"]) for row in rows])
    area = f"{auroc(scores, truth):.3f}"
    print(f"AUROC, {name}: {area}")
    return name, area


def report(out: Path) -> tuple[Table, Table]:
    """Print the table and the areas under the curve; write them to OUT/audit_bench.json.

    Returns
    -------
    tuple of Table
        Both, for the record.
    """
    originals = {}
    for file in sorted((out / "results" / "intact").glob("*.npz")):
        found = kept(file)
        if "completed" in found:
            originals[file.stem] = found["completed"]
    rows: list[dict[str, Any]] = []
    print(f"{'method':16} {'set':8} pass fail unsure  score (mean, least, most)  rank 1")
    for name in NAMES:
        verdicts = together(out, name)
        if not verdicts:
            continue
        scores = [score for _, score, _ in verdicts]
        status = [one for one, *_ in verdicts]
        kind = "ours" if name in OURS else "tuning" if name in TUNING else "held out"
        right, count, chance = hits(out, name, originals)
        counts = {s: status.count(s) for s in ("pass", "fail", "unsure")}
        reasons = [reasons for *_, reasons in verdicts]
        row = {"method": name, "set": kind, "scores": scores, "rank1": right, "of": count}
        rows.append({**row, "leaks": chance < LEAK, "reasons": reasons, **counts})
        print(
            f"{name:16} {kind:8} {counts['pass']:4} {counts['fail']:4} {counts['unsure']:6} "
            f"{np.mean(scores):6.2f} {min(scores):5.2f} {max(scores):5.2f}  {right:g} of {count}"
            f"{' leaks' if chance < LEAK else ''}"
        )
    areas = [
        print_area(" and ".join(kinds), [row for row in rows if row["set"] in kinds])
        for kinds in (
            ("tuning",),
            ("held out",),
            ("held out", "ours"),
            ("tuning", "held out", "ours"),
        )
    ]
    named = [row for row in rows if row["method"] not in BEYOND]
    areas.append(print_area(f"all but {' and '.join(sorted(BEYOND))}", named))
    (out / "audit_bench.json").write_text(json.dumps(rows, indent=1))
    caption = "Area under the ROC curve of the score over single scans; aim: 0.98."
    return counted(rows), Table(caption, ("scans", "area"), tuple(areas))


def counted(rows: list[dict[str, Any]]) -> Table:
    """Verdicts, scores and truth of each method, for the record."""
    cells = tuple(
        (
            row["method"], row["set"], f"{row['pass']}, {row['fail']}, {row['unsure']}",
            f"{np.mean(row['scores']):.2f}, {min(row['scores']):.2f}, {max(row['scores']):.2f}",
            f"{row['rank1']:g} of {row['of']}", "yes" if row["leaks"] else "no",
        )
        for row in rows
    )  # fmt: skip
    caption = (
        "Each scan audited from its file without its original. A method leaks where more people "
        "are found at rank 1 among all intact originals than chance explains."
    )
    head = ("method", "set", "pass, fail, unsure", "score: mean, least, most", "rank 1", "a leak")
    return Table(caption, head, cells)


def main() -> None:
    """Make, audit, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--cohort", type=Path, required=True, help="a folder of volunteers")
    parser.add_argument("-n", type=int, default=84)
    parser.add_argument("--spacing", type=float, default=1.5)
    parser.add_argument("--jobs", type=int, default=-1)
    evidence.add_option(parser)
    given = parser.parse_args()
    everybody = [file.path for file in choose_face_scans(find_scans(given.cohort / "scans"))]
    given.out.mkdir(parents=True, exist_ok=True)
    average = given.out / "stranger.npy"
    if not average.exists():
        np.save(average, average_of([load(p) for p in everybody[-STRANGERS:]]).values)
    work = partial(
        one_person, paths=everybody[: given.n], out=given.out, spacing=given.spacing,
        stranger=Average(np.load(average)),
    )  # fmt: skip
    for outcome in run_many(work, range(given.n), n_jobs=given.jobs, label="People"):
        if not outcome.ok:
            print("not made:", everybody[int(outcome.item)].name, outcome.error)
    tables = report(given.out)
    if given.record:
        seed = json.loads((given.cohort / "cohort.json").read_text())["seed"]
        question = "How well does the audit tell a hidden face from a removed one?"
        about = ("audit", "The labelled set", "audit", question, "bench/audit.py")
        evidence.write(evidence.Record(*about, evidence.command(), (seed,), True, tables))


if __name__ == "__main__":
    main()
