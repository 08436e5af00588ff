"""Where results may be written: the output root, private folders, single files.

Two trees are kept apart in every output folder. What may be shown to others lies at the top;
whatever shows or describes a person (faces, embeddings, ranks per person) lies under ``private/``,
which only its owner can open.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from faceblind.errors import OutputError
from faceblind.system.tables import write_json

logger = logging.getLogger(__name__)

MARKER = ".faceblind.json"
"""File that marks an output folder as ours and names the verb that made it."""

PRIVATE = "private"
"""Folder of an output root that holds whatever shows or describes a person."""

WITHDRAWN = Path(PRIVATE, "review", "withdrawn")
"""Folder of an output root for what a reviewer took out of the public tree."""

_OWNER_ONLY = 0o700


def private_dir(path: str | Path) -> Path:
    """Make sure that `path` is a folder which only its owner can open (mode 0700).

    Holds under any umask, and closes a folder that was open before. Missing parents are made
    with ordinary permissions, except those named ``private``.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    OutputError
        If it is a file or a link, or cannot be made or closed.
    """
    path = Path(path)
    missing = [p for p in reversed(path.parents) if not p.exists()]
    try:
        for parent in missing:
            parent.mkdir(exist_ok=True)
            if parent.name == PRIVATE:
                parent.chmod(_OWNER_ONLY)
        if path.is_symlink():
            raise OutputError(f"{path}: is a link; private results need a folder of their own")
        path.mkdir(mode=_OWNER_ONLY, exist_ok=True)
        path.chmod(_OWNER_ONLY)
    except OSError as error:
        raise OutputError(f"{path}: cannot be made private ({error.strerror})") from error
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        # FAT, some network shares: chmod succeeds and changes nothing.
        logger.warning("The file system keeps no permissions: others can open the private folder.")
    return path


def prepare_output(
    out: str | Path, verb: str, inputs: Iterable[str | Path] = (), force: bool = False
) -> Path:
    """Check and make the output root.

    An output root is new, empty, or was made by the same verb before (then the run resumes). It
    never lies in an input folder and never holds an input: nothing is edited in place, and a second
    run must not take its own results for scans.

    Parameters
    ----------
    out : path
        The folder to write to.
    verb : str
        Name of the command, e.g. ``"study"``.
    inputs : iterable of path
        Files and folders that the run reads.
    force : bool
        Accept a folder that holds other things. They are left alone, unless results have the same
        names. Inputs are protected all the same.

    Returns
    -------
    Path
        The absolute path of the folder, which now exists and carries the marker.

    Raises
    ------
    OutputError
        With what is in the way and what to do.
    """
    root = Path(out).expanduser().resolve()
    for source in (Path(entry).expanduser().resolve() for entry in inputs):
        if source == root or root in source.parents:
            raise OutputError(f"{out}: holds the input {source.name}; choose a new output folder")
        if source.is_dir() and source in root.parents:
            raise OutputError(
                f"{out}: lies inside the input folder {source.name}; choose a folder beside it"
            )
    try:
        if root.exists() and not root.is_dir():
            raise OutputError(f"{out}: is a file; choose a folder")
        made_by = output_verb(root)
        if not force and made_by != verb and root.is_dir() and any(root.iterdir()):
            held = f"results of 'faceblind {made_by}'" if made_by else "other files"
            raise OutputError(f"{out}: holds {held}; choose a new folder or use --force")
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{out}: cannot be made or opened ({error.strerror}); choose another"
        ) from error
    write_json(root / MARKER, {"tool": "faceblind", "verb": verb})
    return root


def output_verb(root: str | Path) -> str | None:
    """The verb that made an output root, or None if it is not one of ours."""
    try:
        content = json.loads((Path(root) / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(content, dict) or content.get("tool") != "faceblind":
        return None
    return str(content.get("verb", ""))


def withdrawn(path: str | Path) -> Path | None:
    """Where a result lies that a reviewer rejected and took away from `path`; None if none was.

    Parameters
    ----------
    path : path
        Its public place, in an output folder of any depth.
    """
    place = Path(path).absolute()
    found = (parent / WITHDRAWN / place.relative_to(parent) for parent in place.parents)
    return next((away for away in found if away.exists()), None)


def check_target(path: Path, *, overwrite: bool, sources: Iterable[str | Path] = ()) -> None:
    """Refuse a place that a result must not be written to.

    Parameters
    ----------
    path : Path
        Where the result should lie.
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
