"""Faces in the dark, in scaled files and in later volumes."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest

from faceblind.attacks.darkened import find_darkened
from faceblind.attacks.locate import locate_head
from faceblind.formats import load
from faceblind.formats.nifti import save
from faceblind.head.segmentation import find_head
from faceblind.scan import Scan

pytestmark = pytest.mark.slow


def test_a_face_turned_below_the_air_is_raised(subject, placed):
    voxels = subject.scan.voxels.copy()
    mask = subject.face & (subject.depth < 30)
    voxels[mask] *= -1
    scan = subject.with_voxels(voxels)
    assert find_darkened(scan, placed, find_head(scan)).scan is not None


def test_air_alone_hides_nothing(subject, placed):
    scan = subject.without(subject.face & (subject.depth < 30), noisy=True)
    assert find_darkened(scan, placed, find_head(scan)).scan is None


@pytest.mark.parametrize(("slope", "intercept"), [(1e-4, 0.0), (0.0, 5.0), (-2.0, 7.0)])
def test_scaling_in_the_header_hides_no_face(volunteer, tmp_path, slope, intercept):
    """A stale ``scl_slope`` (bytes 112 to 119) changes what viewers show, not what is stored."""
    path = tmp_path / "sub-01_T1w.nii.gz"
    save(Scan(np.rint(volunteer.voxels).astype(np.int16), volunteer.affine, "T1w"), path)
    raw = bytearray(gzip.decompress(path.read_bytes()))
    raw[112:120] = struct.pack("<ff", slope, intercept)
    path.write_bytes(gzip.compress(bytes(raw), 1))
    scan = load(path)
    if slope < 0:
        # Turned over, air is bright: nothing can be said but must not be passed over in silence.
        assert scan.voxels.max() <= 7.0 + 2.0 * 32768
        return
    assert locate_head(scan).remaining > 0.8
