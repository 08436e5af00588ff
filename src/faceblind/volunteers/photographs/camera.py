"""How photographs are taken: the settings, and what one picture draws from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceblind.errors import FaceblindError
from faceblind.volunteers.limits import check_limits
from faceblind.volunteers.photographs.light import Lamp

VIEWS: dict[str, tuple[float, float]] = {
    "front": (0.0, 0.0), "left": (35.0, 0.0), "right": (-35.0, 0.0),
    "up": (0.0, 20.0), "down": (0.0, -20.0),
}  # fmt: skip
"""Yaw and pitch of the head in degrees: positive turns to the person's left and upwards."""


@dataclass(frozen=True)
class CameraSettings:
    """How photographs are taken.

    The default is a visitor with a good camera in a well-lit room; `wild` gives pictures as
    people put them on the web. Every draw takes the same random numbers whatever the settings,
    so that raising a probability only adds people to those who had, say, glasses before.

    Attributes
    ----------
    width, height : int
        Picture size in pixels.
    supersampling : float
        Rendered at this multiple, then averaged down.
    jpeg_quality : tuple of int
        Least and greatest JPEG quality, both included.
    yaw_sd, pitch_sd, roll_sd : float
        Spread of the head's pose around the asked view, degrees; no head turns further than
        43, pitches further than 25 or leans further than 20.
    expression : float
        Scale of the random mild expressions (brows, lids, mouth): 0 neutral, 1 mild, 2 lively.
    smile : float
        Share of pictures with a smile, 0 to 1; one in three shows the teeth.
    blink : float
        Share of pictures with half or fully closed lids, 0 to 1.
    texture : float
        Scale of what skin shows and a scan does not: blotches, pores, freckles, moles, rings
        under the eyes, wrinkles; 0 plain, 1 natural, 2 strong.
    feature_variety : float
        Spread of how brows, lips and lids are coloured and outlined beyond the shape under
        them: 0 as the shape alone has it, 1 natural, 2 strong.
    stubble : float
        Scale of beard shadow: 0 shaved, 1 natural.
    beard, moustache : float
        Share of men with a beard (full, short, goatee, chin strap), and with a moustache.
    make_up : float
        Share of women with make-up (lips, lid line, shadow, brows, blush), 0 to 1.
    hair_cover : float
        Share of those with hair long enough that it hangs over forehead, temples or cheeks.
    hair_volume : float
        Scale of how far hair stands off the head: 0 flat, 1 natural, 2 voluminous.
    glasses : float
        Share of people who keep their glasses on, 0 to 1.
    glare : float
        Strength of reflections in the lenses: 0 coated, 1 plain glass.
    head_covering : float
        Share of people with a headscarf, cap or woollen hat, 0 to 1.
    distance_m : tuple of float
        Least and greatest distance from the lens to the middle of the head, m; below 0.6 the
        nose grows as in a selfie. The focal length follows, so that the head fills the frame.
    framing : tuple of float
        Least and greatest share of the picture's height that the head takes.
    face_px : tuple of float
        Least and greatest width of the face in pixels that the picture resolves; above its
        width in the picture (some 230 at 480 x 600) nothing is lost.
    blur : tuple of float
        Least and greatest standard deviation of the defocus, pixels.
    motion : float
        Typical length of the smear by a moving hand or head, pixels.
    noise : float
        Sensor noise, standard deviation in sRGB units of 255.
    exposure_sd : float
        Spread of the exposure, stops.
    contrast_sd : float
        Spread of the tone curve's steepness, as a share.
    white_balance_sd : float
        Spread of what colour cast the camera leaves, as a share of a channel.
    light_colour_sd : float
        Spread of the key light from cold to warm, as a share of a channel.
    light_angle : float
        Typical angle of the key light to the side, degrees; 0.4 to 1.6 times that is drawn.
    light_height : tuple of float
        Lowest and highest elevation of the key light, degrees.
    hardness : float
        Key light from a large soft box (0) to a bare bulb or the sun (1).
    fill : float
        Scale of the light from everywhere else: 1 bright room, 0.2 dark shadows.
    light_change : float
        Share of pictures taken under another light than the person's first one.
    background : float
        Share of people in front of something rather than a plain wall.
    """

    width: int = 480
    height: int = 600
    supersampling: float = 1.25
    jpeg_quality: tuple[int, int] = (82, 95)
    yaw_sd: float = 3.0
    pitch_sd: float = 2.5
    roll_sd: float = 1.8
    expression: float = 1.0
    smile: float = 0.1
    blink: float = 0.0
    texture: float = 1.0
    feature_variety: float = 1.0
    stubble: float = 1.0
    beard: float = 0.25
    moustache: float = 0.12
    make_up: float = 0.4
    hair_cover: float = 0.3
    hair_volume: float = 1.0
    glasses: float = 0.3
    glare: float = 0.4
    head_covering: float = 0.0
    distance_m: tuple[float, float] = (1.05, 1.5)
    framing: tuple[float, float] = (0.60, 0.70)
    face_px: tuple[float, float] = (400.0, 400.0)
    blur: tuple[float, float] = (0.3, 0.75)
    motion: float = 0.0
    noise: float = 2.0
    exposure_sd: float = 0.115
    contrast_sd: float = 0.05
    white_balance_sd: float = 0.02
    light_colour_sd: float = 0.05
    light_angle: float = 26.0
    light_height: tuple[float, float] = (22.0, 41.0)
    hardness: float = 0.15
    fill: float = 1.0
    light_change: float = 0.0
    background: float = 0.6

    def __post_init__(self) -> None:
        check_limits("camera", self, _LIMITS, whole=("width", "height", "jpeg_quality"))
        if min(self.width, self.height) < 16 or self.distance_m[0] < 0.25:
            raise FaceblindError(
                "camera: needs 16 pixels a side and a distance of 0.25 m or more, got "
                f"{self.width} x {self.height} and {self.distance_m[0]} m"
            )

    @staticmethod
    def wild(strength: float = 1.0) -> CameraSettings:
        """Pictures as people put them on the web.

        Parameters
        ----------
        strength : float
            0 the default settings, 1 in the wild; linear between them and up to 1.1.

        Returns
        -------
        CameraSettings
            Every field but the picture size moved by `strength` towards its wild value.

        Raises
        ------
        FaceblindError
            If `strength` is out of range.
        """
        if not 0 <= strength <= 1.1:
            raise FaceblindError(f"camera: strength must be from 0 to 1.1, got {strength}")
        plain = CameraSettings()
        moved: dict[str, Any] = {}
        for name, end in _WILD.items():
            start = getattr(plain, name)
            if isinstance(end, tuple):
                values = [a + strength * (b - a) for a, b in zip(start, end, strict=True)]
                moved[name] = tuple(round(v) if name == "jpeg_quality" else v for v in values)
            else:
                moved[name] = max(start + strength * (end - start), 0.0)
        return CameraSettings(**moved)


