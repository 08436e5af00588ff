"""Surfaces come back from PLY files as they were written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh

from faceblind.errors import FaceblindError, OutputError
from faceblind.formats.ply import read_ply, write_ply
from faceblind.geometry.mesh import checked_normals


def sphere(radius: float = 50.0, subdivisions: int = 4) -> tuple[np.ndarray, np.ndarray]:
    ball = trimesh.creation.icosphere(subdivisions=subdivisions, radius=radius)
    return ball.vertices.astype(np.float32), ball.faces.astype(np.int32)


@pytest.mark.parametrize("with_normals", [False, True])
def test_ply_comes_back_as_written(tmp_path: Path, with_normals: bool) -> None:
    points, faces = sphere(subdivisions=2)
    normals = checked_normals(points, faces) if with_normals else None
    path = tmp_path / "face.ply"
    write_ply(path, points, faces, normals)
    back, back_faces, back_normals = read_ply(path)
    np.testing.assert_array_equal(back, points)
    np.testing.assert_array_equal(back_faces, faces)
    if normals is None:
        assert back_normals is None
    else:
        np.testing.assert_array_equal(back_normals, normals)
    assert [p.name for p in tmp_path.iterdir()] == ["face.ply"]


def test_ply_is_understood_by_trimesh(tmp_path: Path) -> None:
    points, faces = sphere(subdivisions=2)
    write_ply(tmp_path / "face.ply", points, faces)
    other = trimesh.load(tmp_path / "face.ply", process=False)
    np.testing.assert_array_equal(other.vertices, points)
    np.testing.assert_array_equal(other.faces, faces)


def test_ply_refusals(tmp_path: Path) -> None:
    points, faces = sphere(subdivisions=1)
    with pytest.raises(OutputError, match="the folder does not exist"):
        write_ply(tmp_path / "none" / "face.ply", points, faces)
    with pytest.raises(FaceblindError, match=r"expected normals of shape \(42, 3\)"):
        write_ply(tmp_path / "face.ply", points, faces, points[:5])
    (tmp_path / "folder.ply").mkdir()
    with pytest.raises(OutputError, match=r"folder\.ply: cannot be written"):
        write_ply(tmp_path / "folder.ply", points, faces)
    with pytest.raises(FaceblindError, match="cannot be read"):
        read_ply(tmp_path / "none.ply")
    path = tmp_path / "face.ply"
    write_ply(path, points, faces)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(FaceblindError, match="truncated"):
        read_ply(path)
    path.write_bytes(b"ply\nformat binary_little_endian 1.0\nelement vertex\nend_header\n")
    with pytest.raises(FaceblindError, match="not written by faceblind"):
        read_ply(path)
    path.write_text("solid\n")
    with pytest.raises(FaceblindError, match="not a binary little-endian PLY"):
        read_ply(path)
