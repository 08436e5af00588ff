"""How volunteers look: colours, hair and skin, which a photograph shows and a scan does not."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Look:
    """What a photograph shows and a scan does not.

    Attributes
    ----------
    melanin : float
        Skin tone, 0 palest to 1 darkest.
    redness : float
        Blood in the skin, about 0 with SD 1.
    blotch, freckle, wrinkle, shine : float
        Strength of mottling, freckles, fine wrinkles and skin gloss, 0 to about 1.
    stubble : float
        Beard shadow, 0 none to 1 full beard.
    moustache : float
        Extra hair on the upper lip, 0 to 1.
    moles : (M, 3) ndarray
        Mole centres: azimuth and height on the reference face (mm) and radius (mm).
    hair : (3,) ndarray
        Hair colour, linear RGB, grey already mixed in.
    brow : (3,) ndarray
        Brow colour, linear RGB.
    style : str
        ``"bald"``, ``"cropped"``, ``"short"``, ``"full"`` or ``"long"``.
    recession : float
        How far the temples have receded, 0 to 1.
    fringe : float
        How far hair falls onto the forehead, -1 (high hairline) to 1 (fringe).
    brow_density, brow_thickness, brow_height : float
        Of the eyebrows; height in mm from the usual place.
    iris : (3,) ndarray
        Iris colour, linear RGB.
    lip : float
        Lip redness over the skin tone, 0 to 1.
    texture : int
        Seed of all texture of this face.
    """

    melanin: float
    redness: float
    blotch: float
    freckle: float
    wrinkle: float
    shine: float
    stubble: float
    moustache: float
    moles: NDArray[np.float64]
    hair: NDArray[np.float64]
    brow: NDArray[np.float64]
    style: str
    recession: float
    fringe: float
    brow_density: float
    brow_thickness: float
    brow_height: float
    iris: NDArray[np.float64]
    lip: float
    texture: int


_HAIR = {
    "black": (0.012, 0.010, 0.009), "dark": (0.030, 0.020, 0.014), "brown": (0.075, 0.043, 0.024),
    "light": (0.17, 0.10, 0.055), "blond": (0.36, 0.25, 0.13), "red": (0.20, 0.072, 0.025),
}  # fmt: skip
_GREY = np.array([0.34, 0.33, 0.315])
_IRIS = {
    "dark": (0.022, 0.012, 0.007), "brown": (0.065, 0.030, 0.013), "hazel": (0.11, 0.075, 0.028),
    "green": (0.10, 0.13, 0.065), "blue": (0.10, 0.17, 0.26), "grey": (0.15, 0.18, 0.20),
}  # fmt: skip


def sample_look(
    rng: np.random.Generator, age: float, sex: str, ancestry: tuple[float, float, float]
) -> Look:
    """Draw the looks of one volunteer.

    Parameters
    ----------
    rng : Generator
        Random numbers.
    age : float
        Years.
    sex : str
        ``"F"`` or ``"M"``.
    ancestry : tuple of float
        African, Asian, European weights; they sum to 1.

    Returns
    -------
    Look
        Skin tone, hair and eye colours follow ancestry; grey hair, wrinkles and baldness age.
        Children have no beards, grey hair, receding temples or wrinkles, and finer brows.
    """
    african, asian, european = ancestry
    melanin = 0.85 * african + 0.36 * asian + 0.15 * european + rng.normal(0, 0.08)
    # Fair hair and eyes are recessive: with other ancestors they are rare.
    fair = european**4
    freckled = european**1.5
    names = list(_HAIR)
    odds = np.array([0.1, 0.25, 0.3, 0.18, 0.12, 0.05]) * fair
    odds += np.array([0.75, 0.22, 0.03, 0, 0, 0]) * (1 - fair)
    pigment = np.array(_HAIR[names[rng.choice(6, p=odds / odds.sum())]])
    grey = float(np.clip((age - 52 + rng.normal(0, 12)) / 32, 0, 0.95))
    if sex == "F" and rng.random() < 0.45:
        grey *= 0.15
    hair = (pigment * rng.uniform(0.8, 1.25)) * (1 - grey) + _GREY * rng.uniform(0.8, 1.3) * grey
    brow = pigment * (1 - 0.6 * grey) + _GREY * 0.36 * grey
    odds = np.array([0.05, 0.2, 0.2, 0.1, 0.3, 0.15]) * fair
    odds += np.array([0.6, 0.4, 0, 0, 0, 0]) * (1 - fair)
    iris = np.array(_IRIS[list(_IRIS)[rng.choice(6, p=odds / odds.sum())]])
    man = sex == "M"
    if man:
        bald = np.clip((age - 30) / 200, 0, 0.25)
        style = str(rng.choice(["bald", "cropped", "short", "full"],
                               p=[bald, 0.35, 0.5 - bald, 0.15]))  # fmt: skip
        recession = float(np.clip(rng.normal((age - 30) / 70, 0.25), 0, 1))
        beard = rng.random()
        stubble = 0.85 if beard < 0.14 else float(rng.uniform(0, 0.35))
        moustache = float(rng.uniform(0.6, 1)) if rng.random() < 0.12 else 0.0
    else:
        style = str(rng.choice(["short", "full", "long"], p=[0.2, 0.35, 0.45]))
        recession, stubble, moustache = float(rng.uniform(0, 0.2)), 0.0, 0.0
    count = rng.poisson(2.5)
    moles = np.stack([rng.uniform(-65, 65, count), rng.uniform(-85, 60, count),
                      rng.uniform(0.6, 1.7, count)], axis=1)  # fmt: skip
    look = Look(
        melanin=float(np.clip(melanin, 0.02, 0.98)), redness=float(rng.normal(0, 0.7)),
        blotch=float(max(rng.uniform(0.2, 0.8) + (age - 34) / 150, 0.05)),
        freckle=float(rng.uniform(0, 1) ** 3 * freckled),
        wrinkle=float(np.clip((age - 30) / 60 + rng.normal(0, 0.12), 0.05, 1.1)),
        shine=float(rng.uniform(0.2, 0.9)), stubble=stubble, moustache=moustache, moles=moles,
        hair=hair, brow=brow, style=style, recession=recession,
        fringe=float(np.clip(rng.normal(0, 0.45), -1, 1)),
        brow_density=float(rng.uniform(0.5, 1.0) if man else rng.uniform(0.35, 0.9)),
        brow_thickness=float(rng.uniform(0.85, 1.45) if man else rng.uniform(0.6, 1.1)),
        brow_height=float(rng.normal(0, 1.3) + (0 if man else 1.2)),
        iris=iris * rng.uniform(0.8, 1.25), lip=float(rng.uniform(0.1, 0.5) + (0 if man else 0.25)),
        texture=int(rng.integers(1, 2**23)),
    )  # fmt: skip
    return look if age >= 18 else _young(look, age)


def aged_look(look: Look, rng: np.random.Generator, age: float, years: float, sex: str) -> Look:
    """The looks of the same person some time later, or earlier.

    Parameters
    ----------
    look : Look
        As they were.
    rng : Generator
        Random numbers.
    age : float
        Years, as they were.
    years : float
        Time gone by; negative for earlier.
    sex : str
        ``"F"`` or ``"M"``.

    Returns
    -------
    Look
        Hair greys by 3 % a year from 45 on, temples recede and wrinkles deepen at the rate of
        `sample_look`; redness, shine and stubble are those of another day; within a year one man
        in ten grows or shaves a beard and one person in seven has another haircut (assumed).
    """
    adult = age + min(years, 0) >= 18
    grey = float(np.clip(0.03 * (years if age > 45 else 0), -0.3, 0.3))
    toward = _GREY if grey > 0 else 2 * look.hair - _GREY
    odds = 1 - 0.86 ** abs(years)
    styles = ("cropped", "short", "full") if sex == "M" else ("short", "full", "long")
    style = str(rng.choice(styles)) if rng.random() < odds else look.style
    stubble = look.stubble
    bearded = rng.random() < 1 - 0.9 ** abs(years)
    another = float(np.clip(rng.normal(look.stubble, 0.1), 0, 0.4))
    if adult and sex == "M":
        stubble = another if look.stubble < 0.5 else look.stubble
        if bearded:
            stubble = 0.85 if look.stubble < 0.5 else another
    return replace(
        look,
        redness=float(look.redness + rng.normal(0, 0.25)),
        shine=float(np.clip(look.shine + rng.normal(0, 0.15), 0.1, 1)),
        wrinkle=float(np.clip(look.wrinkle + years / 60, 0.05, 1.1)) if adult else look.wrinkle,
        hair=np.clip(look.hair + abs(grey) * (toward - look.hair), 0.005, 1),
        recession=float(np.clip(look.recession + years / 70, 0, 1)) if sex == "M" and adult
        else look.recession,
        fringe=float(np.clip(look.fringe + rng.normal(0, 0.15), -1, 1)),
        style=look.style if look.style == "bald" else style, stubble=stubble,
    )  # fmt: skip


def _young(look: Look, age: float) -> Look:
    """Looks of a child: what a boy of 16 may have, a boy of 8 has not."""
    grown = float(np.clip((age - 12) / 6, 0, 1))
    return replace(
        look, stubble=0.25 * look.stubble * grown**3, moustache=0.0, wrinkle=0.0,
        blotch=0.4 * look.blotch, recession=0.0,
        brow_density=look.brow_density * (0.7 + 0.3 * grown),
        brow_thickness=look.brow_thickness * (0.75 + 0.25 * grown), shine=0.6 * look.shine,
        style="short" if look.style == "bald" else look.style,
        moles=look.moles[: len(look.moles) // 3],
    )  # fmt: skip
