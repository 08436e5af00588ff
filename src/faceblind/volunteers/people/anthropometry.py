"""Measures of a head, and what they are in the population.

A measure is what an anthropometrist takes with caliper and tape, here taken on the sealed outer
skin of the head model (`HeadModel.outer_skin`, eyes closed), whose vertices are those of the
template.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from faceblind.errors import FaceblindError
from faceblind.head.template import load_template

SEXES = ("F", "M")


@dataclass(frozen=True)
class Norm:
    """Published distribution of one measure in adults.

    Attributes
    ----------
    mean, sd : tuple of float
        Women and men, mm.
    age : float
        Mean age of the sample, years.
    growth : float
        Change with age in adults, mm per year.
    source : str
        Key of `SOURCES`.
    """

    mean: tuple[float, float]
    sd: tuple[float, float]
    age: float
    growth: float
    source: str


SOURCES: Mapping[str, str] = {
    "niosh": (
        "Zhuang & Bradtmiller 2005, Head-and-face anthropometric survey of U.S. respirator users, "
        "J Occup Environ Hyg 2:567 (1,454 women, 2,543 men, 18-66 years; the panel of ISO/TS "
        "16976-2)"
    ),
    "ansur": (
        "Gordon et al. 2014, 2012 anthropometric survey of U.S. Army personnel (ANSUR II), "
        "NATICK/TR-15/007; statistics of the public files (1,986 women, 4,082 men, 17-58 years)"
    ),
    "heathcote": (
        "mean at 53.75 years and growth: Heathcote 1995, BMJ 311:1668 (206 people, 30-93 years); "
        "difference of the sexes and spread at one age: Gordon et al. 2014, ANSUR II, "
        "NATICK/TR-15/007"
    ),
}

NORMS: Mapping[str, Norm] = {
    "bizygomatic_breadth": Norm((135.1, 143.5), (6.5, 6.9), 40, 0.0, "niosh"),
    "bigonial_breadth": Norm((110.1, 120.4), (8.9, 10.4), 40, 0.0, "niosh"),
    "face_height": Norm((113.4, 122.7), (6.1, 7.0), 40, 0.02, "niosh"),
    "nose_height": Norm((48.2, 52.0), (3.8, 4.1), 40, 0.05, "niosh"),
    "nose_breadth": Norm((33.2, 36.6), (3.9, 4.1), 40, 0.05, "niosh"),
    "nose_protrusion": Norm((19.8, 21.1), (2.7, 2.7), 40, 0.03, "niosh"),
    "interpupillary": Norm((61.9, 64.5), (3.5, 3.6), 40, 0.0, "niosh"),
    "lip_length": Norm((48.0, 51.1), (4.0, 4.2), 40, 0.05, "niosh"),
    "minimum_frontal_breadth": Norm((102.9, 105.5), (5.4, 5.7), 40, 0.0, "niosh"),
    "head_length": Norm((187.5, 197.3), (7.2, 7.4), 40, 0.0, "niosh"),
    "head_breadth": Norm((146.8, 153.0), (5.6, 6.0), 40, 0.0, "niosh"),
    "head_circumference": Norm((554.9, 575.7), (18.2, 17.1), 40, 0.0, "niosh"),
    "auricular_height": Norm((126.5, 131.1), (6.5, 6.2), 30, 0.0, "ansur"),
    "ear_length": Norm((65.2, 69.8), (5.1, 5.4), 53.75, 0.22, "heathcote"),
}
"""Measures and their norms. Ears grow by 0.22 mm a year (Heathcote 1995); that noses keep growing
is known (Zankl et al. 2002, Am J Med Genet 111:388), its rate here, and those of the lips and the
face, are assumed and small beside the spread."""

MEASURES = tuple(NORMS)


def measure(skin: NDArray[np.floating]) -> dict[str, float]:
    """Measures of one head.

    Parameters
    ----------
    skin : (P, 3) ndarray
        Outer skin with closed eyes, vertices as in the template, mm; upright (template frame).

    Returns
    -------
    dict of str to float
        mm, in the order of `MEASURES`: bizygomatic breadth (zy-zy), bigonial breadth (go-go),
        face height (nasion to menton), nose height (nasion to subnasale), nose breadth (al-al),
        nose protrusion (subnasale to pronasale), distance of the pupils, lip length (ch-ch),
        minimum frontal breadth (ft-ft), head length (glabella to opisthocranion), greatest head
        breadth above the ears, head circumference over glabella and opisthocranion, auricular
        height (tragion to the top of the head, upright), ear length (superaurale to subaurale,
        mean of both).

    Raises
    ------
    FaceblindError
        If the points are not those of the template.
    """
    marks = _marks()
    points = np.asarray(skin, np.float64)
    if points.shape != (len(load_template().points), 3):
        raise FaceblindError(
            f"measure: expected the template's {len(load_template().points)} vertices, "
            f"got an array of shape {points.shape}"
        )

    def apart(one: str, other: str) -> float:
        return float(np.linalg.norm(points[marks.vertex[one]] - points[marks.vertex[other]]))

    def pair(name: str) -> float:
        return apart(f"{name}_right", f"{name}_left")

    ears = [apart(f"superaurale_{side}", f"subaurale_{side}") for side in ("left", "right")]
    result = {
        "bizygomatic_breadth": _breadth(points, marks.cheekbone),
        "bigonial_breadth": pair("gonion"),
        "face_height": apart("nasion", "menton"),
        "nose_height": apart("nasion", "subnasale"),
        "nose_breadth": pair("alare"),
        "nose_protrusion": apart("subnasale", "pronasale"),
        "interpupillary": pair("pupil"),
        "lip_length": pair("cheilion"),
        "minimum_frontal_breadth": pair("frontotemporale"),
        "head_length": apart("glabella", "opisthocranion"),
        "head_breadth": _breadth(points, marks.vault),
        "head_circumference": circumference(
            points[marks.girdle],
            points[marks.vertex["glabella"]],
            points[marks.vertex["opisthocranion"]],
        ),
        "auricular_height": float(points[marks.vault, 2].max() - points[marks.tragion, 2].mean()),
        "ear_length": float(np.mean(ears)),
    }
    return {name: result[name] for name in MEASURES}


def circumference(
    points: NDArray[np.floating], front: NDArray[np.floating], back: NDArray[np.floating]
) -> float:
    """Length of a tape around a head, mm.

    Parameters
    ----------
    points : (N, 3) ndarray
        Surface points in a band around the tape; those within 4 mm of its plane are used.
    front, back : (3,) ndarray
        Where the tape passes; its plane holds the left-right axis.
    """
    along = back - front
    along = along / np.linalg.norm(along)
    normal = np.cross(along, [1.0, 0.0, 0.0])
    normal /= np.linalg.norm(normal)
    away = (points - front) @ normal
    near = np.abs(away) < 4
    # A tape spans hollows, so it is as long as the outline of the convex hull.
    flat = np.column_stack([points[near] @ along, points[near] @ np.cross(normal, along)])
    # For a convex hull of two-dimensional points, area is the perimeter.
    return float(ConvexHull(flat).area)


@dataclass(frozen=True)
class Row:
    """One measure and sex of a comparison with the norms; mm."""

    measure: str
    sex: str
    target_mean: float
    target_sd: float
    mean: float
    sd: float
    count: int

    @property
    def mean_error(self) -> float:
        """Relative error of the mean."""
        return self.mean / self.target_mean - 1

    @property
    def sd_error(self) -> float:
        """Relative error of the standard deviation."""
        return self.sd / self.target_sd - 1


def compare(measured: Sequence[Mapping[str, float]], sexes: Sequence[str]) -> list[Row]:
    """Means and standard deviations of people beside the norms.

    Parameters
    ----------
    measured : sequence of mapping
        `measure` of each person.
    sexes : sequence of str
        ``"F"`` or ``"M"`` for each person.

    Returns
    -------
    list of Row
        One for each measure and each sex with at least two people.
    """
    rows = []
    for name, norm in NORMS.items():
        for column, sex in enumerate(SEXES):
            values = [m[name] for m, s in zip(measured, sexes, strict=True) if s == sex]
            if len(values) > 1:
                rows.append(
                    Row(name, sex, norm.mean[column], norm.sd[column], float(np.mean(values)),
                        float(np.std(values, ddof=1)), len(values))
                )  # fmt: skip
    return rows


@dataclass(frozen=True, eq=False)
class _Marks:
    """Vertices of the template between which measures are taken."""

    vertex: Mapping[str, int]
    tragion: NDArray[np.int64]
    cheekbone: NDArray[np.int64]
    vault: NDArray[np.int64]
    girdle: NDArray[np.int64]


def _breadth(points: NDArray[np.float64], where: NDArray[np.int64]) -> float:
    return float(np.ptp(points[where, 0]))


@lru_cache(maxsize=1)
def _marks() -> _Marks:
    template = load_template()
    points = template.points
    vertex = dict(template.landmark_index)
    ears = template.region("ears")
    for name, sign in (("right", 1), ("left", -1)):
        own = np.flatnonzero(ears & (points[:, 0] * sign > 0))
        vertex[f"superaurale_{name}"] = int(own[points[own, 2].argmax()])
        vertex[f"subaurale_{name}"] = int(own[points[own, 2].argmin()])
    # Above the tail of the brow, where the temple line starts: no vertex is marked there.
    temple = np.linalg.norm(points - [51.5, 61.0, 43.0], axis=1)
    vertex["frontotemporale_right"] = int(temple.argmin())
    vertex["frontotemporale_left"] = int(template.mirror[vertex["frontotemporale_right"]])
    y, z = points[:, 1], points[:, 2]
    return _Marks(
        vertex=vertex,
        tragion=np.array([vertex["preauricular_left"], vertex["preauricular_right"]]),
        cheekbone=np.flatnonzero((y > 22) & (y < 60) & (z > -30) & (z < 20) & ~ears),
        # High enough to miss the auricles, whose tops stand off.
        vault=np.flatnonzero((z > 32) & (y < 40) & ~ears),
        girdle=np.flatnonzero((z > 0) & (z < 80) & ~ears),
    )
