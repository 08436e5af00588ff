"""The average adult head: surface, regions, landmarks and shape modes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from faceblind.errors import FaceblindError
from faceblind.geometry.triangles import boundary_edges, vertex_normals

Floats = NDArray[np.float32]

REGIONS = (
    "face", "brow", "eyes", "nose", "mouth", "chin", "cheeks", "ears", "scalp", "neck",
)  # fmt: skip
"""Meaning of the labels in `Template.regions`; "face" is the forehead and what is left over."""


@dataclass(frozen=True, eq=False)
class Template:
    """Average outer skin of an adult head as a scan shows it: eyes and mouth closed.

    Frame: RAS+ mm, origin midway between the preauricular points, Frankfurt plane horizontal,
    x = 0 the symmetry plane, the face towards +y. "left" and "right" are the person's own,
    so right is +x. All arrays are read-only.

    Attributes
    ----------
    points : (P, 3) float32
        Vertices, mm.
    faces : (F, 3) int32
        Triangles, counter-clockwise seen from outside. Manifold, one boundary: the neck.
    normals : (P, 3) float32
        Outward unit normals.
    smooth_ways : (P, 3) float32
        Unit directions outwards, averaged over a centimetre, so that rays do not cross.
    regions : (P,) uint8
        Region of each vertex, an index into `REGIONS`.
    landmark_index : mapping of str to int
        Vertex of each landmark.
    modes : (K, P, 3) float32
        Shape modes in mm per standard deviation: principal components of heads drawn from
        `HeadModel`, rigidly aligned, size kept. The first are symmetric, the last asymmetric.
    mirror : (P,) int32
        Vertex at the mirror image in x = 0.
    """

    points: Floats
    faces: NDArray[np.int32]
    normals: Floats
    smooth_ways: Floats
    regions: NDArray[np.uint8]
    landmark_index: Mapping[str, int]
    modes: Floats
    mirror: NDArray[np.int32]

    @property
    def mean(self) -> Floats:
        """The average shape: the same array as `points`."""
        return self.points

    @property
    def landmarks(self) -> dict[str, Floats]:
        """Position (3,) of each landmark on the average head, mm."""
        return {name: self.points[v] for name, v in self.landmark_index.items()}

    def shape(self, coefficients: ArrayLike) -> Floats:
        """Points (P, 3) of the head with these mode coefficients.

        Parameters
        ----------
        coefficients : (K,) or fewer, array-like
            Standard deviations of each mode; missing ones are zero.

        Raises
        ------
        FaceblindError
            If there are more coefficients than modes, or they are not a vector.
        """
        values = np.asarray(coefficients, np.float32)
        if values.ndim != 1 or len(values) > len(self.modes):
            raise FaceblindError(
                f"shape coefficients must be a vector of at most {len(self.modes)}, "
                f"got shape {values.shape}"
            )
        return self.points + np.tensordot(values, self.modes[: len(values)], axes=1)

    def region(self, *names: str) -> NDArray[np.bool_]:
        """Mask (P,) of the vertices in any of the named regions."""
        return np.isin(self.regions, [REGIONS.index(name) for name in names])

    def closed(
        self, points: NDArray[np.floating] | None = None
    ) -> tuple[Floats, NDArray[np.int32]]:
        """Watertight version with a flat fan over the neck, for inside tests and volumes.

        Parameters
        ----------
        points : (P, 3), optional
            Other positions of the template's vertices, such as `shape(...)`.

        Returns
        -------
        points : (P + 1, 3) float32
            The vertices and the centre of the neck opening as the last one.
        faces : (F + B, 3) int32
            The triangles and those of the cap.
        """
        where = self.points if points is None else np.asarray(points, np.float32)
        rim = boundary_edges(self.faces)
        centre = where[np.unique(rim)].mean(axis=0, keepdims=True)
        cap = np.column_stack([rim[:, ::-1], np.full(len(rim), len(where))])
        return (
            np.concatenate([where, centre]).astype(np.float32),
            np.concatenate([self.faces, cap]).astype(np.int32),
        )


@lru_cache(maxsize=1)
def load_template() -> Template:
    """Template that ships with the package (read once, then shared)."""
    with as_file(files("faceblind") / "data" / "template.npz") as path, np.load(path) as npz:
        data = {key: npz[key] for key in npz.files}
    faces = data["faces"].astype(np.int32)
    modes = data["modes"].astype(np.float32) * data["mode_step"][0]
    arrays = (data["points"], faces, data["regions"], modes, data["mirror"].astype(np.int32))
    normals = vertex_normals(data["points"], faces)
    for array in (*arrays, normals, data["smooth_ways"]):
        array.setflags(write=False)
    points, faces, regions, modes, mirror = arrays
    index = zip(data["landmark_names"], data["landmark_index"], strict=True)
    return Template(
        points=points,
        faces=faces,
        normals=normals,
        smooth_ways=data["smooth_ways"],
        regions=regions,
        landmark_index=MappingProxyType({str(n): int(v) for n, v in index}),
        modes=modes,
        mirror=mirror,
    )
