"""Photographs of volunteers: the table that lists them, and the pictures themselves."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from faceblind.errors import ConsentError, PhotographError, TableError

COLUMNS = ("file", "participant_id", "view", "consent")
"""Columns that a photographs table must have; others are ignored."""

MOST_PIXELS = 200_000_000
"""Larger pictures are refused before they are decoded; no camera makes them."""

_MISSING = ("", "n/a")
_LABEL = re.compile(r"\w[\w.+-]*")
_ROWS_NAMED = 20
_HEIF_SUFFIXES = (".heic", ".heif", ".hif")


@dataclass(frozen=True)
class PhotoRow:
    """One photograph of one person.

    Parameters
    ----------
    file : Path
        The picture; relative entries of the table are taken from the table's folder.
    participant_id : str
        Normalised, with ``sub-``.
    view : str
        Such as ``front`` or ``left``, lower case; may be empty.
    consent : str
        ``yes``; the reader refuses anything else.
    """

    file: Path
    participant_id: str
    view: str
    consent: str


def participant_label(text: str) -> str:
    """Normalised participant label: ``01`` and ``sub-01`` both become ``sub-01``.

    Raises
    ------
    TableError
        If nothing is left, or it holds characters that do not belong in a file name.
    """
    label = text.strip().removeprefix("sub-")
    if label in _MISSING:
        raise TableError("participant_id is empty; give every row a label")
    if not _LABEL.fullmatch(label):
        raise TableError(
            "participant_id may hold letters, digits and . _ + - only, and starts with a letter "
            "or digit"
        )
    return f"sub-{label}"


def read_photos_table(path: str | Path) -> list[PhotoRow]:
    """Read and check a photographs table.

    Consent is checked before any photograph is looked for, and there is no way around it.
    Messages name line numbers of the table and no person.

    Parameters
    ----------
    path : str or Path
        Tab-separated UTF-8 text with a header line and at least the columns of `COLUMNS`.

    Returns
    -------
    list of PhotoRow
        In the order of the table.

    Raises
    ------
    TableError
        If the table cannot be read, columns or entries are missing, a file is listed twice or
        does not exist.
    ConsentError
        If ``consent`` is not ``yes`` in every row.
    """
    table = Path(path)
    rows = _table_rows(table)
    refused = [line for line, row in rows if row["consent"].strip().lower() != "yes"]
    if refused:
        raise ConsentError(
            f"{table}: consent is not yes in {_named(refused)}; "
            "remove these photographs or obtain consent"
        )
    photos = []
    problems: dict[str, list[int]] = {}
    seen: dict[Path, int] = {}
    for line, row in rows:
        try:
            label = participant_label(row["participant_id"])
        except TableError as error:
            problems.setdefault(str(error), []).append(line)
            continue
        entry = row["file"].strip()
        file = table.parent / entry
        if entry in _MISSING:
            problems.setdefault("no file is given", []).append(line)
        elif not file.is_file():
            problems.setdefault("the file does not exist", []).append(line)
        elif file.resolve() in seen:
            problems.setdefault("the file is listed before", []).append(line)
        else:
            seen[file.resolve()] = line
            view = row["view"].strip().lower()
            photos.append(PhotoRow(file, label, "" if view in _MISSING else view, "yes"))
    if problems:
        text = "; ".join(f"{_named(lines)}: {problem}" for problem, lines in problems.items())
        raise TableError(f"{table}: {text}")
    return photos


def _table_rows(table: Path) -> list[tuple[int, dict[str, str]]]:
    """Line number and cells by column of every row that is not blank."""
    try:
        text = table.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise TableError(f"{table}: no such file; give a photographs table") from error
    except UnicodeDecodeError as error:
        raise TableError(f"{table}: not UTF-8 text; save the table as UTF-8") from error
    except OSError as error:
        raise TableError(f"{table}: cannot be read ({error.strerror})") from error
    # Tables follow BIDS: a tab always separates, a quotation mark is an ordinary character.
    lines = [line.split("\t") for line in text.splitlines()]
    if not lines:
        raise TableError(f"{table}: empty; the first line must name the columns")
    header = [cell.strip() for cell in lines[0]]
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        hint = "separate columns by tabs" if len(header) == 1 else f"found {', '.join(header)}"
        raise TableError(f"{table}: column {' and '.join(missing)} missing; {hint}")
    twice = [column for column in COLUMNS if header.count(column) > 1]
    if twice:
        raise TableError(f"{table}: column {twice[0]} appears twice")
    rows, uneven = [], []
    for line, cells in enumerate(lines[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            uneven.append(line)
        else:
            rows.append((line, dict(zip(header, cells, strict=True))))
    if uneven:
        raise TableError(f"{table}: {_named(uneven)}: expected {len(header)} columns")
    if not rows:
        raise TableError(f"{table}: lists no photographs")
    return rows


def _named(lines: Sequence[int]) -> str:
    """Such as ``line 3`` or ``lines 3, 4 and 7``."""
    if len(lines) == 1:
        return f"line {lines[0]}"
    shown = [str(line) for line in lines[:_ROWS_NAMED]]
    if len(lines) > _ROWS_NAMED:
        shown.append(f"{len(lines) - _ROWS_NAMED} more")
    return f"lines {', '.join(shown[:-1])} and {shown[-1]}"


def read_photo(path: str | Path) -> NDArray[np.uint8]:
    """Read a photograph upright.

    JPEG, PNG, TIFF, BMP and what else Pillow reads; HEIC when pillow-heif is installed. The EXIF
    orientation is applied, transparency is laid on white, 16-bit grey is brought to 8 bits, the
    first picture of several is taken.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    (H, W, 3) uint8 ndarray
        RGB.

    Raises
    ------
    PhotographError
        If the file is missing, damaged, too large, or not a picture.
    """
    file = Path(path)
    if not file.is_file():
        raise PhotographError(f"{file}: no such file")
    opened = _open_heif if file.suffix.lower() in _HEIF_SUFFIXES else Image.open
    try:
        with warnings.catch_warnings():
            # Pillow warns at half of what it refuses; the limit here is `MOST_PIXELS`.
            warnings.simplefilter("ignore")
            return _decoded(file, opened)
    except PhotographError:
        raise
    except UnidentifiedImageError as error:
        raise PhotographError(f"{file}: not a picture of a known format") from error
    except Image.DecompressionBombError as error:
        raise PhotographError(f"{file}: more pixels than any photograph; refused") from error
    except MemoryError as error:
        raise PhotographError(f"{file}: too large for the memory of this machine") from error
    # Decoders of damaged files raise nearly anything: OSError, SyntaxError, struct.error, ...
    except Exception as error:
        raise PhotographError(
            f"{file}: damaged or cut short ({type(error).__name__}); copy it again"
        ) from error


def _decoded(file: Path, opened: Callable[[Path], Image.Image]) -> NDArray[np.uint8]:
    with opened(file) as picture:
        if picture.width * picture.height > MOST_PIXELS:
            raise PhotographError(
                f"{file}: {picture.width} x {picture.height} pixels; more than any photograph"
            )
        upright = ImageOps.exif_transpose(picture)
        return _rgb(upright, file)


def _rgb(picture: Image.Image, file: Path) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 pixels of a picture of any Pillow mode."""
    if picture.mode == "F":
        raise PhotographError(f"{file}: floating-point pixels; save it with 8 or 16 bits")
    if picture.mode.startswith("I"):
        grey = np.asarray(picture).astype(np.float64)
        if grey.min(initial=0) < 0:
            raise PhotographError(f"{file}: negative pixels; save it with 8 or 16 bits")
        # Cameras store 10, 12 or 14 bits in 16: white is the next full power of two.
        bits = max(8, int(grey.max(initial=1)).bit_length())
        bits += bits % 2
        eight = np.rint(grey * (255 / (2**bits - 1))).astype(np.uint8)
        return np.repeat(eight[..., None], 3, axis=-1)
    if picture.has_transparency_data:
        layers: Any = picture.convert("RGBA")
        white = Image.new("RGBA", layers.size, "white")
        picture = Image.alpha_composite(white, layers)
    return np.array(picture.convert("RGB"), dtype=np.uint8)


def _open_heif(file: Path) -> Image.Image:
    try:
        import pillow_heif
    except ImportError as error:
        raise PhotographError(
            f"{file}: HEIC pictures need pillow-heif; install it with: pip install faceblind[heic]"
        ) from error
    picture: Image.Image = pillow_heif.open_heif(file).to_pillow()
    return picture
