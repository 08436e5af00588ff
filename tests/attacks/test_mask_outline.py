"""Masks of heads beside protected scans: our own are explained, the whole head's is not."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from faceblind.attacks import mask_outline as module
from faceblind.attacks.mask_outline import shows_no_more
from faceblind.head.segmentation import HeadMask

SHAPE = (72, 84, 84)
AFFINE = np.diag([3.0, 3.0, 3.0, 1.0])


def head(reach):
    """An egg, the same cut in front from `reach` on, and the kept part of a mask like ours."""
    x, y, z = np.indices(SHAPE).astype(np.float32)
    egg = ((x - 36) / 27) ** 2 + ((y - 42) / 34) ** 2 + ((z - 42) / 38) ** 2 <= 1
    front = y > reach
    ours = ndimage.binary_dilation(egg, iterations=6) & ~front
    return egg, egg & ~front, ours


def write(folder, name, voxels):
    nib.save(nib.Nifti1Image(voxels, AFFINE), folder / name)
    return folder / name


@pytest.mark.parametrize(("replaced", "reach"), [("cut", 38), ("face", 58)])
def test_only_masks_without_the_persons_face_are_explained(tmp_path, replaced, reach, monkeypatch):
    whole, cut, ours = head(reach)
    shown = cut if replaced == "cut" else whole
    level = np.ones(SHAPE, np.float32)
    found = HeadMask(shown, AFFINE, 0.0, 1.0, 100.0, level, level)
    monkeypatch.setattr(module, "find_head", lambda scan: found)
    shown = write(tmp_path, "scan.nii", shown.astype(np.uint8))
    masks = {
        "ours": ours,
        "turned over": ~ours,
        "of the scan": cut,
        "of the person": whole,
        "of the person, grown": ndimage.binary_dilation(whole, iterations=3),
        "of the person's face": whole & ~cut,
    }
    explained = {
        name: shows_no_more(write(tmp_path, "mask.nii", mask.astype(np.uint8)), shown, replaced)
        for name, mask in masks.items()
    }
    assert explained == {
        "ours": True,
        "turned over": True,
        "of the scan": replaced == "cut",
        "of the person": False,
        "of the person, grown": False,
        "of the person's face": False,
    }
    assert not shows_no_more(tmp_path / "absent.nii", shown, replaced)