_WILD: dict[str, Any] = {
    "jpeg_quality": (45, 92), "yaw_sd": 5.5, "pitch_sd": 4.0, "roll_sd": 5.0, "expression": 1.7,
    "smile": 0.5, "blink": 0.04, "texture": 1.3, "feature_variety": 1.4, "beard": 0.35,
    "make_up": 0.6, "hair_cover": 0.5, "hair_volume": 1.3, "glasses": 0.45, "glare": 0.8,
    "head_covering": 0.12, "distance_m": (0.45, 2.5), "framing": (0.45, 0.75),
    "face_px": (60.0, 240.0), "blur": (0.3, 1.4), "motion": 1.2, "noise": 4.0,
    "exposure_sd": 0.3, "contrast_sd": 0.15, "white_balance_sd": 0.07, "light_colour_sd": 0.14,
    "light_angle": 45.0, "light_height": (-5.0, 60.0), "hardness": 0.6, "fill": 0.6,
    "light_change": 0.7, "background": 0.9,
}  # fmt: skip

_LIMITS: dict[str, tuple[float, float]] = {
    "width": (0, 10000), "height": (0, 10000), "supersampling": (0.25, 8), "jpeg_quality": (1, 100),
    "yaw_sd": (0, 45), "pitch_sd": (0, 45), "roll_sd": (0, 45), "expression": (0, 5),
    "texture": (0, 10), "feature_variety": (0, 10), "stubble": (0, 5), "hair_volume": (0, 5),
    "glare": (0, 10), "distance_m": (0, 100), "framing": (0.05, 1), "face_px": (4, 10000),
    "blur": (0, 50), "motion": (0, 100), "noise": (0, 255), "exposure_sd": (0, 3),
    "contrast_sd": (0, 2), "white_balance_sd": (0, 1), "light_colour_sd": (0, 1),
    "light_angle": (0, 180), "light_height": (-90, 90), "fill": (0, 10), "hardness": (0, 1),
    "smile": (0, 1), "blink": (0, 1), "beard": (0, 1), "moustache": (0, 1), "make_up": (0, 1),
    "hair_cover": (0, 1), "glasses": (0, 1), "head_covering": (0, 1), "light_change": (0, 1),
    "background": (0, 1),
}  # fmt: skip
"""Least and greatest value of every setting. Percent given as shares must not pass unnoticed."""


