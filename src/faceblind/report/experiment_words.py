"""What is said in words of an identification experiment."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from faceblind.identification.open_set import searches_needed
from faceblind.identification.result import ARTICLE, StudyResult
from faceblind.identification.searches import FEWEST
from faceblind.report.references import bibtex, of_recogniser
from faceblind.report.texts import count, counted, interval, percent

_FOUND = {
    "photo-to-scan": "people were found by their photographs: their own scan was the first guess",
    "scan-to-photo": "people were found by their scan: their own photographs were the first guess",
    "scan-to-scan": "people were found by their scan: another scan of theirs was the first guess",
}
_SIDES = {
    "photo-to-scan": "photographs were searched among renders of the faces in scans",
    "scan-to-photo": "renders of the faces in scans were searched among photographs",
    "scan-to-scan": "faces in scans were searched among the faces of other scans",
}


def answer(result: StudyResult) -> str:
    """One sentence with its interval, chance and the article's figure.

    Parameters
    ----------
    result : StudyResult
    """
    rate = result.rank1
    ends = f"({percent(rate.rate)}, 95 % interval {interval(rate)})"
    among = f"among {result.gallery_size}" if result.gallery_size else "in an empty gallery"
    article = ARTICLE.rank1
    return (
        f"{count(rate.hits)} of {rate.n} {_FOUND[result.direction]} {among} {ends}. "
        f"Guessing would find {percent(result.chance_rank1)}; the article of 2019 found "
        f"{count(article.hits)} of {article.n} ({percent(article.rate)}, {interval(article)})."
    )


def cautions(result: StudyResult) -> tuple[str, ...]:
    """What the reader must know before any figure.

    Parameters
    ----------
    result : StudyResult
    """
    found = [result.note] if result.note else []
    if result.direction != ARTICLE.direction:
        found.append(f"This study's direction, {result.direction}, is not the article's.")
    if result.trivial_ranks:
        ranks = ", ".join(map(str, result.trivial_ranks))
        found.append(
            f"The gallery holds {result.gallery_size}: within rank {ranks} guessing finds as many."
        )
    lost = sum(not one.failure and math.isinf(one.rank) for one in result.ranks)
    if lost:
        found.append(
            f"The service did not return {lost} of {len(result.ranks)} people for any of their own "
            "photographs. They count as misses; figures beyond this gallery cannot be computed."
        )
    if len(result.ranks) < FEWEST:
        found.append(
            f"Fewer than {FEWEST} people: the interval is wide, and nothing can be said of other "
            "galleries or of groups."
        )
    return tuple(found)


def not_tested(result: StudyResult) -> tuple[str, ...]:
    """What the study leaves open.

    Parameters
    ----------
    result : StudyResult
    """
    found = [
        "Other recognisers. Commercial services found 92 and 98 % of 182 people where open ones "
        "found 51 to 59 % (Prakaashana et al. 2025, NeuroImage 121476).",
        "A searcher who trains a recogniser on such renders, or who adds what else he knows.",
        "Anything but the face: the shape of brain and skull, and metadata.",
    ]
    others = {"photo-to-scan": "scan-to-photo", "scan-to-photo": "photo-to-scan"}
    if result.direction in others:
        found.append(f"The other direction ({others[result.direction]}).")
    if result.open_set is None:
        found.append(f"People who are not in the gallery (open set): needs {FEWEST} people.")
    else:
        found += [
            f"DIR at {100 * fpir:g} % FPIR: needs {searches_needed(fpir):,} people."
            for fpir in result.open_set.too_few
        ]
    if result.gallery_scaling is None:
        found.append(f"Larger and smaller galleries: needs {FEWEST} people.")
    if not any(trait.groups for trait in result.subgroups):
        found.append(f"Groups of people: needs {FEWEST} people in a group, and participants.tsv.")
    return tuple(found)


def prior_knowledge(result: StudyResult) -> tuple[str, ...]:
    """Rank 1 for a searcher who knows age and sex, where that was computed.

    Parameters
    ----------
    result : StudyResult
    """
    known = result.prior_knowledge
    if known is None:
        return ()
    return (
        f"A searcher who knows the sex, and the age within {known.age_years:g} years, finds "
        f"{counted(known.rank1, 'people')} among {known.gallery_median:g} fitting ones (median); "
        f"guessing among them finds {percent(known.chance)}.",
    )


def methods(result: StudyResult) -> str:
    """A paragraph for a paper.

    Parameters
    ----------
    result : StudyResult
    """
    settings, versions = result.settings, result.versions
    n = len(result.ranks)
    parts = [
        f"Identification was measured with {_software(versions)}. In a closed set of "
        f"{result.gallery_size} people, {_SIDES[result.direction]} ({result.direction}; {n} mated "
        "searches)."
    ]
    if {"cameras", "lights"} <= set(settings):
        parts.append(
            f"Each face was reconstructed from the scan ({settings.get('variant', 'completed')}) "
            f"and rendered from {settings['cameras']} directions under {settings['lights']} lights."
        )
    probe, gallery = (
        _span(settings.get(key)) for key in ("pictures_per_probe", "pictures_per_gallery_person")
    )
    if probe and gallery:
        parts.append(f"There were {probe} pictures per probe and {gallery} per gallery person.")
    parts.append(_comparison(result))
    if result.matching == "adapted":
        parts.append(
            "How photographs and renders of one face differ was learnt from synthetic people, none "
            "of them in this study, and damped; scores count in standard deviations of those of "
            "the same probe and of the same gallery person."
        )
    parts.append(
        f"Terms follow ISO/IEC 19795-1. Ranks are expectations over random order of ties. "
        f"{result.failed_to_enrol} of {n} people could not be enrolled and count as misses at "
        "every rank. Intervals of rates are Wilson's, 95 %."
    )
    if result.open_set:
        parts.append(
            "For the open set each person was searched once more with the own entry left out; "
            "DIR has a bootstrap interval over persons."
        )
    if result.gallery_scaling:
        parts.append(
            "Smaller galleries are exact expectations over all sub-galleries; larger ones follow "
            "two models, the law of Rocher et al. and extreme values of the scores."
        )
    if any(trait.corrected is not None for trait in result.subgroups):
        parts.append("Groups were compared by permutation tests, corrected by Holm's method.")
    return " ".join(parts)


def _comparison(result: StudyResult) -> str:
    """Who compared the pictures, and how they became one score for two people."""
    if result.matching != "service":
        return (
            f"Pictures were compared by the recogniser {result.recogniser} with {result.matching} "
            f"matching, and the scores of two people fused by {result.fusion}."
        )
    used = result.settings.get("service", {})
    low, high = used.get("candidates_returned", (0, 0))
    return (
        f"The remote service {used.get('name', '')} ({result.recogniser}) was trained on the "
        "renders, one entry for each person, and named candidates for each photograph, "
        f"{low} to {high} of {used.get('candidates_asked', 0)} asked for. A person's score is the "
        "mean of the service's confidences over the photographs, 0 where a list does not hold the "
        "person. People in none of the lists have no rank and count as misses."
    )


def citations(result: StudyResult) -> str:
    """BibTeX of what `methods` and the answer cite.

    Parameters
    ----------
    result : StudyResult
    """
    keys = ["faceblind", "schwarz2019", "iso19795", "wilson1927"]
    keys += of_recogniser(result.recogniser)
    keys += ["hatch2006", "auckenthaler2000"] if result.matching == "adapted" else []
    keys += ["rocher2025"] if result.gallery_scaling else []
    keys += ["holm1979"] if any(t.corrected is not None for t in result.subgroups) else []
    return bibtex(keys)


def limits(result: StudyResult) -> str:
    """A paragraph on what the figures do not say.

    Parameters
    ----------
    result : StudyResult
    """
    silico = f"{result.note} " if result.note else ""
    return (
        f"{silico}The figures hold for these people, scans and photographs, and for this "
        "recogniser: another searcher may find more or fewer. A rate depends on the number of "
        "people searched. "
        f"Finding nobody is no proof of safety: with {result.rank1.n} people the true rate may "
        f"be as high as {percent(result.rank1.high)}. These figures are evidence for a judgement "
        "of risk; they are no legal judgement, neither of the HIPAA Safe Harbor nor of the GDPR."
    )


def _software(versions: Mapping[str, str]) -> str:
    others = [f"{name} {version}" for name, version in versions.items() if name != "faceblind"]
    of = f" ({', '.join(others)})" if others else ""
    return f"faceblind {versions.get('faceblind', '')}".strip() + of


def _span(value: Any) -> str:
    """How many pictures: one number or a range."""
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        return ""
    low, high = value
    return str(low) if low == high else f"{low} to {high}"
