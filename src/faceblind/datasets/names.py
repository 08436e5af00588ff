"""Labels and suffixes in the names of a data set."""

from __future__ import annotations

import re

from faceblind.errors import TableError

MISSING = ("", "n/a")
"""What a table may hold where nothing is known."""
_LABEL = re.compile(r"\w[\w.+-]*")


def participant_label(text: str) -> str:
    """Normalised participant label: ``01`` and ``sub-01`` both become ``sub-01``.

    Raises
    ------
    TableError
        If nothing is left, or it holds characters that do not belong in a file name.
    """
    label = text.strip().removeprefix("sub-")
    if label in MISSING:
        raise TableError("participant_id is empty; give every row a label")
    if not _LABEL.fullmatch(label):
        raise TableError(
            "participant_id may hold letters, digits and . _ + - only, and starts with a letter "
            "or digit"
        )
    return f"sub-{label}"


# Contrasts in the order in which they show skin against air best (Schwarz et al. 2022, NeuroImage
# 258:119357: 3-D T1, T2 and FLAIR far ahead of the rest; CT second).
FACE_SUFFIXES = ("T1w", "T2w", "FLAIR", "PDw", "CT", "ct")
