"""Colours of the face: skin, brows, lips, beard, eyes and hair, as functions of place.

Places are reference positions (see `faceblind.volunteers.people.reference_face`); colours are
linear RGB.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceblind.volunteers.noise import fractal, fractal_where
from faceblind.volunteers.people.look import Look
from faceblind.volunteers.people.reference_face import TEETH, TONGUE, smooth_step
from faceblind.volunteers.photographs import beard
from faceblind.volunteers.photographs.beard import lip_mask
from faceblind.volunteers.photographs.style import MakeUp, Style

Colours = NDArray[np.float32]

# Skin from palest to darkest, sRGB, spaced along melanin 0..1.
_TONES = np.array([(238, 205, 187), (226, 184, 160), (208, 162, 136), (184, 138, 112),
                   (150, 109, 86), (110, 78, 62), (76, 55, 46)]) / 255.0  # fmt: skip

# Brow centre line on the reference face: x, z and half-thickness in mm.
_BROW_X = (9.0, 16.0, 25.0, 36.0, 44.0, 50.0)
_BROW_Z = (28.5, 30.0, 32.2, 34.0, 31.8, 27.5)
_BROW_HALF = (3.6, 4.6, 4.4, 3.8, 3.2, 2.8)


def linear(srgb: NDArray[np.floating]) -> NDArray[np.float64]:
    """SRGB values 0..1 to linear light (IEC 61966-2-1)."""
    srgb = np.asarray(srgb, np.float64)
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def skin_tone(look: Look) -> NDArray[np.float64]:
    """(3,) base colour of this person's skin, linear RGB."""
    steps = np.linspace(0, 1, len(_TONES))
    tone = np.array([np.interp(look.melanin, steps, linear(_TONES)[:, k]) for k in range(3)])
    # Blood absorbs green most.
    return tone * np.array([1.0, 1 - 0.045 * look.redness, 1 - 0.03 * look.redness])


@dataclass(frozen=True, eq=False)
class Painted:
    """Surface of N pixels.

    Attributes
    ----------
    albedo : (N, 3) float32 ndarray
        Diffuse colour, linear RGB.
    gloss : (N,) float32 ndarray
        Strength of the highlight.
    height : (N,) float32 ndarray
        Fine relief in mm, outward.
    """

    albedo: Colours
    gloss: NDArray[np.float32]
    height: NDArray[np.float32]


def brow_mask(place: NDArray[np.float32], style: Style) -> NDArray[np.float32]:
    """How densely brow hair grows at (N, 3) reference positions, 0 to 1."""
    look, vary = style.look, style.variety * style.features
    x, y, z = np.abs(place[:, 0]), place[:, 1], place[:, 2] - look.brow_height
    # Arch and tilt in mm, length as a share, gap between the brows in mm.
    line = np.interp(x, _BROW_X, _BROW_Z) + 1.3 * vary[0] * np.exp(-(((x - 37) / 11) ** 2))
    line = line + 0.045 * vary[1] * (x - 28)
    half = np.interp(x, _BROW_X, _BROW_HALF) * look.brow_thickness
    pencil = 0.0
    if style.make_up is not None:
        pencil = style.make_up.brows
        half = half * (1 - 0.2 * pencil)
    off = np.abs(z - line) / half
    inner, outer = 9.2 - 1.6 * vary[3], 50 + 3.0 * vary[2]
    ends = smooth_step(x, inner - 2.7, inner + 2.8) * smooth_step(x, outer + 3.5, outer - 3.5)
    body = smooth_step(off, 1.45, 0.35) * ends * (y > 40)
    # Hairs lean outwards: fine across, long along a direction that turns with x.
    turn = np.interp(x, (10, 25, 50), (1.1, 0.5, -0.25))
    strand = np.stack([x - z * turn, z * 0 + np.sign(place[:, 0]) * 9, z + x * turn], axis=1)
    hair = fractal_where(body > 0, strand, (0.8, 1.0, 4.5), look.texture + 11, 2, 0.8)
    ragged = np.clip(body * (1 + 0.35 * hair), 0, 1)
    strength = (0.35 + 0.5 * look.brow_density) * np.clip(0.85 + 0.16 * hair, 0, 1.1)
    strength = strength + pencil * 0.35 * (1 - strength)
    return np.asarray(np.clip(strength * ragged, 0, 0.95), np.float32)


