"""What still tells whose refaced head it is, part by part, and the floor beside it.

    python bench/protect_parts.py FOLDER [-n 84] [--seed 7801] [--preset article]

Makes people as `bench/protect.py recognition` does, refaces their scans, and searches for their
photographs among faces completed from what is there (the default attack). Completed faces have
the same vertices in everybody, so that parts of them can be exchanged for everybody's mean: shown
is what a part tells by itself. The floor is the same search with no new face at all: the face is
guessed from the skin that stays, and from the skin behind the ears alone.

FOLDER keeps 6 MB for each person; give another folder for other code. 20 CPU seconds for each
person, and a quarter of one for each in each of nine rows. ``--record`` keeps the figures for the
documentation.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

import protect_measures as measures
from evidence import Cell, Record, Table, add_option, command, write
from faceblind.errors import AlignmentError, FaceblindError
from faceblind.face.cameras import DEFAULT_CAMERAS
from faceblind.face.pipeline import reconstruct_head, render_list
from faceblind.face.reconstruction import FIVE_LANDMARKS, Face, reconstruct
from faceblind.face.render import render
from faceblind.geometry.mesh import checked_normals, crop
from faceblind.geometry.subdivision import subdivision
from faceblind.head.alignment import align_by_scalp
from faceblind.head.skin import Skin
from faceblind.head.template import load_template
from faceblind.head.whole_head import Head, find_whole_head
from faceblind.identification.embeddings import Embeddings
from faceblind.identification.intervals import wilson_interval
from faceblind.identification.match import match
from faceblind.identification.metrics import expected_ranks, mate_indices, rank_hits
from faceblind.identification.recipe import lights_of
from faceblind.protect.protected_scan import ProtectedScan
from faceblind.protect.reface import reface
from faceblind.protect.tissue_model import at_places
from faceblind.recognition.registry import DEFAULT_RECOGNISER, get_recogniser
from faceblind.scan import Scan
from faceblind.system.files import atomic_path
from faceblind.system.workers import run_many
from mesh_parts import PARTS, Floats, in_common_frame, weights_of, with_own

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
from fit_adaptation import Volunteer, photograph_crops, scan_of

CAMERAS = DEFAULT_CAMERAS[:3]
"""The level ones. Of 84 people they find after `reface` and `deface` as many as all nine do, to one
or two, in a third of the time."""
STATES = ("reface", "what stays", "behind the ears")
NAMES = {
    "reface": "`reface`",
    "what stays": "floor: guessed from all skin that stays",
    "behind the ears": "floor: guessed from the skin behind the ears",
}
GUESSED = STATES[1:]
"""Floors: the face is guessed from these parts of the skin."""
SHOWN: dict[str, tuple[str, ...]] = {
    "all that stays, everybody's new face": ("forehead", "back", "neck"),
    "new face and the searcher's pose": ("face", "marks", "pose"),
    "rim of the new face": ("rim",),
    "forehead and vault": ("forehead",),
    "temples, ears and back": ("back", "ears"),
    "neck": ("neck",),
}
"""What is the person's own in a row; all the rest is everybody's mean."""
NOTES = (
    "Photographs are searched among faces completed from scans, by the default attack with 12 "
    "renders. The mean rank of the true person is a share of the gallery: 0 always first, 0.5 by "
    "chance.",
    "Where a part is the person's own, all the rest is the mean of all these people.",
    "The floor asks what no protection that keeps brain and cranium can hide. There the searcher "
    "guesses the face with the head model from which these people are drawn; how well that works "
    "on real heads is not known.",
)


def describe(person: Volunteer, folder: Path) -> None:
    """Keep photographs and completed faces of one person; an empty file where none is found."""
    pictures = kept_at(folder, person, "photographs")
    missing = [state for state in STATES if not kept_at(folder, person, state).exists()]
    with threadpool_limits(1):
        if not pictures.exists():
            _write(pictures, photographs=np.stack(photograph_crops(person)))
        if missing:
            keep_faces(scan_of(person), partial(kept_at, folder, person), missing)


def keep_faces(scan: Scan, place: Callable[[str], Path], states: Sequence[str]) -> None:
    """Keep completed faces, how deep in the region each vertex lies, and the new face's place."""
    head = find_whole_head(scan)
    done = reface(scan, head=head)
    for state in states:
        try:
            if state in GUESSED:
                face, pose = guessed(scan, head, done, behind=state == "behind the ears")
            else:
                rebuilt = reconstruct_head(done.scan)
                face, pose = rebuilt.completed, rebuilt.alignment.scan_to_template_rigid
        except FaceblindError as error:
            print(f"{place(state).stem}: {error}", flush=True)
            place(state).touch()
            continue
        to_scan = np.linalg.inv(pose)
        _write(
            place(state),
            points=face.points,
            inside=at_places(done.region.cut, apply_affine(to_scan, face.points)),
            to_face=done.placement.scan_to_face @ to_scan,
        )


