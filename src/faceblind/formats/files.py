"""Where a file may be written."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from faceblind.errors import OutputError


def check_target(path: Path, *, overwrite: bool, sources: Iterable[str | Path] = ()) -> None:
    """Refuse a place that a result must not be written to.

    Parameters
    ----------
    path : Path
        Where the result shall lie.
    overwrite : bool
        Whether a file that exists may be replaced.
    sources : iterable of str or Path
        Inputs, which are never replaced, also not through a link.

    Raises
    ------
    OutputError
        If the folder is missing, `path` is an input or a folder, or exists without `overwrite`.
    """
    if not path.parent.is_dir():
        raise OutputError(f"{path}: its folder does not exist; create it first")
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; name a file")
    if not path.exists():
        return
    for source in map(Path, sources):
        if source.exists() and source.samefile(path):
            raise OutputError(f"{path}: is the input itself; choose another place")
    if not overwrite:
        raise OutputError(f"{path}: exists already; choose another place or allow overwriting")
