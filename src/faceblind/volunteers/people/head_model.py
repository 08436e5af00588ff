"""A generative head: age, sex, weight, ancestry, local shape and expression to a surface.

The basis is the MakeHuman base mesh and its targets (CC0), cut to the head and neck by
`tools/build_head_model.py`. MakeHuman describes a person by a few *macro* qualities, whose
target meshes are combined multilinearly, plus many *local* targets (nose, mouth, chin, ...)
that are added with a weight.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import as_file, files
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from faceblind.errors import FaceblindError

Floats = NDArray[np.float32]

PARTS = ("skin", "mouth", "sockets", "eyes", "lashes", "teeth", "tongue")
"""Meaning of the labels in `HeadModel.parts`."""

ANCESTRIES = ("african", "asian", "caucasian")
"""Order of the three ancestry weights, under MakeHuman's own names."""

AGE_ANCHORS = (("baby", 1.0), ("child", 10.0), ("young", 25.0), ("old", 90.0))
"""Years at which MakeHuman's age targets apply; linear between them (`Human.getAgeYears`)."""

CLOSED_EYES: Mapping[str, float] = {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}
"""Expression that closes both lids over the eyeballs."""

FACE_FAT = 1.0
"""Local `head-fat` from the least to the most weight: -0.5 to 0.5."""

_LEVELS = {"weight": ("minweight", "averageweight", "maxweight"),
           "muscle": ("minmuscle", "averagemuscle", "maxmuscle")}  # fmt: skip


