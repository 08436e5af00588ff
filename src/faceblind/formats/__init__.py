"""File formats; every other package sees scans and arrays only."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from faceblind.errors import OutputError, ScanError, missing
from faceblind.formats import nifti
from faceblind.formats.names import ENDINGS
from faceblind.scan import Scan


def load(path: str | Path, *, derived: bool = False) -> Scan:
    """Read a head scan in any format that faceblind knows.

    Parameters
    ----------
    path : str or Path
        The format is recognised by the ending of the name.
    derived : bool
        A map or labels made from scans, which may be empty or NaN over most voxels: neither is
        refused, and what is not finite counts as 0. The stored numbers stay as they are.

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
    check_source(path)
    module = _module(path)
    assert module is not None
    scan: Scan = module.load(path, derived=derived)
    return scan


def check_source(path: str | Path) -> None:
    """Refuse a file whose name says that no format here reads it.

    Raises
    ------
    ScanError
    """
    if _module(path) is not None:
        return
    if not Path(path).exists():
        raise missing(Path(path))
    from faceblind.formats.unread import describe

    known, what = ", ".join(ENDINGS), describe(Path(path))
    kind = f"{what}, " if what else ""
    raise ScanError(f"{path}: {kind}not a format that faceblind reads ({known}); convert it first")


def save(
    scan: Scan,
    path: str | Path,
    *,
    drop_extensions: bool = False,
    clear_text: bool = False,
    overwrite: bool = False,
) -> None:
    """Write a scan in the format that the name's ending says; unchanged voxels bit for bit.

    A scan from a file can only be written in that file's format.

    Parameters
    ----------
    scan : Scan
        As loaded, or changed with `Scan.with_changes`, or made in memory (``stored=None``).
    path : str or Path
        A new file in a folder that exists.
    drop_extensions : bool
        Leave out whatever a format lets programs add to its header.
    clear_text : bool
        Blank the header's free text.
    overwrite : bool
        Replace a file that exists. The scan's own source is never replaced.

    Raises
    ------
    OutputError
        If the target is unsuitable.
    """
    module = _module(path)
    if module is None:
        raise OutputError(f"{path}: the name must end in {', '.join(ENDINGS)}")
    module.save(
        scan, path, drop_extensions=drop_extensions, clear_text=clear_text, overwrite=overwrite
    )


def has_extensions(path: str | Path) -> bool:
    """Whether a published file carries what programs added to its header, which may hold names.

    Of a protected scan only NIfTI's header extensions can be that; other formats lose the like
    with their free text.
    """
    return _module(path) is nifti and nifti.has_extensions(Path(path))


def same_format(first: str | Path, second: str | Path) -> bool:
    """Whether two names stand for one format, compressed or not."""
    module = _module(first)
    return module is not None and module is _module(second)


def _module(path: str | Path) -> ModuleType | None:
    """The reader of a name's ending; the rarer ones are loaded where they are needed."""
    name = Path(path).name.lower()
    if name.endswith(nifti.ENDINGS):
        return nifti
    if not name.endswith(ENDINGS):
        return None
    from faceblind.formats import mgh, nrrd

    return mgh if name.endswith(mgh.ENDINGS) else nrrd