def paint_skin(place: NDArray[np.float32], style: Style) -> Painted:
    """Skin, brows, lips, beard and make-up at (N, 3) reference positions."""
    look, seed = style.look, style.look.texture
    x, y, z = np.abs(place[:, 0]), place[:, 1], place[:, 2]
    mottle = fractal(place, 5.0, seed + 1, octaves=3, gain=0.7)
    pore = fractal(place, 0.9, seed + 2, octaves=2, gain=0.8)
    albedo = skin_tone(look)[None, :] * _mottled(place, look, mottle, pore)
    cheeks = np.exp(-(((x - 40) / 16) ** 2) - ((z + 22) / 17) ** 2) * (y > 30)
    nose = np.exp(-((x / 13) ** 2) - ((z + 22) / 12) ** 2) * (y > 78)
    albedo *= _flush(place, style, cheeks, nose, mottle)
    albedo *= _shaded(place, style)
    albedo = _spots(albedo, place, look)
    lips = _lips(place, style)
    shade = 0.18 * style.variety * style.features[7]
    red = float(np.clip(look.lip + shade, 0.0, 1.1))
    tint = np.array([0.94, 0.94 - 0.62 * red, 0.92 - 0.48 * red]) * (1 - 0.10 * look.melanin)
    crease = fractal_where(lips > 0, place, (0.9, 9.0, 7.0), seed + 5, octaves=2)
    albedo *= 1 + lips[:, None] * (tint * (1 + 0.05 * crease[:, None]) - 1)
    if style.make_up is not None:
        albedo = _make_up(albedo, place, style.make_up, lips, cheeks)
    brows = brow_mask(place, style)
    # The shadow between the hairs; they themselves are drawn one by one.
    cover = 0.6 * brows[:, None]
    albedo = albedo * (1 - cover) + look.brow * cover
    albedo = _beard(albedo, place, style, pore)
    oily = np.exp(-((x / 16) ** 2)) * (y > 60) * (z > -40) + 0.6 * cheeks + nose
    gloss = (0.35 + 0.65 * oily) * look.shine + 0.35 * lips + 0.10 * pore
    gloss = np.clip(gloss * (1 - 0.9 * brows), 0, 2)
    return Painted(albedo.astype(np.float32), gloss.astype(np.float32),
                   _relief(place, look, pore, mottle, style.texture))  # fmt: skip


def _mottled(
    place: NDArray[np.float32], look: Look, mottle: NDArray[np.float32], pore: NDArray[np.float32]
) -> NDArray[np.floating]:
    coarse = fractal(place, 17.0, look.texture, octaves=3)
    shade = look.blotch * (0.035 * coarse + 0.04 * mottle)
    return np.asarray((1 + shade + 0.03 * pore)[:, None])


def _lips(place: NDArray[np.float32], style: Style) -> NDArray[np.float32]:
    vary = style.variety * style.features
    return lip_mask(place, 0.8 * vary[4], 0.9 * vary[5], 1.2 * vary[6])


def _flush(
    place: NDArray[np.float32], style: Style, cheeks: NDArray[np.floating],
    nose: NDArray[np.floating], mottle: NDArray[np.float32],
) -> NDArray[np.floating]:  # fmt: skip
    """Blood shows in cheeks, nose, chin and ears."""
    look = style.look
    x, y, z = np.abs(place[:, 0]), place[:, 1], place[:, 2]
    ears = smooth_step(x, 66, 74) * (y < 6) * (z < 30)
    chin = np.exp(-((x / 18) ** 2) - ((z + 80) / 10) ** 2) * (y > 50)
    blood = 0.8 * cheeks + nose + 0.7 * ears + 0.4 * chin
    strength = (0.75 + 0.5 * look.blotch + 0.25 * mottle) * (1 - 0.65 * look.melanin)
    blood = blood * strength * min(style.texture, 1.5)
    return np.asarray(1 - blood[:, None] * np.array([0.02, 0.17, 0.14]))


