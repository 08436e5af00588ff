"""Cameras and lights for pictures of a head: data and projection, no drawing.

Frame: upright template pose, RAS+ millimetres; the face looks to +y and +z is up. As the person's
right is +x, a camera in front of the face sees the person's right on the left of the picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from faceblind.errors import FaceblindError


@dataclass(frozen=True)
class Camera:
    """A pinhole camera that looks at a target in the head.

    Parameters
    ----------
    yaw : float
        Degrees that the camera is carried around the head towards the person's left (-x).
    pitch : float
        Degrees that the camera is raised; it then looks down on the face. Within (-90, 90).
    distance : float
        Millimetres from the pinhole to the target. 1.2 m is where a portrait is taken from.
    span : float
        Millimetres at the target that fill the picture from edge to edge. At 280 mm, hairline to
        chin (about 180 mm) takes two thirds of the height: a loose crop of a photograph.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    distance: float = 1200.0
    span: float = 280.0

    def __post_init__(self) -> None:
        if not (abs(self.pitch) < 90 and self.distance > 0 and self.span > 0):
            raise FaceblindError(
                f"camera: expected |pitch| < 90, distance > 0 and span > 0, got {self}"
            )

    @property
    def axes(self) -> NDArray[np.float64]:
        """(3, 3) unit rows: right in the picture, down in the picture, forward."""
        yaw, pitch = np.radians([self.yaw, self.pitch])
        forward = np.array(
            [np.sin(yaw) * np.cos(pitch), -np.cos(yaw) * np.cos(pitch), -np.sin(pitch)]
        )
        right = np.array([-np.cos(yaw), -np.sin(yaw), 0.0])
        return np.stack([right, np.cross(forward, right), forward])

    def position(self, target: ArrayLike) -> NDArray[np.float64]:
        """(3,) pinhole in millimetres when the camera looks at `target` (3,)."""
        return np.asarray(target, dtype=np.float64) - self.distance * self.axes[2]

    def focal(self, size: int) -> float:
        """Focal length in pixels of a picture of `size` x `size` pixels."""
        return size * self.distance / self.span

    def project(self, points: ArrayLike, target: ArrayLike, size: int) -> NDArray[np.float64]:
        """Pinhole projection.

        Parameters
        ----------
        points : (..., 3) array-like
            Millimetres, template pose.
        target : (3,) array-like
            What the camera looks at; it lands on the centre of the picture.
        size : int
            Width and height of the picture in pixels.

        Returns
        -------
        (..., 3) float64 ndarray
            x (right) and y (down) in pixels, where the centre of the top left pixel is (0, 0),
            and the depth in millimetres along the viewing direction.
        """
        seen = (np.asarray(points, dtype=np.float64) - self.position(target)) @ self.axes.T
        out = np.empty_like(seen)
        out[..., :2] = self.focal(size) * seen[..., :2] / seen[..., 2:] + (size - 1) / 2
        out[..., 2] = seen[..., 2]
        return out


@dataclass(frozen=True)
class Light:
    """A soft lamp that is carried with the camera, and the light of the room.

    Parameters
    ----------
    azimuth : float
        Degrees from the viewing direction towards the right of the picture.
    elevation : float
        Degrees above the viewing direction.
    key : float
        Strength of the lamp.
    ambient : float
        Strength of the light from all around; dimmed in hollows.
    wrap : float
        0 for a point lamp (Lambert), towards 1 for a large soft lamp whose light reaches round
        the head: the cosine c of the angle to the lamp becomes max(0, c + wrap) / (1 + wrap).
    gloss : float
        Strength of the highlight of the skin.
    """

    azimuth: float = 0.0
    elevation: float = 0.0
    key: float = 0.65
    ambient: float = 0.1
    wrap: float = 0.15
    gloss: float = 0.05

    @property
    def direction(self) -> NDArray[np.float64]:
        """(3,) unit vector towards the lamp: right and down in the picture, forward."""
        azimuth, elevation = np.radians([self.azimuth, self.elevation])
        return np.array(
            [
                np.sin(azimuth) * np.cos(elevation),
                -np.sin(elevation),
                -np.cos(azimuth) * np.cos(elevation),
            ]
        )


DEFAULT_CAMERAS: tuple[Camera, ...] = tuple(
    Camera(yaw, pitch) for pitch in (0.0, 15.0, -15.0) for yaw in (0.0, -25.0, 25.0)
)
"""Nine poses: level, raised and lowered, each in front and 25 degrees to either side."""

DEFAULT_LIGHTS: tuple[Light, ...] = (
    Light(0, 30),
    Light(-45, 20),
    Light(45, 20),
    Light(0, 55),
    Light(0, -50, key=0.5),
    Light(-40, 45),
    Light(40, 45),
    Light(0, 45, key=0.35, ambient=0.3, wrap=0.4, gloss=0.0),
    Light(0, 15, key=0.65, ambient=0.04, wrap=0.0, gloss=0.1),
)
"""Nine lights: front, left, right, above, below, upper left, upper right, overcast
and a hard lamp beside the camera."""

FEW_LIGHTS: tuple[Light, ...] = tuple(DEFAULT_LIGHTS[number] for number in (0, 1, 2, 7))
"""Front, left, right and overcast: 36 renders with the nine cameras."""
