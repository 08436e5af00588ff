"""Heads are told from what is none, and from pads that lie on them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from nibabel.affines import apply_affine
from scipy import ndimage

from faceblind.attacks.locate import locate_head
from faceblind.errors import AlignmentError
from faceblind.formats import load
from faceblind.head.alignment import CONFIDENT, align
from faceblind.head.fitting import SETTINGS
from faceblind.head.plausibility import is_head, require_head
from faceblind.head.presence import find_presence
from faceblind.head.segmentation import find_head
from faceblind.head.skin import find_skin
from faceblind.protect.deface import deface
from faceblind.scan import Scan
from faceblind.volunteers.people.shape import sample_person
from faceblind.volunteers.scanner.settings import ScannerSettings
from faceblind.volunteers.scanner.simulate import simulate

SIZE, STEP = 110, 2.0


@pytest.fixture(scope="module")
def volunteer():
    scan = simulate(sample_person(21, 0), ScannerSettings(spacing_mm=2.0)).scan
    return scan, align(find_skin(scan), scan)


def thing(kind: str) -> Scan:
    axis = (np.arange(SIZE) - SIZE / 2) * STEP
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij", sparse=True)
    radius = np.sqrt((x / 72) ** 2 + (y / 92) ** 2 + (z / 85) ** 2)
    clean = {
        "smooth": np.where(radius < 1, 500.0, 0.0),
        "rind": np.select([radius < r for r in (0.82, 0.88, 0.95, 1)], [500, 250, 60, 700], 0),
    }[kind]  # fmt: skip
    rng = np.random.default_rng(0)
    noisy = np.abs(clean + 15 * (rng.normal(size=clean.shape) + 1j * rng.normal(size=clean.shape)))
    affine = np.diag([STEP, STEP, STEP, 1.0])
    affine[:3, 3] = -SIZE / 2 * STEP
    return Scan(noisy.astype(np.float32), affine, source="thing.nii")


def test_a_volunteer_is_a_head_with_and_without_the_face(volunteer):
    scan, found = volunteer
    assert is_head(found, scan)
    require_head(found, scan)
    doubted = replace(found, confidence=0.1)
    assert is_head(doubted, deface(scan).scan)


@pytest.mark.parametrize("kind", ["smooth", "rind"])
def test_things_of_a_heads_size_are_none(kind):
    scan = thing(kind)
    with pytest.raises(AlignmentError, match=r"thing\.nii: no head was found"):
        locate_head(scan)


@pytest.mark.slow
def test_a_fruit_is_no_head(shared):
    scan = load(shared / "scans" / "fruit_2mm.nii.gz")
    with pytest.raises(AlignmentError, match=r"no head was found: .* looks like a brain"):
        locate_head(scan)


def with_pads(scan, alignment, thick_mm):
    """Bags as bright as tissue on both cheeks."""
    head = find_head(scan)
    back = np.linalg.inv(head.affine) @ scan.affine
    inside = ndimage.affine_transform(
        head.mask.astype(np.float32), back[:3, :3], back[:3, 3], scan.shape, order=1
    )
    away = ndimage.distance_transform_edt(inside < 0.5, scan.spacing)
    places = apply_affine(
        alignment.scan_to_template, scan.world(np.indices(scan.shape).reshape(3, -1).T)
    )
    x, y, z = places.T.reshape(3, *scan.shape)
    pad = (np.abs(x) > 40) & (y > 10) & (y < 75) & (z > -60) & (z < 20)
    pad &= (away > 0) & (away <= thick_mm)
    voxels = np.where(pad, head.tissue_level, scan.voxels).astype(scan.voxels.dtype)
    return replace(scan, voxels=voxels, stored=None)


@pytest.mark.slow
def test_a_face_between_pads_is_found(shared):
    scan = load(shared / "scans" / "ixi015_T1w_2mm.nii.gz")
    plain = align(find_skin(scan), scan)
    padded = with_pads(scan, plain, 25.0)
    skin = find_skin(padded)
    found = align(skin, padded)
    assert found.confidence >= CONFIDENT
    assert not find_presence(found).is_gone
    off = found.landmarks()["nasion"] - plain.landmarks()["nasion"]
    assert np.linalg.norm(off) < 3.0
    without = align(skin, padded, settings=replace(SETTINGS, plain_witness=2.0))
    assert find_presence(without).is_gone or without.confidence < CONFIDENT
