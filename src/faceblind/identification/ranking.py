"""Attack 5: whose scan is it? Ranks among originals and among photographs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceblind.identification.adaptation import adaptation_of
from faceblind.identification.embeddings import Embeddings
from faceblind.identification.match import Scores, match
from faceblind.identification.metrics import mate_indices
from faceblind.identification.scan_match import ScanFeatures, link_scores

FEWEST = 10
"""Persons from which a rank says anything: among ten, chance alone finds one in ten."""

VARIANTS = ("as-is", "completed", "peeled", "raised", "later", "sharpened")
"""Faces that are searched, where an attack brought them to light: under fills, in the dark, in
later volumes of a series, under a blur."""


def rank_among_originals(
    scans: Mapping[str, Mapping[str, ScanFeatures]],
    originals: Mapping[str, ScanFeatures],
    identity: str,
) -> dict[str, Link]:
    """Search each scan among the originals, in every variant; the worst is kept.

    Parameters
    ----------
    scans : mapping
        Person to variant to ScanFeatures.
    originals : mapping of str to ScanFeatures
        By person.
    identity : str
        The recogniser's.

    Returns
    -------
    dict of str to Link
        By person; empty where fewer than `FEWEST` people can be compared.
    """
    found: dict[str, Link] = {}
    for variant in VARIANTS:
        side = _variant(scans, variant)
        if min(len(side), len(originals)) < FEWEST or not set(side) & set(originals):
            continue
        scores = link_scores(side, originals, identity)
        _keep_worst(found, scores, "originals", variant, scans)
    return found


def rank_among_photographs(
    scans: Mapping[str, Mapping[str, ScanFeatures]],
    photographs: Mapping[str, NDArray[np.float32]],
    identity: str,
) -> dict[str, Link]:
    """Search each person's photographs among the scans, in every variant; the worst is kept.

    Parameters
    ----------
    scans : mapping
        Person to variant to ScanFeatures.
    photographs : mapping of str to (n, D) ndarray
        Embeddings by person.
    identity : str
        The recogniser's.
    """
    found: dict[str, Link] = {}
    for variant in VARIANTS:
        side = _variant(scans, variant)
        if min(len(side), len(photographs)) < FEWEST or not set(side) & set(photographs):
            continue
        renders = {person: one.vectors for person, one in side.items()}
        scores = match(
            Embeddings.of_people(photographs, "photograph", identity),
            Embeddings.of_people(renders, "render", identity),
            "centred" if adaptation_of(identity) is None else "adapted",
        )
        _keep_worst(found, scores, "photographs", variant, scans)
    return found


def _variant(scans: Mapping[str, Mapping[str, ScanFeatures]], name: str) -> dict[str, ScanFeatures]:
    """One variant of everybody; who has no such scan appears as completed among the others."""
    chosen = {}
    for person, variants in scans.items():
        if name in variants:
            chosen[person] = variants[name]
        elif any(name in other for other in scans.values()):
            chosen[person] = variants["completed"]
    return chosen


def _keep_worst(
    found: dict[str, Link],
    scores: Scores,
    against: str,
    variant: str,
    scans: Mapping[str, Mapping[str, ScanFeatures]],
) -> None:
    values = scores.values
    mates = mate_indices(scores.probe_persons, scores.gallery_persons)
    spread = max(float(values.std()), 1e-9)
    for row, mate in enumerate(mates):
        if mate < 0:
            continue
        person = str(scores.probe_persons[row])
        others = np.delete(values[row], mate)
        lead = float(values[row, mate] - others.max()) / spread
        # Ties count for the attacker: a copy under another label must not push a person down.
        rank = 1.0 + float((others > values[row, mate]).sum())
        known = found.get(person)
        if known is None or (rank, -lead) < (known.rank, -known.lead):
            tried = len(scans[person])
            found[person] = Link(against, rank, values.shape[1], variant, lead, tried)


@dataclass(frozen=True)
class Link:
    """Where a scan's person stood among others.

    Parameters
    ----------
    against : {"originals", "photographs"}
    rank : float
        The worst (lowest) of all variants.
    gallery : int
    variant : str
        Which face gave it, see `faceblind.identification.ranking.VARIANTS`.
    lead : float
        Score ahead of the best other, in spreads of all scores; negative behind.
    tried : int
        Variants that were searched, of which this is the worst.
    """

    against: str
    rank: float
    gallery: int
    variant: str
    lead: float
    tried: int
