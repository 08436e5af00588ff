"""Pictures of a head surface: several cameras, several lights, one rasterisation per camera.

The rasteriser gives a normal and a hollow factor per pixel; every light is then shaded from these
("deferred" shading), so that a further light costs far less than a further camera. The pictures
are meant for face recognition networks: a grey bust under soft light.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from faceblind.errors import FaceblindError
from faceblind.face.cameras import DEFAULT_CAMERAS, DEFAULT_LIGHTS, Camera, Light
from faceblind.face.rasteriser import NOTHING, Caster, Hits, facing, make_caster
from faceblind.geometry.mesh import check_mesh, checked_normals
from faceblind.geometry.triangles import face_normals

SUPERSAMPLE = 2
"""Rays per pixel along each axis; two already make the outline of the head smooth."""

SKIN_ALBEDO = 0.7
"""Share of the light that skin returns where the painted albedo is 1."""

BACKGROUND = 60
"""Grey level behind the head: dark enough to set off the outline, as a studio backdrop does."""

GAMMA = 2.2
"""Display exponent: grey level is 255 * light ** (1 / GAMMA), as in photographs."""

TARGET_OFFSET = (0.0, -45.0, 15.0)
"""Millimetres from the mean of the five landmarks to where cameras aim: about the middle of the
front half of the head, so that turning the camera keeps vertex, ears and chin in the picture."""

GLOSS_POWER = 16
"""Blinn-Phong exponent; a broad highlight as on dry skin."""

HOLLOW_RADIUS = 6.0
"""Millimetres: scale of the hollows (eye sockets, beside the nose, below the lip) that the ambient
light reaches less."""

HOLLOW_STRENGTH = 0.2
"""Ambient light lost per millimetre of hollow."""


@dataclass(frozen=True)
class Renders:
    """Pictures of one head.

    Parameters
    ----------
    images : (V, L, H, W) uint8 ndarray
        Grey pictures: camera, light, row, column.
    landmarks : (V, 5, 2) float32 ndarray
        x (right) and y (down) in pixels, the centre of the top left pixel being (0, 0), of the
        person's right eye, left eye, nose tip, right and left mouth corner.
    visible : (V, H, W) bool ndarray
        Pixels that the head covers by half or more.
    """

    images: NDArray[np.uint8]
    landmarks: NDArray[np.float32]
    visible: NDArray[np.bool_]

    def __post_init__(self) -> None:
        if self.images.ndim != 4 or self.images.dtype != np.uint8:
            raise FaceblindError(
                f"renders: expected images (V, L, H, W) uint8, got {self.images.shape} "
                f"{self.images.dtype}"
            )
        v, _, h, w = self.images.shape
        if self.landmarks.shape != (v, 5, 2) or self.visible.shape != (v, h, w):
            raise FaceblindError(
                f"renders: expected landmarks {(v, 5, 2)} and visible {(v, h, w)}, got "
                f"{self.landmarks.shape} and {self.visible.shape}"
            )


@dataclass(frozen=True)
class _Buffer:
    """What one camera sees, at the resolution of the picture; pixels in row-major order.

    `pixel` (M,) flat indices of the pixels that show some head; `normal` (3, M) unit, in the
    camera's right-down-forward axes; `albedo` (M,); `cover` (M,) share of the pixel, 0..1;
    `open` (M,) share of the ambient light that arrives, 0..1.
    """

    pixel: NDArray[np.int64]
    normal: NDArray[np.float32]
    albedo: NDArray[np.float32]
    cover: NDArray[np.float32]
    open: NDArray[np.float32]


def render(
    points: ArrayLike,
    faces: ArrayLike,
    normals: ArrayLike | None,
    landmarks: ArrayLike,
    cameras: Sequence[Camera] = DEFAULT_CAMERAS,
    lights: Sequence[Light] = DEFAULT_LIGHTS,
    size: int = 224,
    albedo: ArrayLike | None = None,
    rasteriser: str = "auto",
) -> Renders:
    """Picture a head from every camera under every light.

    The surface is seen from its front (counter-clockwise) side only. Lights turn with the camera,
    as in a studio where the person turns and the lamps stay. The result depends on the input
    alone, not on the number of threads.

    Parameters
    ----------
    points : (P, 3) array-like
        Vertices, upright template pose, RAS+ millimetres (the face looks to +y).
    faces : (F, 3) array-like of int
        Vertex indices, counter-clockwise when seen from outside.
    normals : (P, 3) array-like or None
        Outward unit normals of the vertices; None computes them.
    landmarks : (5, 3) array-like
        Person's right eye, left eye, nose tip, right and left mouth corner, in the same frame.
    cameras : sequence of Camera
        Where to look from; all look at the mean landmark moved by `TARGET_OFFSET`.
    lights : sequence of Light
        How to light the head.
    size : int
        Height and width of the pictures in pixels.
    albedo : (P,) array-like, optional
        Share of the skin's brightness at each vertex, 0..1.4; default 1. Darkens brows or lips.
    rasteriser : {"auto", "embree", "numpy"}
        Who finds what a pixel shows; "auto" takes embree where it is installed.

    Returns
    -------
    Renders

    Raises
    ------
    FaceblindError
        If the mesh or the landmarks are empty, misshapen or not finite, no camera or light is
        given, `size` is below 8, or a camera does not see the surface.

    References
    ----------
    Saito and Takahashi, SIGGRAPH 1990 (deferred shading from normal and depth buffers); Luft et
    al., SIGGRAPH 2006 (hollows from the unsharp-masked depth buffer); Blinn, SIGGRAPH 1977.
    """
    p, f = check_mesh(points, faces, "render")
    n = checked_normals(p, f) if normals is None else np.asarray(normals, dtype=np.float32)
    paint = np.ones(len(p), np.float32) if albedo is None else np.asarray(albedo, np.float32)
    marks = np.asarray(landmarks, dtype=np.float64)
    _check(p, n, paint, marks, cameras, lights, size)
    target = aim(marks)
    if _inside_out(p, f):
        raise FaceblindError("render: the surface is inside out; reverse each face's vertices")
    f = f[facing(p, f, np.stack([camera.position(target) for camera in cameras]))]
    if len(f) == 0:
        raise FaceblindError("render: every face turns its back; check the order of the vertices")
    caster = make_caster(p, f, rasteriser)
    images = np.full((len(cameras), len(lights), size * size), BACKGROUND, dtype=np.uint8)
    visible = np.zeros((len(cameras), size * size), dtype=bool)
    for image, seen, camera in zip(images, visible, cameras, strict=True):
        buffer = _look(caster, camera, target, size, f, n, paint)
        seen[buffer.pixel] = buffer.cover >= 0.5
        for row, light in zip(image, lights, strict=True):
            row[buffer.pixel] = _shade(buffer, light)
    spots = np.stack([camera.project(marks, target, size)[:, :2] for camera in cameras])
    return Renders(
        images.reshape(len(cameras), len(lights), size, size),
        spots.astype(np.float32),
        visible.reshape(len(cameras), size, size),
    )


def aim(landmarks: ArrayLike) -> NDArray[np.float64]:
    """(3,) point that the cameras look at, from the (5, 3) landmarks, in their frame."""
    return np.asarray(landmarks, dtype=np.float64).mean(axis=0) + TARGET_OFFSET


def _inside_out(points: NDArray[np.float32], faces: NDArray[np.int32]) -> bool:
    """Whether most of the surface turns its front to the middle of the head."""
    sample = faces[:: max(1, len(faces) // 20000)]
    arm = points[sample[:, 0]] - points.mean(axis=0, dtype=np.float64)
    flux = (face_normals(points, sample) * arm).sum(axis=1)
    return bool(flux.sum() < -0.5 * np.abs(flux).sum())


def _check(
    points: NDArray[np.float32],
    normals: NDArray[np.float32],
    albedo: NDArray[np.float32],
    landmarks: NDArray[np.float64],
    cameras: Sequence[Camera],
    lights: Sequence[Light],
    size: int,
) -> None:
    """Refuse what cannot be rendered."""
    if normals.shape != points.shape or albedo.shape != points.shape[:1]:
        raise FaceblindError(
            f"render: expected normals {points.shape} and albedo {points.shape[:1]}, got "
            f"{normals.shape} and {albedo.shape}"
        )
    if not (np.isfinite(normals).all() and np.isfinite(albedo).all()):
        raise FaceblindError("render: normals or albedo are not finite; recompute them")
    if landmarks.shape != (5, 3) or not np.isfinite(landmarks).all():
        raise FaceblindError(
            f"render: expected five finite landmarks (5, 3), got shape {landmarks.shape}"
        )
    if not cameras or not lights or size < 8:
        raise FaceblindError(
            f"render: expected a camera, a light and size >= 8, got {len(cameras)} cameras, "
            f"{len(lights)} lights, size {size}"
        )


def _look(
    caster: Caster,
    camera: Camera,
    target: NDArray[np.float64],
    size: int,
    faces: NDArray[np.int32],
    normals: NDArray[np.float32],
    albedo: NDArray[np.float32],
) -> _Buffer:
    """Rasterise one camera and average the rays of each pixel."""
    hits = caster.hits(camera, target, size * SUPERSAMPLE)
    ray = np.flatnonzero(hits.face.ravel() != NOTHING)
    if len(ray) == 0:
        raise FaceblindError(
            f"render: the camera at yaw {camera.yaw:g}, pitch {camera.pitch:g} does not see the "
            "surface; check the pose and the landmarks"
        )
    corner = faces[hits.face.ravel()[ray]]
    u, v = hits.u.ravel()[ray], hits.v.ravel()[ray]
    weights = (1 - u - v, u, v)
    row, column = np.divmod(ray, size * SUPERSAMPLE)
    cell = (row // SUPERSAMPLE) * size + column // SUPERSAMPLE
    count = np.bincount(cell, minlength=size * size)
    pixel = np.flatnonzero(count)

    def mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Interpolate per-vertex `values` at the rays and average them over each pixel."""
        at_ray = sum(w * values[corner[:, k]] for k, w in enumerate(weights))
        total = np.bincount(cell, at_ray, minlength=size * size)[pixel]
        return (total / count[pixel]).astype(np.float32)

    world = [mean(np.ascontiguousarray(normals[:, axis])) for axis in range(3)]
    axes = camera.axes.astype(np.float32)
    normal = np.stack([a[0] * world[0] + a[1] * world[1] + a[2] * world[2] for a in axes])
    normal /= np.maximum(np.sqrt((normal**2).sum(axis=0)), 1e-6)
    cover = (count[pixel] / SUPERSAMPLE**2).astype(np.float32)
    hollow = _hollow(hits, camera, size).ravel()[pixel]
    return _Buffer(pixel, normal, mean(albedo), cover, np.exp(-HOLLOW_STRENGTH * hollow))


