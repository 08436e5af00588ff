"""Measure heads as the head model gives them: writes src/faceblind/data/people.json.

Run again whenever the head model, the way people are drawn or the measures change:
`python tools/fit_people.py`. The statistics are inputs of `faceblind.volunteers.people.population`.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from faceblind.volunteers.people.anthropometry import MEASURES, SEXES
from faceblind.volunteers.people.shape import PeopleSettings, draw

PEOPLE = 1600
SEED = 20240607
AGE = 60.0
TARGET = Path(__file__).resolve().parents[1] / "src" / "faceblind" / "data" / "people.json"


def main() -> None:
    """Regress each measure on age within each sex and write the coefficients."""
    people = [draw(SEED, index, PeopleSettings()) for index in range(PEOPLE)]
    result: dict[str, object] = {"measures": list(MEASURES), "age": AGE, "people": PEOPLE}
    for sex in SEXES:
        own = [p for p in people if p.sex == sex]
        values = np.array([list(p.measures().values()) for p in own])
        design = np.column_stack([np.ones(len(own)), [p.years - AGE for p in own]])
        fit, *_ = np.linalg.lstsq(design, values, rcond=None)
        covariance = np.cov(values - design @ fit, rowvar=False)
        result[sex] = {
            "mean": np.round(fit[0], 3).tolist(),
            "slope": np.round(fit[1], 4).tolist(),
            "covariance": np.round(covariance, 3).tolist(),
        }
    TARGET.write_text(json.dumps(result) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
