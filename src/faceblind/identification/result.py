"""The outcome of one identification experiment, beside the article's."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from faceblind.display import needed, table_html
from faceblind.errors import FaceblindError
from faceblind.identification import metrics
from faceblind.identification.gallery_scaling import GalleryScaling
from faceblind.identification.intervals import Rate
from faceblind.identification.match import Scores
from faceblind.identification.open_set import OpenSet
from faceblind.identification.prior_knowledge import PriorKnowledge
from faceblind.identification.subgroups import Trait

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

NOT_FOUND_BEYOND = 5
"""A person whose mate is not within this rank counts as not found. The article reports 70 of 84 at
rank 1, 80 within the first five and 4 not found, and 84 - 80 = 4."""

REPORTED_RANKS = (1, 5, 10)


@dataclass(frozen=True)
class Reference:
    """Published figures to set a result beside.

    Parameters
    ----------
    citation : str
        Where the figures stand.
    direction, recogniser : str
        How they were obtained.
    rank1, rank5, not_found : Rate
        Persons at rank 1, within the first five, and not within the first five.
    """

    citation: str
    direction: str
    recogniser: str
    rank1: Rate
    rank5: Rate
    not_found: Rate

    def as_dict(self) -> dict[str, Any]:
        """Plain values for `StudyResult.summary`."""
        return {
            "citation": self.citation,
            "direction": self.direction,
            "recogniser": self.recogniser,
            "rank1": self.rank1.as_dict(),
            "rank5": self.rank5.as_dict(),
            "not_found": self.not_found.as_dict(),
        }


ARTICLE = Reference(
    citation="Schwarz et al. 2019, N Engl J Med 381:1684-1686, doi:10.1056/NEJMc1908881",
    direction="photo-to-scan",
    recogniser="Microsoft Azure Face",
    rank1=Rate.of(70, 84),
    rank5=Rate.of(80, 84),
    not_found=Rate.of(4, 84),
)
"""84 volunteers aged 34 to 89, five photographs each, searched among the faces of their scans. The
intervals are Wilson's, computed here; the article gives counts."""


@dataclass(frozen=True)
class PersonRank:
    """How one person's search ended. Private: never written outside a private folder.

    Parameters
    ----------
    person : str
        Participant label.
    rank : float
        Expected rank under random order of ties; infinite when no search could be made, or when a
        service did not return the mate.
    tied : int
        Other gallery persons with exactly the mate's score.
    mate_score, best_other_score : float
        Score of the mate and the highest score of anybody else; NaN when absent.
    failure : str
        Why the person could not be enrolled; empty otherwise.
    """

    person: str
    rank: float
    tied: int = 0
    mate_score: float = math.nan
    best_other_score: float = math.nan
    failure: str = ""


