"""Who gave a usable face, and whether that is enough to compare."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping

from faceblind.errors import FaceblindError

logger = logging.getLogger(__name__)


def check_enrolled(
    sides: tuple[Collection[str], Collection[str]],
    persons: Collection[str],
    failed: Mapping[str, str],
    matching: str,
) -> dict[str, str]:
    """Failures that count as misses; those of people who are not searched for are only said.

    Parameters
    ----------
    sides : two collections of str
        Who is enrolled as probe and in the gallery.
    persons : collection of str
        Who is searched for.
    failed : mapping of str to str
        Person to reason, of everybody who could not be enrolled on some side.
    matching : str
        ``centred`` and ``fused`` subtract the mean of a side.

    Returns
    -------
    dict of str to str
        The part of `failed` that `faceblind.identification.result.evaluate` is to count.

    Raises
    ------
    FaceblindError
        If one person is left on a side, who then is the side's mean, and the matching subtracts
        it.
    """
    if matching in ("centred", "fused") and min(map(len, sides)) == 1:
        why = "; ".join(failed.values()) or "no more were given"
        raise FaceblindError(
            f"matching: {matching!r} needs two people on either side and one is left; give more "
            f"people or choose 'nearest' ({why})"
        )
    others = sum(person not in persons for person in failed)
    if others:
        logger.warning("%d people beside those searched for gave no usable face.", others)
    return {person: why for person, why in failed.items() if person in persons}
