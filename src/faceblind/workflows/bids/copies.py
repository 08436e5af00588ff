"""Files of a dataset that are copied byte for byte, after a look at what they are."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection
from pathlib import Path

from faceblind.errors import FaceblindError, OutputError, ScanError, missing
from faceblind.formats.names import is_text_name
from faceblind.formats.signatures import is_pointer
from faceblind.formats.unread import look_at
from faceblind.system.files import file_digest
from faceblind.workflows.bids.manifest import FileRecord
from faceblind.workflows.bids.plan import Copy


def stage_copy(copy: Copy, stage: Path, dropped: Collection[str] = ()) -> FileRecord:
    """Copy a file to where it waits to be put in place.

    Parameters
    ----------
    copy : Copy
    stage : Path
        Folder like the output.
    dropped : collection of str
        Images of the dataset, by their paths in it, that are not in the output: a table of scans
        does not list them.

    Returns
    -------
    FileRecord

    Raises
    ------
    FaceblindError
        If it cannot be read, is not what its name says, or cannot be written.
    """
    source, target = copy.source, stage / copy.inside
    _require_content(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        if copy.inside.endswith("_scans.tsv") and dropped:
            _write_without(source, target, copy.inside, dropped)
        else:
            shutil.copyfile(source, target)
    except OSError as error:
        raise OutputError(f"{source}: cannot be copied ({error.strerror})") from error
    return record_of(stage, copy.inside, "unprotected" if copy.is_image else "copy")


def record_of(stage: Path, inside: str, role: str) -> FileRecord:
    """What the manifest says of a file that waits to be put in place.

    Parameters
    ----------
    stage : Path
    inside : str
        Its path in the output.
    role : str
        See `FileRecord`.
    """
    path = stage / inside
    return FileRecord(inside, role, path.stat().st_size, file_digest(path))


def keep_rows(text: str, column: str, keep: Callable[[str], bool]) -> str:
    """A table without the rows that name what is not there; the same text where all is there.

    Parameters
    ----------
    text : str
        Tab-separated, with a header line.
    column : str
    keep : callable
        Whether a row with this value stays.
    """
    lines = text.splitlines(keepends=True)
    names = lines[0].lstrip("\ufeff").rstrip("\r\n").split("\t") if lines else []
    if column not in names:
        return text
    place = names.index(column)
    kept = [line for line in lines[1:] if keep(_cell(line, place)) or not line.strip()]
    return "".join([lines[0], *kept])


def _cell(line: str, place: int) -> str:
    cells = line.rstrip("\r\n").split("\t")
    return cells[place].strip() if place < len(cells) else ""


def _write_without(source: Path, target: Path, inside: str, dropped: Collection[str]) -> None:
    try:
        text = source.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ScanError(f"{source}: cannot be read as UTF-8 text; save it as TSV") from error
    folder = inside.rpartition("/")[0]
    kept = keep_rows(text, "filename", lambda name: f"{folder}/{name}" not in dropped)
    target.write_bytes(kept.encode("utf-8"))


def _require_content(path: Path) -> None:
    """Refuse what is not there, what only stands for a file, and what is no text by content."""
    try:
        with path.open("rb") as stream:
            start = stream.read(64)
    except FileNotFoundError as error:
        raise missing(path) from error
    except OSError as error:
        raise FaceblindError(f"{path}: cannot be read ({error.strerror})") from error
    if is_pointer(start):
        raise ScanError(
            f"{path}: only stands for a file that was not fetched; fetch its content first, for "
            "example with `datalad get`"
        )
    found = look_at(path) if is_text_name(path) else None
    if found is not None:
        raise ScanError(f"{path}: not copied: {found.what}")
