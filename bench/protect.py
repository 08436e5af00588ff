"""What protection costs, what it leaves of the face, and whether it spares the brain.

``python bench/protect.py VERB ...`` with a verb of

- ``speed SCAN...``: times both methods and every other tool on the search path;
- ``sessions FOLDER [-n 60]``: protects sessions of synthetic people in every contrast, tilted and
  cut, and counts changed voxels of the true brain;
- ``recognition FOLDER [-n 84]``: makes volunteers and counts who is still found by photographs or
  linked to the own original scan; and, as the floor, who is when all in front of the ears is gone;
- ``boundary FOLDER [-n 84]``: the same for nothing but the surface where original voxels end: in
  the average head, cut by everybody's own numbers; and in the own head once the fill, and more
  below it, is taken off;
- ``detector FOLDER [-n 84]``: looks for faces in the pictures of defaced volunteers, and for skin
  that was left;
- ``brain SCAN...``: counts changed voxels in a brain mask by deepbet or SynthStrip;
- ``downstream SCAN...``: compares brain mask, tissues and registration before and after.

What was done before is not done again: FOLDER keeps it. ``--record`` keeps the figures for the
documentation, see `evidence`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

import faceblind
import protect_measures as measures
from evidence import Cell, Record, Table, add_option, command, write
from faceblind.face.pipeline import reconstruct_head
from faceblind.identification.embeddings import Embeddings
from faceblind.identification.match import Matching, match
from faceblind.identification.result import evaluate
from faceblind.identification.scan_match import (
    LinkMatching,
    ScanFeatures,
    features_of_head,
    link_scores,
)
from faceblind.recognition.registry import DEFAULT_RECOGNISER, get_recogniser
from faceblind.scan import Scan
from faceblind.system.cache import Cache
from faceblind.system.workers import run_many
from faceblind.workflows.benchmark import own_methods
from faceblind.workflows.features import FeatureSettings, photo_embeddings
from faceblind.workflows.peers import Peer, find_peers
from feature_files import keep, kept

METHODS = ("deface", "reface")
RECORDS = {
    "speed": ("protect-speed", "Protection beside other tools", "cost",
              "What does protection cost, beside other tools on the same machine?"),
    "sessions": ("protect-sessions", "The brain in sessions", "protection",
                 "Does protection alter the brain in sessions of any contrast?"),
    "recognition": ("protect-recognition", "Who is still found", "protection",
                    "How many people are found by photographs, or linked to their own original, "
                    "after protection?"),
    "boundary": ("protect-boundary", "What the boundary tells", "protection",
                 "Does the surface where original voxels end tell whose head it is?"),
    "detector": ("protect-skin", "Skin that is left", "protection",
                 "How much of the original skin does `deface` leave?"),
    "brain": ("protect-brain", "The brain", "protection", "Does protection alter the brain?"),
    "downstream": ("protect-downstream", "Downstream", "protection",
                   "Does protection change later processing?"),
}  # fmt: skip
"""Name, title, topic and question of what each verb records."""
IN_SILICO = ("sessions", "recognition", "boundary", "detector")
Rows = list[tuple[Cell, ...]]
VARIANTS = ("completed", "as-is")
PEELED_MM = (0.0, 4.0)
MATCHINGS: tuple[tuple[Matching, LinkMatching], ...] = (
    ("adapted", "fused"), ("centred", "centred"), ("nearest", "nearest"),
)  # fmt: skip
"""For photographs, and for scans among originals; the default attack first."""


def table(caption: str, head: str, rows: Rows) -> Table:
    """A table of the record, its columns named as in the line that was printed."""
    return Table(caption, cells(head), tuple(rows))


def cells(row: str) -> tuple[str, ...]:
    """The cells of a line that was printed."""
    return tuple(
        cell.strip() for cell in row.strip().removeprefix("|").removesuffix("|").split("|")
    )


def speed(scans: list[Path], runs: int) -> list[Table]:
    """Print one row for each scan and tool; the first run of each is not counted."""
    head = "| scan | tool | wall s | CPU s | peak MB |"
    found: Rows = []
    print(f"{head}\n| --- | --- | --- | --- | --- |")
    tools = (*own_methods(), *find_peers()[0])
    for scan in scans:
        with tempfile.TemporaryDirectory() as folder:
            brain = measures.write_brain(scan, Path(folder) / "brain.nii.gz")
            for tool in tools:
                costs = several(tool, scan, brain, Path(folder), runs)
                told = "failed | |" if costs is None else "{:.1f} | {:.1f} | {:.0f}".format(*costs)
                row = f"| {scan.name} | {tool.name} | {told} |"
                print(row, flush=True)
                if costs is not None:
                    found.append(cells(row))
    return [table(f"Whole process, median of {runs} after a first.", head, found)]


def several(
    tool: Peer, scan: Path, brain: Path, folder: Path, runs: int
) -> tuple[float, ...] | None:
    """Medians of wall seconds, processor seconds and peak MB; None if a run failed."""
    rows = []
    for k in range(runs + 1):
        target = folder / f"{k}.nii.gz"
        done = tool.run(scan, target, brain)
        target.unlink(missing_ok=True)
        if done.failure:
            return None
        rows.append((done.wall_s, done.cpu_s or np.nan, done.peak_mb or np.nan))
    return tuple(float(value) for value in np.median(rows[1:], axis=0))


def sessions(folder: Path, n: int, seed: int) -> list[Table]:
    """Protect sessions in memory; one line each in ``sessions.jsonl``."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "sessions.jsonl"
    rows = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    known = {(row["seed"], row["index"]) for row in rows}
    for index in range(n):
        if (seed, index) in known:
            continue
        new = measures.protect_one_session(seed, index)
        with log.open("a") as file:
            file.writelines(json.dumps(row) + "\n" for row in new)
        rows += new
    rows = [row for row in rows if row["seed"] == seed and row["index"] < n]
    done = [row for row in rows if not row["error"]]
    print(f"{len({row['index'] for row in rows})} sessions, {len(rows)} protected or refused")
    print(f"refused: {len(rows) - len(done)}")
    print(f"changed voxels of the true brain: {sum(row['harm'] for row in done)}", end=" ")
    print(f"in {sum(row['harm'] > 0 for row in done)} of {len(done)}")
    counted: Rows = []
    for name in sorted({row["protocol"] for row in rows}):
        mine = [row for row in rows if row["protocol"] == name]
        refused = sum(bool(row["error"]) for row in mine)
        harm = sum(r["harm"] for r in mine)
        counted.append((name, len(mine), refused, harm))
        print(f"  {name}: {len(mine)}, refused {refused}, harm {harm}")
    head = "| contrast | protected or refused | refused | changed voxels of the brain |"
    return [table(f"{n} sessions of two series, both methods; aim: 0 changed.", head, counted)]