@dataclass(frozen=True, eq=False)
class Shot:
    """One picture's circumstances.

    Attributes
    ----------
    pose : (3,) ndarray
        Yaw, pitch and roll of the head, degrees.
    expression : dict
        Weights of the head model's expressions.
    lamp : Lamp
        The light.
    distance, share : float
        Lens to head in mm, and the head's share of the picture's height.
    offset : (2,) ndarray
        How far the head lies off the middle, right and up, mm.
    exposure : (3,) ndarray
        Gain per channel.
    contrast : float
        Steepness of the tone curve, 1 neutral.
    blur, motion, turn : float
        Defocus and smear in pixels, and the direction of the smear in radians.
    face_px : float
        Resolved width of the face.
    """

    pose: NDArray[np.float64]
    expression: dict[str, float]
    lamp: Lamp
    distance: float
    share: float
    offset: NDArray[np.float64]
    exposure: NDArray[np.float64]
    contrast: float
    blur: float
    motion: float
    turn: float
    face_px: float


def draw_shots(rng: np.random.Generator, settings: CameraSettings) -> dict[str, Shot]:
    """The circumstances of a person's five pictures, by view."""
    first = _lamp(rng, settings)
    lens = rng.random(2)
    shots = {}
    for view, (yaw, pitch) in VIEWS.items():
        other, changed = _lamp(rng, settings), rng.random() < settings.light_change
        spread = np.array([settings.yaw_sd, settings.pitch_sd, settings.roll_sd])
        # Of one session the distance stays; pictures of different days have their own.
        again = rng.random(2)
        place = again if changed else lens
        # Distances are spread evenly in proportion: 0.4 to 0.8 m as often as 0.8 to 1.6 m.
        near, far = settings.distance_m
        cast, warmth = rng.normal(0, 1, 3), rng.normal(0, 1)
        cast = settings.white_balance_sd * (0.6 * cast + 0.8 * warmth * np.array([1, 0, -1]))
        stops = settings.exposure_sd * rng.normal()
        shots[view] = Shot(
            pose=_pose(np.array([yaw, pitch, 0]) + spread * rng.normal(0, 1, 3)),
            expression=_expression(rng, settings),
            lamp=other if changed else first,
            distance=1000 * near * (far / near) ** float(place[0]),
            share=_between(settings.framing, place[1]),
            offset=5 * rng.normal(0, 1, 2),
            exposure=2.0**stops * np.exp(cast),
            contrast=float(np.exp(settings.contrast_sd * rng.normal())),
            blur=_between(settings.blur, rng.random()),
            motion=float(settings.motion * abs(rng.normal())),
            turn=float(rng.uniform(0, np.pi)),
            face_px=_between(settings.face_px, rng.random()),
        )
    return shots


