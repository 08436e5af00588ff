"""Are two protected scans of one person linked to one another?

    python bench/protected_links.py FOLDER [-n 24] [--seed 11] [--preset plain]

Makes people's T1w and FLAIR of one visit, protects both by both methods, and searches each FLAIR
among the T1w scans: both intact, both protected, and protected among intact. The floor is the same
with everything in front of the ears taken off: what back of the head and field of view tell.

FOLDER keeps the people and what was found of each; give another folder for other code. ``--record``
keeps the figures for the documentation.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import faceblind
import protect_measures as measures
from evidence import Cell, Record, Table, add_option, command, write
from faceblind.errors import FaceblindError
from faceblind.face.pipeline import reconstruct_head
from faceblind.face.reconstruction import Variant
from faceblind.head.session import heads_of_session
from faceblind.head.whole_head import Head
from faceblind.identification.result import evaluate
from faceblind.identification.scan_match import (
    LinkMatching,
    ScanFeatures,
    features_of_head,
    link_scores,
)
from faceblind.protect.deface import deface
from faceblind.protect.reface import reface
from faceblind.recognition.registry import DEFAULT_RECOGNISER, get_recogniser
from faceblind.scan import Scan
from feature_files import keep, kept

SERIES = ("T1w", "FLAIR")
STATES = ("intact", "defaced", "refaced", "no front")
PAIRS = (
    ("intact", "intact"),
    ("defaced", "defaced"),
    ("refaced", "refaced"),
    ("no front", "no front"),
    ("defaced", "intact"),
    ("refaced", "intact"),
    ("no front", "intact"),
)
"""What is searched for, and among what."""
VARIANTS: tuple[Variant, ...] = ("completed", "as-is")
MATCHINGS: tuple[LinkMatching, ...] = ("centred", "nearest", "fused")
NOTES = (
    "FLAIR searched among T1w: rank 1 of those who could be searched, of those on both sides; by "
    "chance one. The mean rank is a share of the gallery, 0.5 by chance.",
    "'No front' is the floor: defaced, and all in front of the ears removed. It keeps less of the "
    "forehead's skull than protection must keep, so that protected scans may lie above it.",
)
Found = Mapping[tuple[str, str], dict[str, ScanFeatures]]
"""By person and series, features by variant."""


def in_state(scan: Scan, head: Head, state: str) -> Scan:
    """A scan as it is, protected, or without a front."""
    if state == "intact":
        return scan
    if state == "refaced":
        return reface(scan, head=head).scan
    done = deface(scan, head=head)
    return done.scan if state == "defaced" else measures.behind_ears(done)


def describe(paths: tuple[Path, ...], folder: Path, person: str) -> None:
    """Keep what is searched of one person's scans in every state; an empty file where nothing."""
    missing = [
        (state, place)
        for state in STATES
        for place, series in enumerate(SERIES)
        if not kept_at(folder, state, person, series).is_file()
    ]
    if not missing:
        return
    scans = [faceblind.load(path) for path in paths]
    heads = heads_of_session(scans)
    for state, place in missing:
        file, head = kept_at(folder, state, person, SERIES[place]), heads[place]
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            if isinstance(head, FaceblindError):
                raise head
            shown = reconstruct_head(in_state(scans[place], head, state))
            keep(
                file, {name: features_of_head(shown, DEFAULT_RECOGNISER, name) for name in VARIANTS}
            )
        except FaceblindError as error:
            print(f"{person} {SERIES[place]}, {state}: {error}", flush=True)
            file.touch()


def kept_at(folder: Path, state: str, person: str, series: str) -> Path:
    """The file of features."""
    return folder / "private" / "links" / state / f"{person}_{series}.npz"


def of_state(folder: Path, state: str, people: list[str]) -> Found:
    """What was kept of all who could be described."""
    files = {(p, s): kept_at(folder, state, p, s) for p in people for s in SERIES}
    return {key: kept(file) for key, file in files.items() if file.stat().st_size}


def linked(
    probes: Found, gallery: Found, names: tuple[str, str], people: int
) -> list[tuple[Cell, ...]]:
    """Rows of the table: one for each face and matching."""
    rows: list[tuple[Cell, ...]] = []
    for variant in VARIANTS:
        sides = [
            {p: one[variant] for (p, s), one in side.items() if s == series}
            for side, series in ((probes, "FLAIR"), (gallery, "T1w"))
        ]
        both = sides[0].keys() & sides[1].keys()
        if len(both) < 2:
            continue
        for matching in MATCHINGS:
            scores = link_scores(
                {p: sides[0][p] for p in sorted(both)},
                sides[1],
                get_recogniser().identity,
                matching,
            )
            found, rank = evaluate(scores), measures.mean_rank(scores)
            hits = (int(found.rank1.hits), int(found.rank5.hits))
            rows.append((*names, variant, matching, *hits, len(both), people, f"{rank:.2f}"))
    return rows


def main() -> None:
    """Run as a script."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("-n", type=int, default=24)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--preset", default="plain")
    add_option(parser)
    chosen = parser.parse_args()
    people = chosen.folder / "people"
    if not (people / "cohort.json").is_file():
        faceblind.make_volunteers(
            people, chosen.n, chosen.seed, 1, preset=chosen.preset, protocols=SERIES
        )
    names = sorted(path.name for path in (people / "scans").glob("sub-*"))[: chosen.n]
    for name in names:
        paths = tuple(people / "scans" / name / "anat" / f"{name}_{s}.nii.gz" for s in SERIES)
        describe(paths, chosen.folder, name)
    states = {state: of_state(chosen.folder, state, names) for state in STATES}
    head = ("FLAIR", "among T1w", "face", "matching", "rank 1", "within 5", "searched", "people",
            "mean rank")  # fmt: skip
    rows = [
        row
        for first, second in PAIRS
        for row in linked(states[first], states[second], (first, second), len(names))
    ]
    for row in (head, *rows):
        print("|", " | ".join(map(str, row)), "|")
    if chosen.record:
        caption = f"{len(names)} people, seed {chosen.seed}, preset {chosen.preset}."
        table = Table(caption, head, tuple(rows))
        question = "Are two protected scans of one person linked to one another?"
        about = ("protected-links", "Two protected scans of one person", "linking", question)
        write(Record(*about, "bench/protected_links.py", command(), (chosen.seed,), True, (table,),
                     NOTES))  # fmt: skip


if __name__ == "__main__":
    main()
