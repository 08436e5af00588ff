"""Names of BIDS files: entities, suffix, extension (BIDS 1.11)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from faceblind.errors import TableError

_NAME = re.compile(
    r"((?:sub-[0-9A-Za-z+]+)(?:_[a-z]+-[0-9A-Za-z+]+)*)_([0-9A-Za-z]+)((?:\.[A-Za-z0-9]+)*)"
)
_LABEL = re.compile(r"[0-9A-Za-z+]+")
LONG_NAMES = {
    "subject": "sub", "session": "ses", "sample": "sample", "task": "task",
    "tracksys": "tracksys", "acquisition": "acq", "nucleus": "nuc", "volume": "voi",
    "ceagent": "ce", "contrast": "ce", "tracer": "trc", "stain": "stain", "reconstruction": "rec",
    "direction": "dir", "run": "run", "modality": "mod", "echo": "echo", "flip": "flip",
    "inversion": "inv", "mtransfer": "mt", "part": "part", "processing": "proc",
    "hemisphere": "hemi", "space": "space", "split": "split", "recording": "recording",
    "chunk": "chunk", "segmentation": "seg", "resolution": "res", "density": "den",
    "label": "label", "description": "desc",
}  # fmt: skip
"""Entities as queries spell them, to their short form in names."""


@dataclass(frozen=True, slots=True)
class BidsName:
    """A file name taken apart.

    Parameters
    ----------
    entities : tuple of (str, str)
        Short key and label, in the order of the name; ``sub`` comes first.
    suffix : str
    extension : str
        With its dot or dots; empty if there is none.
    """

    entities: tuple[tuple[str, str], ...]
    suffix: str
    extension: str

    def get(self, key: str) -> str | None:
        """The label of an entity, or None."""
        return next((label for name, label in self.entities if name == key), None)

    def described(self, label: str) -> str:
        """The name with ``desc-LABEL``, which comes last among the entities.

        Examples
        --------
        >>> parse_name("sub-1_run-2_T1w.nii.gz").described("defaced")
        'sub-1_run-2_desc-defaced_T1w.nii.gz'
        """
        kept = [f"{key}-{value}" for key, value in self.entities if key != "desc"]
        return "_".join([*kept, f"desc-{label}", self.suffix]) + self.extension


def parse_name(name: str) -> BidsName | None:
    """Take a file name apart; None if it is none of a participant's file in BIDS.

    Parameters
    ----------
    name : str
        Without folders.

    Examples
    --------
    >>> parse_name("sub-01_inv-2_part-mag_MP2RAGE.nii.gz").suffix
    'MP2RAGE'
    >>> parse_name("T1w.nii.gz") is None
    True
    """
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    pairs = [tuple(part.split("-", 1)) for part in match[1].split("_")]
    keys = [key for key, _ in pairs]
    if len(set(keys)) < len(keys):
        return None
    return BidsName(tuple(pairs), match[2], match[3])  # type: ignore[arg-type]


def bare_label(text: str, key: str) -> str:
    """A label with or without its key: ``sub-01`` and ``01`` both give ``01``.

    Parameters
    ----------
    text : str
    key : str
        ``"sub"`` or ``"ses"``.

    Raises
    ------
    TableError
        If it cannot be a label.
    """
    label = text.strip().removeprefix(f"{key}-")
    if not _LABEL.fullmatch(label):
        raise TableError(f"{text!r}: is no label of BIDS; labels hold letters and digits only")
    return label
