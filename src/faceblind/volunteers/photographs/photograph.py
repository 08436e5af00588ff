"""Five coloured photographs of a volunteer, as a visitor with a good camera would take them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from faceblind.volunteers.people.reference_face import SKIN
from faceblind.volunteers.people.shape import Person, generator
from faceblind.volunteers.photographs import light, scene, shade
from faceblind.volunteers.photographs.camera import (
    CameraSettings,
    Shot,
    draw_shots,
    rotation,
)
from faceblind.volunteers.photographs.develop import Backdrop, develop
from faceblind.volunteers.photographs.scene import Frame, Mesh, Pixels, Scene
from faceblind.volunteers.photographs.strands import splat
from faceblind.volunteers.photographs.style import Style, draw_style

_FACE_MM = 140.0
_SOLID = 0.5
# Wider than a real hair: each one drawn stands for a few.
_HAIR_MM = 0.3


def photograph(
    person: Person, settings: CameraSettings | None = None
) -> dict[str, NDArray[np.uint8]]:
    """Take the five pictures of one person.

    Parameters
    ----------
    person : Person
        Who.
    settings : CameraSettings, optional
        How.

    Returns
    -------
    dict of str to (height, width, 3) uint8 ndarray
        sRGB pictures by view; see `VIEWS`.
    """
    settings = settings or CameraSettings()
    style = draw_style(person, settings)
    rng = generator(person.seed, person.index, 1)
    shots = draw_shots(rng, settings)
    backdrop = Backdrop.draw(rng, settings.background)
    neutral = scene.build(person.points(), style)
    casters = neutral.shadow_casters()
    seen = light.visibility(*casters)
    pictures = {}
    for view, shot in shots.items():
        posed = scene.build(person.points(shot.expression), style)
        frame = _frame(posed, shot, settings)
        linear = backdrop.paint(*frame.size)
        _expose(linear, posed, seen, style, shot.lamp, frame, settings.glare)
        wide = frame.focal * _FACE_MM / frame.distance / settings.supersampling
        pictures[view] = develop(linear, settings, shot, wide, rng)
    return pictures


def _frame(posed: Scene, shot: Shot, settings: CameraSettings) -> Frame:
    """Framed on the head as posed, from the chin's neighbourhood to the vertex."""
    height = int(settings.height * settings.supersampling)
    width = int(settings.width * settings.supersampling)
    turn = rotation(*shot.pose)
    mesh = posed.meshes[0]
    head = mesh.points[mesh.kind == SKIN] @ turn.T
    top = float(head[:, 2].max())
    centre = np.array([head[:, 0].mean() * 0.7, 0.0, (top - 95.0) / 2 - 12])
    centre += np.array([shot.offset[0], 0.0, shot.offset[1]])
    focal = height * shot.share / (top + 95.0) * shot.distance
    return Frame(turn, centre, shot.distance, focal, (height, width))


def _expose(
    picture: NDArray[np.float32], posed: Scene, seen: NDArray[np.float32], style: Style,
    lamp: light.Lamp, frame: Frame, glare: float,
) -> None:  # fmt: skip
    """Draw all layers into a linear picture, exposed for the face."""
    nearest = np.zeros(frame.size, np.float32)
    soft = light.key_light(seen, frame.turn, lamp)
    casters = posed.shadow_casters()
    if lamp.hardness > 0:
        sharp = light.lit(*casters, lamp.key @ frame.turn)
        soft = (1 - lamp.hardness) * soft + lamp.hardness * sharp
    start, gain = 0, 1.0
    for mesh in posed.meshes:
        count = len(mesh.points)
        thin = mesh.layer in ("frame", "lens")
        key = np.ones(count, np.float32) if thin else soft[start : start + count]
        visible = None if thin else seen[start : start + count]
        start += 0 if thin else count
        pixels = scene.draw(mesh, key, visible, lamp, frame)
        if pixels is None:
            continue
        view = np.array([0, frame.distance, 0], np.float32) - pixels.place
        view = np.asarray(view / scene.length(view), np.float32)
        if mesh.layer == "head":
            colour = shade.shade_head(pixels, view, mesh, style, lamp, frame, posed.worn)
            gain = _metered(colour[pixels.kind == SKIN])
            picture[pixels.where] = colour
            nearest[pixels.where] = pixels.depth
        else:
            colour, alpha = _shade(mesh.layer, pixels, view, posed, style, lamp, frame, glare)
            _lay_over(picture, nearest, pixels, colour, alpha, mesh.layer == "lens")
        if visible is not None:
            _comb(picture, nearest, posed, mesh, key, visible, lamp, frame)
    picture *= np.float32(gain)


def _lay_over(
    picture: NDArray[np.float32], nearest: NDArray[np.float32], pixels: Pixels,
    colour: NDArray[np.float32], alpha: NDArray[np.float32], glass: bool,
) -> None:  # fmt: skip
    free = pixels.depth > nearest[pixels.where]
    alpha = alpha * free
    under = picture[pixels.where]
    if glass:
        # Light from a lens comes on top of what passes through it.
        picture[pixels.where] = under * (1 - alpha[:, None]) + colour * free[:, None]
        return
    picture[pixels.where] = under + alpha[:, None] * (colour - under)
    solid = np.where(alpha > _SOLID, pixels.depth, 0)
    nearest[pixels.where] = np.maximum(nearest[pixels.where], solid)


def _comb(
    picture: NDArray[np.float32], nearest: NDArray[np.float32], posed: Scene, mesh: Mesh,
    key: NDArray[np.float32], seen: NDArray[np.float32], lamp: light.Lamp, frame: Frame,
) -> None:  # fmt: skip
    """Draw the single hairs that grow on a layer."""
    for hairs in posed.strands:
        if hairs.layer != mesh.layer:
            continue
        at = hairs.vertex
        normal = mesh.normals[at]
        around = light.ambient(seen[at], normal, frame.turn, lamp)
        slope = np.clip((normal @ frame.turn.T) @ lamp.key * 0.8 + 0.3, 0.1, 1)
        bright = around + (key[at] * slope)[:, None] * lamp.key_colour
        colour = np.asarray(hairs.colour * bright, np.float32)
        place = hairs.points @ frame.turn.T - frame.centre
        # A hair thinner than a pixel covers as much of it as it is wide.
        wide = min(_HAIR_MM * frame.focal / frame.distance, 1.0)
        splat(picture, nearest, scene.project(place, frame), colour, hairs.alpha * wide, 0.002)


def _metered(face: NDArray[np.float32]) -> float:
    """A camera meters brighter for dark and darker for pale faces, but not all the way."""
    middle = float(np.median(face[:, 1])) if len(face) else 0.24
    return float((0.24 / max(middle, 1e-3)) ** 0.5)


def _shade(
    layer: str, pixels: Pixels, view: NDArray[np.float32], posed: Scene, style: Style,
    lamp: light.Lamp, frame: Frame, glare: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:  # fmt: skip
    if layer.startswith("hair"):
        return shade.shade_hair(pixels, view, style, lamp, frame)
    if layer == "beard":
        return shade.shade_beard(pixels, view, style, lamp)
    if layer == "cover":
        return shade.shade_cover(pixels, view, style, lamp)
    assert posed.worn is not None
    if layer == "frame":
        return shade.shade_frame(pixels, view, posed.worn, lamp)
    return shade.shade_lens(pixels, view, posed.worn, lamp, glare)