def _pose(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Nobody shows half a face when asked for a quarter turn."""
    return np.clip(angles, (-43.0, -25.0, -20.0), (43.0, 25.0, 20.0))


def _between(limits: tuple[float, float], share: float) -> float:
    return float(limits[0] + share * (limits[1] - limits[0]))


def _expression(rng: np.random.Generator, settings: CameraSettings) -> dict[str, float]:
    mild = {
        "eyeSquint": abs(rng.normal(0, 0.12)), "mouthPress": abs(rng.normal(0, 0.10)),
        "browOuterUp": abs(rng.normal(0, 0.14)), "browDown": abs(rng.normal(0, 0.12)),
        "mouthFrown": abs(rng.normal(0, 0.07)), "mouthSmile": max(rng.normal(0.06, 0.10), 0.0),
    }  # fmt: skip
    single = {"browInnerUp": abs(rng.normal(0, 0.14)), "mouthPucker": abs(rng.normal(0, 0.05))}
    lids = abs(rng.normal(0.04, 0.06))
    smiles, strength, teeth = rng.random() < settings.smile, rng.uniform(0.35, 0.85), rng.random()
    blinks, shut = rng.random() < settings.blink, rng.uniform(0.4, 1.0)
    lean = rng.uniform(0.82, 1.18, 2)
    pairs = {name: settings.expression * value for name, value in mild.items()}
    pairs["eyeBlink"] = settings.expression * lids
    if smiles:
        pairs["mouthSmile"] += strength
        pairs["mouthFrown"] = pairs["mouthPress"] = 0.0
        pairs["cheekSquint"] = 0.6 * strength
        pairs["eyeSquint"] += 0.35 * strength
        if teeth < 0.33:
            pairs["mouthUpperUp"] = 0.45 * strength
            pairs["mouthLowerDown"] = 0.3 * strength
            single["jawOpen"] = 0.10 * strength / max(settings.expression, 1e-6)
    if blinks:
        pairs["eyeBlink"] = max(pairs["eyeBlink"], shut)
    weights = {f"{name}{side}": value * k
               for name, value in pairs.items()
               for side, k in zip(("Left", "Right"), lean, strict=True)}  # fmt: skip
    weights |= {name: settings.expression * value for name, value in single.items()}
    return {name: float(np.clip(value, 0, 1)) for name, value in weights.items()}


def _lamp(rng: np.random.Generator, settings: CameraSettings) -> Lamp:
    side = rng.choice([-1.0, 1.0])
    angle = np.radians(min(settings.light_angle * rng.uniform(0.4, 1.6), 95.0)) * side
    rise = np.radians(_between(settings.light_height, rng.random()))
    key = np.array([np.sin(angle) * np.cos(rise), np.cos(angle) * np.cos(rise), np.sin(rise)])
    fill = np.array([-side * rng.uniform(0.5, 1.0), 0.8, rng.uniform(0.0, 0.3)])
    warm = settings.light_colour_sd * rng.normal()
    strength = rng.uniform(0.85, 1.25)
    level = settings.fill * rng.uniform(0.3, 0.9), settings.fill * rng.uniform(0.32, 0.55)
    ground = settings.fill * rng.uniform(0.14, 0.26)
    return Lamp(
        key=key,
        fill=fill / np.linalg.norm(fill),
        key_colour=strength * np.array([1 + warm, 1.0, 1 - warm]),
        fill_colour=level[0] * np.ones(3),
        sky=level[1] * np.array([0.98, 1.0, 1.03]) * (1 - 0.4 * warm * np.array([1, 0, -1])),
        ground=ground * np.array([1.06, 1.0, 0.93]),
        hardness=settings.hardness,
    )


def rotation(yaw: float, pitch: float, roll: float) -> NDArray[np.float64]:
    """(3, 3) head to room; degrees, yaw to the person's left, pitch up, roll to the right."""
    y, p, r = np.radians([yaw, pitch, roll])
    turn = np.array([[np.cos(y), -np.sin(y), 0], [np.sin(y), np.cos(y), 0], [0, 0, 1]])
    pitch_turn = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    tilt = np.array([[np.cos(r), 0, np.sin(r)], [0, 1, 0], [-np.sin(r), 0, np.cos(r)]])
    return turn @ pitch_turn @ tilt
