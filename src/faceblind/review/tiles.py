"""One small picture of each scan, for a first look at many of them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from faceblind.geometry.raycast import Scene
from faceblind.head.skin import Skin
from faceblind.review.images import Picture, windows

SIDE = 180
"""Pixels of each of the three views of a tile."""
_TURN_DEGREES = (0.0, 55.0)
_LIGHT = np.array([0.35, 0.75, 0.55])
_AMBIENT = 0.15


def tile_bytes(shown: Picture, skin: Skin | None) -> bytes:
    """Front and oblique view of the skin, and the slice through the middle, as PNG.

    Parameters
    ----------
    shown : Picture
    skin : Skin or None
        None where there is none: its views stay black.
    """
    blank = np.zeros((SIDE, SIDE), np.uint8)
    views = [skin_view(skin, turn) if skin else blank for turn in _TURN_DEGREES]
    picture = Image.fromarray(np.concatenate([*views, middle_slice(shown)], axis=1))
    stream = io.BytesIO()
    picture.save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def skin_view(skin: Skin, turn_degrees: float) -> NDArray[np.uint8]:
    """(SIDE, SIDE) the skin seen from the front, turned about the vertical axis, shaded.

    Parameters
    ----------
    skin : Skin
    turn_degrees : float
        0 looks at the face, 90 at the person's right side.
    """
    angle = np.deg2rad(turn_degrees)
    towards = np.array([np.sin(angle), np.cos(angle), 0.0])
    across = np.array([-np.cos(angle), np.sin(angle), 0.0])
    low, high = skin.points.min(axis=0), skin.points.max(axis=0)
    centre, extent = (low + high) / 2, float((high - low).max()) * 1.05
    step = (np.arange(SIDE) + 0.5) / SIDE - 0.5
    x, z = np.meshgrid(step * extent, -step * extent)
    start = centre + towards * extent + x[..., None] * across + z[..., None] * [0.0, 0.0, 1.0]
    origin = start.reshape(-1, 3).astype(np.float32)
    ways = np.broadcast_to(-towards, origin.shape).astype(np.float32)
    _, hit = Scene(skin.points, skin.faces).first_hits(origin, np.ascontiguousarray(ways))
    normal = skin.normals[skin.faces[np.maximum(hit, 0)]].mean(axis=1)
    light = across * _LIGHT[0] + towards * _LIGHT[1] + np.array([0.0, 0.0, _LIGHT[2]])
    bright = _AMBIENT + (1 - _AMBIENT) * np.clip(normal @ (light / np.linalg.norm(light)), 0, 1)
    shade = np.where(hit >= 0, 255 * bright, 0).astype(np.uint8)
    return shade.reshape(SIDE, SIDE)


def middle_slice(shown: Picture) -> NDArray[np.uint8]:
    """(SIDE, SIDE) the sagittal slice through the middle of the field of view."""
    plane = shown.voxels[shown.voxels.shape[0] // 2].T[::-1]
    low, high = windows(shown.voxels)["usual"]
    grey = _grey(plane, low, high)
    spacing = np.linalg.norm(shown.affine[:3, :3], axis=0)
    height, width = plane.shape[0] * spacing[2], plane.shape[1] * spacing[1]
    scale = SIDE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = Image.fromarray(grey).resize(size, Image.Resampling.BILINEAR)
    whole = Image.new("L", (SIDE, SIDE))
    whole.paste(small, ((SIDE - size[0]) // 2, (SIDE - size[1]) // 2))
    return np.asarray(whole)


def _grey(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    share = (values.astype(np.float32) - low) / (high - low)
    return (255 * np.clip(np.nan_to_num(share), 0, 1)).astype(np.uint8)
