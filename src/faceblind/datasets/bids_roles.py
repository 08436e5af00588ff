"""What is to become of each file of a BIDS dataset: protected, copied, or left out."""

from __future__ import annotations

from typing import Literal

from faceblind.datasets.bids_index import BidsFile

Role = Literal["scan", "map", "sidecar", "copy", "unprotected", "left_out"]
"""``scan``: an image of the head to be protected by its own evidence. ``map``: computed from other
images, blanked where its companion is. ``sidecar``: written anew beside a protected image.
``unprotected``: an image that is copied as it is. ``left_out``: never copied."""

IMAGES = (".nii", ".nii.gz")
MAPS = {
    "T1map", "T2map", "T2starmap", "T1rho", "R1map", "R2map", "R2starmap", "PDmap", "MTRmap",
    "MTsat", "MTVmap", "MWFmap", "Chimap", "S0map", "M0map", "UNIT1",
}  # fmt: skip
SCANS = {
    "T1w", "T2w", "PDw", "PD", "FLAIR", "T2starw", "T2star", "FLASH", "inplaneT1", "inplaneT2",
    "PDT2", "angio", "MP2RAGE", "MEGRE", "MESE", "VFA", "IRT1", "MPM", "MTS", "MTR",
}  # fmt: skip
"""Suffixes of ``anat`` that are images as a scanner makes them."""
_LIKE_MAPS = {"phase", "real", "imag"}
"""Parts of a complex image that show no skin."""
_OTHERS = {"func", "dwi", "perf", "fmap"}
"""Datatypes whose images are left alone unless all are wanted."""
_OTHER_SCANS = {
    "bold", "cbv", "sbref", "dwi", "asl", "m0scan", "magnitude", "magnitude1", "magnitude2", "epi",
    "TB1TFL", "TB1EPI", "TB1DAM", "TB1AFI", "TB1SRGE", "RB1COR",
}  # fmt: skip
_OTHER_MAPS = {
    "phase", "phase1", "phase2", "phasediff", "fieldmap", "ADC", "S0map", "trace", "noRF", "TB1map",
    "RB1map",
}  # fmt: skip
_TABLES = {".json", ".tsv", ".tsv.gz", ".bval", ".bvec"}
RECORDINGS = {
    "eeg": {".edf", ".bdf", ".vhdr", ".vmrk", ".eeg", ".set", ".fdt"},
    "ieeg": {".edf", ".vhdr", ".vmrk", ".eeg", ".set", ".fdt", ".nwb", ".mefd"},
    "meg": {".fif", ".ds", ".sqd", ".con", ".raw", ".ave", ".mrk", ".kdf", ".mhd", ".trg", ".chn"},
    "nirs": {".snirf"},
    "motion": set(),
    "beh": set(),
    "mrs": {".nii", ".nii.gz"},
}
"""Folders of recordings, which hold no image of a head, and the endings that are copied."""
NOT_COPIED = {
    "defacemask": "a mask of another protection, which may follow the skin",
    "photo": "a photograph",
    "headshape": "points on the skin of the head",
    "video": "a video",
    "audiovideo": "a video",
    "audio": "a recording of a voice",
}
"""Suffixes of what no dataset without faces holds, to what it is."""
RATES = (
    "Published attacks recognised 0 to 2 % of the people by functional, diffusion and perfusion "
    "images; --all protects these and field maps, too."
)


