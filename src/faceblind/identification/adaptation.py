"""What lies between a photograph and a render of one face, learnt from synthetic people.

A render has no hair, brows or colour, its light is soft and its shape smooth; a photograph has
all of these. Photographs and renders of *one* person therefore differ along directions of the
recogniser's space that say nothing about who it is. These directions are fitted once, on synthetic
people, by `tools/fit_adaptation.py`; here they are damped.

With D the matrix of the differences between the mean render and the mean photograph of each person
that the fit saw, divided by the square root of 2, every principal axis of D with variance v is
scaled by ``sqrt(s / (v + s))``, where s is the mean of all v: within-class covariance normalisation
with a flat prior (Hatch et al., "Within-class covariance normalization for SVM-based speaker
recognition", Interspeech 2006), applied to axes of the sample only. Who is compared was never part
of the fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from faceblind.errors import FaceblindError
from faceblind.identification.fusion import unit
from faceblind.recognition.feature_map import NAME, adaptation_arrays
from faceblind.recognition.onnx_models import ADAPTATION

PRIOR_PEOPLE = 3.0
"""People of the fit's mean and spread that count beside those of a side.

From 20 people on, the side's own figures decide, as in `centred` matching; a handful of people has
no spread of its own. Of 0, 3, 10 and only the fit's, all were equal to within 0.3 % at 2 to 50
people, but only the fit's, which found 2 % fewer."""


@dataclass(frozen=True)
class Adaptation:
    """Fitted arrays, in the space of one recogniser's vectors.

    Parameters
    ----------
    render_centre, photograph_centre : (D,) float32 ndarray
        Mean over people of their mean vectors.
    axes : (K, D) float32 ndarray
        Orthonormal rows: where the two kinds of picture differ.
    damping : (K,) float32 ndarray
        Share of each axis that is taken away, 0 to 1.
    spread : float
        Standard deviation of the cosine between different people after all steps.

    Raises
    ------
    FaceblindError
        If the shapes disagree or a value is out of its range.
    """

    render_centre: NDArray[np.float32]
    photograph_centre: NDArray[np.float32]
    axes: NDArray[np.float32]
    damping: NDArray[np.float32]
    spread: float

    def __post_init__(self) -> None:
        size = self.render_centre.shape
        fits = (
            len(size) == 1
            and self.photograph_centre.shape == size
            and self.axes.shape == (len(self.damping), *size)
            and ((self.damping >= 0) & (self.damping <= 1)).all()
            and self.spread > 0
        )
        if not fits:
            raise FaceblindError("adaptation: its arrays do not fit together; reinstall faceblind")

    def centre(self, kind: str) -> NDArray[np.float64]:
        """(D,) mean of a kind of picture, ``"render"`` or ``"photograph"``."""
        mean = self.render_centre if kind == "render" else self.photograph_centre
        return mean.astype(np.float64)

    def damped(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Vectors (N, D) without what tells a render from a photograph."""
        axes = self.axes.astype(np.float64)
        damped: NDArray[np.float64] = vectors - (vectors @ axes.T * self.damping) @ axes
        return damped


def fit_adaptation(
    renders: list[NDArray[np.float64]], photographs: list[NDArray[np.float64]]
) -> Adaptation:
    """Learn the directions from people whose renders and photographs are known.

    Parameters
    ----------
    renders, photographs : list of (P, D) ndarray
        One unit mean vector per person, the same people in the same order; one entry per cohort,
        each of which is centred by itself.

    Returns
    -------
    Adaptation

    Raises
    ------
    FaceblindError
        If the sides differ in shape, or there are fewer than ten people.
    """
    if [r.shape for r in renders] != [p.shape for p in photographs]:
        raise FaceblindError("adaptation: renders and photographs are not of the same people")
    people = sum(map(len, renders))
    if people < 10:
        raise FaceblindError(f"adaptation: expected ten people or more, got {people}")
    r = np.concatenate([unit(side - side.mean(axis=0)) for side in renders])
    p = np.concatenate([unit(side - side.mean(axis=0)) for side in photographs])
    # Centring has used up one direction per cohort.
    count = people - len(renders)
    _, singular, axes = np.linalg.svd((r - p) / np.sqrt(2), full_matrices=False)
    count = min(count, len(axes))
    variance = singular[:count] ** 2 / people
    damping = 1 - np.sqrt(variance.mean() / (variance + variance.mean()))
    plain = Adaptation(
        np.concatenate(renders).mean(axis=0).astype(np.float32),
        np.concatenate(photographs).mean(axis=0).astype(np.float32),
        axes[:count].astype(np.float32),
        damping.astype(np.float32),
        1.0,
    )
    cosines = unit(plain.damped(p)) @ unit(plain.damped(r)).T
    strangers = cosines[~np.eye(people, dtype=bool)]
    return Adaptation(
        plain.render_centre,
        plain.photograph_centre,
        plain.axes,
        plain.damping,
        float(strangers.std()),
    )


@lru_cache(maxsize=1)
def shipped() -> Adaptation:
    """The fit that ships with the package, for the recogniser ``sface-map``."""
    arrays = adaptation_arrays()
    return Adaptation(
        arrays["render_centre"],
        arrays["photograph_centre"],
        arrays["axes"],
        arrays["damping"],
        float(arrays["spread"]),
    )


def adaptation_of(recogniser: str) -> Adaptation | None:
    """The fit for a recogniser's identity, or None where there is none."""
    known = f"{NAME}-{ADAPTATION.sha256[:12]}"
    return shipped() if recogniser == known else None


def standardised(values: ArrayLike, spread: float) -> NDArray[np.float64]:
    """Scores in standard deviations of those of the probe and of the gallery person.

    Some faces are like everybody and some like nobody. Each score is measured once against all of
    its row and once against all of its column (symmetric score normalisation: Auckenthaler et
    al., "Score normalization for text-independent speaker verification systems", Digital Signal
    Processing 10, 2000), and the mean of both is taken.

    Parameters
    ----------
    values : (P, G) array_like
        Cosines.
    spread : float
        Standard deviation that a small table is drawn to, see `PRIOR_PEOPLE`.

    Returns
    -------
    (P, G) float64 ndarray
    """
    table = np.asarray(values, dtype=np.float64)
    both = [_along(table, axis, spread) for axis in (0, 1)]
    mean: NDArray[np.float64] = (both[0] + both[1]) / 2
    return mean


def _along(table: NDArray[np.float64], axis: int, spread: float) -> NDArray[np.float64]:
    weight = table.shape[axis] + PRIOR_PEOPLE
    mean = table.sum(axis=axis, keepdims=True) / weight
    squares = ((table - mean) ** 2).sum(axis=axis, keepdims=True)
    result: NDArray[np.float64] = (table - mean) / np.sqrt(
        (squares + PRIOR_PEOPLE * spread**2) / weight
    )
    return result
