"""Who the volunteers are: age, sex, ancestry, face shape and looks, drawn from a seed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from faceblind.head.model import HeadModel
from faceblind.volunteers.look import Look, sample_look

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
        ancestry=ancestry, local=_sample_local(rng), look=sample_look(rng, age, sex, ancestry),
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
