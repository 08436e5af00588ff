"""Scores from what an identification service returns: lists of candidates, not vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from faceblind.identification.match import SCORE_DECIMALS, Scores

NOT_RETURNED = -1.0
"""Score of somebody whom the service named for no picture: below every confidence (0 to 1)."""


def scores_of_candidates(
    answers: Mapping[str, Sequence[Mapping[str, float]]],
    gallery: Mapping[str, int],
    identity: str,
) -> Scores:
    """One score for each pair of persons.

    The score is the mean over the probe person's pictures of the confidence for the gallery
    person, 0 for a picture whose list does not hold the person: the service then says at least
    that others fit better. Who is in none of the lists has no rank at all
    (`Scores.returned`), whatever the lists leave open; `faceblind.identification.result.evaluate`
    counts a mate without a rank as a miss.

    Parameters
    ----------
    answers : mapping of str to sequence of mapping
        For each person searched for, the confidences by gallery person of each picture in which
        the service found a face; at least one picture each.
    gallery : mapping of str to int
        Persons enrolled, with the number of their pictures that the service took.
    identity : str
        Name and version of the service's model.

    Returns
    -------
    Scores
        With ``matching`` ``"service"``.
    """
    probes, people = sorted(answers), sorted(gallery)
    column = {person: g for g, person in enumerate(people)}
    sums = np.zeros((len(probes), len(people)))
    returned = np.zeros(sums.shape, dtype=bool)
    for p, probe in enumerate(probes):
        for one in answers[probe]:
            for person, confidence in one.items():
                sums[p, column[person]] += confidence
                returned[p, column[person]] = True
    pictures = np.array([len(answers[probe]) for probe in probes], dtype=np.int64)
    means = sums / np.maximum(pictures, 1)[:, None]
    return Scores(
        values=np.where(returned, np.round(means, SCORE_DECIMALS), NOT_RETURNED),
        probe_persons=np.array(probes, dtype=np.str_),
        gallery_persons=np.array(people, dtype=np.str_),
        direction="photo-to-scan",
        matching="service",
        fusion="mean",
        recogniser=identity,
        probe_pictures=pictures,
        gallery_pictures=np.array([gallery[person] for person in people], dtype=np.int64),
        returned=returned,
    )