def volunteers(folder: Path, n: int, seed: int, jobs: int) -> Path:
    """Synthetic people in ``FOLDER/people``, and their scans protected by both methods."""
    people = folder / "people"
    if not (people / "cohort.json").is_file():
        faceblind.make_volunteers(people, n=n, seed=seed, n_jobs=jobs)
    for method in METHODS:
        out = folder / method
        if (out / ".done").is_file():
            continue
        shutil.rmtree(out, ignore_errors=True)
        start = time.perf_counter()
        settings = faceblind.ProtectionSettings(method)
        done = faceblind.protect_folder(people / "scans", out, settings, n_jobs=jobs)
        seconds = (time.perf_counter() - start) / len(done)
        failed = [result.error for result in done if result.error]
        harm = [
            measures.changed_brain(r.source, r.target, measures.truth_of(people, r.source))
            for r in done
            if r.target
        ]
        print(f"{method}: {len(done) - len(failed)} of {len(done)}, {seconds:.1f} s each,", end=" ")
        print(f"brain voxels changed {sum(harm)}", *failed, sep="\n  ", flush=True)
        (out / ".done").touch()
    return people


def recognition(folder: Path, n: int, seed: int, jobs: int) -> list[Table]:
    """Print who is found, by method, face and matching."""
    people = volunteers(folder, n, seed, jobs)
    store = folder / "private" / "likeness"
    shown = {
        method: features(root, store / method, jobs)
        for method, root in (
            ("intact", people / "scans"),
            *((method, folder / method) for method in METHODS),
        )
    }
    shown["no front"] = features(people / "scans", store / "no-front", jobs, measures.without_front)
    return print_found(shown, shown["intact"]["completed"], photographs(folder, people, jobs))


