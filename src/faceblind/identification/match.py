"""Compare probe pictures with gallery pictures, person by person.

A search compares one probe person (all pictures of that person together) with every gallery
person. Three recipes are offered:

``adapted`` (default of the study, for the recogniser ``sface-map``)
    As ``centred`` with fused means; then the directions in which a photograph and a render of one
    face differ, learnt from synthetic people, are damped, and each score is measured in standard
    deviations of its probe's and of its gallery person's scores (`adaptation`).
``centred``
    Renders and photographs are two *domains*: a recogniser trained on photographs maps every
    render to much the same corner of its space, and that shared offset drowns what differs
    between persons. The mean of each domain is subtracted, the vectors are scaled back to unit
    length, and the pictures of a person are fused. The mean needs to know which pictures belong
    together, never which render belongs to which photograph, so an attacker has it for free.
``nearest``
    The greatest cosine over all pairs of pictures, with nothing subtracted: the recipe of
    published open-source replications (Prakaashana et al. 2025, NeuroImage 121476), kept to
    compare with.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from faceblind.errors import FaceblindError
from faceblind.identification.adaptation import (
    PRIOR_PEOPLE,
    Adaptation,
    adaptation_of,
    standardised,
)
from faceblind.identification.embeddings import Embeddings
from faceblind.identification.fusion import Fusion, fuse, person_means, unit
from faceblind.identification.scores import SCORE_DECIMALS, Direction, Matching, Scores

MATCHINGS: tuple[Matching, ...] = ("adapted", "centred", "nearest")


_DIRECTIONS: dict[tuple[str, str], Direction] = {
    ("photograph", "render"): "photo-to-scan",
    ("render", "photograph"): "scan-to-photo",
    ("render", "render"): "scan-to-scan",
}


def match(
    probes: Embeddings,
    gallery: Embeddings,
    matching: Matching = "centred",
    fusion: Fusion | None = None,
    centres: tuple[ArrayLike, ArrayLike] | None = None,
    adaptation: Adaptation | None = None,
) -> Scores:
    """Score every probe person against every gallery person.

    Parameters
    ----------
    probes : Embeddings
        Pictures of the persons searched for, all of one kind.
    gallery : Embeddings
        Pictures of the persons searched, all of one kind. The kinds give the direction; swapping
        probes and gallery transposes the scores.
    matching : {"adapted", "centred", "nearest"}
        The recipe, see the module's description. ``adapted`` compares photographs with renders by
        the recogniser ``sface-map`` only.
    fusion : {"mean", "top", "best"}, optional
        See `fuse`. By default ``mean`` for ``centred``; ``adapted`` is always ``mean``, ``nearest``
        always ``best``.
    centres : pair of (D,) array_like, optional
        Centre of the probes' and of the gallery's domain, for ``centred``. By default each is
        fitted to the pictures given, which needs at least two persons on either side; give the
        centres of a larger set (`fit_centre`) to search for a single person.
    adaptation : Adaptation, optional
        For ``adapted``: another fit than the shipped one.

    Returns
    -------
    Scores
        Persons in sorted order, whatever the order of the pictures.

    Raises
    ------
    FaceblindError
        Empty or mixed input, different recognisers or dimensions, no person on both sides, or
        too few persons to fit a centre.
    """
    if matching not in MATCHINGS:
        raise FaceblindError(f"matching: expected one of {', '.join(MATCHINGS)}, got {matching!r}")
    chosen: Fusion = fusion or ("best" if matching == "nearest" else "mean")
    for recipe, only in (("nearest", "best"), ("adapted", "mean")):
        if matching == recipe and chosen != only:
            raise FaceblindError(f"fusion: {recipe!r} matching is always {only!r}, got {chosen!r}")
    direction = _check_comparable(probes, gallery)
    if matching == "adapted":
        return _adapted(probes, gallery, direction, adaptation)
    p_vectors = np.asarray(probes.vectors, dtype=np.float64)
    g_vectors = np.asarray(gallery.vectors, dtype=np.float64)
    if matching == "centred":
        p_centre, g_centre = centres or (
            _own_centre(probes, "probes"),
            _own_centre(gallery, "gallery"),
        )
        p_vectors = _centred(p_vectors, p_centre)
        g_vectors = _centred(g_vectors, g_centre)
    p_persons, p_counts, p_vectors = _by_person(probes.person, p_vectors)
    g_persons, g_counts, g_vectors = _by_person(gallery.person, g_vectors)
    values = fuse(p_vectors, p_counts, g_vectors, g_counts, chosen)
    return Scores(
        values=np.round(values, SCORE_DECIMALS) + 0.0,
        probe_persons=p_persons,
        gallery_persons=g_persons,
        direction=direction,
        matching=matching,
        fusion=chosen,
        recogniser=probes.recogniser,
        probe_pictures=p_counts,
        gallery_pictures=g_counts,
    )


def _adapted(
    probes: Embeddings, gallery: Embeddings, direction: Direction, given: Adaptation | None
) -> Scores:
    """Scores of the recipe ``adapted``."""
    fit = given or adaptation_of(probes.recogniser)
    if fit is None or direction == "scan-to-scan":
        raise FaceblindError(
            "matching: 'adapted' compares photographs with renders by the recogniser sface-map; "
            f"for {direction} by {probes.recogniser} choose 'centred'"
        )
    persons, counts, sides = [], [], []
    for side in (probes, gallery):
        labels, pictures, vectors = _by_person(side.person, side.vectors.astype(np.float64))
        means = person_means(vectors, pictures)
        prior = PRIOR_PEOPLE * fit.centre(str(side.kind[0]))
        centre = (means.sum(axis=0) + prior) / (len(means) + PRIOR_PEOPLE)
        sides.append(unit(fit.damped(unit(means - centre))))
        persons.append(labels)
        counts.append(pictures)
    values = standardised(sides[0] @ sides[1].T, fit.spread)
    return Scores(
        values=np.round(values, SCORE_DECIMALS) + 0.0,
        probe_persons=persons[0],
        gallery_persons=persons[1],
        direction=direction,
        matching="adapted",
        fusion="mean",
        recogniser=probes.recogniser,
        probe_pictures=counts[0],
        gallery_pictures=counts[1],
    )


def fit_centre(embeddings: Embeddings) -> NDArray[np.float64]:
    """Centre of a domain: the mean over persons of each person's mean vector.

    Averaging within persons first keeps a person with many pictures from pulling the centre
    towards him.

    Parameters
    ----------
    embeddings : Embeddings
        Pictures of one domain (one kind of picture, one sort of scan).

    Returns
    -------
    (D,) float64 ndarray
        The centre; not of unit length.
    """
    vectors = np.asarray(embeddings.vectors, dtype=np.float64)
    if len(vectors) == 0:
        raise FaceblindError("matching: no pictures to fit a centre to")
    _, counts, ordered = _by_person(embeddings.person, vectors)
    centre: NDArray[np.float64] = person_means(ordered, counts).mean(axis=0)
    return centre


def _check_comparable(probes: Embeddings, gallery: Embeddings) -> Direction:
    """Refuse what cannot be compared; say what the comparison is called."""
    kinds = []
    for name, side in (("probes", probes), ("gallery", gallery)):
        if len(side.vectors) == 0:
            raise FaceblindError(f"matching: the {name} hold no picture; nothing was enrolled")
        if not np.isfinite(side.vectors).all():
            raise FaceblindError(f"matching: the {name} hold NaN or infinite embeddings")
        found = sorted({str(kind) for kind in side.kind})
        if len(found) != 1:
            raise FaceblindError(f"matching: the {name} mix {' and '.join(found)}; split them")
        kinds.append(found[0])
    if probes.recogniser != gallery.recogniser:
        raise FaceblindError(
            f"matching: probes come from {probes.recogniser}, the gallery from "
            f"{gallery.recogniser}; embed both with one recogniser"
        )
    if probes.vectors.shape[1] != gallery.vectors.shape[1]:
        raise FaceblindError(
            f"matching: probes have {probes.vectors.shape[1]} dimensions, the gallery "
            f"{gallery.vectors.shape[1]}; embed both with one recogniser"
        )
    if not set(map(str, probes.person)) & set(map(str, gallery.person)):
        raise FaceblindError(
            "matching: no person is in both probes and gallery; check that the labels agree"
        )
    direction = _DIRECTIONS.get((kinds[0], kinds[1]))
    if direction is None:
        raise FaceblindError(
            f"matching: cannot search {kinds[1]}s with {kinds[0]}s; "
            "one side at least must be renders of scans"
        )
    return direction


def _own_centre(embeddings: Embeddings, name: str) -> NDArray[np.float64]:
    if len(set(map(str, embeddings.person))) < 2:
        raise FaceblindError(
            f"matching: 'centred' needs two or more persons among the {name}, or given centres; "
            "use matching 'nearest'"
        )
    return fit_centre(embeddings)


def _centred(vectors: NDArray[np.float64], centre: ArrayLike) -> NDArray[np.float64]:
    centre = np.asarray(centre, dtype=np.float64)
    if centre.shape != vectors.shape[1:]:
        raise FaceblindError(
            f"matching: expected a centre of shape {vectors.shape[1:]}, got {centre.shape}"
        )
    return unit(vectors - centre)


def _by_person(
    person: NDArray[Any], vectors: NDArray[np.float64]
) -> tuple[NDArray[np.str_], NDArray[np.int64], NDArray[np.float64]]:
    """Persons sorted, pictures per person, and the vectors in that order."""
    labels = np.asarray(person, dtype=np.str_)
    persons, counts = np.unique(labels, return_counts=True)
    return persons, counts.astype(np.int64), vectors[np.argsort(labels, kind="stable")]
