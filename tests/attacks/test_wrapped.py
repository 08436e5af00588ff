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
