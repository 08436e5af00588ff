"""Pictures of scans for private pages: the skin from the front and the side, and three slices."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from scipy import ndimage

from faceblind.display import data_address
from faceblind.errors import FaceblindError
from faceblind.formats import load
from faceblind.geometry.grid import resize
from faceblind.head.salt_and_pepper import with_dark_air
from faceblind.head.segmentation import HeadMask, find_head
from faceblind.scan import Scan

TILE = 168
"""Pixels of one picture."""
PIXEL_MM = 1.5
"""Width of a pixel: a tile spans 25 cm, a head from chin to crown."""
SKIN_SHARE = 0.3
"""Of the contrast between air and tissue, where the skin is drawn."""
QUALITY = 82
"""Of JPEG: five pictures take some 15 kB."""

_Image = NDArray[np.uint8]


def scan_strip(path: str | Path) -> bytes:
    """Five pictures of a scan side by side, as it is: nothing is filled in or aligned.

    Parameters
    ----------
    path : path
        A scan file.

    Returns
    -------
    bytes
        A JPEG: skin from the front and the person's right, then sagittal, coronal and axial slices
        through the middle of the head. The skin is black where no head is found.

    Raises
    ------
    FaceblindError
        If the scan cannot be read.
    """
    scan = load(path).canonical()
    volume = _even(scan)
    finite = volume[np.isfinite(volume)]
    if not finite.size:
        raise FaceblindError(f"{path}: no finite voxel; export the scan again")
    volume = np.nan_to_num(volume, nan=float(finite.min()))
    tiles = _skin(scan, volume)
    middle = _middle(volume)
    low, high = np.percentile(volume, (1, 99.7))
    grey = np.clip((volume - low) / max(float(high - low), 1e-9), 0, 1) * 255
    for axis in (0, 1, 2):
        tiles.append(_tile(np.take(grey, middle[axis], axis=axis).astype(np.uint8)))
    return jpeg(np.concatenate(tiles, axis=1))


def jpeg_address(picture: bytes) -> str:
    """A JPEG as an address within a page."""
    return data_address(picture, "image/jpeg")


def thumbnail(path: str | Path, size: int = TILE) -> bytes:
    """A picture file made small, upright as its camera says, without its metadata.

    Parameters
    ----------
    path : path
    size : int
        Pixels of the longer side.
    """
    with Image.open(path) as opened:
        upright = ImageOps.exif_transpose(opened).convert("RGB")
    upright.thumbnail((size, size))
    return jpeg(np.asarray(upright))


def _even(scan: Scan) -> NDArray[np.float32]:
    """The first volume with the same spacing along every axis, RAS+; `PIXEL_MM` for a head."""
    volume = np.asarray(scan.volume(), np.float32)
    extent = np.array(scan.shape) * scan.spacing
    # A whole body gets coarser pixels, not more of them.
    pixel = max(PIXEL_MM, float(extent.max()) / (2 * TILE))
    shape = np.maximum(np.round(extent / pixel), 1).astype(int)
    return resize(volume, tuple(shape.tolist()))


def _skin(scan: Scan, volume: NDArray[np.float32]) -> list[_Image]:
    """The skin from the front and from the right; black where no head is found."""
    shown = with_dark_air(scan)
    volume = volume if shown is scan else _even(shown)
    try:
        head = find_head(shown)
    except FaceblindError:
        return [np.zeros((TILE, TILE), np.uint8)] * 2
    inside = _head_near(head, volume.shape) & (volume > head.level(SKIN_SHARE))
    soft = ndimage.gaussian_filter(inside.astype(np.float32), 0.8)
    # As a viewer sees it who stands in front, then at the person's right.
    front = np.moveaxis(soft[::-1, ::-1], 1, 0)
    return [_tile(_shaded(front)), _tile(_shaded(soft[::-1]))]


def _head_near(head: HeadMask, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The mask and its surroundings on the even grid."""
    mask = Scan(head.mask.astype(np.float32), head.affine).canonical().volume()
    near = ndimage.binary_dilation(mask > 0.5, iterations=2)
    found: NDArray[np.bool_] = resize(near.astype(np.float32), shape) > 0.3
    return found


def _shaded(field: NDArray[np.float32]) -> _Image:
    """The first surface along the first axis, lit from the viewer.

    Parameters
    ----------
    field : (D, W, H) float32 ndarray
        Inside above one half.
    """
    solid = field > 0.5
    hit = solid.any(axis=0)
    first = np.argmax(solid, axis=0)
    before = np.take_along_axis(field, np.maximum(first - 1, 0)[None], axis=0)[0]
    here = np.take_along_axis(field, first[None], axis=0)[0]
    depth = first - (here - 0.5) / np.maximum(here - before, 1e-3).clip(0.5)
    depth = np.where(hit, depth, np.nan)
    filled = np.where(hit, depth, np.nanmax(depth) if hit.any() else 0)
    slopes = np.gradient(ndimage.gaussian_filter(filled, 0.7))
    facing = 1 / np.sqrt(1 + slopes[0] ** 2 + slopes[1] ** 2)
    # Light from a little above shows nose and lips.
    light = np.clip((1 + 0.45 * slopes[1]) * facing / 1.1, 0, 1)
    return np.where(hit, 40 + 200 * light, 0).astype(np.uint8)


def _middle(volume: NDArray[np.float32]) -> tuple[int, ...]:
    """Index of the middle of what is bright."""
    bright = volume > volume.mean()
    if not bright.any():
        return tuple(n // 2 for n in volume.shape)
    return tuple(round(float(np.mean(where))) for where in np.nonzero(bright))


def _tile(image: _Image) -> _Image:
    """An image (W, H) of the body's axes as rows from the top, in the middle of a tile."""
    picture = Image.fromarray(np.ascontiguousarray(image.T[::-1]))
    picture.thumbnail((TILE, TILE))
    tile = Image.new("L", (TILE, TILE))
    tile.paste(picture, ((TILE - picture.width) // 2, (TILE - picture.height) // 2))
    return np.asarray(tile)


def jpeg(pixels: _Image) -> bytes:
    """Pixels as the bytes of a JPEG file."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=QUALITY, optimize=True)
    return stream.getvalue()
