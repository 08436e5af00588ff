"""What age and weight do to the shape of a head beyond the head model's own targets."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from faceblind.volunteers.people.anthropometry import MEASURES, NORMS, SEXES
from faceblind.volunteers.people.head_model import PARTS, HeadModel
from faceblind.volunteers.people.reference_face import bumps, smooth_step

ADULT = 18.0
"""Years from which the norms of adults hold."""

_AGES = (3.0, 6.0, 10.0, 15.0, 18.0)
_GROWTH: dict[str, tuple[float, ...]] = {
    "bizygomatic_breadth": (0.80, 0.84, 0.90, 0.98, 1.0),
    "bigonial_breadth": (0.82, 0.86, 0.91, 0.98, 1.0),
    "face_height": (0.76, 0.83, 0.90, 0.98, 1.0),
    "nose_height": (0.70, 0.79, 0.88, 0.98, 1.0),
    "nose_breadth": (0.79, 0.84, 0.90, 0.98, 1.0),
    "nose_protrusion": (0.62, 0.71, 0.82, 0.97, 1.0),
    "interpupillary": (0.77, 0.83, 0.90, 0.98, 1.0),
    "lip_length": (0.74, 0.80, 0.88, 0.97, 1.0),
    "minimum_frontal_breadth": (0.88, 0.92, 0.96, 0.99, 1.0),
    "head_length": (0.92, 0.95, 0.975, 0.995, 1.0),
    "head_breadth": (0.92, 0.945, 0.97, 0.995, 1.0),
    "head_circumference": (0.89, 0.925, 0.955, 0.99, 1.0),
    "auricular_height": (0.90, 0.93, 0.96, 0.99, 1.0),
    "ear_length": (0.83, 0.89, 0.94, 0.99, 1.0),
}
"""Share of the adult size at `_AGES`, boys; smoothed after Farkas, Posnick & Hreczko 1992 (Cleft
Palate Craniofac J 29:303 for the head, 29:308 for the face), the thirds of the face after Ferrario
et al. 1998 (J Craniofac Genet Dev Biol 18:138: 16-23 % to go at 6 years in boys, 9-17 % in
girls). Girls are ahead by up to two years."""

_OLD: dict[str, float] = {
    "head-age": 0.30, "eye-bag": 0.35, "eye-bag-height": 0.10, "eye-eyefold-up": -0.15,
    "eyebrows-trans-up": -0.15, "nose-point-up": -0.06, "mouth-upperlip-height": -0.30,
    "mouth-lowerlip-height": -0.20, "mouth-angles-up": -0.08, "neck-double": 0.12,
}  # fmt: skip
"""Weight of the head model's own parameters at 90 years against 30; the directions are those of
facial ageing (brow and lids descend, bags, the nose tip droops, lips thin and their corners turn
down: Iblher et al. 2008, J Plast Reconstr Aesthet Surg 61:1170 for the lip), the sizes assumed."""

_HEAVY: dict[str, float] = {
    "head-fat": 0.3, "cheek-volume": 0.5, "neck-double": 0.8, "measure-neck-circ": 0.6,
}  # fmt: skip
"""Weight of the head model's parameters per unit of body weight over its average (assumed)."""

# Tissue that descends: centre (|x|, y, z) and radius on the average head, mm; shift outward,
# forward, up in mm at 90 years against 30. The jowl over the jaw line, the fold beside the mouth,
# the hollow under the cheek bone, the skin under the chin.
_SAG = (
    ((38, 48, -78), 11, (1.4, -0.3, -3.2)),
    ((26, 70, -58), 9, (0.3, 0.9, -1.8)),
    ((48, 55, -24), 13, (-1.4, -0.9, -0.9)),
    ((34, 68, -18), 11, (0.0, -0.5, -1.6)),
    ((10, 42, -104), 18, (0.0, 1.2, -2.6)),
)  # fmt: skip


def expected(sex: str, years: float) -> NDArray[np.float64]:
    """Mean measures (len(MEASURES),) of a sex at an age of 3 years or more, mm."""
    column = SEXES.index(sex)
    adult = max(years, ADULT)
    means = [n.mean[column] + n.growth * (adult - n.age) for n in NORMS.values()]
    return np.array(means) * grown(sex, years)


def grown(sex: str, years: float) -> NDArray[np.float64]:
    """Share (len(MEASURES),) of the adult size at an age; 1 from 18 years on."""
    ahead = 2.0 * np.clip((years - 8) / 4, 0, 1) if sex == "F" else 0.0
    return np.array([np.interp(years + ahead, _AGES, _GROWTH[name]) for name in MEASURES])


def own_parameters(years: float, weight: float, laxity: float) -> dict[str, float]:
    """Weights of the head model's local parameters that age and body weight bring.

    Parameters
    ----------
    years : float
        Age.
    weight : float
        The head model's weight, 0 to 1.
    laxity : float
        How far this person's skin has aged against others of the same age; 1 on average.
    """
    age = laxity * _decline(years)
    result = {name: value * age for name, value in _OLD.items()}
    for name, value in _HEAVY.items():
        result[name] = result.get(name, 0.0) + value * (weight - 0.5)
    return result


def sag(years: float, weight: float, laxity: float) -> NDArray[np.float64]:
    """(N, 3) descent of soft tissue, mm; more of it hangs from heavy faces."""
    return laxity * _decline(years) * (0.5 + weight) * _field()


def loose_neck(years: float, amount: float) -> NDArray[np.float64]:
    """(N, 3) loose skin under chin and jaw and the bands of the platysma, mm.

    An `amount` of 1 hangs by 9 mm under the chin at 90 years, where supine skin has not fallen
    back yet; grades 3 and 4 of neck laxity hide the angle between chin and neck (Dedo 1980,
    Otolaryngol Head Neck Surg 88:44).
    """
    return amount * _decline(years) * _neck_field()


def _decline(years: float) -> float:
    """0 up to 30 years, 1 at 90, faster in the end (the power is assumed)."""
    return float(np.clip((years - 30) / 60, 0, 1.2)) ** 1.2


_LOOSE = (
    ((0, 48, -101), 15, (0.0, 2.0, -6.5)),
    ((34, 30, -92), 15, (2.0, 1.0, -4.0)),
    ((13, 38, -112), 6, (0.0, 4.0, -3.0)),
    ((0, 30, -118), 8, (0.0, -3.0, 0.0)),
    ((48, 4, -82), 14, (2.5, 0.0, -3.0)),
)
"""As `_SAG`: the double chin, skin over the jaw's body, two bands with a furrow between them, and
what hangs below the ears."""


@lru_cache(maxsize=1)
def _neck_field() -> NDArray[np.float64]:
    model = HeadModel.load()
    where = model.points().astype(np.float64)
    field = bumps(where, _LOOSE)
    field[:, 0] *= np.sign(where[:, 0]) * smooth_step(np.abs(where[:, 0]), 3, 14)
    field[np.isin(model.parts, [PARTS.index(n) for n in ("eyes", "teeth", "tongue")])] = 0
    field.setflags(write=False)
    return field


@lru_cache(maxsize=1)
def _field() -> NDArray[np.float64]:
    model = HeadModel.load()
    where = model.points().astype(np.float64)
    field = bumps(where, _SAG)
    # Under the chin both sides act as one: the midline does not move sideways.
    field[:, 0] *= np.sign(where[:, 0]) * smooth_step(np.abs(where[:, 0]), 3, 14)
    inner = np.isin(model.parts, [PARTS.index(n) for n in ("eyes", "teeth", "tongue")])
    field[inner] = 0
    field.setflags(write=False)
    return field