def role_of(file: BidsFile, *, everything: bool = False) -> tuple[Role, str]:
    """What is to become of a file, and why where it is left out.

    Parameters
    ----------
    file : BidsFile
    everything : bool
        Protect images of ``func``, ``dwi``, ``perf`` and ``fmap``, too.
    """
    name, kind = file.name, file.datatype
    if name.suffix in NOT_COPIED:
        return "left_out", NOT_COPIED[name.suffix]
    if kind in ("anat", "ct", "pet") or kind in _OTHERS:
        if name.extension in IMAGES:
            return _image(file, everything)
        if name.extension == ".json" and _has_own_sidecar(file, everything):
            return "sidecar", ""
        if name.extension in _TABLES and kind != "anat":
            return "copy", ""
    elif kind == "":
        if name.suffix in ("scans", "sessions") and name.extension in (".tsv", ".json"):
            return "copy", ""
        if name.extension in (".bval", ".bvec"):
            return "copy", ""
        if name.extension == ".json":
            # Holds for files further down; where those are protected it is written into theirs.
            return inherited_role(name.suffix, everything=everything), ""
    elif kind in RECORDINGS and name.extension in _TABLES | RECORDINGS[kind]:
        return "copy", ""
    return "left_out", "not of a kind that is known to show no face"


def _image(file: BidsFile, everything: bool) -> tuple[Role, str]:
    suffix = file.name.suffix
    if file.datatype in _OTHERS:
        if suffix not in _OTHER_SCANS | _OTHER_MAPS:
            return "left_out", "an image of an unknown kind"
        if not everything:
            return "unprotected", ""
    elif not (
        (file.datatype == "anat" and suffix in SCANS | MAPS)
        or (file.datatype == "ct" and suffix.lower() == "ct")
        or (file.datatype == "pet" and suffix == "pet")
    ):
        return "left_out", "an image of an unknown kind"
    is_map = suffix in MAPS | _OTHER_MAPS or file.name.get("part") in _LIKE_MAPS
    return "map" if is_map else "scan", ""


def _has_own_sidecar(file: BidsFile, everything: bool) -> bool:
    """Whether a JSON file belongs to an image that is protected."""
    if file.datatype in _OTHERS:
        return everything and file.name.suffix in _OTHER_SCANS | _OTHER_MAPS
    return file.name.suffix in SCANS | MAPS | {"pet", "ct", "CT"}


def inherited_role(suffix: str, *, everything: bool = False) -> Role:
    """What is to become of a sidecar further up, such as ``T1w.json``: merged or copied.

    Parameters
    ----------
    suffix : str
    everything : bool
        As in `role_of`.
    """
    protected = SCANS | MAPS | {"pet", "ct", "CT"}
    if everything:
        protected = protected | _OTHER_SCANS | _OTHER_MAPS
    return "sidecar" if suffix in protected else "copy"


def companion_of(image: BidsFile, scans: list[BidsFile]) -> int | None:
    """Which scan of its session an image computed from others follows; None if there is none.

    Parameters
    ----------
    image : BidsFile
        Of the role ``map``.
    scans : list of BidsFile
        Of the role ``scan``, same participant and session.

    Returns
    -------
    int or None
        The place of the scan that shares most with it: datatype, then labels, then by suffix.
    """
    if not scans:
        return None
    own = dict(image.name.entities)

    def likeness(place: int) -> tuple[int, int, int, int]:
        other = scans[place]
        theirs = dict(other.name.entities)
        shared = sum(own.get(key) == label for key, label in theirs.items())
        against = sum(
            own.get(key) not in (None, label)
            for key, label in theirs.items()
            if key not in ("part", "echo", "inv", "flip", "mt")
        )
        return (
            other.datatype == image.datatype,
            shared - 2 * against,
            _rank(other),
            -place,
        )

    return max(range(len(scans)), key=likeness)


def _rank(scan: BidsFile) -> int:
    """Scans whose skin is found best come first."""
    order = ("T1w", "MP2RAGE", "T2w", "PDw", "MPM", "MEGRE", "FLAIR")
    suffix = scan.name.suffix
    rank = len(order) - order.index(suffix) if suffix in order else 0
    # The second inversion of MP2RAGE has skin, the first has little; late echoes have none.
    early = scan.name.get("echo") in (None, "1", "01") and scan.name.get("inv") != "1"
    return 2 * rank + early
