"""Endings of the names of scans."""

from __future__ import annotations

from pathlib import Path

ENDINGS = (".nii.gz", ".nii", ".mgz", ".mgh", ".nrrd")
"""Of every format that faceblind reads; the longest of those that share an end comes first."""
UNREAD = (
    ".dcm", ".ima", ".img", ".mnc", ".nhdr", ".mha", ".mhd", ".brik", ".brik.gz", ".nii.bz2",
    ".nii.xz", ".zip", ".tar", ".tgz", ".tar.gz",
)  # fmt: skip
"""Of formats that are not read and may hold heads; a pair of header and image counts once."""


def is_scan_name(path: str | Path) -> bool:
    """Whether a name ends like a scan's."""
    return Path(path).name.lower().endswith(ENDINGS)


def is_unread_name(path: str | Path) -> bool:
    """Whether a name ends like a scan's in a format that is not read."""
    return Path(path).name.lower().endswith(UNREAD)


def without_ending(name: str) -> str:
    """A file name without a scan's ending.

    Examples
    --------
    >>> without_ending("sub-1_T1w.nii.gz"), without_ending("a.MGZ"), without_ending("b.txt")
    ('sub-1_T1w', 'a', 'b.txt')
    """
    for ending in ENDINGS:
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return name