def guessed(
    scan: Scan, head: Head, done: ProtectedScan, *, behind: bool
) -> tuple[Face, NDArray[np.float64]]:
    """A face guessed from skin that stays, and the pose: what a searcher has who cuts the rest off.

    Parameters
    ----------
    scan : Scan
    head : Head
        Of `scan`.
    done : ProtectedScan
    behind : bool
        Leave out all that lies in front of the ears, too.
    """
    skin = head.skin
    stays = at_places(done.region.cut, skin.points) < 0.0
    if behind:
        placed = apply_affine(done.placement.scan_to_template, skin.points)
        stays &= placed[:, 1] < measures.FRONT_MM
    points, faces, chosen = crop(skin.points, skin.faces, stays)
    part = Skin(points, faces, skin.normals[chosen], skin.edge[chosen])
    found = align_by_scalp(part, scan)
    if found is None:
        raise AlignmentError("nothing fits what is left")
    return reconstruct(part, found)[1], found.scan_to_template_rigid


def kept_at(folder: Path, person: Volunteer, kind: str) -> Path:
    """The file of one kind of a person."""
    return folder / f"{person.name}_{kind.replace(' ', '-')}.npz"


def _write(path: Path, **arrays: np.ndarray) -> None:
    with atomic_path(path) as part, part.open("wb") as file:
        np.savez(file, **arrays)


def embedded(points: Floats, landmarks: Floats) -> NDArray[np.float32]:
    """Vectors of renders of a completed face, as the default attack makes them."""
    surface = points.astype(np.float32)
    normals = checked_normals(surface, _triangles())
    images, places = render_list(
        render(surface, _triangles(), normals, landmarks, CAMERAS, lights_of(DEFAULT_RECOGNISER))
    )
    return get_recogniser().embed(images, places)


@cache
def _triangles() -> NDArray[np.int32]:
    """Of completed faces, whose vertices are the template's and those of one subdivision."""
    template = load_template()
    return subdivision(len(template.points), template.faces)[1]


@cache
def marks() -> NDArray[np.int64]:
    """(5,) vertices by which pictures are cut out."""
    index = load_template().landmark_index
    return np.array([index[name] for name in FIVE_LANDMARKS])


@dataclass(frozen=True)
class Faces:
    """Completed faces of one state.

    Parameters
    ----------
    people : list of str
    points : (P, Q, 3) float64 ndarray
    inside : (P, Q) float64 ndarray
    to_face : (P, 4, 4) float64 ndarray
        See `keep_faces`.
    """

    people: list[str]
    points: Floats
    inside: Floats
    to_face: Floats


def of_state(folder: Path, people: Sequence[Volunteer], state: str) -> Faces:
    """What was kept of all in whom a head was found."""
    files = {one.name: kept_at(folder, one, state) for one in people}
    files = {name: file for name, file in files.items() if file.stat().st_size}
    kept = [dict(np.load(file)) for file in files.values()]
    points, inside, to_face = (
        np.stack([one[key] for one in kept]).astype(np.float64)
        for key in ("points", "inside", "to_face")
    )
    return Faces(list(files), points, inside, to_face)


def photographs(folder: Path, people: Sequence[Volunteer]) -> dict[str, NDArray[np.float32]]:
    """Vectors of everybody's photographs."""
    found = {}
    for one in people:
        with np.load(kept_at(folder, one, "photographs")) as file:
            pictures = np.repeat(file["photographs"][..., None], 3, axis=-1)
        found[one.name] = get_recogniser().embed_aligned(pictures)
    return found


