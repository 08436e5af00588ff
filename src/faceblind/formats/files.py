"""Where files may be written, and the folders for them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from faceblind.errors import OutputError
from faceblind.store import output_verb


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
        If the folder is missing (one in an output folder of faceblind's own is made again) or
        cannot be written to, if `path` is an input or a folder, or if it exists without
        `overwrite`.
    """
    try:
        _check_target(path, overwrite, sources)
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written ({error.strerror}); choose another place"
        ) from error


def _check_target(path: Path, overwrite: bool, sources: Iterable[str | Path]) -> None:
    if not path.parent.exists() and any(map(output_verb, path.parents)):
        # Another run into the same output folder took it away because it was still empty.
        make_folders([path.parent])
    if not path.parent.is_dir():
        raise OutputError(f"{path}: its folder does not exist; create it first")
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; name a file")
    if not os.access(path.parent, os.W_OK):
        raise OutputError(f"{path}: its folder cannot be written to; choose another place")
    if not path.exists():
        return
    for source in map(Path, sources):
        if source.exists() and source.samefile(path):
            raise OutputError(f"{path}: is the input itself; choose another place")
    if not overwrite:
        raise OutputError(f"{path}: exists already; choose another place, or --force to replace it")


def make_folders(folders: Iterable[Path]) -> None:
    """Make folders for results.

    Raises
    ------
    OutputError
        If one cannot be made.
    """
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"{folder}: cannot be made ({error.strerror}); choose a new output folder"
            ) from error


def remove_empty(folders: Iterable[Path], root: Path) -> None:
    """Remove folders below `root`, and those above them, to which no result came."""
    found = {part for folder in folders for part in (folder, *folder.parents)}
    for folder in sorted(found, key=lambda part: -len(part.parts)):
        if root in folder.parents:
            # What is not empty stays by itself, and another run may have been faster.
            with contextlib.suppress(OSError):
                folder.rmdir()