def _hollow(hits: Hits, camera: Camera, size: int) -> NDArray[np.float32]:
    """(size, size) millimetres by which each pixel lies behind its smoothed surroundings."""
    depth = hits.depth[::SUPERSAMPLE, ::SUPERSAMPLE]
    solid = np.isfinite(depth)
    behind = np.where(solid, depth - np.float32(camera.distance), np.float32(0))
    sigma = HOLLOW_RADIUS * size / camera.span
    blurred = ndimage.gaussian_filter(behind, sigma, truncate=2.5)
    weight = ndimage.gaussian_filter(solid.astype(np.float32), sigma, truncate=2.5)
    hollow = np.where(solid, behind - blurred / np.maximum(weight, 1e-3), np.float32(0))
    return hollow.clip(0, 8).astype(np.float32)


def _shade(buffer: _Buffer, light: Light) -> NDArray[np.uint8]:
    """Grey levels of the pixels of one buffer under one light."""
    lamp = light.direction.astype(np.float32)
    half = lamp + np.array([0, 0, -1], dtype=np.float32)
    half /= np.sqrt((half**2).sum())
    x, y, z = buffer.normal
    cosine = lamp[0] * x + lamp[1] * y + lamp[2] * z
    key = np.maximum(cosine + light.wrap, 0) / (1 + light.wrap)
    # The sky half of the room is brighter than the floor half.
    room = buffer.open * (0.85 - 0.15 * y)
    gloss = np.maximum(half[0] * x + half[1] * y + half[2] * z, 0) ** GLOSS_POWER
    matt = SKIN_ALBEDO * buffer.albedo * (light.key * key + light.ambient * room)
    grey = 255 * np.clip(matt + light.gloss * gloss * key, 0, 1) ** (1 / GAMMA)
    mixed = buffer.cover * grey + (1 - buffer.cover) * BACKGROUND
    return np.rint(mixed).astype(np.uint8)


def render_sheet(renders: Renders) -> NDArray[np.uint8]:
    """Contact sheet for a look: a row per camera, a column per light.

    Parameters
    ----------
    renders : Renders

    Returns
    -------
    (V * H, L * W) uint8 ndarray
    """
    v, lights, h, w = renders.images.shape
    return np.ascontiguousarray(renders.images.transpose(0, 2, 1, 3)).reshape(v * h, lights * w)