def found(
    pictures: dict[str, NDArray[np.float32]], renders: dict[str, NDArray[np.float32]]
) -> tuple[Cell, ...]:
    """Cells of a row: how the photographs of those who have renders find them."""
    identity = get_recogniser().identity
    searched = {name: pictures[name] for name in renders}
    scores = match(
        Embeddings.of_people(searched, "photograph", identity),
        Embeddings.of_people(renders, "render", identity),
        "adapted",
    )
    mates = mate_indices(scores.probe_persons, scores.gallery_persons)
    n = len(mates)
    first, five = (rank_hits(scores.values, mates, k) for k in (1, 5))
    low, high = wilson_interval(first, n)
    ranks = (expected_ranks(scores.values, mates) - 1.0) / (n - 1)
    drawn = np.random.default_rng(0).choice(ranks, (2000, n)).mean(axis=1)
    least, most = np.quantile(drawn, (0.025, 0.975))
    return (
        n,
        f"{first:g} ({low:.0%} to {high:.0%})",
        f"{five:g}",
        f"{ranks.mean():.2f} ({least:.2f} to {most:.2f})",
    )


def of_parts(faces: Faces, own: Sequence[str]) -> tuple[Floats, Floats]:
    """Completed faces and their landmarks, in some parts a person's own, in others the mean."""
    heads = in_common_frame(faces.points, faces.to_face)
    weights = weights_of(faces.points.mean(axis=0), np.median(faces.inside, axis=0))
    return with_own(heads, weights, marks(), own)


def searched(
    name: str, faces: Faces, pictures: dict[str, NDArray[np.float32]], own: Sequence[str] = PARTS
) -> tuple[Cell, ...]:
    """A row, printed."""
    if own == PARTS:
        points, landmarks = faces.points, faces.points[:, marks()]
    else:
        points, landmarks = of_parts(faces, own)
    with threadpool_limits(1):
        renders = {
            person: embedded(*one)
            for person, *one in zip(faces.people, points, landmarks, strict=True)
        }
    row = (name, *found(pictures, renders))
    print("|", " | ".join(map(str, row)), "|", flush=True)
    return row


def tables(folder: Path, people: Sequence[Volunteer], about: str) -> tuple[Table, Table]:
    """Floors and parts."""
    pictures = photographs(folder, people)
    states = {state: of_state(folder, people, state) for state in STATES}
    head = ("people", "rank 1", "within 5", "mean rank")
    floors = [searched(NAMES[state], faces, pictures) for state, faces in states.items()]
    parts = [searched(name, states["reface"], pictures, own) for name, own in SHOWN.items()]
    return (
        Table(f"Refaced heads, and no new face at all; {about}.", ("scan", *head), tuple(floors)),
        Table(f"Parts of refaced heads; {about}.", ("the person's own", *head), tuple(parts)),
    )


def main() -> None:
    """Run as a script."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("-n", type=int, default=84)
    parser.add_argument("--seed", type=int, default=7801)
    parser.add_argument("--preset", default="article")
    parser.add_argument("--jobs", type=int, default=-1)
    add_option(parser)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    people = [Volunteer(given.preset, given.seed, number) for number in range(given.n)]
    run_many(partial(describe, folder=given.folder), people, n_jobs=given.jobs, label="People",
             name=lambda one: one.name)  # fmt: skip
    people = [one for one in people if all(kept_at(given.folder, one, s).exists() for s in STATES)]
    if len(people) < 2:
        sys.exit(f"{len(people)} of {given.n} people could be described: two or more are needed")
    made = tables(given.folder, people, f"seed {given.seed}, preset `{given.preset}`")
    if given.record:
        suffix = "" if given.preset == "article" else f"-{given.preset}"
        question = "What of a refaced head still tells whose it is, and what is the floor?"
        about = (
            f"protect-parts{suffix}",
            "What a refaced head still tells",
            "protection",
            question,
        )
        write(Record(*about, "bench/protect_parts.py", command(), (given.seed,), True, made, NOTES))


if __name__ == "__main__":
    main()
