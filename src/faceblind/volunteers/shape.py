"""Who the volunteers are: age, sex, ancestry, face shape and looks, drawn from a seed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from faceblind.head.model import HeadModel

AGE_RANGE = (34, 89)
"""Years; the range of the 84 participants of Schwarz et al. 2019 (N Engl J Med 381:1684)."""

_ONE_ENDED = (
    "diamond", "invertedtriangular", "oval", "rectangular", "round", "square", "triangular",
    "shape-pointed", "shape-round", "shape-square", "shape-triangle",
)  # fmt: skip

_SPREAD: dict[str, float] = {
    "head-age": 0.10, "head-fat": 0.22, "head-angle": 0.10, "head-scale": 0.16,
    "head-back": 0.18, "head-": 0.10, "measure-neck": 0.15, "neck-double": 0.15, "neck-": 0.15,
    "nose-": 0.30, "nose-septumangle": 0.2, "nose-trans": 0.22, "nose-compression": 0.22,
    "mouth-": 0.28, "mouth-laugh-lines": 0.2, "mouth-dimples": 0.15, "mouth-trans": 0.22,
    "mouth-angles": 0.16, "mouth-scale": 0.24, "chin-": 0.30, "chin-jaw-drop": 0.2,
    "chin-cleft": 0.15, "cheek-": 0.30, "eye-": 0.26, "eye-scale": 0.20, "eye-trans": 0.24,
    "eye-epicanthus": 0.12, "eyebrows-": 0.30, "forehead-": 0.20, "ear-": 0.28,
    "ear-trans": 0.15, "asym-": 0.14,
}  # fmt: skip
"""Standard deviation of a local parameter by the longest prefix of its name (model units)."""

_LIMIT = 0.65


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


@dataclass(frozen=True)
class Person:
    """One synthetic volunteer.

    Attributes
    ----------
    index : int
        Place in the cohort, from 0.
    seed : int
        Seed of the cohort.
    age : int
        Years.
    sex : str
        ``"F"`` or ``"M"``.
    male, weight, muscle : float
        Macro parameters of the head model, 0 to 1.
    ancestry : tuple of float
        African, Asian, European weights; they sum to 1.
    local : dict
        Weights of the head model's local parameters.
    look : Look
        Colours and hair.
    """

    index: int
    seed: int
    age: int
    sex: str
    male: float
    weight: float
    muscle: float
    ancestry: tuple[float, float, float]
    local: dict[str, float] = field(repr=False)
    look: Look = field(repr=False)

    @property
    def name(self) -> str:
        """Participant label, ``sub-0001`` for index 0."""
        return f"sub-{self.index + 1:04d}"

    def points(self, expression: dict[str, float] | None = None) -> NDArray[np.float32]:
        """(N, 3) coarse head points, template frame, mm, with an expression."""
        return HeadModel.load().points(
            age_years=self.age, male=self.male, weight=self.weight, ancestry=self.ancestry,
            local=self.local, expression=expression, muscle=self.muscle,
        )  # fmt: skip


def generator(seed: int, index: int, stream: int) -> np.random.Generator:
    """Random numbers of one volunteer and purpose, independent of every other volunteer."""
    return np.random.default_rng(np.random.SeedSequence([seed, index, stream]))


def sample_person(seed: int, index: int) -> Person:
    """Draw one volunteer.

    Parameters
    ----------
    seed : int
        Seed of the cohort, non-negative.
    index : int
        Place in the cohort. The same pair always gives the same person.

    Returns
    -------
    Person
        Age is uniform over `AGE_RANGE`, both sexes are equally likely, ancestry is a Dirichlet
        mixture. Local shape is normal with the spreads of `_SPREAD`, paired parts share their
        value but for a tenth of it, and stays within a range in which heads look natural.
    """
    rng = generator(seed, index, 0)
    age = int(rng.integers(AGE_RANGE[0], AGE_RANGE[1] + 1))
    sex = "M" if rng.random() < 0.5 else "F"
    male = float(np.clip(rng.normal(0.9 if sex == "M" else 0.1, 0.08), 0, 1))
    african, asian, european = rng.dirichlet((0.35, 0.4, 0.8))
    weight = float(np.clip(rng.normal(0.52, 0.14), 0.2, 0.88))
    muscle = float(np.clip(rng.normal(0.5, 0.12), 0.15, 0.85))
    ancestry = (float(african), float(asian), float(european))
    return Person(
        index=index, seed=seed, age=age, sex=sex, male=male, weight=weight, muscle=muscle,
        ancestry=ancestry, local=_sample_local(rng), look=_sample_look(rng, age, sex, ancestry),
    )  # fmt: skip


def _spread(name: str) -> float:
    fits = [prefix for prefix in _SPREAD if name.startswith(prefix)]
    return _SPREAD[max(fits, key=len)] if fits else 0.2


def _sample_local(rng: np.random.Generator) -> dict[str, float]:
    model = HeadModel.load()
    local: dict[str, float] = {}
    for name in model.bilateral:
        spread = _spread(name)
        common = rng.normal(0, spread)
        for side, sign in (("l", 1), ("r", -1)):
            local[f"{side}-{name}"] = common + sign * rng.normal(0, 0.12 * spread)
    for name in model.parameters:
        if name not in local:
            local[name] = rng.normal(0, _spread(name))
    for name, value in local.items():
        lowest = 0.0 if name.endswith(_ONE_ENDED) else -_LIMIT
        local[name] = float(np.clip(abs(value) if lowest == 0 else value, lowest, _LIMIT))
    return local


_HAIR = {
    "black": (0.012, 0.010, 0.009), "dark": (0.030, 0.020, 0.014), "brown": (0.075, 0.043, 0.024),
    "light": (0.17, 0.10, 0.055), "blond": (0.36, 0.25, 0.13), "red": (0.20, 0.072, 0.025),
}  # fmt: skip
_GREY = np.array([0.34, 0.33, 0.315])
_IRIS = {
    "dark": (0.022, 0.012, 0.007), "brown": (0.065, 0.030, 0.013), "hazel": (0.11, 0.075, 0.028),
    "green": (0.10, 0.13, 0.065), "blue": (0.10, 0.17, 0.26), "grey": (0.15, 0.18, 0.20),
}  # fmt: skip


def _sample_look(
    rng: np.random.Generator, age: int, sex: str, ancestry: tuple[float, float, float]
) -> Look:
    african, asian, european = ancestry
    melanin = 0.85 * african + 0.36 * asian + 0.15 * european + rng.normal(0, 0.08)
    fair = european**1.5
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
    return Look(
        melanin=float(np.clip(melanin, 0.02, 0.98)), redness=float(rng.normal(0, 0.7)),
        blotch=float(rng.uniform(0.2, 0.8) + (age - 34) / 150),
        freckle=float(rng.uniform(0, 1) ** 3 * fair),
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
