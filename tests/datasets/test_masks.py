"""Masks and labels are told by what they hold."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from faceblind.datasets.census import OUTLINE, take_census
from faceblind.datasets.masks import kind_of_mask
from faceblind.errors import ScanError

SHAPE = (60, 76, 72)
AFFINE = np.diag([3.0, 3.0, 3.0, 1.0])


def ball(centre, half):
    """A solid ellipsoid, in mm."""
    away = (np.moveaxis(np.indices(SHAPE), 0, -1) * 3.0 - centre) / half
    return (away**2).sum(axis=-1) <= 1.0


BRAIN = ball((90, 114, 130), (66, 84, 62))
HEAD = ball((90, 114, 110), (76, 100, 108)) | ball((90, 216, 100), (16, 12, 24))
FACE = HEAD & ~ball((90, 106, 110), (72, 96, 104)) & (np.indices(SHAPE)[1] > 38)
NOISE = np.random.default_rng(0).normal(0.0, 0.02, SHAPE)
SCAN = (np.abs(HEAD + NOISE) + 0.3 * BRAIN * np.abs(1 + 5 * NOISE)).astype(np.float32)
LABELS = (np.indices(SHAPE).sum(axis=0) // 9).astype(np.int16)
SPOT = ball((60, 114, 130), (9, 9, 9))
SOFT = ndimage.gaussian_filter(BRAIN.astype(np.float32), 0.8)


def save(path, voxels):
    kind = np.float32 if voxels.dtype.kind == "f" else np.int16
    nib.save(nib.Nifti1Image(voxels.astype(kind), AFFINE), path)
    return path


@pytest.mark.parametrize(
    ("name", "voxels", "kind"),
    [
        ("sub-1_desc-brain_mask.nii.gz", BRAIN, "harmless"),
        ("sub-1_desc-brain_mask.nii.gz", ~BRAIN, "harmless"),
        ("sub-1_desc-brain_mask.nii.gz", 255.0 * BRAIN, "harmless"),
        ("sub-1_dseg.nii.gz", LABELS * BRAIN, "harmless"),
        ("sub-1_label-GM_mask.nii.gz", BRAIN & ~ndimage.binary_erosion(BRAIN), "harmless"),
        ("sub-1_label-GM_probseg.nii.gz", SOFT, "harmless"),
        ("sub-1_label-lesion_mask.nii.gz", SPOT | np.roll(SPOT, 20, 0), "harmless"),
        ("sub-1_mask.nii.gz", np.zeros(SHAPE), "harmless"),
        ("sub-1_desc-head_mask.nii.gz", HEAD, "outline"),
        ("sub-1_desc-air_mask.nii.gz", ~HEAD, "outline"),
        ("sub-1_dseg.nii.gz", LABELS * HEAD, "outline"),
        ("sub-1_desc-face_mask.nii.gz", FACE, "outline"),
        ("sub-1_label-L_T1w.nii.gz", SCAN, "image"),
        ("sub-1_desc-brain_mask.nii.gz", SCAN, "image"),
        ("sub-1_probseg.nii.gz", SCAN / SCAN.max(), "image"),
        ("sub-1_dseg.nii.gz", np.round(500 * SCAN * HEAD), "image"),
    ],
)
def test_kinds(tmp_path, name, voxels, kind):
    assert kind_of_mask(save(tmp_path / name, voxels)) == kind


def test_an_image_that_is_named_a_mask_is_a_scan(tmp_path):
    save(tmp_path / "sub-1_label-L_T1w.nii.gz", SCAN)
    save(tmp_path / "sub-1_desc-brain_mask.nii.gz", BRAIN)
    save(tmp_path / "sub-1_desc-head_mask.nii.gz", HEAD)
    (tmp_path / "sub-1_dseg.nii.gz").write_text("torn")
    census = take_census(tmp_path)
    assert [scan.path.name for scan in census.scans] == ["sub-1_label-L_T1w.nii.gz"]
    assert [(one.path.name, one.what) for one in census.unread] == [
        ("sub-1_desc-head_mask.nii.gz", OUTLINE),
        (
            "sub-1_dseg.nii.gz",
            "named a mask, but: not a NIfTI image; convert it to .nii or .nii.gz",
        ),
    ]
    with pytest.raises(ScanError, match="not a NIfTI image"):
        kind_of_mask(tmp_path / "sub-1_dseg.nii.gz")
