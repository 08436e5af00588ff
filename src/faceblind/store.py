"""Where results go: whole files or none, private folders, the output root, cached features.

Two trees are kept apart in every output folder. What may be shown to others lies at the top;
whatever shows or describes a person (faces, embeddings, ranks per person) lies under ``private/``,
which only its owner can open.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import math
import os
import platform
import secrets
import stat
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceblind.errors import OutputError, TableError

logger = logging.getLogger(__name__)

MARKER = ".faceblind.json"
"""File that marks an output folder as ours and names the verb that made it."""

PRIVATE = "private"
"""Folder of an output root that holds whatever shows or describes a person."""

_TEMPORARY = ".tmp-"
_OWNER_ONLY = 0o700


@contextlib.contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """A temporary file to write to that becomes `path` when the block ends well.

    The temporary file lies in the same folder (a rename across file systems is a copy, which can
    be interrupted) and keeps the name's ending, because writers choose the format by it. Readers
    see the old file or the new one, never a half. If the block raises, nothing changes.

    Parameters
    ----------
    path : path
        Where the file is to lie. Its folder must exist.

    Yields
    ------
    Path
        Where to write. The file does not exist yet.

    Raises
    ------
    OutputError
        If the block wrote nothing, or the file cannot be put in place.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with atomic_path(f"{folder}/scan.nii.gz") as temporary:
    ...         _ = temporary.write_text("a scan")
    ...     [path.name for path in Path(folder).iterdir()]
    ['scan.nii.gz']
    """
    path = Path(path)
    temporary = path.with_name(f"{_TEMPORARY}{os.getpid()}-{secrets.token_hex(4)}-{path.name}")
    try:
        yield temporary
        if not temporary.is_file():
            raise OutputError(f"{path}: nothing was written")
        try:
            _flush(temporary)
            temporary.replace(path)
        except OSError as error:
            raise OutputError(
                f"{path}: cannot be written ({error.strerror}); check space and permissions"
            ) from error
        # The rename itself must survive a power cut too; Windows cannot open folders.
        with contextlib.suppress(OSError):
            _flush(path.parent)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


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


def write_json(path: str | Path, content: Any) -> None:
    """Write strict JSON (UTF-8, no NaN), whole or not at all.

    Numpy scalars and arrays, paths and non-finite numbers (as null) are converted.
    """
    text = json.dumps(_plain(content), indent=2, ensure_ascii=False, allow_nan=False)
    _write_text(path, text + "\n")


def write_tsv(
    path: str | Path, rows: Iterable[Mapping[str, Any]], columns: Sequence[str] | None = None
) -> None:
    """Write a tab-separated table as in BIDS (``n/a`` for what is absent), whole or not at all.

    Parameters
    ----------
    path : path
        The file.
    rows : iterable of mapping
        Column name to value. None and non-finite numbers become ``n/a``; floats keep six digits.
    columns : sequence of str, optional
        Which columns, in this order; by default those of the first row. Needed when there may be
        no row.

    Raises
    ------
    TableError
        If a row has a column that is not among `columns`.
    """
    table = list(rows)
    names = list(columns) if columns is not None else list(table[0]) if table else []
    lines = ["\t".join(names)]
    for row in table:
        extra = [name for name in row if name not in names]
        if extra:
            raise TableError(f"{path}: unexpected column {extra[0]!r} in a row; list all columns")
        lines.append("\t".join(_cell(row.get(name)) for name in names))
    _write_text(path, "\n".join(lines) + "\n")


def software_versions() -> dict[str, str]:
    """Versions of faceblind and of the libraries that decide its figures."""
    names = ("numpy", "scipy", "nibabel", "onnxruntime", "opencv-python-headless")
    package = sys.modules[__name__.partition(".")[0]]
    versions = {"faceblind": package.__version__, "python": platform.python_version()}
    for name in names:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return versions


def file_digest(path: str | Path) -> str:
    """SHA-256 of a file's bytes, as hexadecimal text."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def cache_key(digests: str | Sequence[str], version: str, settings: Mapping[str, Any]) -> str:
    """Name of a cached result: what went in, by which code, with which settings.

    Parameters
    ----------
    digests : str or sequence of str
        `file_digest` of each input file, in an order that matters.
    version : str
        Version of the code that makes the features; a change abandons old entries.
    settings : mapping
        Everything else that changes the result. Plain values; the order does not matter.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    inputs = [digests] if isinstance(digests, str) else list(digests)
    text = json.dumps([inputs, version, _plain(settings)], sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


class Cache:
    """Features of files, found again by content.

    An entry is a set of named arrays. Entries are written whole, so that an interrupted run loses
    at most what was being computed; several processes may share a cache. Damaged entries are
    dropped, and the caller computes them again.

    Parameters
    ----------
    root : path
        Folder of the entries, made private: embeddings are biometric data.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = private_dir(root)

    def path(self, key: str) -> Path:
        """Where the entry `key` lies, whether or not it exists."""
        if not key.isalnum():
            raise OutputError(f"cache: {key!r} is not a key; use cache_key")
        return self.root / key[:2] / f"{key}.npz"

    def get(self, key: str) -> dict[str, NDArray[Any]] | None:
        """The arrays stored under `key`, or None when absent or damaged."""
        path = self.path(key)
        try:
            with np.load(path, allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
        except FileNotFoundError:
            return None
        except (OSError, ValueError, EOFError, KeyError, TypeError, zipfile.BadZipFile):
            logger.warning("A damaged cache entry is dropped and computed again.")
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
            return None

    def put(self, key: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Store arrays under `key`, replacing what was there.

        Raises
        ------
        OutputError
            For object arrays (they would need pickle, which runs code when read) and when the
            entry cannot be written.
        """
        plain = {name: np.asarray(value) for name, value in arrays.items()}
        objects = [name for name, value in plain.items() if value.dtype.hasobject]
        if objects:
            raise OutputError(f"cache: {objects[0]!r} is an object array; store plain numbers")
        path = self.path(key)
        private_dir(path.parent)
        try:
            with atomic_path(path) as temporary, temporary.open("wb") as stream:
                np.savez(stream, **plain)  # type: ignore[arg-type]
        except OSError as error:
            raise OutputError(f"cache: cannot be written ({error.strerror})") from error


def _write_text(path: str | Path, text: str) -> None:
    try:
        with atomic_path(path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written ({error.strerror}); check space and permissions"
        ) from error


def _flush(path: Path) -> None:
    """Have the operating system put a file or folder on the disk now."""
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _plain(value: Any) -> Any:
    """Plain JSON types of the same content."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    if isinstance(value, (set, frozenset)):
        return sorted(_plain(entry) for entry in value)
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _cell(value: Any) -> str:
    value = _plain(value)
    if value is None or value == "":
        return "n/a"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6g}"
    return " ".join(str(value).split()) or "n/a"
