"""The pictures of two people become one score."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from faceblind.errors import FaceblindError

Fusion = Literal["mean", "top", "best"]

FUSIONS: tuple[Fusion, ...] = ("mean", "top", "best")

SILENT_NORM = 1e-4
"""A centred vector shorter than this is rounding noise around the centre and becomes zero: it
scores 0 with everybody instead of being blown up to unit length."""

TOP_SHARE = 0.1
"""Share of the picture pairs of two persons that ``top`` fusion averages."""


def fuse(
    probes: NDArray[np.float64],
    probe_counts: NDArray[np.int64],
    gallery: NDArray[np.float64],
    gallery_counts: NDArray[np.int64],
    fusion: Fusion,
) -> NDArray[np.float64]:
    """One score for each pair of persons from the vectors of their pictures.

    All three are symmetric in probe and gallery.

    ``mean``
        Cosine between the two persons' mean vectors. Averaging cancels what pose, light and
        expression add to single pictures; every picture counts the same.
    ``top``
        Mean of the best tenth of all pairs (at least one). Only pictures from similar angles
        have to agree.
    ``best``
        The best single pair. Persons with more pictures have more chances, and one lucky pair
        decides.

    Parameters
    ----------
    probes : (N, D) float64 ndarray
        Unit (or zero) vectors, the pictures of one person next to each other.
    probe_counts : (P,) int ndarray
        Number of pictures of each probe person, summing to N.
    gallery : (M, D) float64 ndarray
        As `probes`.
    gallery_counts : (G,) int ndarray
        As `probe_counts`.
    fusion : {"mean", "top", "best"}
        The rule.

    Returns
    -------
    (P, G) float64 ndarray
        Higher is more similar.
    """
    if fusion == "mean":
        p_means = unit(person_means(probes, probe_counts))
        g_means = unit(person_means(gallery, gallery_counts))
        scores: NDArray[np.float64] = p_means @ g_means.T
        return scores
    rules: dict[str, Callable[[NDArray[np.float64], NDArray[np.int64]], NDArray[np.float64]]]
    rules = {"best": _best_of_pairs, "top": _top_of_pairs}
    if fusion not in rules:
        raise FaceblindError(f"fusion: expected one of {', '.join(FUSIONS)}, got {fusion!r}")
    starts = _starts(gallery_counts)
    # One probe person at a time: all pairs of 500 scans with 81 renders would fill 13 GB.
    rows = [
        rules[fusion](pictures @ gallery.T, starts)
        for pictures in np.split(probes, np.cumsum(probe_counts)[:-1])
    ]
    return np.stack(rows)


def _best_of_pairs(pairs: NDArray[np.float64], starts: NDArray[np.int64]) -> NDArray[np.float64]:
    best: NDArray[np.float64] = np.maximum.reduceat(pairs.max(axis=0), starts)
    return best


def _top_of_pairs(pairs: NDArray[np.float64], starts: NDArray[np.int64]) -> NDArray[np.float64]:
    row = np.empty(len(starts))
    for g, block in enumerate(np.split(pairs, starts[1:], axis=1)):
        keep = max(1, round(TOP_SHARE * block.size))
        row[g] = np.partition(block, block.size - keep, axis=None)[-keep:].mean()
    return row


def unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows scaled to unit length; rows of no length become zero."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    silent = norms < SILENT_NORM
    scaled: NDArray[np.float64] = np.where(silent, 0.0, vectors / np.where(silent, 1.0, norms))
    return scaled


def person_means(vectors: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """(P, D) mean vector of each person, from vectors (N, D) that lie person by person."""
    means: NDArray[np.float64] = np.add.reduceat(vectors, _starts(counts)) / counts[:, None]
    return means


def _starts(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    starts: NDArray[np.int64] = np.cumsum(counts) - counts
    return starts
