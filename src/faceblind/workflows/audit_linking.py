"""Attack 5 on a whole data set: every scan among the originals and the photographs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceblind.datasets.bids import choose_face_scans
from faceblind.datasets.census import ScanFile
from faceblind.datasets.photographs import PhotoRow
from faceblind.identification.ranking import Link, rank_among_originals, rank_among_photographs
from faceblind.identification.scan_match import ScanFeatures
from faceblind.recognition.registry import get_recogniser
from faceblind.system.cache import Cache
from faceblind.system.workers import Outcome
from faceblind.workflows.features import FeatureSettings, features_of_scan, photo_embeddings

Run = Callable[..., list[Outcome[Any, Any]]]
"""`faceblind.system.workers.run_many` with the number of processes settled."""


@dataclass(frozen=True)
class Linked:
    """What linking gave.

    Parameters
    ----------
    links : dict of Path to tuple of Link
        By scan: at most one among originals and one among photographs.
    unusable : tuple of str
        Originals and photographed people without a usable face, each with the reason.
    """

    links: dict[Path, tuple[Link, ...]]
    unusable: tuple[str, ...]


def link_scans(
    scans: Mapping[ScanFile, Mapping[str, ScanFeatures]],
    before: Sequence[ScanFile],
    rows: Sequence[PhotoRow],
    recogniser: str,
    run: Run,
    cache: Path | None = None,
) -> Linked:
    """Search every scan among the originals, and every person's photographs among the scans.

    Parameters
    ----------
    scans : mapping of ScanFile to mapping
        Features by variant of each scan that was examined.
    before : sequence of ScanFile
        The originals.
    rows : sequence of PhotoRow
        The photographs.
    recogniser : str
        See `faceblind.recognition.registry.get_recogniser`.
    run : callable
    cache : Path, optional
        Private folder of what was made of originals and photographs before.
    """
    identity = get_recogniser(recogniser).identity
    originals, unusable = _originals(before, recogniser, run, cache)
    pictures, faceless = _photographs(rows, recogniser, run, cache)
    found: dict[Path, dict[str, Link]] = {}
    # A person's scans are searched one after the other, never together: each gets its own ranks.
    for turn in turns(list(scans)):
        here = {file.participant_id: scans[file] for file in turn}
        places = {file.participant_id: file.path for file in turn}
        for ranks in (
            rank_among_originals(here, originals, identity),
            rank_among_photographs(here, pictures, identity),
        ):
            for person, link in ranks.items():
                known = found.setdefault(places[person], {})
                # Who has few scans is searched again in later turns, beside other people's.
                known[link.against] = min(link, known.get(link.against, link), key=_badness)
    return Linked({path: tuple(known.values()) for path, known in found.items()},
                  (*unusable, *faceless))  # fmt: skip


def turns(files: Sequence[ScanFile]) -> list[list[ScanFile]]:
    """Scans in groups that hold one of each person; people with fewer scans fill up the later.

    Parameters
    ----------
    files : sequence of ScanFile
    """
    people: dict[str, list[ScanFile]] = {}
    for file in files:
        people.setdefault(file.participant_id, []).append(file)
    most = max((len(own) for own in people.values()), default=0)
    return [[own[min(turn, len(own) - 1)] for own in people.values()] for turn in range(most)]


def _badness(link: Link) -> tuple[float, float]:
    """Least for the link that gives most away."""
    return link.rank, -link.lead


def _originals(
    files: Sequence[ScanFile], recogniser: str, run: Run, cache: Path | None
) -> tuple[dict[str, ScanFeatures], list[str]]:
    """Features by person of the original that shows the face best, and why others have none."""
    outcomes = run(
        partial(_original_work, recogniser=recogniser, cache=cache),
        choose_face_scans(files),
        label="Originals",
        name=_path,
    )
    found = {o.item.participant_id: o.value for o in outcomes if o.value is not None}
    failed = [f"{o.item.participant_id}: {o.error}" for o in outcomes if o.value is None]
    return found, failed


def _photographs(
    rows: Sequence[PhotoRow], recogniser: str, run: Run, cache: Path | None
) -> tuple[dict[str, NDArray[np.float32]], list[str]]:
    """Embeddings (n, D) by person, and why the others have none."""
    outcomes = run(
        partial(_photo_work, recogniser=recogniser, cache=cache),
        rows,
        label="Photographs",
        name=_file,
    )
    vectors: dict[str, list[NDArray[np.float32]]] = {}
    failed: dict[str, str] = {}
    for outcome in outcomes:
        person = outcome.item.participant_id
        if outcome.value is None:
            failed[person] = outcome.error or "no usable face"
        else:
            vectors.setdefault(person, []).append(outcome.value)
    found = {person: np.concatenate(parts) for person, parts in vectors.items()}
    return found, [f"{person}: {why}" for person, why in failed.items() if person not in found]


def _path(file: ScanFile) -> str:
    return str(file.path)


def _file(row: PhotoRow) -> str:
    return str(row.file)


def _original_work(file: ScanFile, recogniser: str, cache: Path | None) -> ScanFeatures:
    return features_of_scan(file.path, recogniser, cache=_opened(cache))


def _photo_work(row: PhotoRow, recogniser: str, cache: Path | None) -> NDArray[np.float32]:
    return photo_embeddings(row.file, FeatureSettings(recogniser), _opened(cache)).vectors


def _opened(cache: Path | None) -> Cache | None:
    return Cache(cache) if cache else None
