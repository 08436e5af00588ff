"""Compare two finished experiments on the same people, such as before and after protection."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faceblind._version import software_versions
from faceblind.errors import FaceblindError, TableError
from faceblind.identification.paired import PairedDifference, compare_paired, hit_probability
from faceblind.identification.result import REPORTED_RANKS
from faceblind.system.outputs import PRIVATE, output_verb, prepare_output, private_dir
from faceblind.system.tables import write_json, write_tsv

VERBS = ("study", "link")
"""Commands whose results can be compared."""

NAMES = ("study A", "study B")
LONGEST_NAME = 60
LABELS = ("recogniser", "matching", "fusion", "gallery_size")
"""Entries of a summary that are named where the studies differ in them, beside the settings."""


@dataclass(frozen=True, repr=False)
class Comparison:
    """How often the same people are found in two experiments.

    Parameters
    ----------
    direction : str
        Of both.
    people : tuple of str
        In both, sorted. Private.
    only_in_a, only_in_b : int
        People who were searched for in one of them and are left out here.
    ranks_a, ranks_b : tuple of float
        Expected rank of each person, infinite where none could be enrolled. Private.
    differences : tuple of PairedDifference
        At each reported rank that is shorter than both galleries, and always at rank 1.
    unlike : dict of str to list
        What else differs between the experiments: name to the values in A and in B.
    notes : tuple of str
        What the summaries say of their material, such as that people are synthetic.
    names : tuple of str
        What the two experiments are called in reports.
    """

    direction: str
    people: tuple[str, ...]
    only_in_a: int
    only_in_b: int
    ranks_a: tuple[float, ...]
    ranks_b: tuple[float, ...]
    differences: tuple[PairedDifference, ...]
    unlike: dict[str, list[Any]]
    notes: tuple[str, ...] = ()
    names: tuple[str, str] = NAMES

    def __repr__(self) -> str:
        one = self.differences[0]
        return (
            f"Comparison({self.direction}, {len(self.people)} people in both: {one.a.hits:g} found "
            f"at rank 1 in A, {one.b.hits:g} in B)"
        )

    def summary(self) -> dict[str, Any]:
        """The figures without any person's label: what `compare.json` holds."""
        return {
            "direction": self.direction,
            "names": list(self.names),
            "people": len(self.people),
            "only_in_a": self.only_in_a,
            "only_in_b": self.only_in_b,
            "differences": [one.as_dict() for one in self.differences],
            "unlike": self.unlike,
            "tests": "McNemar, exact, two-sided",
            "intervals": "rates: Wilson, 95 %; differences: paired bootstrap over people, 95 %",
            "notes": list(self.notes),
            "versions": software_versions(),
        }

    def rows(self) -> list[dict[str, Any]]:
        """Rows of `compare.tsv`."""
        return [one.row() for one in self.differences]

    def person_rows(self) -> list[dict[str, Any]]:
        """Rows of the private `changes.tsv`, one for each person."""
        return [
            {"participant_id": person, "rank_a": a, "rank_b": b}
            for person, a, b in zip(self.people, self.ranks_a, self.ranks_b, strict=True)
        ]


@dataclass(frozen=True)
class _Study:
    """What a finished experiment left: its summary, and rank and ties of each person."""

    folder: Path
    summary: dict[str, Any]
    ranks: dict[str, tuple[float, int]]
    photographs: dict[str, set[tuple[str, str]]]


