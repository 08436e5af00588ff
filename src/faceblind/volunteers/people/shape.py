"""Who the volunteers are: age, sex, ancestry, face shape and looks, drawn from a seed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from faceblind.errors import FaceblindError
from faceblind.volunteers.limits import check_limits
from faceblind.volunteers.people import ageing, calibration, population
from faceblind.volunteers.people.anthropometry import MEASURES, measure
from faceblind.volunteers.people.head_model import HeadModel
from faceblind.volunteers.people.look import Look, aged_look, sample_look

AGE_RANGE = (34, 89)
"""Years; the range of the 84 participants of Schwarz et al. 2019 (N Engl J Med 381:1684)."""

WEIGHT_DRIFT = 0.035
"""SD of the change of the head model's weight per year.

In the 45 and Up study 17 % of 45,037 adults lost more than 1 kg a year, 60 % kept their weight and
23 % gained more than 1 kg (BMJ Open, mean +0.25 kg): an SD of 1.2 kg a year. Weight 0 to 1 is
taken as body mass indices of about 16 to 38 kg/m^2, of which 1.2 kg (0.4 kg/m^2) is 0.02; that
body weight also goes up and down within a year, and that faces swell, is allowed for with 0.015.
Change over several years grows with the square root of time.
"""

_ONE_ENDED = (
    "diamond", "invertedtriangular", "oval", "rectangular", "round", "square", "triangular",
    "shape-pointed", "shape-round", "shape-square", "shape-triangle",
)  # fmt: skip

_SPREAD: dict[str, float] = {
    "head-age": 0.10, "head-fat": 0.22, "head-angle": 0.10, "head-scale": 0.16,
    "head-back": 0.18, "head-": 0.10, "measure-neck": 0.15, "neck-double": 0.15, "neck-": 0.15,
    "nose-": 0.25, "nose-septumangle": 0.2, "nose-trans": 0.22, "nose-compression": 0.22,
    "mouth-": 0.28, "mouth-laugh-lines": 0.2, "mouth-dimples": 0.15, "mouth-trans": 0.22,
    "mouth-angles": 0.16, "mouth-scale": 0.24, "chin-": 0.30, "chin-jaw-drop": 0.2,
    "chin-cleft": 0.15, "cheek-": 0.30, "eye-": 0.26, "eye-scale": 0.20, "eye-trans": 0.24,
    "eye-epicanthus": 0.12, "eyebrows-": 0.30, "forehead-": 0.20, "ear-": 0.28,
    "ear-trans": 0.15, "ear-flap": 0.15, "ear-wing": 0.15, "ear-shape": 0.12, "asym-": 0.14,
}  # fmt: skip
"""Standard deviation of a local parameter by the longest prefix of its name (model units)."""

_SPREAD_MM = 2.8
"""Largest standard deviation of a local parameter in mm at the vertex that it moves most."""

_LIMIT = 0.55


@dataclass(frozen=True)
class PeopleSettings:
    """Which people to draw.

    Attributes
    ----------
    ages : tuple of float
        Youngest and oldest in years, both included: 3 to 100. Children need (3, 17) or so.
    gap_months : tuple of float
        Shortest and longest time from the scan to the photographs (see `visits`), within 600;
        negative where the photographs came first. They show people of 3 to 120 years.
    loose_neck : float
        How far the skin of the neck hangs with age beyond the usual, on average over people, see
        `ageing.loose_neck`: 0 to 2.
    """

    ages: tuple[float, float] = AGE_RANGE
    gap_months: tuple[float, float] = (0.0, 0.0)
    loose_neck: float = 0.0

    def __post_init__(self) -> None:
        check_limits("people", self, _LIMITS)
        young, old = (a + g / 12 for a, g in zip(self.ages, self.gap_months, strict=True))
        if young < 3 or old > 120:
            raise FaceblindError(
                f"people: gap_months {self.gap_months} give photographs of people of {young:.0f} "
                f"to {old:.0f} years; 3 to 120 are possible, choose other ages or a shorter gap"
            )


_LIMITS: dict[str, tuple[float, float]] = {
    "ages": (3, 100), "gap_months": (-600, 600), "loose_neck": (0, 2),
}  # fmt: skip


@dataclass(frozen=True)
class Person:
    """One synthetic volunteer at one time.

    Attributes
    ----------
    index : int
        Place in the cohort, from 0.
    seed : int
        Seed of the cohort.
    years : float
        Exact age.
    sex : str
        ``"F"`` or ``"M"``.
    male, weight, muscle : float
        Macro parameters of the head model, 0 to 1.
    ancestry : tuple of float
        African, Asian, European weights; they sum to 1.
    laxity : float
        How far the skin has aged against others of the same age; 1 on average.
    local : dict
        Weights of the head model's local parameters.
    look : Look
        Colours and hair.
    scale : float
        Size against the head model's; 1 for adults.
    residual : tuple of float
        Difference of each of `anthropometry.MEASURES` from the mean of sex and age, mm, at adult
        size.
    bends : tuple of float
        Amounts for `calibration.bend` that give the head its measures, mm.
    cover : float
        Thickness of scalp and skull over the brain against that of the average adult's head made
        as small or large; 1 in everybody who is drawn. Small children's is about 0.6.
    loose_neck : float
        How far the skin of the neck hangs with age beyond the usual, see `ageing.loose_neck`.
    """

    index: int
    seed: int
    years: float
    sex: str
    male: float
    weight: float
    muscle: float
    ancestry: tuple[float, float, float]
    laxity: float
    local: dict[str, float] = field(repr=False)
    look: Look = field(repr=False)
    scale: float = 1.0
    residual: tuple[float, ...] = field(default=(0.0,) * len(MEASURES), repr=False)
    bends: tuple[float, ...] = field(default=(0.0,) * len(MEASURES), repr=False)
    cover: float = 1.0
    loose_neck: float = 0.0

    @property
    def age(self) -> int:
        """Completed years."""
        return int(self.years)

    @property
    def name(self) -> str:
        """Participant label, see `participant_label`."""
        return participant_label(self.index)

    def points(self, expression: dict[str, float] | None = None) -> NDArray[np.float32]:
        """(N, 3) coarse head points, template frame, mm, with an expression."""
        return (self._drawn(expression) + calibration.bend(self.bends)).astype(np.float32)

    def measures(self) -> dict[str, float]:
        """Anthropometric measures, mm, see `anthropometry.measure`."""
        model = HeadModel.load()
        return measure(model.outer_skin(self.points(model.closed_eyes)))

    def later(self, months: float) -> Person:
        """The same person after a time, or before it.

        Parameters
        ----------
        months : float
            Time gone by; negative for an earlier photograph.

        Returns
        -------
        Person
            Older, a little heavier or lighter, hair, beard shadow and wrinkles slightly changed.
            The same months give the same result.
        """
        if not months:
            return self
        rng = generator(self.seed, self.index, 5)
        years = months / 12
        # In an earlier photograph, the person has yet to gain what they gained.
        change = rng.normal(0, WEIGHT_DRIFT) * np.sqrt(abs(years)) * np.sign(years)
        look = aged_look(self.look, rng, self.years, years, self.sex)
        older = replace(self, years=max(self.years + years, 1.0), look=look)
        older = _calibrated(older, older._skin())
        # Set last: what weight does to the measures is not to be calibrated away.
        return replace(older, weight=float(np.clip(self.weight + change, 0.05, 1)))

    def _skin(self) -> NDArray[np.float32]:
        """(P, 3) outer skin before calibration, eyes closed."""
        model = HeadModel.load()
        return model.outer_skin(self._drawn(model.closed_eyes))

    def _drawn(self, expression: dict[str, float] | None) -> NDArray[np.float64]:
        """Coarse points before calibration."""
        # The model's parameters move a small head as far as a large one.
        small = float(np.clip(0.45 + 0.55 * (self.years - 3) / 15, 0.45, 1))
        local = {name: small * value for name, value in self.local.items()}
        weight = 0.5 + small * (self.weight - 0.5)
        own = ageing.own_parameters(self.years, weight, self.laxity)
        model = HeadModel.load()
        for name, value in own.items():
            for one in (f"l-{name}", f"r-{name}") if name in model.bilateral else (name,):
                local[one] = local.get(one, 0.0) + value
        points = model.points(
            age_years=self.years, male=self.male, weight=weight, ancestry=self.ancestry,
            local=local, expression=expression, muscle=self.muscle,
        )  # fmt: skip
        sunk = ageing.sag(self.years, weight, self.laxity)
        if self.loose_neck:
            sunk = sunk + ageing.loose_neck(self.years, self.loose_neck)
        return self.scale * points + sunk


def participant_label(index: int) -> str:
    """``sub-0001`` for index 0."""
    return f"sub-{index + 1:04d}"


def generator(seed: int, index: int, stream: int) -> np.random.Generator:
    """Random numbers of one volunteer and purpose, independent of every other volunteer."""
    return np.random.default_rng(np.random.SeedSequence([seed, index, stream]))


def sample_person(seed: int, index: int, settings: PeopleSettings | None = None) -> Person:
    """Draw one volunteer.

    Parameters
    ----------
    seed : int
        Seed of the cohort, non-negative.
    index : int
        Place in the cohort. The same pair and settings always give the same person.
    settings : PeopleSettings, optional
        Which people to draw.

    Returns
    -------
    Person
        As at the scan. Age is uniform, both sexes are equally likely, ancestry is a Dirichlet
        mixture. Local shape is normal with the spreads of `_SPREAD`, paired parts share their
        value but for a tenth of it, and stays within a range in which heads look natural; then
        the head is bent so that the measures of adults follow `anthropometry.NORMS`.
    """
    person = draw(seed, index, settings or PeopleSettings())
    skin = person._skin()
    # A child differs from other children as the adult that they become from other adults.
    adult = person if person.years >= 25 else replace(person, years=34.0)
    away = _residual(adult, skin if adult is person else adult._skin())
    return _calibrated(replace(person, residual=away), skin)


def visits(seed: int, index: int, settings: PeopleSettings | None = None) -> tuple[Person, Person]:
    """One volunteer at the scan and at the photographs, `gap_months` later.

    Returns
    -------
    tuple of Person
        The same object twice without a gap.
    """
    settings = settings or PeopleSettings()
    person = sample_person(seed, index, settings)
    months = generator(seed, index, 6).uniform(*settings.gap_months)
    return person, person.later(float(months))


def draw(seed: int, index: int, settings: PeopleSettings) -> Person:
    """One volunteer as the head model gives them, not calibrated."""
    rng = generator(seed, index, 0)
    low, high = settings.ages
    years = float(rng.uniform(low, np.floor(high) + 1))
    sex = "M" if rng.random() < 0.5 else "F"
    male = float(np.clip(rng.normal(0.9 if sex == "M" else 0.1, 0.08), 0, 1))
    african, asian, european = rng.dirichlet((0.35, 0.4, 0.8))
    weight = float(np.clip(rng.normal(0.52, 0.14), 0.2, 0.88))
    muscle = float(np.clip(rng.normal(0.5, 0.12), 0.15, 0.85))
    ancestry = (float(african), float(asian), float(european))
    laxity = float(np.clip(np.exp(rng.normal(0, 0.3)), 0.4, 1.8))
    local = _sample_local(rng)
    # Of its own stream, for the others must not change with it.
    loose = settings.loose_neck * float(generator(seed, index, 7).uniform(0.3, 1.7))
    return Person(
        index=index, seed=seed, years=years, sex=sex, male=male, weight=weight, muscle=muscle,
        ancestry=ancestry, laxity=laxity, local=local,
        look=sample_look(rng, years, sex, ancestry), loose_neck=loose,
    )  # fmt: skip


def _residual(adult: Person, skin: NDArray[np.float32]) -> tuple[float, ...]:
    """Difference of an adult from the mean, for their outer skin as drawn."""
    found = np.array(list(measure(skin).values()))
    return tuple(float(v) for v in population.residual(adult.sex, adult.years, found))


def _calibrated(person: Person, skin: NDArray[np.float32]) -> Person:
    """The person bent from the skin as drawn to the measures of sex, age and residual."""
    share = ageing.grown(person.sex, person.years)
    targets = ageing.expected(person.sex, person.years) - population.bare(person.sex)
    targets += share * np.array(person.residual)
    scale = 1.0
    if person.years < ageing.ADULT:
        # The model's children have the heads of small children's bodies; only their form is used.
        found = np.array(list(measure(skin).values()))
        scale = float(np.exp(np.log(targets / found).mean()))
    bends = calibration.solve(scale * skin, targets)
    return replace(person, scale=person.scale * scale, bends=tuple(float(v) for v in bends))


@lru_cache(maxsize=1024)
def _spread(name: str) -> float:
    fits = [prefix for prefix in _SPREAD if name.startswith(prefix)]
    usual = _SPREAD[max(fits, key=len)] if fits else 0.2
    return min(usual, _SPREAD_MM / HeadModel.load().reach(name))


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
        local[name] = float(min(max(abs(value) if lowest == 0 else value, lowest), _LIMIT))
    return local
