"""Labels and suffixes in the names of a data set."""

from __future__ import annotations

import re
from pathlib import Path

from faceblind.errors import TableError
from faceblind.formats.names import without_ending

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


def mask_path(target: Path, suffix: str | None) -> Path:
    """Where BIDS puts the mask of a protected scan: ``sub-01_mod-T1w_defacemask.nii.gz``.

    Parameters
    ----------
    target : Path
        The protected scan.
    suffix : str or None
        Its BIDS suffix.
    """
    stem = without_ending(target.name)
    if suffix and stem.endswith(f"_{suffix}"):
        stem = f"{stem.removesuffix(f'_{suffix}')}_mod-{suffix}"
    return target.with_name(f"{stem}_defacemask.nii.gz")