def _shaded(place: NDArray[np.float32], style: Style) -> NDArray[np.floating]:
    """Darker skin around the eyes; cheeks and nose shaded from person to person."""
    look, vary = style.look, style.variety * style.features
    x, y, z = np.abs(place[:, 0]), place[:, 1], place[:, 2]
    under_eye = np.exp(-(((x - 30) / 15) ** 2) - ((z - 2) / 6) ** 2) * (y > 55)
    socket = np.exp(-(((x - 30) / 17) ** 2) - ((z - 21) / 6) ** 2) * (y > 55)
    rings = style.texture * 0.10 + 0.14 * look.wrinkle + max(0.07 * vary[9], -0.05)
    dark = max(rings, 0) * under_eye + max(0.08 * style.texture + 0.08 * vary[8], 0) * socket
    hollow = np.exp(-(((x - 52) / 11) ** 2) - ((z + 38) / 17) ** 2) * (y > 15)
    flank = np.exp(-(((x - 13) / 6) ** 2) - ((z + 2) / 18) ** 2) * (y > 60)
    dark = dark + 0.05 * vary[10] * hollow + 0.05 * vary[11] * flank
    return np.asarray(1 - dark[:, None] * np.array([0.85, 1.0, 0.8]))


def _make_up(
    albedo: NDArray[np.floating], place: NDArray[np.float32], made: MakeUp,
    lips: NDArray[np.float32], cheeks: NDArray[np.floating],
) -> NDArray[np.floating]:  # fmt: skip
    x, y, z = np.abs(place[:, 0]), place[:, 1], place[:, 2]
    face = (y > 10) * smooth_step(z, -100, -88) * (1 - lips)
    mean = albedo[face > 0.5].mean(axis=0) if (face > 0.5).any() else albedo.mean(axis=0)
    base = 0.6 * made.base * face[:, None]
    albedo = albedo * (1 - base) + mean * base
    lid = np.exp(-(((x - 30) / 15) ** 4)) * smooth_step(z, 14, 19) * smooth_step(z, 31, 22)
    for mask, colour in (
        (0.7 * made.shadow * lid * (y > 50), made.shadow_colour),
        (made.lips * lips, made.lip_colour),
        (0.35 * made.blush * cheeks, np.array([0.42, 0.13, 0.12])),
    ):
        weight = np.asarray(mask)[:, None]
        albedo = albedo * (1 - weight) + colour * weight
    return albedo


def _spots(albedo: NDArray[np.floating], place: NDArray[np.float32], look: Look) -> NDArray:
    sunny = (place[:, 1] > 20) & (look.freckle > 0.02)
    sun = fractal_where(sunny, place, 2.6, look.texture + 21, octaves=2, gain=0.8)
    patch = fractal_where(sunny & (sun > 1), place, 11.0, look.texture + 22, octaves=2)
    freckle = smooth_step(sun, 1.0, 1.7) * look.freckle * smooth_step(patch, -0.3, 1.2)
    old = np.full(len(place), look.wrinkle > 0.02)
    age = smooth_step(fractal_where(old, place, 7.0, look.texture + 23, 2), 1.7, 2.2) * look.wrinkle
    for azimuth, height, radius in look.moles:
        front = place[:, 1] > 10
        distance = np.hypot(place[:, 0] - azimuth, place[:, 2] - height)
        freckle = np.maximum(freckle, smooth_step(distance, radius, radius * 0.4) * front * 1.15)
    dark = np.clip(0.4 * freckle + 0.25 * age, 0, 0.75)[:, None]
    return albedo * (1 - dark * np.array([0.55, 0.85, 1.0]))


def _beard(
    albedo: NDArray[np.floating], place: NDArray[np.float32], style: Style,
    pore: NDArray[np.float32],
) -> NDArray:  # fmt: skip
    look = style.look
    if look.stubble < 0.01 and style.beard is None and style.moustache == 0:
        return albedo
    low = place[:, 2] < 14
    amount = np.zeros(len(place), np.float32)
    shaved = look.stubble * beard.beard_mask(place[low]) * beard.off_ears(place[low])
    amount[low] = np.maximum(shaved, beard.cover(place[low], style))
    grows = amount > 0.01
    hair = fractal_where(grows, place, (0.9, 1.2, 3.2), look.texture + 31, octaves=2, gain=0.9)
    patchy = fractal_where(grows, place, 10.0, look.texture + 32, octaves=2)
    cover = np.clip(amount * (0.9 + 0.32 * hair + 0.22 * patchy + 0.1 * pore), 0, 1)
    # Hairs of a beard cover, the dots of a shave only tint.
    cover = (cover * (0.38 + 0.55 * smooth_step(amount, 0.3, 0.8)))[:, None]
    shade = look.hair * (0.62 + 0.16 * hair)[:, None] * np.where(amount > 0.4, 1.0, 0.7)[:, None]
    return albedo * (1 - cover) + shade * cover


