"""Every attack of a benchmark on what one method left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import get_args

from numpy.typing import NDArray

from faceblind.datasets.photographs import PhotoRow
from faceblind.face.reconstruction import Variant
from faceblind.identification.embeddings import Embeddings
from faceblind.identification.match import MATCHINGS, Direction, Matching, Scores, match
from faceblind.identification.result import evaluate
from faceblind.identification.scan_match import LinkMatching, ScanFeatures, link_scores
from faceblind.recognition.feature_map import NAME
from faceblind.recognition.registry import get_recogniser
from faceblind.system.cache import Cache
from faceblind.system.workers import run_many
from faceblind.workflows.benchmark_result import Attack, Search
from faceblind.workflows.features import FeatureSettings, all_features_of_scan
from faceblind.workflows.study import photo_features

INTACT = "intact"
LINK_MATCHINGS: tuple[LinkMatching, ...] = get_args(LinkMatching)

Shown = tuple[str, Variant]
"""A recogniser and the face that it sees."""


@dataclass(frozen=True)
class Enrolled:
    """What people gave to compare, and why others gave nothing.

    Parameters
    ----------
    scans : dict of (str, str) to dict
        Features by person and series, then by recogniser and face.
    photographs : dict of str to dict
        Embeddings by recogniser, then by person.
    failed : dict of str to str
        By name of the file, or by person for photographs.
    """

    scans: Mapping[tuple[str, str], Mapping[Shown, ScanFeatures]]
    photographs: Mapping[str, Mapping[str, NDArray]]
    failed: Mapping[str, str]


@dataclass(frozen=True)
class Extraction:
    """How features are made.

    Parameters
    ----------
    recognisers : tuple of str
    variants : tuple of str
        Faces that are shown, ``"completed"`` or ``"as-is"``.
    cache : Path
    n_jobs : int
    show : bool
        Show progress.
    """

    recognisers: tuple[str, ...]
    variants: tuple[Variant, ...]
    cache: Path
    n_jobs: int
    show: bool

    @property
    def shown(self) -> tuple[Shown, ...]:
        """Each recogniser with each face."""
        return tuple((one, face) for one in self.recognisers for face in self.variants)

    def scans(
        self, paths: Mapping[tuple[str, str], Path], label: str
    ) -> tuple[dict[tuple[str, str], dict[Shown, ScanFeatures]], dict[str, str]]:
        """Features of scans by person and series, and why others have none.

        Parameters
        ----------
        paths : mapping of (str, str) to Path
        label : str
            For the progress bar.
        """
        outcomes = run_many(
            partial(_scan_work, how=self), list(paths.items()), n_jobs=self.n_jobs,
            label=f"Faces, {label}", name=_name, show_progress=self.show,
        )  # fmt: skip
        found, failed = {}, {}
        for outcome in outcomes:
            who = outcome.item[0]
            if outcome.value is None:
                failed[who[0]] = outcome.error or "no usable face"
            else:
                found[who] = outcome.value
        return found, failed

    def photographs(
        self, rows: Sequence[PhotoRow]
    ) -> tuple[dict[str, dict[str, NDArray]], dict[str, str]]:
        """Embeddings of photographs by recogniser and person, and why others have none.

        Parameters
        ----------
        rows : sequence of PhotoRow
        """
        found, failed = {}, {}
        for recogniser in self.recognisers:
            vectors, why, _ = photo_features(
                rows, FeatureSettings(recogniser), self.cache, self.n_jobs, self.show
            )
            found[recogniser] = vectors
            failed.update(why)
        return found, failed


def attacks_on(
    method: str,
    how: Extraction,
    series: Sequence[str],
    originals: Enrolled,
    left: Enrolled,
    persons: Mapping[str, Sequence[str]],
) -> list[Attack]:
    """Search for people in what a method left of their scans.

    Parameters
    ----------
    method : str
    how : Extraction
    series : sequence of str
        The series in the gallery, then the one that is searched in it.
    originals : Enrolled
        Photographs and scans before protection.
    left : Enrolled
        Scans after it.
    persons : mapping of str to sequence of str
        For each series, whose scans were protected.

    Returns
    -------
    list of Attack
        Without searches of fewer than two people, and without the original among itself.
    """
    gallery, probe = series
    both = sorted(set(persons[gallery]) & set(persons[probe]))
    failed = {**originals.failed, **left.failed}
    found = []
    for recogniser, variant in how.shown:
        here = (recogniser, variant)
        identity = get_recogniser(recogniser).identity
        published = _of_series(left, gallery, here)
        sides: list[tuple[Search, Mapping[str, ScanFeatures], Sequence[str]]] = [
            ("protected-to-protected", _of_series(left, probe, here), both)
        ]
        if method != INTACT:
            own = (_of_series(originals, gallery, here), sorted(persons[gallery]))
            sides.insert(0, ("original-to-protected", *own))
        photographs = originals.photographs[recogniser]
        people = sorted(set(persons[gallery]))
        for matching in photo_matchings(recogniser) if len(people) > 1 else ():
            scores = _by_photographs(photographs, published, identity, matching)
            result = evaluate(scores, people, failed)
            found.append(Attack(method, "photo-to-scan", variant, recogniser, matching, result))
        for search, probes, searched in sides:
            for link_matching in LINK_MATCHINGS if len(searched) > 1 else ():
                scores = _by_scans(probes, published, identity, link_matching)
                result = evaluate(scores, searched, failed)
                found.append(Attack(method, search, variant, recogniser, link_matching, result))
    return found


def photo_matchings(recogniser: str) -> tuple[Matching, ...]:
    """How a recogniser's photographs and renders can be compared.

    Parameters
    ----------
    recogniser : str
    """
    return tuple(m for m in MATCHINGS if m != "adapted" or recogniser == NAME)


def _of_series(side: Enrolled, series: str, shown: Shown) -> dict[str, ScanFeatures]:
    return {
        person: one[shown]
        for (person, its), one in side.scans.items()
        if its == series and shown in one
    }


def _by_photographs(
    photographs: Mapping[str, NDArray],
    scans: Mapping[str, ScanFeatures],
    identity: str,
    matching: Matching,
) -> Scores:
    if not _enough(photographs, scans, matching):
        return Scores.empty("photo-to-scan", matching, identity)
    renders = {person: one.vectors for person, one in scans.items()}
    return match(
        Embeddings.of_people(dict(photographs), "photograph", identity),
        Embeddings.of_people(renders, "render", identity),
        matching,
    )


def _by_scans(
    probes: Mapping[str, ScanFeatures],
    gallery: Mapping[str, ScanFeatures],
    identity: str,
    matching: LinkMatching,
) -> Scores:
    direction: Direction = "scan-to-scan"
    if not _enough(probes, gallery, matching):
        recipe: Matching = "nearest" if matching == "nearest" else "centred"
        return Scores.empty(direction, recipe, identity)
    return link_scores(probes, gallery, identity, matching)


def _enough(probes: Mapping[str, object], gallery: Mapping[str, object], matching: str) -> bool:
    """Whether there is anything to compare; all but ``nearest`` subtract the mean of a side."""
    least = 1 if matching == "nearest" else 2
    return min(len(probes), len(gallery)) >= least and bool(set(probes) & set(gallery))


def _name(item: tuple[tuple[str, str], Path]) -> str:
    return item[1].name


def _scan_work(item: tuple[tuple[str, str], Path], how: Extraction) -> dict[Shown, ScanFeatures]:
    return all_features_of_scan(item[1], how.recognisers, how.variants, Cache(how.cache))
