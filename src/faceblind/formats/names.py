"""Endings of the names of files: scans, images that are not read, and what holds no image."""

from __future__ import annotations

from pathlib import Path

ENDINGS = (".nii.gz", ".nii", ".mgz", ".mgh", ".nrrd")
"""Of every format that faceblind reads; the longest of those that share an end comes first."""
UNREAD = {
    ".dcm": "DICOM", ".dicom": "DICOM", ".ima": "DICOM",
    ".img": "an Analyze image", ".img.gz": "an Analyze image",
    ".mnc": "MINC", ".mnc.gz": "MINC", ".mnc2": "MINC",
    ".nhdr": "NRRD in two files", ".raw": "raw numbers", ".raw.gz": "raw numbers",
    ".mha": "MetaImage", ".mhd": "MetaImage", ".zraw": "MetaImage",
    ".brik": "AFNI", ".brik.gz": "AFNI", ".brik.bz2": "AFNI",
    ".mif": "MRtrix", ".mif.gz": "MRtrix",
    ".par": "Philips PAR/REC", ".rec": "Philips PAR/REC", ".v": "ECAT", ".ecat": "ECAT",
    ".vmr": "BrainVoyager", ".v16": "BrainVoyager", ".fdf": "Varian",
    ".h5": "HDF5", ".hdf5": "HDF5", ".vti": "VTK",
    ".nii.zst": "a Zstandard archive", ".nii.bz2": "a bzip2 archive", ".nii.xz": "an xz archive",
    ".nii.lz4": "an LZ4 archive", ".mgh.gz": "MGH under another name",
    ".nrrd.gz": "NRRD under another name",
    ".zip": "a ZIP archive", ".tar": "a tar archive", ".tgz": "a tar archive",
    ".tar.gz": "a tar archive", ".tar.bz2": "a tar archive", ".tar.xz": "a tar archive",
    ".tar.zst": "a tar archive", ".7z": "a 7z archive", ".rar": "a RAR archive",
}  # fmt: skip
"""Of formats that are not read and may hold heads."""
HEADERS = {
    ".hdr": "an Analyze header", ".hdr.gz": "an Analyze header", ".head": "AFNI",
    ".mih": "MRtrix",
}  # fmt: skip
"""Of headers whose voxels lie in another file, so that a pair counts once."""
TEXTS = (
    ".json", ".jsonl", ".tsv", ".csv", ".txt", ".md", ".rst", ".xml", ".yml", ".yaml", ".toml",
    ".cfg", ".ini", ".log", ".cff", ".bib", ".tex", ".bval", ".bvec", ".bvals", ".bvecs", ".vhdr",
    ".vmrk", ".py", ".m", ".sh", ".r", ".jl", ".c", ".cpp", ".h", ".bat", ".smk", ".sql", ".md5",
    ".sha1", ".sha256", ".sha512",
)  # fmt: skip
"""Of tables, notes and programs. They show no head, provided that they are text."""
TEXT_NAMES = {
    "readme", "changes", "changelog", "license", "licence", "copying", "notice", "citation",
    "authors", "contributors", "history", "dockerfile", "makefile", "snakefile", ".bidsignore",
    ".git", ".gitignore", ".gitattributes", ".gitmodules", ".gitkeep", ".editorconfig",
}  # fmt: skip
"""Whole names of files like those of `TEXTS`."""

_KNOWN_SUFFIXES = {
    "T1w",
    "T2w",
    "FLAIR",
    "PDw",
    "CT",
    "ct",
    "T2starw",
    "PDT2",
    "inplaneT1",
    "inplaneT2",
    "angio",
    "bold",
}
_KNOWN_SUFFIXES |= {"dwi", "asl", "pet", "MEGRE", "MP2RAGE", "UNIT1", "T1map", "T2map"}


def is_scan_name(path: str | Path) -> bool:
    """Whether a name ends like a scan's."""
    return Path(path).name.lower().endswith(ENDINGS)


def is_unread_name(path: str | Path) -> bool:
    """Whether a name ends like a scan's in a format that is not read."""
    return Path(path).name.lower().endswith(tuple(UNREAD))


def is_text_name(path: str | Path) -> bool:
    """Whether a name ends like that of a file of text, which may be gzipped."""
    name = Path(path).name.lower()
    return name in TEXT_NAMES or name.removesuffix(".gz").endswith(TEXTS)


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


def suffix_of(file_name: str) -> str | None:
    """The BIDS suffix of a file name, if it ends in a known one.

    Examples
    --------
    >>> suffix_of("sub-01_ses-2_T1w.nii.gz"), suffix_of("head.nii")
    ('T1w', None)
    """
    last = without_ending(file_name).rpartition("_")[2]
    return last if last in _KNOWN_SUFFIXES else None
