"""Closed-set identification figures, as pure functions of a score matrix.

Terms follow ISO/IEC 19795-1 (Biometric performance testing and reporting) and NIST FRTE 1:N: a
probe is searched in a gallery; the mate is the gallery entry of the same person; a rank-k hit is a
mate among the k highest scores.

Ties. Equal scores have no order, so the order is taken as random and every figure is the
expectation over all orders. Counting ties for the searcher would make a recogniser that answers
the same to everything perfect; counting them against him would make it useless; the expectation
gives it chance. With ``b`` gallery entries strictly better than the mate and ``t`` others equal to
it, the mate's rank is uniform on ``b + 1 … b + t + 1``.

Mates that are missing. A person whose probe or gallery entry could not be made (failure to enrol)
is a miss at every rank and stays in the denominator. A probe whose person is not in the gallery
makes a non-mated search: it has no rank, and no place in a cumulative match characteristic; see
`faceblind.identification.open_set`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from faceblind.errors import FaceblindError

NO_MATE = -1
"""Mate index of a probe whose person is not in the gallery."""


def mate_indices(probe_persons: ArrayLike, gallery_persons: ArrayLike) -> NDArray[np.int64]:
    """Column of each probe's mate.

    Parameters
    ----------
    probe_persons : (P,) array_like of str
        Persons searched for.
    gallery_persons : (G,) array_like of str
        Persons searched, each once.

    Returns
    -------
    (P,) int64 ndarray
        Index into the gallery; `NO_MATE` where the person is not in it.

    Raises
    ------
    FaceblindError
        If a gallery person occurs twice: "the" mate would be undefined.
    """
    gallery = [str(person) for person in np.asarray(gallery_persons)]
    column = {person: i for i, person in enumerate(gallery)}
    if len(column) != len(gallery):
        raise FaceblindError("gallery: a person occurs twice; fuse the pictures of each person")
    probes = np.asarray(probe_persons)
    return np.array([column.get(str(person), NO_MATE) for person in probes], dtype=np.int64)


def expected_ranks(scores: ArrayLike, mate_index: ArrayLike) -> NDArray[np.float64]:
    """Expected rank of each probe's mate: ``1 + b + t / 2``. Lower is better.

    Parameters
    ----------
    scores : (P, G) array_like
        Higher is more similar.
    mate_index : (P,) array_like of int
        See `mate_indices`.

    Returns
    -------
    (P,) float64 ndarray
        From 1 to G in halves; infinite where there is no mate.
    """
    better, equal, mated = counts(scores, mate_index)
    return np.where(mated, 1.0 + better + equal / 2.0, np.inf)


def hit_probabilities(scores: ArrayLike, mate_index: ArrayLike, k: int) -> NDArray[np.float64]:
    """Probability that each mate is within rank k: ``clip((k - b) / (t + 1), 0, 1)``.

    Higher means found. It is 0 or 1 unless the mate's score is tied across the border.

    Parameters
    ----------
    scores : (P, G) array_like
        Higher is more similar.
    mate_index : (P,) array_like of int
        See `mate_indices`.
    k : int
        Length of the candidate list, at least 1.

    Returns
    -------
    (P,) float64 ndarray
        Zero where there is no mate.
    """
    _check_k(k)
    better, equal, mated = counts(scores, mate_index)
    return np.where(mated, np.clip((k - better) / (equal + 1.0), 0.0, 1.0), 0.0)


def rank_hits(scores: ArrayLike, mate_index: ArrayLike, k: int) -> float:
    """Expected number of probes whose mate is within rank k. Higher is better recognition.

    Divided by the number of mated searches (enrolled or not) it is the rank-k identification rate
    of ISO/IEC 19795-1, CMC(k) = 1 - FNIR(T = 0, R = k) of NIST FRTE.
    """
    # Thirds and sevenths from ties must add up to whole hits again.
    return round(float(hit_probabilities(scores, mate_index, k).sum()), 9)


def cmc(
    scores: ArrayLike, mate_index: ArrayLike, searches: int | None = None
) -> NDArray[np.float64]:
    """Cumulative match characteristic: the rank-k identification rate for k = 1 … G.

    Non-decreasing; higher is better recognition. It reaches 1 at G unless persons failed to enrol.

    Parameters
    ----------
    scores : (P, G) array_like
        Higher is more similar.
    mate_index : (P,) array_like of int
        See `mate_indices`. Every probe needs a mate.
    searches : int, optional
        Mated searches that should have been made; by default P. Searches beyond P could not be
        made (failure to enrol) and count as misses.

    Returns
    -------
    (G,) float64 ndarray
        Element k - 1 is the rate at rank k.

    Raises
    ------
    FaceblindError
        If a probe has no mate: the curve is defined for closed sets only.
    """
    better, equal, mated = counts(scores, mate_index)
    if not mated.all():
        raise FaceblindError(
            f"cmc: {int((~mated).sum())} of {len(mated)} probes have no mate in the gallery; "
            "leave them out, and report the open set by FPIR and FNIR"
        )
    total = len(better) if searches is None else searches
    if total < max(1, len(better)):
        raise FaceblindError(f"cmc: expected at least {max(1, len(better))} searches, got {total}")
    k = np.arange(1, np.shape(scores)[1] + 1)[:, None]
    hits = np.clip((k - better) / (equal + 1.0), 0.0, 1.0)
    curve: NDArray[np.float64] = np.round(hits.sum(axis=1) / total, 12)
    return curve


def chance_rate(k: int, gallery_size: int) -> float:
    """Rank-k identification rate of a recogniser that knows nothing: ``min(k / G, 1)``."""
    _check_k(k)
    return min(1.0, k / gallery_size) if gallery_size > 0 else 0.0


def counts(
    scores: ArrayLike, mate_index: ArrayLike
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Entries strictly better than the mate, others equal to it, and whether there is a mate.

    Parameters
    ----------
    scores : (P, G) array_like
        Higher is more similar.
    mate_index : (P,) array_like of int
        See `mate_indices`.

    Returns
    -------
    better, equal : (P,) int64 ndarray
        Without meaning where there is no mate.
    mated : (P,) bool ndarray
    """
    values = np.asarray(scores, dtype=np.float64)
    mates = np.asarray(mate_index, dtype=np.int64)
    if values.ndim != 2 or mates.shape != values.shape[:1]:
        raise FaceblindError(
            f"scores: expected (P, G) scores and (P,) mates, got {values.shape} and {mates.shape}"
        )
    if np.isnan(values).any():
        raise FaceblindError("scores: NaN cannot be ranked; drop the failed picture instead")
    mated = mates != NO_MATE
    if ((mates < NO_MATE) | (mates >= values.shape[1])).any():
        raise FaceblindError(f"mates: index outside the gallery of {values.shape[1]}")
    if values.shape[1] == 0:
        none = np.zeros(len(values), dtype=np.int64)
        return none, none, mated
    own = values[np.arange(len(values)), np.where(mated, mates, 0)][:, None]
    better = (values > own).sum(axis=1)
    equal = (values == own).sum(axis=1) - 1
    return better, equal, mated


def _check_k(k: int) -> None:
    if k < 1:
        raise FaceblindError(f"rank: expected 1 or more, got {k}")
