"""PLY files of surfaces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from faceblind.errors import FaceblindError, OutputError
from faceblind.geometry.mesh import Faces, Points, check_mesh
from faceblind.system.files import atomic_path


def write_ply(
    path: str | Path,
    points: ArrayLike,
    faces: ArrayLike,
    normals: ArrayLike | None = None,
) -> None:
    """Write a binary little-endian PLY file in one step (never half a file).

    Parameters
    ----------
    path : path
        Where to write; the folder must exist.
    points : (P, 3) array-like
        Vertices in millimetres.
    faces : (F, 3) array-like of int
        Vertex indices.
    normals : (P, 3) array-like, optional
        Unit normals, written as nx, ny, nz.

    Raises
    ------
    FaceblindError
        If the mesh is empty or malformed, or the normals do not fit it.
    OutputError
        If the folder does not exist or the file cannot be written.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise OutputError(f"{path}: the folder does not exist; create it first")
    p, f = check_mesh(points, faces, str(path))
    columns, names = [p], ["x", "y", "z"]
    if normals is not None:
        ways = np.asarray(normals, dtype=np.float32)
        if ways.shape != p.shape:
            raise FaceblindError(f"{path}: expected normals of shape {p.shape}, got {ways.shape}")
        columns.append(ways)
        names += ["nx", "ny", "nz"]
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(p)}"]
    header += [f"property float {name}" for name in names]
    header += [f"element face {len(f)}", "property list uchar int vertex_indices", "end_header", ""]
    rows = np.empty(len(f), dtype=[("n", "u1"), ("v", "<i4", 3)])
    rows["n"], rows["v"] = 3, f
    try:
        with atomic_path(path) as part, Path(part).open("wb") as file:
            file.write("\n".join(header).encode("ascii"))
            file.write(np.hstack(columns).astype("<f4").tobytes())
            file.write(rows.tobytes())
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror})") from error


def read_ply(path: str | Path) -> tuple[Points, Faces, NDArray[np.float32] | None]:
    """Read a PLY file that `write_ply` wrote.

    Returns
    -------
    points : (P, 3) float32 ndarray
    faces : (F, 3) int32 ndarray
    normals : (P, 3) float32 ndarray or None

    Raises
    ------
    FaceblindError
        If the file is missing, truncated or not of this form.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FaceblindError(f"{path}: cannot be read ({error.strerror})") from error
    head, mark, body = data.partition(b"end_header\n")
    lines = head.decode("ascii", errors="replace").splitlines()
    if not mark or lines[:2] != ["ply", "format binary_little_endian 1.0"]:
        raise FaceblindError(f"{path}: not a binary little-endian PLY file")
    elements = [line.split() for line in lines if line.startswith("element")]
    if not all(len(words) == 3 and words[2].isdecimal() for words in elements):
        raise FaceblindError(f"{path}: not written by faceblind")
    count = {words[1]: int(words[2]) for words in elements}
    width = sum(line.startswith("property float") for line in lines)
    vertices, triangles = count.get("vertex", 0), count.get("face", 0)
    split = 4 * width * vertices
    if width not in (3, 6) or len(body) != split + 13 * triangles:
        raise FaceblindError(f"{path}: truncated, or not written by faceblind")
    table = np.frombuffer(body[:split], dtype="<f4").reshape(vertices, width)
    rows = np.frombuffer(body[split:], dtype=[("n", "u1"), ("v", "<i4", 3)])
    normals = table[:, 3:].astype(np.float32) if width == 6 else None
    return table[:, :3].astype(np.float32), rows["v"].astype(np.int32), normals
