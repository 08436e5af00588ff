"""Writing files so that they appear whole or not at all, and never over what must stay."""

from __future__ import annotations

import os
import secrets
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


def write_atomically(path: Path, pieces: Iterable[bytes], *, overwrite: bool) -> None:
    """Write `pieces` one after the other into a new file that appears under its name when whole.

    Raises
    ------
    OutputError
        If the disk refuses, or the file came into being meanwhile and `overwrite` is false.
        Nothing is left behind then.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        if not overwrite and path.exists():
            raise OutputError(f"{path}: exists already; choose another place")
        part.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror})") from error
    finally:
        part.unlink(missing_ok=True)
