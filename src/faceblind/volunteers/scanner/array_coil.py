"""A head-and-neck array: where it is sensitive, and where parallel imaging amplifies noise."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray

from faceblind.geometry.grid import blur, resize, resized_affine
from faceblind.head.template import load_template
from faceblind.volunteers.people.reference_face import smooth_step

_LOOP_MM = 30.0
"""Radius of one loop: about that of the elements of 16 to 20 channels around head and neck."""

_BEHIND_MM, _BEFORE_MM = 16.0, 34.0
"""From the skin to the conductors: thin padding under the head, room for noses and a mirror."""

_PITCH_MM = 65.0
"""From one row of loops to the next."""
_NECK_GAIN = 1.4
"""Of the neck's loops against the occiput's: they are smaller and lie on the skin (assumed)."""
_STEP_MM = 6.0
_NEAR_MM = 9.0
"""Spread of the support that unfolding takes from its reference scan."""
MOST_AMPLIFIED = 32.0
"""Largest factor that is tried: the g-factor, and that hardly an element reaches the chin."""


@dataclass(frozen=True, eq=False)
class ArrayCoil:
    """Loops around a head, fixed to the scanner.

    Attributes
    ----------
    places : (N, 3) float64 ndarray
        Centres of the loops, scan mm.
    gains : (N,) float64 ndarray
        Of each loop, so that the middle of the head has a sensitivity of 1.
    """

    places: NDArray[np.float64]
    gains: NDArray[np.float64]

    def at(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sensitivity at (P, 3) places in scan mm: root of the sum of squares over the loops."""
        return np.asarray(np.sqrt(_squares(points, self.places) @ self.gains**2))

    def over(self, affine: NDArray[np.float64], shape: tuple[int, int, int]) -> NDArray[np.float32]:
        """(I, J, K) sensitivity on a grid, computed on a coarse one and interpolated."""
        spacing = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
        small = [max(2, round(n * s / _STEP_MM)) for n, s in zip(shape, spacing, strict=True)]
        coarse = resized_affine(affine, shape, tuple(small))
        index = np.stack(np.meshgrid(*map(np.arange, small), indexing="ij"), axis=-1)
        values = self.at(apply_affine(coarse, index.reshape(-1, 3))).reshape(small)
        return resize(values.astype(np.float32), shape)


def array_coil(posed: NDArray[np.float64], ratio: float) -> ArrayCoil:
    """The array around a head as it lies.

    Parameters
    ----------
    posed : (P, 3) ndarray
        Skin in scan mm, vertices as in the template.
    ratio : float
        Mean sensitivity at occiput and nape over that at the face; the gain of the posterior loops
        is fitted to it.
    """
    high = posed.max(axis=0)
    middle = (posed.min(axis=0) + high) / 2
    levels = high[2] - np.arange(5) * _PITCH_MM - 30.0
    behind = [(middle[0] + x, _lowest(posed, z) - _BEHIND_MM + 0.003 * x * x, z)
              for x, z in product((-75.0, 0.0, 75.0), levels)]  # fmt: skip
    before = [(middle[0] + x, high[1] + _BEFORE_MM - 0.005 * x * x, z)
              for x, z in product((-70.0, 70.0), levels[:2])]  # fmt: skip
    places = np.array([*behind, *before])
    back = np.arange(len(places)) < len(behind)
    neck = back & (places[:, 2] < levels[1] - 1)
    share = np.where(neck, _NECK_GAIN, 1.0)
    rear, face = _groups(posed)
    squares = [_squares(points, places) for points in (rear, face, middle[None])]

    def uneven(gain: float) -> float:
        weight = (share * np.where(back, gain, 1.0)) ** 2
        at = [np.sqrt(one @ weight).mean() for one in squares]
        return float(at[0] / at[1])

    small, large = 1e-3, 1e3
    for _ in range(50):
        gain = np.sqrt(small * large)
        small, large = (gain, large) if uneven(gain) < ratio else (small, gain)
    gains = share * np.where(back, gain, 1.0)
    return ArrayCoil(places, gains / np.sqrt(squares[2] @ gains**2))


def _groups(posed: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Skin of occiput and nape, and of the face; every third vertex."""
    template = load_template()
    x, y, z = template.points.T
    occiput = (y < -75) & (z > -20) & (z < 60)
    nape = (y < -40) & (z > -100) & (z < -45) & (np.abs(x) < 45)
    face = template.region("brow", "eyes", "nose", "mouth", "cheeks", "chin")
    return posed[occiput | nape][::3], posed[face][::3]


def _lowest(posed: NDArray[np.float64], z: float) -> float:
    """How far back the skin reaches at a level; below the neck as at its end."""
    level = max(z, float(posed[:, 2].min()) + 20)
    return float(posed[np.abs(posed[:, 2] - level) < 20, 1].min())


def _squares(points: NDArray[np.float64], places: NDArray[np.float64]) -> NDArray[np.float64]:
    """(P, N) squared fields of loops, as on their axes: falls with the cube of the distance."""
    away = ((points[:, None] - places) ** 2).sum(axis=2)
    return np.asarray((_LOOP_MM**2 / (_LOOP_MM**2 + away)) ** 3)


def noise_shape(
    affine: NDArray[np.float64],
    shape: tuple[int, int, int],
    landmarks: dict[str, NDArray[np.float64]],
    near: NDArray[np.float32],
) -> NDArray[np.float32]:
    """(I, J, K) where parallel imaging amplifies noise: 0 at the brain, 1 in front of the neck.

    It grows from the tip of the nose to the mouth, and from the ears forwards; far from the head
    it is 0. `near` (I, J, K) is that of `support`.
    """
    small = tuple(max(2, n // 4) for n in shape)
    coarse = resized_affine(affine, shape, small)
    index = np.stack(np.meshgrid(*map(np.arange, small), indexing="ij"), axis=-1)
    place = apply_affine(coarse, index.reshape(-1, 3))
    nose, mouth = landmarks["pronasale"], landmarks["stomion"]
    ear = (landmarks["preauricular_left"] + landmarks["preauricular_right"]) / 2
    # Along the head's own axes, for a head may lie tipped.
    down = landmarks["gnathion"] - landmarks["nasion"]
    down = down / np.linalg.norm(down)
    forward = nose - ear
    forward = forward - (forward @ down) * down
    forward = forward / np.linalg.norm(forward)
    reach = float((mouth - nose) @ down)
    low = smooth_step((place - nose) @ down, -1.2 * reach, 1.3 * reach)
    front = smooth_step((place - ear) @ forward, -20.0, 45.0)
    return near * resize((low * front).reshape(small).astype(np.float32), shape)


def support(signal: NDArray[np.float32], affine: NDArray[np.float64]) -> NDArray[np.float32]:
    """(I, J, K) 1 in and about the head, 0 where unfolding knows that there is nothing.

    `signal` (I, J, K) is the scan's without noise.
    """
    small = tuple(max(2, n // 4) for n in signal.shape)
    body = resize((signal > 0.02).astype(np.float32), small)
    coarse = resized_affine(affine, signal.shape, small)
    spacing = np.sqrt((coarse[:3, :3] ** 2).sum(axis=0))
    near = np.clip(3 * blur(body, _NEAR_MM / spacing), 0, 1)
    return resize(near, signal.shape)
