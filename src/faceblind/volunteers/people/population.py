"""How measures vary together, and what that asks of a head that was drawn from the model.

The head model gives natural heads whose measures have other means, spreads and correlations than
people have. The linear map of least change (between two normal distributions, the optimal
transport) takes one population to the other, so that each head keeps its character.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from faceblind.volunteers.people.anthropometry import MEASURES, NORMS, SEXES

Doubles = NDArray[np.float64]

AGE_SD = 16.2
"""Years; of ages that are uniform from 34 to 89."""

HAIR_MM: Mapping[str, tuple[float, float]] = {"head_circumference": (10.0, 6.0)}
"""What hair adds to a measure of living people, women and men, mm; our heads are bare skin. A
layer of 1.6 mm under the tape of women and 1 mm of men is assumed; with it length, breadth and
circumference of the norms fit one outline."""

_CORRELATIONS: Mapping[tuple[str, str], float] = {
    ("head_length", "head_circumference"): 0.80,
    ("head_breadth", "head_circumference"): 0.60,
    ("head_length", "head_breadth"): 0.25,
    ("bizygomatic_breadth", "head_breadth"): 0.60,
    ("bizygomatic_breadth", "bigonial_breadth"): 0.55,
    ("bizygomatic_breadth", "head_circumference"): 0.50,
    ("bizygomatic_breadth", "head_length"): 0.25,
    ("bizygomatic_breadth", "minimum_frontal_breadth"): 0.50,
    ("bizygomatic_breadth", "interpupillary"): 0.40,
    ("bigonial_breadth", "head_breadth"): 0.35,
    ("bigonial_breadth", "head_circumference"): 0.30,
    ("head_breadth", "minimum_frontal_breadth"): 0.50,
    ("head_circumference", "minimum_frontal_breadth"): 0.45,
    ("head_circumference", "interpupillary"): 0.30,
    ("minimum_frontal_breadth", "interpupillary"): 0.35,
    ("face_height", "nose_height"): 0.60,
    ("face_height", "head_length"): 0.30,
    ("face_height", "head_circumference"): 0.30,
    ("face_height", "ear_length"): 0.25,
    ("nose_height", "nose_protrusion"): 0.25,
    ("auricular_height", "head_circumference"): 0.35,
    ("auricular_height", "head_length"): 0.30,
    ("nose_breadth", "lip_length"): 0.40,
    ("nose_breadth", "nose_protrusion"): -0.10,
    ("lip_length", "bigonial_breadth"): 0.25,
}
"""Within one sex; rounded from what surveys of heads report (such as Cheverud et al. 1990,
NATICK/TR-90/032) as far as remembered, so assumed rather than fitted. Other pairs: `_REST`."""
_REST = 0.15


@dataclass(frozen=True)
class Drawn:
    """Measures of heads as the model gives them, one sex.

    Attributes
    ----------
    mean : (K,) ndarray
        At `age`, mm.
    slope : (K,) ndarray
        mm per year.
    covariance : (K, K) ndarray
        About the regression on age, mm^2.
    age : float
        Years.
    """

    mean: Doubles
    slope: Doubles
    covariance: Doubles
    age: float


def correlation() -> Doubles:
    """(K, K) correlations of the measures within one sex, positive definite."""
    result = np.full((len(MEASURES), len(MEASURES)), _REST)
    for (one, other), value in _CORRELATIONS.items():
        i, j = MEASURES.index(one), MEASURES.index(other)
        result[i, j] = result[j, i] = value
    np.fill_diagonal(result, 1.0)
    values, vectors = np.linalg.eigh(result)
    result = (vectors * np.maximum(values, 0.02)) @ vectors.T
    scale = np.sqrt(np.diag(result))
    return np.asarray(result / np.outer(scale, scale))


def covariance(sex: str) -> Doubles:
    """(K, K) wanted covariance of the measures of one sex at one age, mm^2."""
    column = SEXES.index(sex)
    # What age adds to the spread is not part of the spread at one age.
    variance = [n.sd[column] ** 2 - (n.growth * AGE_SD) ** 2 for n in NORMS.values()]
    sd = np.sqrt(variance)
    return correlation() * np.outer(sd, sd)


def residual(sex: str, years: float, measures: Doubles) -> Doubles:
    """Wanted difference (K,) from the mean of sex and age, mm, of a head as drawn.

    Parameters
    ----------
    sex : str
        ``"F"`` or ``"M"``.
    years : float
        Age at which the head was drawn, an adult's.
    measures : (K,) ndarray
        Its measures.

    Returns
    -------
    (K,) ndarray
        At most 2.7 standard deviations of each measure, so that no head is a freak.
    """
    drawn = as_drawn()[sex]
    away = measures - drawn.mean - drawn.slope * (years - drawn.age)
    limit = 2.7 * np.sqrt(np.diag(covariance(sex)))
    return np.clip(_transport(sex) @ away, -limit, limit)


def bare(sex: str) -> Doubles:
    """What hair adds to each measure (K,), mm."""
    column = SEXES.index(sex)
    return np.array([HAIR_MM[name][column] if name in HAIR_MM else 0.0 for name in MEASURES])


@lru_cache(maxsize=2)
def _transport(sex: str) -> Doubles:
    """(K, K) linear map of least mean square change between the two covariances."""
    root = _root(as_drawn()[sex].covariance)
    back = np.linalg.inv(root)
    return np.asarray(back @ _root(root @ covariance(sex) @ root) @ back)


def _root(matrix: Doubles) -> Doubles:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T)


@lru_cache(maxsize=1)
def as_drawn() -> Mapping[str, Drawn]:
    """Statistics of heads as the model gives them, by sex; see `tools/fit_people.py`."""
    text = (files("faceblind") / "data" / "people.json").read_text(encoding="utf-8")
    data = json.loads(text)
    if data["measures"] != list(MEASURES):
        raise RuntimeError("people.json holds other measures; run tools/fit_people.py")
    return {
        sex: Drawn(
            np.array(data[sex]["mean"]), np.array(data[sex]["slope"]),
            np.array(data[sex]["covariance"]), data["age"],
        )
        for sex in SEXES
    }  # fmt: skip
