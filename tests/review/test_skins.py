from __future__ import annotations

import numpy as np
import pytest

from faceblind.formats import load
from faceblind.protect.deface import deface
from faceblind.review.skins import box_around, find_overlays, mz3_bytes, skin_of


def test_a_mesh_is_written_as_the_format_says():
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32)
    faces = np.array([[0, 1, 2]], np.int32)
    mesh = mz3_bytes(points, faces, [[-1, -1, -1], [2, 2, 2]], np.array([True, False, False]))
    assert mesh[:4] == b"MZ\x07\x00"
    assert np.frombuffer(mesh[4:16], "<u4").tolist() == [1, 5, 0]
    assert np.frombuffer(mesh[16:28], "<i4").tolist() == [0, 1, 2]
    vertices = np.frombuffer(mesh[28:88], "<f4").reshape(5, 3)
    np.testing.assert_array_equal(vertices[:3], points)
    np.testing.assert_array_equal(vertices[3:], [[-1, -1, -1], [2, 2, 2]])
    colours = np.frombuffer(mesh[88:], np.uint8).reshape(5, 4)
    assert colours[0].tolist() != colours[1].tolist()
    assert (colours[1:] == colours[1]).all()
    assert mz3_bytes(points, faces)[2:4] == b"\x03\x00"


def test_without_a_skin_there_is_no_box():
    assert box_around([]) == []


@pytest.fixture(scope="module")
def chris(shared):
    return load(shared / "scans" / "chris_T1w.nii.gz")


@pytest.mark.slow
def test_a_face_that_stays_is_found_and_one_that_went_is_not(chris):
    """The scan beside itself shows all of the face in view; defaced nearly nothing of it."""
    skin = skin_of(chris)
    whole = find_overlays(chris, chris, skin)
    assert whole.shares["nose"] > 0.9
    assert whole.shares["brow"] > 0.75
    done = deface(chris).scan
    skin_after = skin_of(done)
    gone = find_overlays(chris, done, skin_after)
    assert max(gone.shares.values(), default=0) < 0.2
    assert gone.leaking.sum() < 0.02 * whole.leaking.sum()
    alone = find_overlays(None, chris, skin)
    assert alone.shares["nose"] > 0.5
    # The brain and its margin: around 2 litres, none of it replaced.
    volume = whole.protected.voxels.sum() * abs(np.linalg.det(whole.protected.affine[:3, :3])) / 1e6
    assert 1.3 < volume < 2.6
    index = np.argwhere(whole.protected.voxels)
    world = index @ whole.protected.affine[:3, :3].T + whole.protected.affine[:3, 3]
    voxel = np.rint(chris.index(world)).astype(int)
    inside = ((voxel >= 0) & (voxel < chris.shape[:3])).all(axis=1)
    voxel = voxel[inside]
    differs = chris.voxels[tuple(voxel.T)] != done.voxels[tuple(voxel.T)]
    assert differs.mean() < 0.001
