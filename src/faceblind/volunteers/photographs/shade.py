"""Colours of a layer's pixels under a light."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from faceblind.volunteers.noise import fractal
from faceblind.volunteers.people.reference_face import (
    EYES,
    MOUTH,
    SKIN,
    TEETH,
    eye_box,
    smooth_step,
)
from faceblind.volunteers.photographs import light, paint
from faceblind.volunteers.photographs.accessories import Worn
from faceblind.volunteers.photographs.light import Lamp
from faceblind.volunteers.photographs.scene import CLOTH, Frame, Mesh, Pixels, length
from faceblind.volunteers.photographs.style import Style
from faceblind.volunteers.raster import tilt

_SKIN_WRAP = (0.30, 0.13, 0.09)
_Layer = tuple[NDArray[np.float32], NDArray[np.float32]]


def bump(pixels: Pixels, height: NDArray[np.floating]) -> NDArray[np.float32]:
    """Normals tilted by a relief in mm given per pixel."""
    number = np.full(pixels.size, -1, np.int32)
    number[pixels.where] = np.arange(len(height), dtype=np.int32)
    return np.asarray(
        tilt(number, *pixels.where, pixels.place, np.asarray(height, np.float32), pixels.normal),
        np.float32,
    )


def shade_head(
    pixels: Pixels, view: NDArray[np.float32], mesh: Mesh, style: Style, lamp: Lamp, frame: Frame,
    worn: Worn | None,
) -> NDArray[np.float32]:  # fmt: skip
    """(N, 3) linear colours of skin, eyes, mouth and garment."""
    colour = np.zeros((len(pixels.kind), 3), np.float32)
    painted = _paint_face(pixels, style)
    albedo, gloss = painted.albedo, painted.gloss
    scalp = smooth_step(pixels.density, 0.1, 0.9)[:, None] * 0.75
    albedo = albedo * (1 - scalp) + style.look.hair.astype(np.float32) * scalp
    inner = pixels.kind == MOUTH
    deep = smooth_step(pixels.origin[:, 1], 83, 78)[:, None]
    albedo = np.where(inner[:, None], albedo * (1 - 0.85 * deep), albedo)
    albedo = paint.paint_mouth(albedo, pixels.origin, pixels.kind)
    garment = pixels.kind == CLOTH
    weave = 1 + 0.05 * fractal(pixels.origin[garment], 2.5, style.look.texture + 71)
    albedo[garment] = style.cloth * weave[:, None]
    gloss = np.where(garment, 0.1, gloss * (1 - scalp[:, 0]))
    gloss = np.where(pixels.kind == TEETH, 0.6, gloss)
    lashes = _lashes(pixels, style, frame.focal)
    albedo *= 1 - 0.72 * lashes[:, None]
    normal = bump(pixels, painted.height * ~garment)
    key = pixels.key
    if worn is not None:
        key = key * _behind_glasses(pixels, worn, lamp, frame)
    skin = pixels.kind != EYES
    colour[skin] = light.reflect(
        albedo[skin], gloss[skin], 26.0, normal[skin], view[skin], key[skin],
        pixels.surround[skin], lamp, _SKIN_WRAP,
    )  # fmt: skip
    for side in (1, -1):
        ball = (pixels.kind == EYES) & (pixels.origin[:, 0] * side > 0)
        middle, _ = eye_box(mesh.points, mesh.kind, side)
        direction = pixels.place[ball] + frame.centre - middle @ frame.turn.T
        direction = np.asarray(direction / length(direction), np.float32)
        # People look at the camera as far as their eyes turn with ease.
        gaze = frame.turn[:, 1] * 0.6 + np.array([0, 0.75, 0])
        iris, wet = paint.paint_eye(direction, gaze / np.linalg.norm(gaze), style.look)
        shadow = 1 - lashes[ball, None]
        colour[ball] = light.reflect(
            iris * shadow, wet, 260.0, direction, view[ball], np.sqrt(key[ball]),
            pixels.surround[ball] * 0.9, lamp, (0.2, 0.15, 0.15),
        )  # fmt: skip
    return colour


def _behind_glasses(pixels: Pixels, worn: Worn, lamp: Lamp, frame: Frame) -> NDArray[np.float32]:
    head = (pixels.place + frame.centre) @ frame.turn
    near = (head[:, 1] > 20) & (np.abs(head[:, 2] - worn.middle[0, 2]) < 110)
    near &= pixels.kind != CLOTH
    left = np.ones(len(head), np.float32)
    softness = 1.2 + 4.0 * (1 - lamp.hardness)
    left[near] = worn.shade(head[near], lamp.key @ frame.turn, softness)
    return left


def _paint_face(pixels: Pixels, style: Style) -> paint.Painted:
    face = (pixels.kind == SKIN) | (pixels.kind == MOUTH)
    some = paint.paint_skin(pixels.origin[face], style)
    albedo = np.full((len(face), 3), 0.1, np.float32)
    gloss, height = np.zeros(len(face), np.float32), np.zeros(len(face), np.float32)
    albedo[face], gloss[face], height[face] = some.albedo, some.gloss, some.height
    return paint.Painted(albedo, gloss, height)


def _lashes(pixels: Pixels, style: Style, focal: float) -> NDArray[np.float32]:
    """Dark lines along both lids: strong above the eye, faint below."""
    eye = np.zeros(pixels.size, np.uint8)
    eye[pixels.where] = pixels.kind == EYES
    if not eye.any():
        return np.zeros(len(pixels.kind), np.float32)
    millimetre = focal * float(np.median(pixels.depth))
    line = style.make_up.line if style.make_up is not None else 0.0
    reach = max(round((1.5 + 0.8 * line) * millimetre), 1)
    up = cv2.dilate(eye, np.ones((reach + 1, 1), np.uint8), anchor=(0, 0))
    down = cv2.dilate(eye, np.ones((max(reach // 2, 1) + 1, 1), np.uint8),
                      anchor=(0, max(reach // 2, 1)))  # fmt: skip
    strength = 0.75 + 0.35 * line
    edge = cv2.GaussianBlur(
        np.maximum(up, (0.45 + 0.4 * line) * down).astype(np.float32), (0, 0), 0.35 * millimetre
    )
    # On the eyeball only the shadow under the upper lid is left.
    below = cv2.GaussianBlur((up > 0).astype(np.float32) - eye, (0, 0), 1.3 * millimetre)
    shade = np.clip(1.3 * below[pixels.where], 0, 0.6)
    over = strength * np.where(pixels.kind == EYES, shade, edge[pixels.where])
    return np.asarray(np.clip(over, 0, 1.2), np.float32)


def shade_hair(
    pixels: Pixels, view: NDArray[np.float32], style: Style, lamp: Lamp, frame: Frame
) -> _Layer:
    """(N, 3) colours and (N,) opacity of hair."""
    painted = paint.paint_hair(pixels.origin, style)
    normal = bump(pixels, painted.height)
    colour = light.reflect(
        painted.albedo, painted.gloss * 0.15, 12.0, normal, view, pixels.key, pixels.surround,
        lamp, (0.2, 0.2, 0.2),
    )  # fmt: skip
    # Strands shine along a band across them (Kajiya & Kay 1989).
    fall = (np.array([0, 0, -1.0]) @ frame.turn.T).astype(np.float32)
    along = fall - normal * (normal @ fall)[:, None]
    steep = length(along)[:, 0]
    along /= np.maximum(steep, 1e-3)[:, None]
    half = view + lamp.key.astype(np.float32)
    half /= length(half)
    across = np.einsum("ij,ij->i", along, half)
    sheen = np.power(np.clip(1 - across**2, 0, 1), 20)
    facing = np.clip(normal @ lamp.key, 0, 1) * smooth_step(steep, 0.15, 0.6)
    sheen = 0.09 * sheen * pixels.key * facing * (0.6 + painted.gloss) * (1 - 0.8 * style.curl)
    tint = 0.35 * lamp.key_colour + style.look.hair * 2
    colour = np.asarray(colour + sheen[:, None] * tint, np.float32)
    wisp = fractal(pixels.origin, (1.1, 1.1, 6.0), style.look.texture + 65, octaves=2, gain=0.8)
    # Ragged where hair begins and ends, closed in the middle.
    ragged = wisp * (1.1 - pixels.density)
    alpha = smooth_step(pixels.density + 0.3 * ragged, 0.2, 0.8)
    rim = np.abs(np.einsum("ij,ij->i", pixels.normal, view))
    alpha = alpha * smooth_step(rim, 0.0, 0.12)
    return colour, np.asarray(alpha, np.float32)


def shade_beard(pixels: Pixels, view: NDArray[np.float32], style: Style, lamp: Lamp) -> _Layer:
    """(N, 3) colours and (N,) opacity of a beard."""
    painted, hair = paint.paint_beard(pixels.origin, style.look)
    normal = bump(pixels, painted.height)
    colour = light.reflect(
        painted.albedo, painted.gloss, 10.0, normal, view, pixels.key, pixels.surround, lamp,
        (0.2, 0.2, 0.2),
    )  # fmt: skip
    rim = np.abs(np.einsum("ij,ij->i", pixels.normal, view))
    alpha = smooth_step(pixels.density + 0.2 * hair, 0.25, 0.8)
    return colour, np.asarray(alpha * smooth_step(rim + 0.1 * hair, 0.05, 0.4), np.float32)


def shade_cover(pixels: Pixels, view: NDArray[np.float32], style: Style, lamp: Lamp) -> _Layer:
    """(N, 3) colours and (N,) opacity of a head covering."""
    painted = paint.paint_fabric(pixels.origin, style)
    colour = light.reflect(
        painted.albedo, painted.gloss, 8.0, bump(pixels, painted.height), view, pixels.key,
        pixels.surround, lamp, (0.15, 0.15, 0.15),
    )  # fmt: skip
    return colour, smooth_step(pixels.density, 0.05, 0.2)


def shade_frame(pixels: Pixels, view: NDArray[np.float32], worn: Worn, lamp: Lamp) -> _Layer:
    """(N, 3) colours and (N,) opacity of a frame."""
    model, count = worn.model, len(pixels.depth)
    albedo = np.tile(model.colour.astype(np.float32), (count, 1))
    gloss = np.full(count, 2.5 * model.shine, np.float32)
    colour = light.reflect(albedo, gloss, 60.0, pixels.normal, view, pixels.key,
                           pixels.surround, lamp, (0.0, 0.0, 0.0))  # fmt: skip
    return colour, np.full(count, 1 - model.clear, np.float32)


def shade_lens(
    pixels: Pixels, view: NDArray[np.float32], worn: Worn, lamp: Lamp, glare: float
) -> _Layer:
    """(N, 3) reflected light and (N,) share of the light behind that is lost in the lenses."""
    normal = pixels.normal
    facing = np.einsum("ij,ij->i", normal, view)
    mirror = 2 * facing[:, None] * normal - view
    fresnel = 0.04 + 0.96 * np.clip(1 - np.abs(facing), 0, 1) ** 5
    rise = (mirror[:, 2:] + 1) / 2
    room = lamp.ground * (1 - rise) + lamp.sky * rise
    # The key light's box and a window on the other side, with the edges that such things have.
    reach = 0.90 + 0.085 * lamp.hardness
    box = smooth_step(mirror @ lamp.key, reach, reach + 0.02)
    window = smooth_step(mirror @ lamp.fill, 0.93, 0.945)
    bright = room + 7.0 * box[:, None] * lamp.key_colour + 4.0 * window[:, None] * lamp.fill_colour
    colour = (glare * fresnel)[:, None] * bright
    lost = np.full(len(facing), worn.model.tint, np.float32) + 0.3 * glare * fresnel
    return np.asarray(colour, np.float32), np.asarray(np.clip(lost, 0, 0.9), np.float32)
