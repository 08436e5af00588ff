"""What volunteers wear and how they groom themselves on the day of the photographs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from faceblind.volunteers.people.look import Look
from faceblind.volunteers.people.shape import Person, generator
from faceblind.volunteers.photographs.camera import CameraSettings

BEARDS = ("full", "short", "goatee", "strap")
COVERINGS = ("headscarf", "cap", "beanie")
FRINGES = ("straight", "swept", "curtain")


@dataclass(frozen=True, eq=False)
class Glasses:
    """A pair of glasses.

    Attributes
    ----------
    width, height : float
        Of one lens, mm.
    roundness : float
        Exponent of the superellipse of the outline: 2 oval, 4 nearly rectangular.
    droop : float
        How much lower the outer half hangs than the inner: aviators above 0, cat eyes below.
    rim : float
        Radius of the rim's tube, mm; rimless below 0.4.
    colour : (3,) ndarray
        Of the frame, linear RGB.
    shine : float
        Gloss of the frame.
    clear : float
        Transparency of the frame, 0 to 1.
    slip : float
        How far below the eyes the lenses' middle lies, mm.
    tint : float
        Light that the lenses take away, 0 to 1.
    """

    width: float
    height: float
    roundness: float
    droop: float
    rim: float
    colour: NDArray[np.float64]
    shine: float
    clear: float
    slip: float
    tint: float


@dataclass(frozen=True, eq=False)
class MakeUp:
    """Strengths 0 to 1 of make-up.

    Attributes
    ----------
    lips, line, shadow, brows, blush, base : float
        Lipstick, line along the lids, eye shadow, pencilled brows, rouge, foundation.
    lip_colour, shadow_colour : (3,) ndarray
        Linear RGB.
    """

    lips: float
    line: float
    shadow: float
    brows: float
    blush: float
    base: float
    lip_colour: NDArray[np.float64]
    shadow_colour: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Style:
    """One volunteer on the day of the photographs.

    Attributes
    ----------
    look : Look
        With texture and stubble as the settings ask.
    texture, variety : float
        See `CameraSettings.texture` and `CameraSettings.feature_variety`.
    features : (12,) ndarray
        Standard normal numbers, scaled by `variety`: brow arch, tilt, length, gap, lip outline
        (upper, lower, width), lip shade, lid shade, rings under the eyes, cheek shade, nose shade.
    fringe : str or None
        One of `FRINGES`, or None.
    fringe_mm, temple_mm : float
        How far hair hangs below the hairline in front, and how far it comes forward at the
        temples.
    parting : float
        Where the fringe parts or sweeps to, -1 to 1.
    curl : float
        0 straight to 1 tightly curled.
    volume : float
        Scale of the hair's thickness.
    ears : float
        How much of the ears is covered by hair, 0 to 1.
    beard : str or None
        One of `BEARDS`, or None.
    beard_mm : float
        Length of the beard.
    moustache : float
        Strength of the moustache, 0 to 1.
    make_up : MakeUp or None
    glasses : Glasses or None
    covering : str or None
        One of `COVERINGS`, or None.
    cloth, fabric : (3,) ndarray
        Colours of the garment and of the head covering, linear RGB.
    """

    look: Look
    texture: float
    variety: float
    features: NDArray[np.float64]
    fringe: str | None
    fringe_mm: float
    temple_mm: float
    parting: float
    curl: float
    volume: float
    ears: float
    beard: str | None
    beard_mm: float
    moustache: float
    make_up: MakeUp | None
    glasses: Glasses | None
    covering: str | None
    cloth: NDArray[np.float64]
    fabric: NDArray[np.float64]


def muted(colour: NDArray[np.float64]) -> NDArray[np.float64]:
    """A colour (3,) that cloth and rooms have: three random numbers alone are mostly lurid."""
    grey = float(colour.mean())
    return np.asarray(grey + 0.35 * (colour - grey))


def draw_style(person: Person, settings: CameraSettings) -> Style:
    """Style of one person: the same numbers are drawn whatever the settings."""
    rng = generator(person.seed, person.index, 4)
    woman, look = person.sex == "F", person.look
    chance = dict(zip(("hair", "beard", "moustache", "make_up", "glasses", "cover"),
                      rng.random(6), strict=True))  # fmt: skip
    make_up, glasses = _make_up(rng, look), _glasses(rng, woman)
    beard = str(rng.choice(BEARDS, p=(0.35, 0.35, 0.2, 0.1)))
    beard_mm = float({"full": 9.0, "short": 4.0, "goatee": 6.0, "strap": 3.0}[beard]
                     * rng.uniform(0.6, 1.5))  # fmt: skip
    covering = str(rng.choice(COVERINGS, p=(0.7, 0.1, 0.2) if woman else (0.0, 0.6, 0.4)))
    features = rng.normal(0, 1, 12)
    fringe = str(rng.choice(FRINGES, p=(0.35, 0.4, 0.25)))
    drop, temple, parting = rng.uniform(0.2, 1), rng.uniform(0, 1), rng.uniform(-1, 1)
    tight = np.clip(person.ancestry[0] * 1.6 - 0.3, 0, 1)
    curl = max(float(np.clip(rng.normal(0.15, 0.25), 0, 0.8)), float(tight))
    volume = settings.hair_volume * float(np.exp(rng.normal(0, 0.3))) * (1 + 0.6 * curl)
    ears = float(rng.random() * (0.4 + 0.6 * woman))
    cloth = muted(rng.uniform(0.02, 0.5, 3) ** 1.4)
    fabric = muted(rng.uniform(0.02, 0.45, 3) ** 1.3)
    long_enough = look.style in ("short", "full", "long")
    hangs = long_enough and chance["hair"] < settings.hair_cover
    bearded = not woman and chance["beard"] < settings.beard
    tache = not woman and chance["moustache"] < settings.moustache
    return Style(
        look=_texture(look, settings),
        texture=settings.texture, variety=settings.feature_variety, features=features,
        fringe=fringe if hangs else None, fringe_mm=50.0 * drop * hangs,
        temple_mm=16.0 * temple * hangs, parting=parting, curl=curl, volume=volume, ears=ears,
        beard=beard if bearded else None, beard_mm=beard_mm * bearded,
        moustache=float(0.6 + 0.4 * features[11] ** 2 / (1 + features[11] ** 2)) * tache,
        make_up=make_up if woman and chance["make_up"] < settings.make_up else None,
        glasses=glasses if chance["glasses"] < settings.glasses else None,
        covering=covering if chance["cover"] < settings.head_covering else None,
        cloth=cloth, fabric=fabric,
    )  # fmt: skip


def _texture(look: Look, settings: CameraSettings) -> Look:
    scale = settings.texture
    return replace(
        look, blotch=look.blotch * scale, freckle=look.freckle * scale,
        wrinkle=look.wrinkle * scale, moles=look.moles if scale > 0 else look.moles[:0],
        stubble=min(look.stubble, 0.4) * settings.stubble, moustache=0.0,
    )  # fmt: skip


def _make_up(rng: np.random.Generator, look: Look) -> MakeUp:
    red = np.array([0.42, 0.045, 0.055]) * np.exp(rng.normal(0, 0.3, 3))
    nude = np.array([0.36, 0.14, 0.11])
    mixed = rng.random()
    shadows = np.array([(0.09, 0.06, 0.05), (0.06, 0.06, 0.07), (0.05, 0.08, 0.11),
                        (0.12, 0.06, 0.09)])  # fmt: skip
    dark = 1 - 0.6 * look.melanin
    strengths = rng.uniform(0.2, 1.0, 6) * (rng.random(6) < 0.8)
    return MakeUp(
        lips=float(0.85 * strengths[0]), line=float(strengths[1]), shadow=float(strengths[2]),
        brows=float(strengths[3]), blush=float(strengths[4]), base=float(0.8 * strengths[5]),
        lip_colour=(mixed * red + (1 - mixed) * nude) * dark,
        shadow_colour=shadows[rng.integers(4)],
    )  # fmt: skip


def _glasses(rng: np.random.Generator, woman: bool) -> Glasses:
    kinds = ((0.010, 0.010, 0.011), (0.10, 0.045, 0.018), (0.45, 0.44, 0.43), (0.5, 0.36, 0.14),
             (0.20, 0.03, 0.04), (0.06, 0.08, 0.16))  # fmt: skip
    kind = int(rng.choice(6, p=(0.38, 0.2, 0.2, 0.08, 0.07, 0.07)))
    metal = kind in (2, 3)
    thick = float(rng.uniform(1.2, 2.6))
    clear = 0.7 if rng.random() < 0.08 else 0.0
    rimless = rng.random() < 0.12
    width = float(rng.normal(51, 2.5) - (1.5 if woman else 0))
    return Glasses(
        width=width, height=float(width * rng.uniform(0.58, 0.9)),
        roundness=float(rng.uniform(2.0, 4.5)), droop=float(rng.normal(0, 0.10)),
        rim=0.3 if rimless else float(rng.uniform(0.55, 0.9)) if metal else thick,
        colour=np.array(kinds[kind]), shine=1.6 if metal else 0.7, clear=clear,
        slip=float(rng.uniform(1, 6)), tint=float(0.06 + 0.22 * (rng.random() < 0.08)),
    )  # fmt: skip
