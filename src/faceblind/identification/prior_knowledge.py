"""Searches by somebody who knows the person's age and sex, and looks at fitting people only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceblind.identification.intervals import Rate
from faceblind.identification.searches import Searches

AGE_YEARS = 5.0
"""Years by which an age may be wrong: about what people guess from a face, and less than what they
know of an acquaintance."""


@dataclass(frozen=True)
class PriorKnowledge:
    """Rank 1 within the part of the gallery that fits age and sex.

    Parameters
    ----------
    age_years : float
        Ages may differ by so much.
    rank1 : Rate
        With its Wilson interval; failures to enrol are misses.
    chance : float
        What guessing among fitting people finds.
    gallery_median : float
        Fitting people, the mate among them: the median over searches.
    """

    age_years: float
    rank1: Rate
    chance: float
    gallery_median: float

    def as_dict(self) -> dict[str, Any]:
        """What `summary.json` holds."""
        return {
            "known": f"sex, and age within {self.age_years:g} years",
            "rank1": self.rank1.as_dict(),
            "chance_rank1": round(self.chance, 6),
            "median_gallery": self.gallery_median,
        }


def with_prior_knowledge(
    searches: Searches,
    ages: tuple[Sequence[float | None], Sequence[float | None]],
    sexes: tuple[Sequence[str | None], Sequence[str | None]],
    age_years: float = AGE_YEARS,
) -> PriorKnowledge | None:
    """Search each probe among people of its sex and age.

    Who has no known age or sex fits everybody, and everybody fits a probe without them. The mate
    always fits.

    Parameters
    ----------
    searches : Searches
    ages, sexes : pair of sequences
        Of the probes and of the gallery, in the order of the searches; None where not known.
    age_years : float

    Returns
    -------
    PriorKnowledge or None
        None where there is no mated search or nobody is ruled out.
    """
    fits = _same_sex(*sexes) & _near_age(*ages, age_years)
    rows = np.flatnonzero(searches.mated)
    if len(rows) == 0 or fits.all():
        return None
    fits = fits[rows]
    mates = searches.mates[rows]
    fits[np.arange(len(rows)), mates] = True
    own = searches.values[rows, mates][:, None]
    better = ((searches.values[rows] > own) & fits).sum(axis=1)
    equal = ((searches.values[rows] == own) & fits).sum(axis=1)
    hits = float(np.where(better == 0, 1 / equal, 0.0).sum())
    sizes = fits.sum(axis=1)
    persons = searches.mated_count
    return PriorKnowledge(
        age_years=age_years,
        rank1=Rate.of(round(hits, 9), persons),
        chance=float((1 / sizes).sum()) / persons,
        gallery_median=float(np.median(sizes)),
    )


def _same_sex(probes: Sequence[str | None], gallery: Sequence[str | None]) -> NDArray[np.bool_]:
    p, g = (np.array([sex or "" for sex in side])[:, None] for side in (probes, gallery))
    fits: NDArray[np.bool_] = (p == g.T) | (p == "") | (g.T == "")
    return fits


def _near_age(
    probes: Sequence[float | None], gallery: Sequence[float | None], years: float
) -> NDArray[np.bool_]:
    p, g = (
        np.array([np.nan if age is None else age for age in side], dtype=np.float64)
        for side in (probes, gallery)
    )
    apart = np.abs(p[:, None] - g[None, :])
    return np.isnan(apart) | (apart <= years)
