from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from faceblind.errors import FaceblindError
from faceblind.formats import save
from faceblind.report.pictures import TILE, jpeg_address, scan_strip, thumbnail
from faceblind.scan import Scan


def ball(nose: bool = True, flip: bool = False) -> Scan:
    """A head of a ball with a nose in front and a bright bead at the person's left."""
    x, y, z = np.meshgrid(*[np.arange(-110, 111, 3.0)] * 3, indexing="ij")
    voxels = 100.0 * (x**2 + y**2 + z**2 < 85**2)
    if nose:
        voxels[(abs(x) < 12) & (y > 0) & (y < 105) & (abs(z) < 12)] = 100
    voxels[(x + 60) ** 2 + y**2 + z**2 < 24**2] = 300
    voxels += np.random.default_rng(0).random(voxels.shape)
    affine = np.diag([3.0, 3, 3, 1])
    affine[:3, 3] = -110
    if flip:
        voxels, affine[0, 0], affine[0, 3] = voxels[::-1], -3, 110
    return Scan(voxels.astype(np.float32), affine)


def strip(tmp_path, scan: Scan) -> np.ndarray:
    save(scan, tmp_path / "a.nii", overwrite=True)
    picture = Image.open(io.BytesIO(scan_strip(tmp_path / "a.nii")))
    assert picture.size == (5 * TILE, TILE)
    return np.asarray(picture).reshape(TILE, 5, TILE).transpose(1, 0, 2).astype(int)


def test_five_pictures_as_a_viewer_sees_them(tmp_path):
    front, side, sagittal, coronal, axial = strip(tmp_path, ball())
    for tile in (front, side, sagittal, coronal, axial):
        assert 0.1 < (tile > 60).mean() < 0.7
    right, left = (side[:, TILE // 2 :] > 60).sum(), (side[:, : TILE // 2] > 60).sum()
    assert right > left  # the nose, seen from the person's right
    for tile in (coronal, axial):
        row, column = np.argwhere(tile > 200).mean(axis=0)
        assert column < TILE // 2 - 10  # left is left
        assert abs(row - TILE // 2) < 12


def test_orientation_on_the_disk_does_not_matter(tmp_path):
    assert abs(strip(tmp_path, ball()) - strip(tmp_path, ball(flip=True))).mean() < 1


def test_a_nose_that_is_gone_is_not_shown(tmp_path):
    (_, with_nose, *_), (_, without, *_) = (
        strip(tmp_path, ball()),
        strip(tmp_path, ball(nose=False)),
    )
    assert (with_nose > 60).sum() > (without > 60).sum() + 50


def test_a_scan_without_a_head_still_has_slices(tmp_path):
    voxels = np.random.default_rng(0).random((40, 40, 40)).astype(np.float32)
    tiles = strip(tmp_path, Scan(voxels, np.diag([3.0, 3, 3, 1])))
    assert tiles[0].max() == tiles[1].max() == 0
    assert tiles[2].max() > 100


@pytest.mark.parametrize("shape", [(30, 30, 13), (130, 20, 20), (30, 30, 30, 2)])
def test_any_shape_has_pictures(tmp_path, shape):
    voxels = np.random.default_rng(0).random(shape).astype(np.float32)
    assert len(strip(tmp_path, Scan(voxels, np.diag([5.0, 5, 5, 1])))) == 5


def test_what_is_no_scan_is_refused(tmp_path):
    (tmp_path / "a.nii").write_bytes(b"x")
    with pytest.raises(FaceblindError):
        scan_strip(tmp_path / "a.nii")


def test_the_same_scan_gives_the_same_bytes(tmp_path):
    save(ball(), tmp_path / "a.nii")
    assert scan_strip(tmp_path / "a.nii") == scan_strip(tmp_path / "a.nii")


def test_a_photograph_is_made_small_and_loses_its_metadata(tmp_path):
    exif = Image.Exif()
    exif[0x010E] = "Jane Doe"
    Image.new("RGB", (1200, 800), "red").save(tmp_path / "p.jpg", exif=exif)
    small = thumbnail(tmp_path / "p.jpg", 300)
    assert b"Jane" not in small
    assert Image.open(io.BytesIO(small)).size == (300, 200)
    assert jpeg_address(b"abc") == "data:image/jpeg;base64,YWJj"