def compare(
    study_a: str | Path,
    study_b: str | Path,
    out: str | Path | None = None,
    *,
    names: tuple[str, str] = NAMES,
    force: bool = False,
) -> Comparison:
    """Compare two experiments on the same people, person by person.

    Parameters
    ----------
    study_a, study_b : path
        Output folders of two runs of ``study``, or of two runs of ``link``, in the same direction.
        Their ``private`` folders are needed.
    out : path, optional
        For ``compare.json`` and ``compare.tsv``, which hold counts only; ranks per person go to
        ``private/`` in it. By default nothing is written.
    names : tuple of str
        What to call the two in reports, such as ``("before protection", "after reface")``.
    force : bool
        Write into a folder that holds other things.

    Returns
    -------
    Comparison

    Raises
    ------
    TableError
        If a folder holds no such results, or the directions, the people or the photographs are not
        the same.
    FaceblindError
        If a name is none.
    """
    for name in names:
        if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
            raise FaceblindError(f"name: expected one line of at most {LONGEST_NAME} characters")
    a, b = _read(Path(study_a)), _read(Path(study_b))
    _check_alike(a, b)
    people = tuple(sorted(set(a.ranks) & set(b.ranks)))
    result = Comparison(
        direction=str(a.summary["direction"]),
        people=people,
        only_in_a=len(a.ranks) - len(people),
        only_in_b=len(b.ranks) - len(people),
        ranks_a=tuple(a.ranks[person][0] for person in people),
        ranks_b=tuple(b.ranks[person][0] for person in people),
        differences=_differences(a, b, people),
        unlike=_unlike(a.summary, b.summary),
        names=names,
        notes=tuple(sorted({str(one.summary.get("note") or "") for one in (a, b)} - {""})),
    )
    if out is not None:
        root = prepare_output(out, "compare", [a.folder, b.folder], force)
        private = private_dir(root / PRIVATE)
        write_tsv(private / "changes.tsv", result.person_rows())
        write_tsv(root / "compare.tsv", result.rows())
        write_json(root / "compare.json", result.summary())
    return result


def _read(folder: Path) -> _Study:
    if output_verb(folder) not in VERBS:
        raise TableError(f"{folder}: no results of 'faceblind study' or 'link'; check the path")
    try:
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        rows = _rows(folder / PRIVATE / "ranks.tsv")
        ranks = {row["participant_id"]: (_number(row["rank"]), int(row["tied"])) for row in rows}
        photographs: dict[str, set[tuple[str, str]]] = {}
        if (folder / PRIVATE / "photographs.tsv").is_file():
            for row in _rows(folder / PRIVATE / "photographs.tsv"):
                picture = (Path(row["file"]).name, row["view"])
                photographs.setdefault(row["participant_id"], set()).add(picture)
    except (OSError, ValueError, KeyError) as error:
        raise TableError(
            f"{folder}: summary.json or private/ranks.tsv cannot be read; run the experiment again"
        ) from error
    return _Study(folder, summary, ranks, photographs)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def _number(text: str) -> float:
    return math.inf if text == "n/a" else float(text)


def _check_alike(a: _Study, b: _Study) -> None:
    """Same direction, some people in common, and the same photographs of these."""
    directions = [one.summary.get("direction") for one in (a, b)]
    if directions[0] != directions[1]:
        raise TableError(
            f"{b.folder}: searches {directions[1]}, the other {directions[0]}; "
            "compare experiments of one direction"
        )
    both = set(a.ranks) & set(b.ranks)
    if not both:
        raise TableError(f"{b.folder}: has nobody in common with {a.folder}; the labels must agree")
    changed = sum(a.photographs.get(person) != b.photographs.get(person) for person in both)
    if changed:
        raise TableError(
            f"{b.folder}: {changed} of {len(both)} people have other photographs than in "
            f"{a.folder}; compare experiments with the same photographs"
        )


def _differences(a: _Study, b: _Study, people: tuple[str, ...]) -> tuple[PairedDifference, ...]:
    sides = [[one.ranks[person] for person in people] for one in (a, b)]
    smallest = min(int(one.summary.get("gallery_size", 0)) for one in (a, b))
    found = []
    for k in REPORTED_RANKS:
        if k == 1 or k < smallest:
            hits = [
                hit_probability([rank for rank, _ in side], [tied for _, tied in side], k)
                for side in sides
            ]
            found.append(compare_paired(hits[0], hits[1], k))
    return tuple(found)


def _unlike(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Labels and settings with other values in A than in B."""
    sides = [
        {key: one.get(key) for key in LABELS} | dict(one.get("settings") or {}) for one in (a, b)
    ]
    names = sorted({*sides[0], *sides[1]})
    values = {name: [side.get(name) for side in sides] for name in names}
    return {name: pair for name, pair in values.items() if pair[0] != pair[1]}
