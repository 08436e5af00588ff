"""Photographs: picture files to pixels."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from faceblind.errors import PhotographError

MOST_PIXELS = 200_000_000
"""Larger pictures are refused before they are decoded; no camera makes them."""


_HEIF_SUFFIXES = (".heic", ".heif", ".hif")


def read_photo(path: str | Path) -> NDArray[np.uint8]:
    """Read a photograph upright.

    JPEG, PNG, TIFF, BMP and what else Pillow reads; HEIC when pillow-heif is installed. The EXIF
    orientation is applied, transparency is filled with white, 16-bit grey is brought to 8 bits, the
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
