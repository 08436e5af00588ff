"""What a result means beyond its own gallery: open sets, other sizes, groups of people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from faceblind.identification.gallery_scaling import gallery_scaling
from faceblind.identification.match import Scores
from faceblind.identification.open_set import open_set
from faceblind.identification.paired import hit_probability
from faceblind.identification.prior_knowledge import PriorKnowledge, with_prior_knowledge
from faceblind.identification.result import StudyResult
from faceblind.identification.searches import FEWEST, Searches
from faceblind.identification.subgroups import Trait, age_band, compare_groups


@dataclass(frozen=True)
class Traits:
    """What is known of a person, for rates by group.

    Parameters
    ----------
    age : float or None
        Years.
    sex, ancestry, contrast, field_of_view : str or None
        Labels of groups.
    """

    age: float | None = None
    sex: str | None = None
    ancestry: str | None = None
    contrast: str | None = None
    field_of_view: str | None = None


NOTHING = Traits()


def interpret(
    result: StudyResult, scores: Scores, traits: Mapping[str, Traits] | None = None
) -> StudyResult:
    """Add what the figures mean beyond this gallery, where the people are enough.

    Parameters
    ----------
    result : StudyResult
        From `faceblind.identification.result.evaluate`.
    scores : Scores
        Those that it was made of.
    traits : mapping of str to Traits, optional
        By person.

    Returns
    -------
    StudyResult
        The same, with ``open_set``, ``gallery_scaling``, ``subgroups`` and ``prior_knowledge``.
        Unchanged where a service left pairs without a score: what follows from all scores would be
        made up.
    """
    if not scores.complete:
        return result
    known = traits or {}
    searches = Searches.of(scores, result.persons)
    if searches.mated_count < FEWEST:
        return result
    return replace(
        result,
        open_set=open_set(searches),
        gallery_scaling=gallery_scaling(searches),
        subgroups=_subgroups(result, known),
        prior_knowledge=_prior_knowledge(searches, known),
    )


def _subgroups(result: StudyResult, traits: Mapping[str, Traits]) -> tuple[Trait, ...]:
    found = hit_probability(
        [entry.rank for entry in result.ranks], [entry.tied for entry in result.ranks], 1
    )
    people = [traits.get(entry.person, NOTHING) for entry in result.ranks]
    return compare_groups(
        found,
        {
            "age": [age_band(one.age) for one in people],
            "sex": [one.sex for one in people],
            "ancestry": [one.ancestry for one in people],
            "contrast": [one.contrast for one in people],
            "field_of_view": [one.field_of_view for one in people],
        },
    )


def _prior_knowledge(searches: Searches, traits: Mapping[str, Traits]) -> PriorKnowledge | None:
    probes, gallery = (
        [traits.get(str(person), NOTHING) for person in side]
        for side in (searches.probe_persons, searches.gallery_persons)
    )
    return with_prior_knowledge(
        searches,
        ([one.age for one in probes], [one.age for one in gallery]),
        ([one.sex for one in probes], [one.sex for one in gallery]),
    )
