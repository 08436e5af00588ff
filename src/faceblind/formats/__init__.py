"""Foreign file formats; every other package sees scans and arrays only."""

from __future__ import annotations

from pathlib import Path

from faceblind.errors import ScanError
from faceblind.formats import nifti
from faceblind.scan import Scan

# The ending of a file name and the module that reads and writes it.
_BY_ENDING = {".nii": nifti, ".nii.gz": nifti}


def load(path: str | Path) -> Scan:
    """Read a head scan in any format that faceblind knows.

    Parameters
    ----------
    path : str or Path
        The format is recognised by the ending of the name.

    Returns
    -------
    Scan
        Voxels and affine in RAS+ mm.

    Raises
    ------
    ScanError
        If the format is unknown or the file cannot be a head scan.

    See Also
    --------
    faceblind.formats.nifti.load : what is refused and what is converted.
    """
    name = Path(path).name.lower()
    for ending, module in _BY_ENDING.items():
        if name.endswith(ending):
            return module.load(path)
    if not Path(path).exists():
        raise ScanError(f"{path}: no such file; check the path")
    known = ", ".join(_BY_ENDING)
    raise ScanError(f"{path}: not a format that faceblind reads ({known}); convert it first")