@dataclass(frozen=True, repr=False)
class StudyResult:
    """The outcome of one identification experiment.

    Parameters
    ----------
    direction : str
        ``photo-to-scan``, ``scan-to-photo`` or ``scan-to-scan``.
    recogniser : str
        Name and hash of the weights.
    ranks : tuple of PersonRank
        One for each person who should have been searched, sorted by label.
    gallery_size : int
        Persons enrolled in the gallery, those without a probe included.
    rank1, rank5, rank10 : Rate
        Persons found within that rank; failures to enrol count as misses.
    not_found : Rate
        Persons not within the first five, failures to enrol included.
    failed_to_enrol : int
        Persons whose scan or photographs gave no usable face.
    chance_rank1 : float
        What guessing gives: one over the gallery size.
    cmc : tuple of float
        Identification rate at rank 1, 2, … gallery size.
    matching, fusion : str
        See `faceblind.identification.match.Scores`.
    settings : dict
        Resolved settings of the run.
    versions : dict
        Versions of faceblind and of the libraries that make the figures.
    note : str
        What the reader must know about the material, e.g. that the people are synthetic.
    open_set, gallery_scaling, subgroups, prior_knowledge
        What the figures mean beyond this gallery, see `faceblind.identification.interpretation`;
        None or empty where the people are too few.
    """

    direction: str
    recogniser: str
    ranks: tuple[PersonRank, ...]
    gallery_size: int
    rank1: Rate
    rank5: Rate
    rank10: Rate
    not_found: Rate
    failed_to_enrol: int
    chance_rank1: float
    cmc: tuple[float, ...]
    matching: str = ""
    fusion: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    note: str = ""
    open_set: OpenSet | None = None
    gallery_scaling: GalleryScaling | None = None
    subgroups: tuple[Trait, ...] = ()
    prior_knowledge: PriorKnowledge | None = None

    def __repr__(self) -> str:
        return f"StudyResult({self.direction}, {self._told(self.rank1)} at rank 1)"

    def _repr_html_(self) -> str:
        rates = (("rank 1", self.rank1), ("within 5", self.rank5), ("within 10", self.rank10))
        rows = [(name, self._told(rate)) for name, rate in rates]
        rows += [
            ("not within 5", self._told(self.not_found)),
            ("failed to enrol", str(self.failed_to_enrol)),
            ("gallery", str(self.gallery_size)),
            ("chance at rank 1", f"{self.chance_rank1:.1%}"),
            ("recogniser", self.recogniser),
        ]
        return table_html(rows, f"{self.direction}. {self.note}".strip())

    def _told(self, rate: Rate) -> str:
        return (
            f"{rate.hits:g} of {rate.n} ({rate.rate:.0%}, 95 % interval {rate.low:.0%} to "
            f"{rate.high:.0%})"
        )

    def plot_cmc(self, axes: Axes | None = None) -> Axes:
        """Draw the curve, see `faceblind.identification.plots.plot_cmc`."""
        from faceblind.identification.plots import plot_cmc

        return plot_cmc(self.cmc, len(self.ranks), self.gallery_size, axes)

    def to_frame(self, *, private: bool = False) -> DataFrame:
        """The figures as a pandas table.

        Parameters
        ----------
        private : bool
            One row for each person instead: rank, ties and scores. For the owner of the data only.

        Returns
        -------
        pandas DataFrame
            ``rank``, ``rate`` and ``chance``, as in ``cmc.tsv``; or the rows of the private
            ``ranks.tsv``.

        Raises
        ------
        ImportError
            Where pandas is not installed.
        """
        pandas: Any = needed("pandas", "to_frame")
        return pandas.DataFrame(self.rank_rows() if private else self.cmc_rows())

    @property
    def persons(self) -> tuple[str, ...]:
        """Labels of the persons who should have been searched. Private."""
        return tuple(entry.person for entry in self.ranks)

    @property
    def trivial_ranks(self) -> tuple[int, ...]:
        """Reported ranks no shorter than the gallery: guessing reaches them too."""
        return tuple(k for k in REPORTED_RANKS if k >= self.gallery_size)

    def summary(self) -> dict[str, Any]:
        """The figures without any person's label: what `summary.json` holds."""
        return {
            "direction": self.direction,
            "recogniser": self.recogniser,
            "persons": len(self.ranks),
            "gallery_size": self.gallery_size,
            "rank1": self.rank1.as_dict(),
            "rank5": self.rank5.as_dict(),
            "rank10": self.rank10.as_dict(),
            "failed_to_enrol": self.failed_to_enrol,
            "chance_rank1": round(self.chance_rank1, 6),
            "versions": dict(self.versions),
            "settings": dict(self.settings),
            "matching": self.matching,
            "fusion": self.fusion,
            "not_found": self.not_found.as_dict(),
            "trivial_ranks": list(self.trivial_ranks),
            "tie_rule": "expectation over random order of ties",
            "intervals": "Wilson, 95 %",
            "note": self.note,
            "article": ARTICLE.as_dict(),
            **self._beyond(),
        }

    def _beyond(self) -> dict[str, Any]:
        """Figures beyond this gallery, as far as there are any."""
        parts = {
            "open_set": self.open_set,
            "gallery_scaling": self.gallery_scaling,
            "prior_knowledge": self.prior_knowledge,
        }
        found: dict[str, Any] = {key: one.as_dict() for key, one in parts.items() if one}
        if self.subgroups:
            found["subgroups"] = [trait.as_dict() for trait in self.subgroups]
        return found

    def cmc_rows(self) -> list[dict[str, float | int]]:
        """Rows of `cmc.tsv`: ``rank, rate, chance``."""
        return [
            {"rank": k, "rate": rate, "chance": metrics.chance_rate(k, self.gallery_size)}
            for k, rate in enumerate(self.cmc, start=1)
        ]

    def rank_rows(self) -> list[dict[str, Any]]:
        """Rows of the private `ranks.tsv`, one for each person."""
        return [
            {
                "participant_id": entry.person,
                "rank": entry.rank,
                "tied": entry.tied,
                "mate_score": entry.mate_score,
                "best_other_score": entry.best_other_score,
                "failure": entry.failure,
            }
            for entry in self.ranks
        ]