def boundary(folder: Path, n: int, seed: int, jobs: int) -> list[Table]:
    """Print who is found by the boundary of what `deface` takes."""
    people = volunteers(folder, n, seed, jobs)
    store = folder / "private" / "likeness"
    originals = features(people / "scans", store / "intact", jobs)["completed"]
    alone = features(people / "scans", store / "cut-alone", jobs, measures.cut_alone)
    shown = {"cut alone": alone} | {
        f"boundary, {peel:g} mm peeled": features(
            people / "scans", store / f"boundary-{peel:g}", jobs,
            partial(measures.boundary, peel_mm=peel),
        )
        for peel in PEELED_MM
    }  # fmt: skip
    return print_found(shown, originals, photographs(folder, people, jobs))


def photographs(folder: Path, people: Path, jobs: int) -> Embeddings:
    """The embeddings of everybody's photographs."""
    cache = folder / "private" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    work = partial(_photo, cache=cache)
    pictures = run_many(work, sorted((people / "photos").glob("*.jpg")), n_jobs=jobs)
    vectors: dict[str, list[np.ndarray]] = {}
    for picture in pictures:
        if picture.value is not None:
            vectors.setdefault(measures.person_of(picture.item), []).append(picture.value)
    together = {person: np.concatenate(parts) for person, parts in vectors.items()}
    return Embeddings.of_people(together, "photograph", get_recogniser().identity)


def print_found(
    shown: dict[str, dict[str, dict[str, ScanFeatures]]],
    originals: dict[str, ScanFeatures],
    photos: Embeddings,
) -> list[Table]:
    """A table of the people found, by method, face and matching."""
    head = (
        "| method | face | matching | photo-to-scan 1, 5 | to own original 1, 5 | mean rank | of |"
    )
    found_by: Rows = []
    print(head)
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for method, variants in shown.items():
        for variant, people_shown in variants.items():
            renders = {person: one.vectors for person, one in people_shown.items()}
            scans = Embeddings.of_people(renders, "render", photos.recogniser)
            for by_photo, matching in MATCHINGS:
                found = measures.hits(evaluate(match(photos, scans, by_photo)))
                linked = link_scores(people_shown, originals, photos.recogniser, matching)
                hits, mean = measures.hits(evaluate(linked)), measures.mean_rank(linked)
                row = (
                    method,
                    variant,
                    f"{by_photo}, {matching}",
                    found,
                    hits,
                    f"{mean:.2f}",
                    len(people_shown),
                )
                print("|", " | ".join(map(str, row)), "|", flush=True)
                found_by.append(row)
    caption = "Hits at rank 1 and within rank 5, and mean rank among originals (0.5 by chance)."
    return [table(caption, head, found_by)]


def _photo(path: Path, cache: Path) -> np.ndarray:
    return photo_embeddings(path, FeatureSettings(), Cache(cache)).vectors


def _likeness(path: Path, folder: Path, read: Callable[[Path], Scan]) -> dict[str, ScanFeatures]:
    """The completed and the as-is face; kept from run to run."""
    file = folder / DEFAULT_RECOGNISER / f"{path.name}.npz"
    if not file.is_file():
        head = reconstruct_head(read(path))
        keep(
            file,
            {variant: features_of_head(head, DEFAULT_RECOGNISER, variant) for variant in VARIANTS},
        )
    return kept(file)


def features(
    root: Path, folder: Path, jobs: int, read: Callable[[Path], Scan] = faceblind.load
) -> dict[str, dict[str, ScanFeatures]]:
    """By variant and person; scans in which no head is found are left out."""
    (folder / DEFAULT_RECOGNISER).mkdir(parents=True, exist_ok=True)
    work = partial(_likeness, folder=folder, read=read)
    done = run_many(work, sorted(root.rglob("*_T1w.nii.gz")), n_jobs=jobs, show_progress=False)
    found = {measures.person_of(d.item): d.value for d in done if d.value is not None}
    return {name: {person: one[name] for person, one in found.items()} for name in VARIANTS}