@dataclass(frozen=True, eq=False)
class HeadModel:
    """Linear-by-pieces basis of heads; `HeadModel.load()` gives the one that ships.

    All points are in the template frame: RAS+ mm, origin midway between the preauricular
    points of the person at hand, Frankfurt plane horizontal, x = 0 the symmetry plane.
    "Left" and "right" are the person's own.

    A coarse mesh carries the targets. Two fixed linear refinements (one step of
    Catmull-Clark) turn coarse points into surfaces: `surface` keeps every part, with open or
    closed eyes as posed; `outer_skin` is the template's topology, with the lids and lips
    sealed, no inner parts, and open only at the neck.

    Attributes
    ----------
    base : (N, 3) float32
        Neutral base mesh in model units (decimetres), axes right, anterior, superior.
    faces : (F, 3) int32
        Triangles of the coarse mesh, counter-clockwise seen from outside.
    parts : (N,) uint8
        Part of each coarse vertex, an index into `PARTS`.
    fine_faces : (Ff, 3) int32
        Triangles of `surface`.
    fine_parts : (Q,) uint8
        Part of each vertex of `surface`.
    outer_faces : (Fo, 3) int32
        Triangles of `outer_skin`; the same as `Template.faces`.
    parameters : tuple of str
        Local parameters for `local=`, as MakeHuman's targets are called. Each is signed:
        positive is the end that the name ends in (`nose-trans-up`, `head-angle-out`) or else
        the increase, negative the opposite end; MakeHuman's own range is -1..1. Names with one
        end only (`head-oval`, see `has_end`) are meant for 0..1. A leading `l-`/`r-` names
        the person's side; `asym-*`, `nose-trans-out` and `mouth-trans-out` skew the face to the
        person's left. Full weights make caricatures, and `reach` differs from 1 to 50 mm: to
        make plausible people, sample weights with an SD of min(0.2, 2.5 mm / reach) or so,
        the sides together (`bilateral`) and what skews the face at half of that.
    bilateral : tuple of str
        Side-less names (`eye-scale`) that `local=` expands to both sides.
    expressions : tuple of str
        Expression units for `expression=`, 0..1 (ARKit names, `jawOpen`).
    lid_rims : (2, 28) int32
        Coarse vertices around the opening of the right and of the left eye.
    lip_rim : (38,) int32
        Coarse vertices around the opening of the mouth.
    tragion : (int, int)
        Coarse vertices of the left and right preauricular points.
    """

    base: Floats
    faces: NDArray[np.int32]
    parts: NDArray[np.uint8]
    fine_faces: NDArray[np.int32]
    fine_parts: NDArray[np.uint8]
    outer_faces: NDArray[np.int32]
    parameters: tuple[str, ...]
    bilateral: tuple[str, ...]
    expressions: tuple[str, ...]
    lid_rims: NDArray[np.int32]
    lip_rim: NDArray[np.int32]
    tragion: tuple[int, int]
    _targets: Mapping[str, tuple[NDArray[np.int64], Floats]] = field(repr=False)
    _rotation: NDArray[np.float64] = field(repr=False)
    _scale: float = field(repr=False)
    _fine: sparse.csr_matrix = field(repr=False)
    _outer: sparse.csr_matrix = field(repr=False)

    @staticmethod
    def load() -> HeadModel:
        """Model that ships with the package (read once, then shared; arrays are read-only)."""
        return _load()

    @property
    def closed_eyes(self) -> dict[str, float]:
        """Expression that closes both lids over the eyeballs."""
        return dict(CLOSED_EYES)

    def points(
        self,
        age_years: float = 45.0,
        male: float = 0.5,
        weight: float = 0.5,
        ancestry: Sequence[float] = (1 / 3, 1 / 3, 1 / 3),
        local: Mapping[str, float] | None = None,
        expression: Mapping[str, float] | None = None,
        muscle: float = 0.5,
    ) -> Floats:
        """Coarse mesh of one person.

        Parameters
        ----------
        age_years : float
            Age in years; 1 to 90, values outside are clamped.
        male : float
            0 female to 1 male.
        weight, muscle : float
            0 least to 1 most, 0.5 average.
        ancestry : (3,) sequence of float
            Non-negative weights in the order of `ANCESTRIES`, normalised to sum 1.
        local : mapping of str to float, optional
            Signed weights of local `parameters` or `bilateral` names.
        expression : mapping of str to float, optional
            Weights of `expressions`, such as `closed_eyes`.

        Returns
        -------
        (N, 3) float32
            Points in the template frame (RAS+ mm).

        Raises
        ------
        FaceblindError
            For an unknown name, or ancestry weights that are negative or all zero.

        Notes
        -----
        Base + sum over (ancestry x sex x age) + sum over (sex x age x muscle x weight) targets,
        each weighted by the product of its interpolation weights: MakeHuman's macro targets
        as Anny combines them (Bregier et al. 2025, arXiv 2511.03589). Body height and
        proportions stay at MakeHuman's neutral middle. The weight targets hardly reach the
        face of people of average muscle, so `weight` adds MakeHuman's local `head-fat` as well.
        """
        shape = self.base.astype(np.float64)
        for name, value in self._macro(age_years, male, weight, muscle, ancestry).items():
            self._add(shape, name, value)
        shape_weights = self._expand(local or {})
        fat = shape_weights.get("head-fat", 0.0) + FACE_FAT * (float(np.clip(weight, 0, 1)) - 0.5)
        for name, value in (shape_weights | {"head-fat": fat}).items():
            end = f"local/{name}/{'+' if value > 0 else '-'}"
            if end in self._targets:
                self._add(shape, end, abs(value))
        for name, value in (expression or {}).items():
            if name not in self.expressions:
                raise FaceblindError(
                    f"{name!r} is not an expression; see HeadModel.expressions for the names"
                )
            self._add(shape, f"expression/{name}", float(value))
        posed = (shape @ self._rotation.T) * self._scale
        # The sideways part of the midpoint is left out: x = 0 stays the symmetry plane.
        posed[:, 1:] -= posed[list(self.tragion), 1:].mean(axis=0)
        return posed.astype(np.float32)

    def surface(self, points: NDArray[np.floating]) -> Floats:
        """Refine coarse points (N, 3) to the full surface (Q, 3), all parts, `fine_faces`.

        Any values per coarse vertex (N, C) may be given.
        """
        return np.asarray(self._fine @ np.asarray(points, np.float64), np.float32)

    def outer_skin(self, points: NDArray[np.floating]) -> Floats:
        """Refine coarse points (N, 3) to the sealed outer skin (P, 3), `outer_faces`.

        Any values per coarse vertex (N, C) may be given. Pose with `closed_eyes` first, or the
        sealed lids bridge the open eye.
        """
        return np.asarray(self._outer @ np.asarray(points, np.float64), np.float32)

    def outer_vertices(self, coarse: NDArray[np.integer]) -> NDArray[np.int64]:
        """Vertices of `outer_skin` that stem from these coarse skin vertices."""
        return np.searchsorted(np.flatnonzero(self.parts == PARTS.index("skin")), coarse)

    def has_end(self, parameter: str, end: str) -> bool:
        """Whether a local parameter has a target at its "+" or its "-" end."""
        return f"local/{parameter}/{end}" in self._targets

    def reach(self, parameter: str) -> float:
        """Largest displacement, mm, of any vertex at weight 1 of a local parameter."""
        found = [
            self._targets[f"local/{name}/{end}"][1]
            for name in self._expand({parameter: 1.0})
            for end in "+-"
            if self.has_end(name, end)
        ]
        return float(max(np.linalg.norm(f, axis=1).max() for f in found)) * self._scale

    def footprint(self, *parameters: str) -> Floats:
        """Where local parameters act: (N, 1) on the coarse mesh, 0 nowhere to 1 most.

        The largest displacement of any of the named parameters, each relative to its own
        maximum. `surface` and `outer_skin` refine it like points. It outlines soft parts, such
        as the lips (`mouth-upperlip-volume`, `mouth-lowerlip-volume`) or the auricles.
        """
        share = np.zeros(len(self.base), np.float32)
        for name in self._expand(dict.fromkeys(parameters, 1.0)):
            for end in "+-":
                if self.has_end(name, end):
                    index, offset = self._targets[f"local/{name}/{end}"]
                    size = np.linalg.norm(offset, axis=1)
                    share[index] = np.maximum(share[index], size / size.max())
        return share[:, None]

    def _add(self, shape: NDArray[np.float64], name: str, weight: float) -> None:
        if weight:
            index, offset = self._targets[name]
            shape[index] += weight * offset

    def _expand(self, local: Mapping[str, float]) -> dict[str, float]:
        known, paired = set(self.parameters), set(self.bilateral)
        total: dict[str, float] = {}
        for name, value in local.items():
            if name in known:
                names: tuple[str, ...] = (name,)
            elif name in paired:
                names = (f"l-{name}", f"r-{name}")
            else:
                raise FaceblindError(
                    f"{name!r} is not a local parameter; see HeadModel.parameters for the names"
                )
            for one in names:
                total[one] = total.get(one, 0.0) + float(value)
        return total

    def _macro(
        self, age: float, male: float, weight: float, muscle: float, ancestry: Sequence[float]
    ) -> dict[str, float]:
        blend = np.asarray(ancestry, np.float64)
        if blend.shape != (3,) or (blend < 0).any() or not blend.sum() > 0:
            raise FaceblindError(
                f"ancestry must be three non-negative weights for {ANCESTRIES}, got {ancestry}"
            )
        races = dict(zip(ANCESTRIES, blend / blend.sum(), strict=True))
        sexes = {"male": float(np.clip(male, 0, 1)), "female": 1 - float(np.clip(male, 0, 1))}
        ages = _interpolate(age, [a for a, _ in AGE_ANCHORS], [y for _, y in AGE_ANCHORS])
        muscles = _interpolate(muscle, _LEVELS["muscle"], (0.0, 0.5, 1.0))
        weights = _interpolate(weight, _LEVELS["weight"], (0.0, 0.5, 1.0))
        result = {
            f"macro/{r}-{s}-{a}": races[r] * sexes[s] * ages[a]
            for r, s, a in product(races, sexes, ages)
        }
        for s, a, m, w in product(sexes, ages, muscles, weights):
            value = sexes[s] * ages[a] * muscles[m] * weights[w]
            result[f"macro/universal-{s}-{a}-{m}-{w}"] = value
        return {name: float(value) for name, value in result.items() if value}