def evaluate(
    scores: Scores,
    persons: Iterable[str] | None = None,
    failed: Mapping[str, str] | None = None,
    *,
    settings: Mapping[str, Any] | None = None,
    versions: Mapping[str, str] | None = None,
    note: str = "",
) -> StudyResult:
    """Rank every person and summarise.

    Parameters
    ----------
    scores : Scores
        From `faceblind.identification.match.match`.
    persons : iterable of str, optional
        Everybody whose search has an answer: a scan *and* photographs were given, whether or not
        a face was found in them. By default the persons on both sides of the scores and those in
        `failed`. Probes of others are not mated searches and are left out; others in the gallery
        stay, as distractors.
    failed : mapping of str to str, optional
        Person to reason, for persons without a usable scan or photograph. A person who has both a
        probe and a gallery entry all the same (one picture of several failed) is searched as
        usual.
    settings, versions : mapping, optional
        Recorded as they are; the matcher's own settings are added.
    note : str
        See `StudyResult`.

    Returns
    -------
    StudyResult
        Failures to enrol count as misses at every rank.

    Raises
    ------
    FaceblindError
        If there is nobody to search for.
    """
    reasons = {str(person): reason for person, reason in (failed or {}).items()}
    in_gallery = {str(person) for person in scores.gallery_persons}
    if persons is None:
        mated = {str(person) for person in scores.probe_persons} & in_gallery
        wanted = sorted(mated | set(reasons))
    else:
        wanted = sorted({str(person) for person in persons})
    if not wanted:
        raise FaceblindError("result: nobody has both a scan and photographs; nothing to count")
    rows = metrics.mate_indices(wanted, scores.probe_persons)
    searched = [
        i for i, person in enumerate(wanted) if rows[i] != metrics.NO_MATE and person in in_gallery
    ]
    mates = metrics.mate_indices([wanted[i] for i in searched], scores.gallery_persons)
    entries = [PersonRank(p, math.inf, failure=reasons.get(p, "no usable face")) for p in wanted]
    for i in searched:
        entries[i] = PersonRank(wanted[i], math.inf)
    ranked = _have_rank(scores, rows[searched], mates)
    values, mates = scores.values[rows[searched]][ranked], mates[ranked]
    for i, entry in zip(np.array(searched)[ranked], _rank_persons(values, mates), strict=True):
        entries[i] = PersonRank(wanted[i], *entry)
    n, size = len(wanted), len(scores.gallery_persons)
    rates = [Rate.of(metrics.rank_hits(values, mates, k), n) for k in REPORTED_RANKS]
    return StudyResult(
        direction=scores.direction,
        recogniser=scores.recogniser,
        ranks=tuple(entries),
        gallery_size=size,
        rank1=rates[0],
        rank5=rates[1],
        rank10=rates[2],
        not_found=Rate.of(n - metrics.rank_hits(values, mates, NOT_FOUND_BEYOND), n),
        failed_to_enrol=n - len(searched),
        chance_rank1=metrics.chance_rate(1, size),
        cmc=tuple(float(rate) for rate in metrics.cmc(values, mates, searches=n)),
        matching=scores.matching,
        fusion=scores.fusion,
        settings={**(settings or {}), **scores.settings},
        versions=dict(versions or {}),
        note=note,
    )


def _have_rank(scores: Scores, rows: np.ndarray, mates: np.ndarray) -> np.ndarray:
    """(S,) bool: searches whose mate has a score. One that a service left out is a miss."""
    if scores.returned is None:
        return np.ones(len(mates), dtype=bool)
    found: np.ndarray = scores.returned[rows, mates]
    return found


def _rank_persons(values: np.ndarray, mates: np.ndarray) -> list[tuple[float, int, float, float]]:
    """Rank, ties, mate's score and best other score of each probe; all have a mate."""
    found = []
    for row, mate, rank in zip(values, mates, metrics.expected_ranks(values, mates), strict=True):
        others = np.delete(row, mate)
        best = float(others.max()) if others.size else math.nan
        found.append((float(rank), int((others == row[mate]).sum()), float(row[mate]), best))
    return found