def _relief(
    place: NDArray[np.float32], look: Look, pore: NDArray[np.float32],
    mottle: NDArray[np.float32], scale: float,
) -> NDArray[np.float32]:  # fmt: skip
    x, y, z = np.abs(place[:, 0]), place[:, 1], place[:, 2]
    seed = look.texture
    forehead = smooth_step(z, 40, 48) * smooth_step(z, 84, 70) * smooth_step(x, 46, 30) * (y > 40)
    crow = np.exp(-(((x - 54) / 8) ** 2) - ((z - 12) / 11) ** 2) * (y > 30)
    lined = (forehead > 0) | (crow > 0.01)
    wobble = 2.6 * fractal_where(lined, place, 22.0, seed + 41, octaves=2)
    lines = np.cos((z + wobble + 0.006 * x**2) * (2 * np.pi / 8.5))
    fade = fractal_where(forehead > 0, place, (30, 30, 9), seed + 42)
    fade = smooth_step(fade, -0.8, 0.8)
    height = -0.42 * smooth_step(lines, 0.55, 1.0) * forehead * fade
    fan = np.cos((z - 12 + 0.4 * wobble) / np.maximum(x - 38, 4) * 24)
    height -= 0.32 * smooth_step(fan, 0.4, 1.0) * crow
    frown = np.exp(-(((x - 7) / 1.1) ** 2) - ((z - 32) / 8) ** 2) * (y > 60)
    height -= 0.35 * frown
    bag = np.exp(-(((x - 30) / 15) ** 2) - ((z + 2) / 7) ** 2) * (y > 50)
    creep = fractal_where(bag > 0.01, place, (6.0, 6.0, 1.6), seed + 43, octaves=2)
    height += 0.10 * creep * bag
    texture = fractal(place, 2.2, seed + 44, octaves=2, gain=0.7)
    height = height * look.wrinkle + texture * (0.020 * scale + 0.05 * look.wrinkle)
    return np.asarray(height + scale * (0.022 * pore + 0.02 * mottle), np.float32)


def paint_eye(
    direction: NDArray[np.float32], gaze: NDArray[np.floating], look: Look
) -> tuple[Colours, NDArray[np.float32]]:
    """Eyeball colours.

    Parameters
    ----------
    direction : (N, 3) ndarray
        Unit vectors from the centre of the eyeball to its surface.
    gaze : (3,) ndarray
        Unit vector where the eye looks.
    look : Look
        Iris colour.

    Returns
    -------
    albedo : (N, 3) float32 ndarray
        Linear RGB.
    gloss : (N,) float32 ndarray
        Highlight strength; the cornea shines most.
    """
    up = np.array([0.0, 0.0, 1.0])
    side = np.cross(gaze, up)
    side /= np.linalg.norm(side)
    top = np.cross(side, gaze)
    u, v, w = direction @ side, direction @ top, direction @ gaze
    # Angle on a 14.4 mm ball (the model's eye with its cornea); iris radius 6 mm, pupil 2 mm.
    radius = np.where(w > 0, np.hypot(u, v), 2.0) * 14.4
    turn = np.arctan2(v, u)
    spokes = fractal(np.stack([np.cos(turn) * 9, np.sin(turn) * 9, radius * 0.5], 1).astype("f4"),
                     0.8, look.texture + 51, octaves=2, gain=0.8)  # fmt: skip
    iris = look.iris * (1 + 0.25 * spokes)[:, None]
    iris = iris * (1 - 0.7 * smooth_step(radius, 4.6, 6.1))[:, None]
    iris = iris * (1 + 0.35 * np.exp(-(((radius - 2.7) / 0.9) ** 2)))[:, None]
    vein = fractal(direction * 14, (1.6, 1.6, 0.8), look.texture + 52, octaves=3, gain=0.8)
    red = 0.06 * smooth_step(vein, 0.4, 1.8) + 0.04 * smooth_step(radius, 8, 13)
    sclera = np.array([0.56, 0.52, 0.49]) * (1 - red[:, None] * np.array([0.3, 1.6, 1.6]))
    ball = smooth_step(radius, 5.6, 6.4)[:, None]
    albedo = sclera * ball + iris * (1 - ball)
    pupil = smooth_step(radius, 2.3, 1.8)[:, None]
    albedo = albedo * (1 - pupil) + 0.004 * pupil
    gloss = 0.5 + 1.2 * smooth_step(radius, 7.5, 5.5)
    return albedo.astype(np.float32), gloss.astype(np.float32)


