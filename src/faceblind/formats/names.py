"""Endings of the names of scans."""

from __future__ import annotations

from pathlib import Path

ENDINGS = (".nii.gz", ".nii", ".mgz", ".mgh", ".nrrd")
"""Of every format that faceblind reads; the longest of those that share an end comes first."""


def is_scan_name(path: str | Path) -> bool:
    """Whether a name ends like a scan's."""
    return Path(path).name.lower().endswith(ENDINGS)


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
