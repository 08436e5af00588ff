"""Parts of a head where the scanner wrapped them."""

from __future__ import annotations

import numpy as np
import pytest

from faceblind.attacks.wrapped import find_pieces
from faceblind.head.alignment import align
from faceblind.head.segmentation import find_head
from faceblind.head.skin import find_skin
from faceblind.scan import Scan

pytestmark = pytest.mark.slow


def pieces(scan: Scan, alignment) -> tuple:
    return find_pieces(scan, find_head(scan), alignment)


def test_an_intact_head_has_no_pieces(subject, placed):
    assert pieces(subject.scan, placed) == ()


def test_a_nose_behind_the_head_is_found_and_named(hide, subject, placed):
    (piece,) = pieces(hide.wrapped_nose(subject), placed)
    assert (piece.side, piece.like) == ("posterior", "nose")
    assert 2.5 < piece.millilitres < 20


def test_a_nose_wrapped_onto_the_back_of_the_head(subject):
    """The front 14 mm of the field of view come in again behind, where the occiput begins."""
    voxels = subject.scan.voxels
    front = np.flatnonzero((subject.depth > 0).any(axis=(0, 2)))[-1]
    cut = front - round(14 / subject.scan.spacing[1])
    lower = np.where(subject.place[..., 2] > -60, voxels, 0)
    kept = voxels[:, : cut + 1].copy()
    tail = lower[:, cut + 1 : front + 2]
    back = np.flatnonzero((subject.depth > 0)[:, :, :].any(axis=(0, 2)))[0]
    first = max(back - tail.shape[1] // 2, 0)
    affine = subject.scan.affine.copy()
    affine[:3, 3] += affine[:3, 1] * first
    kept = kept[:, first:]
    kept[:, : tail.shape[1]] += tail
    scan = Scan(kept, affine, "T1w")
    found = pieces(scan, align(find_skin(scan), scan))
    assert [piece.like for piece in found] == ["nose"]


def test_a_ball_in_the_air_counts_and_a_thin_sheet_does_not(subject, placed):
    voxels = subject.scan.voxels
    air = subject.depth < -12
    places = np.stack(np.indices(voxels.shape), -1) * subject.scan.spacing
    centre = places[6, -9, -9]
    ball = (np.linalg.norm(places - centre, axis=-1) < 11) & air
    sheet = np.zeros_like(ball)
    sheet[2:4, :, -40:] = True
    for shape, count in ((ball, 1), (sheet & air & ~ball, 0)):
        lit = np.where(shape, subject.tissue, voxels).astype(np.float32)
        found = pieces(Scan(lit, subject.scan.affine, "T1w"), placed)
        assert len(found) == count


@pytest.mark.parametrize(("height", "count"), [(-40.0, 1), (-124.0, 0)])
def test_a_shoulder_parted_from_the_neck_is_none_of_the_face(subject, placed, height, count):
    scan = subject.scan
    # Beside the head or the neck, 105 mm to the right.
    to_scan = np.linalg.inv(placed.scan_to_template)
    centre = to_scan[:3, :3] @ np.array([105.0, 0.0, height]) + to_scan[:3, 3]
    # The field of view ends beside the ears and below the chin: more of it.
    more = round(30 / scan.spacing[2])
    wider = round(30 / scan.spacing[0])
    voxels = np.pad(scan.voxels, ((wider, wider), (0, 0), (more, 0)), mode="edge")
    affine = scan.affine.copy()
    affine[:3, 3] -= affine[:3, 0] * wider + affine[:3, 2] * more
    longer = Scan(voxels, affine, "T1w")
    index = np.indices(voxels.shape).reshape(3, -1).T
    away = np.linalg.norm(longer.world(index) - centre, axis=1).reshape(voxels.shape)
    lit = np.where((away < 12) & (voxels < 0.2 * subject.tissue), subject.tissue, voxels)
    found = pieces(Scan(lit.astype(np.float32), affine, "T1w"), placed)
    assert [piece.like for piece in found] == [""] * count