def paint_mouth(albedo: Colours, origin: NDArray[np.float32], kind: NDArray[np.uint8]) -> Colours:
    """Teeth, tongue and the inside of the mouth, darker the deeper they lie."""
    deep = smooth_step(origin[:, 1], 76, 60)[:, None]
    teeth = np.array([0.55, 0.49, 0.39]) * (1 - 0.75 * deep)
    tongue = np.array([0.30, 0.09, 0.08]) * (1 - 0.85 * deep)
    albedo = np.where((kind == TEETH)[:, None], teeth, albedo)
    return np.asarray(np.where((kind == TONGUE)[:, None], tongue, albedo), np.float32)


def paint_hair(place: NDArray[np.float32], style: Style) -> Painted:
    """Hair at (N, 3) reference positions; strands run from the crown downwards."""
    look = style.look
    x, y, z = place[:, 0], place[:, 1] + 45, place[:, 2] - 20
    polar = np.hypot(x, y)
    turn = np.arctan2(x, y)
    # Constant strand width in mm around the whorl, stretched along the fall of the hair.
    strand = np.stack([turn * 60, np.hypot(polar, z) * 0.2, np.arctan2(polar, z) * 20], axis=1)
    strand[:, 0] += (1.1 + 4 * style.curl) * fractal(place, 28.0 - 16 * style.curl,
                                                     look.texture + 61, octaves=2)  # fmt: skip
    if style.fringe == "swept":
        strand[:, 0] += 0.5 * style.parting * place[:, 2]
    coarse = fractal(strand.astype("f4"), (4.0, 10.0, 24.0), look.texture + 62, octaves=2)
    fine = fractal(strand.astype("f4"), (1.1, 6.0, 9.0), look.texture + 63, octaves=2, gain=0.9)
    if style.curl > 0.5:
        frizz = fractal(place, 2.6, look.texture + 66, octaves=3, gain=0.8)
        fine = fine + (style.curl - 0.5) * 2 * (frizz - fine)
    value = np.exp(0.13 * coarse + 0.20 * fine)
    albedo = look.hair[None, :] * value[:, None]
    height = 0.22 * fine + 0.45 * coarse
    if look.style in ("bald", "cropped"):
        height = 0.12 * fractal(place, 1.4, look.texture + 64, octaves=2)
    return Painted(albedo.astype(np.float32), (0.25 + 0.1 * fine).astype(np.float32),
                   height.astype(np.float32))  # fmt: skip


def paint_beard(place: NDArray[np.float32], look: Look) -> tuple[Painted, NDArray[np.float32]]:
    """Beard at (N, 3) reference positions, and its strands' noise, about N(0, 1)."""
    fall = place * np.array([1.0, 1.0, 0.45], np.float32)
    hair = fractal(fall, 1.5, look.texture + 34, octaves=3, gain=0.9)
    tone = look.hair * 0.8 + 0.2 * look.brow
    albedo = tone * np.exp(0.25 * hair)[:, None]
    painted = Painted(albedo.astype(np.float32), (0.12 + 0.05 * hair).astype(np.float32),
                      (0.35 * hair).astype(np.float32))  # fmt: skip
    return painted, hair


def paint_fabric(place: NDArray[np.float32], style: Style) -> Painted:
    """Head covering at (N, 3) reference positions: knitted wool, or woven cloth."""
    if style.covering == "beanie":
        turn = np.arctan2(place[:, 0], place[:, 1] + 5) * 70
        rib = np.cos(turn * 2 * np.pi / 7) * 0.5
        row = np.cos(place[:, 2] * 2 * np.pi / 4 + np.pi * (rib > 0)) * 0.25
        relief: NDArray[np.floating] = 0.6 * rib + row
    else:
        relief = 0.08 * fractal(place, 1.2, style.look.texture + 83, octaves=2)
    fold = fractal(place, 22.0, style.look.texture + 84, octaves=3)
    albedo = style.fabric * (1 + 0.05 * fold + 0.06 * relief)[:, None]
    return Painted(albedo.astype(np.float32), np.full(len(place), 0.1, np.float32),
                   np.asarray(relief + 0.5 * fold, np.float32))  # fmt: skip