def detector(folder: Path, n: int, seed: int, jobs: int) -> list[Table]:
    """Print faces found in the pictures of defaced volunteers, and skin left."""
    people = volunteers(folder, n, seed, jobs)
    log = folder / "detector.json"
    known = json.loads(log.read_text()) if log.is_file() else {}
    for scan in sorted((folder / "deface").rglob("*_T1w.nii.gz")):
        person = measures.person_of(scan)
        if person not in known:
            original = people / "scans" / scan.relative_to(folder / "deface")
            known[person] = [measures.faces_found(scan), measures.skin_left(original)]
            log.write_text(json.dumps(known))
    faces = [row[0] for row in known.values()]
    print(f"defaced scans with a face in any of 81 pictures: {np.count_nonzero(faces)}", end=" ")
    print(f"of {len(faces)}; pictures with a face: {sum(faces)}")
    rows: Rows = [("pictures (of 81) with a face, all scans", "", int(sum(faces)))]
    for region in next(iter(known.values()))[1]:
        areas = np.array([row[1][region] for row in known.values()])
        print(f"  {region}: skin left, mm2: median {np.median(areas):.0f}, most {areas.max():.0f}")
        rows.append((region, f"{np.median(areas):.0f}", f"{areas.max():.0f}"))
    return [table(f"mm² of skin left in {len(faces)} defaced scans.", "| | median | most |", rows)]


def brain(scans: list[Path], tool: str) -> list[Table]:
    """Print changed voxels of an independent brain mask, and how near it the region comes."""
    head = "| scan | brain ml | deface: changed | nearest mm | reface: changed | nearest mm |"
    rows: Rows = []
    print(head)
    print("| --- | --- | --- | --- | --- | --- |")
    for path in scans:
        row = f"| {path.name} | {measures.spared_brain(path, tool)} |"
        print(row, flush=True)
        rows.append(cells(row))
    return [table(f"Brain masks by {tool}.", head, rows)]


def downstream(scans: list[Path], tool: str) -> list[Table]:
    """Print Dice, volume change and registration shift for each scan and method.

    The rows "padded" show how well the tool repeats itself.
    """
    head = "| scan | method | brain mask | CSF, grey, white Dice | volume change % | shift mm |"
    rows: Rows = []
    print(head)
    print("| --- | --- | --- | --- | --- | --- |")
    for path in scans:
        for method in (*METHODS, "padded"):
            row = f"| {path.name} | {method} | {measures.compare_downstream(path, method, tool)} |"
            print(row, flush=True)
            rows.append(cells(row))
    caption = f"Before against after, brain masks by {tool}; aims: Dice 0.995, 0.5 %, 0.3 mm."
    return [table(caption, head, rows)]


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for name in ("speed", "brain", "downstream"):
        verbs.add_parser(name).add_argument("scans", nargs="+", type=Path)
        if name != "speed":
            verbs.choices[name].add_argument("--tool", default="deepbet", help="or radveil")
    verbs.choices["speed"].add_argument("--runs", type=int, default=3)
    for name, count in (
        ("sessions", 60),
        ("recognition", 84),
        ("boundary", 84),
        ("detector", 84),
    ):
        many = verbs.add_parser(name)
        many.add_argument("folder", type=Path)
        many.add_argument("-n", type=int, default=count)
        many.add_argument("--seed", type=int, default=7)
        many.add_argument("--jobs", type=int, default=2)
    for verb in verbs.choices.values():
        add_option(verb)
    chosen = parser.parse_args()
    if chosen.verb == "speed":
        tables = speed(chosen.scans, chosen.runs)
    elif chosen.verb == "downstream":
        tables = downstream(chosen.scans, chosen.tool)
    elif chosen.verb == "brain":
        tables = brain(chosen.scans, chosen.tool)
    elif chosen.verb == "sessions":
        tables = sessions(chosen.folder, chosen.n, chosen.seed)
    else:
        run = {"recognition": recognition, "boundary": boundary, "detector": detector}
        tables = run[chosen.verb](chosen.folder, chosen.n, chosen.seed, chosen.jobs)
    if chosen.record:
        silico = chosen.verb in IN_SILICO
        seeds = (chosen.seed,) if silico else ()
        where = ("bench/protect.py", command(), seeds, silico, tuple(tables))
        write(Record(*RECORDS[chosen.verb], *where))


if __name__ == "__main__":
    main()
