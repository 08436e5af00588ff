"""From light on the sensor to the picture: lens, smear, tone curve, noise; and the backdrop."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceblind.volunteers.photographs.camera import CameraSettings, Shot
from faceblind.volunteers.photographs.style import muted


@dataclass(frozen=True, eq=False)
class Backdrop:
    """A wall, or blurred things in front of it.

    Attributes
    ----------
    colour : (3,) ndarray
        Of the wall, linear RGB.
    slope : (2,) ndarray
        How it brightens across the picture.
    blobs : (B, 6) ndarray
        Things: place, size and colour, 0 to 1.
    """

    colour: NDArray[np.float64]
    slope: NDArray[np.float64]
    blobs: NDArray[np.float64]

    @staticmethod
    def draw(rng: np.random.Generator, things: float) -> Backdrop:
        """One backdrop; `things` is the chance that it is more than a wall."""
        grey = rng.uniform(0.12, 0.75)
        colour = grey * (1 + rng.normal(0, 0.10, 3))
        slope, chance = rng.normal(0, 0.18, 2), rng.random()
        blobs = rng.uniform(0, 1, (14, 6))[: int(rng.integers(3, 15))]
        return Backdrop(colour, slope, blobs if chance < things else blobs[:0])

    def paint(self, height: int, width: int) -> NDArray[np.float32]:
        """(height, width, 3) linear picture."""
        # Out of focus anyway: painted small, blurred, enlarged.
        y, x = np.mgrid[0:1:75j, 0:1:60j].astype(np.float32)
        shade = 1 + self.slope[0] * (x - 0.5) + self.slope[1] * (y - 0.5)
        picture = self.colour.astype(np.float32) * shade[..., None].astype(np.float32)
        for cx, cy, size, r, g, b in self.blobs.astype(np.float32):
            wide, tall = 0.04 + 0.25 * size, 0.06 + 0.4 * ((7 * size) % 1)
            inside = (np.abs(x - cx) < wide) & (np.abs(y - cy) < tall)
            colour = 0.5 * (self.colour + muted(np.array([r, g, b]) ** 2)).astype(np.float32)
            picture[inside] = 0.4 * picture[inside] + 0.6 * colour
        picture = cv2.GaussianBlur(picture, (0, 0), 1.7)
        return cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC)


def develop(
    linear: NDArray[np.float32],
    settings: CameraSettings,
    shot: Shot,
    face_width: float,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """The finished picture.

    Parameters
    ----------
    linear : (H, W, 3) float32 ndarray
        Light at the supersampled size.
    settings : CameraSettings
        Picture size and noise.
    shot : Shot
        Exposure, blur and so on.
    face_width : float
        Of the face in pixels of the finished picture.
    rng : Generator
        For the noise.

    Returns
    -------
    (height, width, 3) uint8 ndarray
        sRGB.
    """
    size = settings.width, settings.height
    small = cv2.resize(linear, size, interpolation=cv2.INTER_AREA)
    small = small * shot.exposure.astype(np.float32)
    small = cv2.GaussianBlur(small, (0, 0), max(shot.blur, 0.05))
    if shot.motion > 0.3:
        small = cv2.filter2D(small, -1, _smear(shot.motion, shot.turn))
    shrink = min(shot.face_px / face_width, 1.0)
    if shrink < 1:
        size_then = max(int(size[0] * shrink), 8), max(int(size[1] * shrink), 8)
        small = cv2.resize(small, size_then, interpolation=cv2.INTER_AREA)
    # A shoulder keeps highlights from clipping hard.
    small = np.clip(small, 0, None)
    small = np.where(small > 0.7, 0.7 + 0.3 * (1 - np.exp(-(small - 0.7) / 0.3)), small)
    srgb = np.where(small <= 0.0031308, 12.92 * small, 1.055 * np.power(small, 1 / 2.4) - 0.055)
    srgb = _steepen(srgb, shot.contrast) * 255
    # Shot noise: dark parts are noisier once the curve has lifted them.
    grain = settings.noise * (1.25 - 0.5 * srgb / 255)
    srgb = srgb + grain * rng.standard_normal(srgb.shape, np.float32)
    if shrink < 1:
        srgb = cv2.resize(np.asarray(srgb, np.float32), size, interpolation=cv2.INTER_CUBIC)
    return np.clip(np.rint(srgb), 0, 255).astype(np.uint8)


def _steepen(srgb: NDArray[np.floating], contrast: float) -> NDArray[np.floating]:
    """S-curve around middle grey that leaves black and white in place."""
    centred = np.clip(srgb, 0, 1) - 0.5
    curved = centred + (contrast - 1) * centred * (1 - 4 * centred**2)
    return np.asarray(curved + 0.5)


def _smear(pixels: float, turn: float) -> NDArray[np.float32]:
    """Kernel of a straight movement of so many pixels."""
    half = int(np.ceil(pixels / 2)) + 1
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    for t in np.linspace(-pixels / 2, pixels / 2, 4 * half + 9):
        x, y = half + t * np.cos(turn), half + t * np.sin(turn)
        i, j, u, v = int(y), int(x), x - int(x), y - int(y)
        kernel[i, j] += (1 - u) * (1 - v)
        kernel[i, j + 1] += u * (1 - v)
        kernel[i + 1, j] += (1 - u) * v
        kernel[i + 1, j + 1] += u * v
    return np.asarray(kernel / kernel.sum(), np.float32)
