"""Errors name the scan and what in its header may be the cause."""

from __future__ import annotations

import numpy as np
import pytest

from faceblind.errors import AlignmentError, ScanError
from faceblind.head.alignment import align
from faceblind.head.error_context import about, explained
from faceblind.head.segmentation import find_head
from faceblind.head.skin import Skin
from faceblind.scan import Scan


def scan_of(voxels, affine=None, doubt=""):
    affine = np.diag([4.0, 4.0, 4.0, 1.0]) if affine is None else affine
    return Scan(voxels, affine, source="folder/a.nii", doubt=doubt)


@pytest.mark.parametrize(
    "values",
    [
        lambda rng: rng.choice([-1e30, 1e30], (40, 40, 40)),
        lambda rng: np.eye(1, 64000, 32000).reshape(40, 40, 40) * 1e38,
        lambda rng: rng.normal(size=(40, 40, 40)),
    ],
    ids=["extremes", "one voxel", "noise"],
)
def test_what_holds_no_head_is_named(values):
    scan = scan_of(values(np.random.default_rng(0)).astype(np.float32))
    with pytest.raises(ScanError, match=r"^folder/a\.nii: no head was found: .* check that"):
        find_head(scan)


def test_too_little_skin_is_named():
    few = np.zeros((3, 3), np.float32)
    skin = Skin(few, np.array([[0, 1, 2]], np.int32), few, np.zeros(3, bool))
    with pytest.raises(AlignmentError, match=r"^folder/a\.nii: too little skin .* check that"):
        align(skin, scan_of(np.zeros((5, 5, 5), np.float32)))


def test_a_lost_or_contradicted_transform_is_named_as_the_cause():
    plain = scan_of(np.zeros((5, 5, 5)))
    error = ScanError("folder/a.nii: no head")
    assert explained(error, plain) is error
    turned = np.eye(4)[[1, 0, 2, 3]]
    for affine in (np.eye(4), turned):
        text = str(explained(error, scan_of(np.zeros((5, 5, 5)), affine)))
        assert text.startswith("folder/a.nii: no head; its transform is the identity")
    with (
        pytest.raises(AlignmentError, match=r"^folder/a\.nii: no; two sizes$"),
        about(scan_of(np.zeros((5, 5, 5)), doubt="two sizes")),
    ):
        raise AlignmentError("no")