def _interpolate(value: float, names: Sequence[str], anchors: Sequence[float]) -> dict[str, float]:
    """Weights of the anchors around `value`, clamped to their range; they sum to 1."""
    rows = np.eye(len(anchors))
    return {n: float(np.interp(value, anchors, row)) for n, row in zip(names, rows, strict=True)}


def _frozen(array: NDArray) -> NDArray:
    array.setflags(write=False)
    return array


def _matrix(data: Mapping[str, NDArray], name: str, columns: int) -> sparse.csr_matrix:
    pointer = np.concatenate([[0], np.cumsum(data[f"{name}_count"], dtype=np.int64)])
    return sparse.csr_matrix(
        (data[f"{name}_weight"].astype(np.float64), data[f"{name}_index"], pointer),
        shape=(len(pointer) - 1, columns),
    )


@lru_cache(maxsize=1)
def _load() -> HeadModel:
    with as_file(files("faceblind") / "data" / "head_model.npz") as path, np.load(path) as npz:
        data = {key: npz[key] for key in npz.files}
    names = [str(n) for n in data["target_names"]]
    ends = np.cumsum(data["target_count"], dtype=np.int64)
    starts = ends - data["target_count"]
    # Columns are stored apart and as whole thousandths of a decimetre, which packs best.
    offset = _frozen(data["target_offset"].T.astype(np.float32) / np.float32(1000))
    index = _frozen(data["target_index"].astype(np.int64))
    targets = {n: (index[a:b], offset[a:b]) for n, a, b in zip(names, starts, ends, strict=True)}
    local = list(dict.fromkeys(n.split("/")[1] for n in names if n.startswith("local/")))
    sided = {n[2:] for n in local if n.startswith("l-")}
    size = len(data["base"])
    return HeadModel(
        base=_frozen(data["base"].astype(np.float32)),
        faces=_frozen(data["faces"].astype(np.int32)),
        parts=_frozen(data["parts"]),
        fine_faces=_frozen(data["fine_faces"].astype(np.int32)),
        fine_parts=_frozen(data["fine_parts"]),
        outer_faces=_frozen(data["outer_faces"].astype(np.int32)),
        parameters=tuple(local),
        bilateral=tuple(sorted(n for n in sided if f"r-{n}" in local)),
        expressions=tuple(n.split("/")[1] for n in names if n.startswith("expression/")),
        lid_rims=_frozen(data["lid_rims"].astype(np.int32)),
        lip_rim=_frozen(data["lip_rim"].astype(np.int32)),
        tragion=(int(data["tragion"][0]), int(data["tragion"][1])),
        _targets=targets,
        _rotation=_frozen(data["rotation"]),
        _scale=data["scale"].item(),
        _fine=_matrix(data, "fine", size),
        _outer=_matrix(data, "outer", size),
    )
