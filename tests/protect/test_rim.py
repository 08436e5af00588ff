"""The new face meets the skin beside it, and is everybody's a centimetre or so further on."""

from __future__ import annotations

import numpy as np
import pytest

from faceblind.head.skin import Skin
from faceblind.protect.placement import rim_share
from faceblind.protect.rim import (
    REACH_MM,
    Seam,
    beside_what_stays,
    distance_from,
    outside_skin,
    rim_offset,
)

LOW = np.array([-40.0, 20.0, 40.0])


def grid() -> tuple[np.ndarray, tuple[int, int, int]]:
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = LOW
    return affine, (40, 40, 30)


def line(height: float, n: int = 400) -> np.ndarray:
    """Across the forehead."""
    x = np.linspace(-38, 38, n)
    return np.column_stack([x, np.full(n, 60.0), np.full(n, height)])


def at(values: np.ndarray, place: tuple[float, float, float]) -> float:
    index = tuple(round(i) for i in (np.array(place) - LOW) / 2)
    return float(values[index])


@pytest.mark.parametrize("off", [5.0, -4.0])
def test_the_new_skin_lies_on_the_skin_beside_it_and_comes_free_of_it(off):
    affine, shape = grid()
    seam = Seam(line(92.0), line(94.0), np.full(400, off))
    moved = rim_offset(seam, affine, shape, np.eye(4))
    assert at(moved, (0, 60, 92)) == pytest.approx(off, rel=0.03)
    assert abs(at(moved, (0, 60, 92 - REACH_MM - 2))) == 0.0
    between = [at(moved, (0, 60, z)) / off for z in range(92, 68, -2)]
    assert (np.diff(between) <= 1e-6).all()
    # It never folds: less than a millimetre for each.
    assert np.abs(np.diff(moved, axis=2)).max() / 2 < 0.95


def test_the_rim_reaches_nothing_of_the_face_itself():
    affine, shape = grid()
    seam = Seam(line(50.0), line(50.0), np.full(400, 9.0))
    moved = rim_offset(seam, affine, shape, np.eye(4))
    index = np.argwhere(moved != 0.0)
    where = index * 2 + LOW
    assert len(where) > 100
    assert (rim_share(where) > 0.0).all()
    face = np.array([[0.0, 90.0, -10.0], [35.0, 75.0, 5.0], [55.0, 45.0, -20.0], [0.0, 85.0, 30.0]])
    assert (rim_share(face) == 0.0).all()
    rim = np.array([[0.0, 70.0, 90.0], [65.0, 45.0, 25.0], [70.0, 0.0, 0.0], [0.0, 40.0, -120.0]])
    assert (rim_share(rim) == 1.0).all()


def test_without_a_seam_nothing_moves():
    affine, shape = grid()
    none = np.zeros((0, 3))
    assert not rim_offset(Seam(none, none, np.zeros(0)), affine, shape, np.eye(4)).any()
    assert np.isinf(distance_from(none, affine, shape)).all()


def test_specks_on_a_flat_forehead_are_no_seam():
    edge, speck = line(92.0), line(60.0)
    stays = np.vstack([line(z) for z in range(96, 104)])
    points = np.vstack([edge, speck, stays])
    cut = np.repeat([0.0, -1.0, -6.0], [len(edge), len(speck), len(stays)]).astype(np.float32)
    chosen = np.arange(len(edge) + len(speck))
    found = beside_what_stays(points, cut, chosen)
    assert found[: len(edge)].all()
    assert not found[len(edge) :].any()


def test_how_far_places_lie_outside_the_skin():
    x, y = np.meshgrid(np.arange(-20.0, 21.0), np.arange(-20.0, 21.0))
    flat = np.column_stack([x.ravel(), y.ravel(), np.zeros(x.size)]).astype(np.float32)
    up = np.tile(np.array([0.0, 0.0, 1.0], np.float32), (len(flat), 1))
    skin = Skin(flat, np.zeros((1, 3), np.int32), up, np.zeros(len(flat), bool))
    found = outside_skin(skin, np.array([[0.0, 0.0, 3.0], [5.3, 2.0, -2.0]]))
    np.testing.assert_allclose(found, [3.0, -2.0], atol=1e-6)
