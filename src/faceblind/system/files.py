"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from faceblind.errors import OutputError

_TEMPORARY = ".tmp-"


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


def move_into_place(source: str | Path, target: str | Path, near: str | Path) -> None:
    """Give a finished file its final name, so that nobody ever sees a part of it there.

    Parameters
    ----------
    source : path
        Is gone afterwards.
    target : path
        Its folder is made if it is missing. What has the name is replaced.
    near : path
        A folder on the target's file system, for a file that comes from another one.

    Raises
    ------
    OutputError
        If the file cannot be put in place.
    """
    source, target = Path(source), Path(target)
    ready = Path(near) / f"{_TEMPORARY}{os.getpid()}-{secrets.token_hex(4)}-{target.name}"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _flush(source)
        try:
            source.replace(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            shutil.copyfile(source, ready)
            _flush(ready)
            ready.replace(target)
            source.unlink()
        with contextlib.suppress(OSError):
            _flush(target.parent)
    except OSError as error:
        raise OutputError(
            f"{target}: cannot be written ({error.strerror}); check space and permissions"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            ready.unlink(missing_ok=True)


def file_digest(path: str | Path) -> str:
    """SHA-256 of a file's bytes, as hexadecimal text."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _flush(path: Path) -> None:
    """Have the operating system put a file or folder on the disk now."""
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
