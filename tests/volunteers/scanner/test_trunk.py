import numpy as np
import pytest

from faceblind.volunteers.scanner.tissue import Tissue
from faceblind.volunteers.scanner.trunk import Trunk

TURN = np.linspace(0, 2 * np.pi, 60, endpoint=False)
NECK = np.column_stack([55 * np.cos(TURN), -20 + 60 * np.sin(TURN), np.full(60, -130.0)])
AFFINE = np.diag([4.0, 4.0, 4.0, 1.0])
AFFINE[:3, 3] = -200, -140, -250
SHAPE = (100, 70, 50)


def widths(filled, z):
    return 4 * filled[:, :, round((z + 250) / 4)].any(axis=1).sum()


def test_it_widens_from_the_neck_to_the_shoulders():
    trunk = Trunk.of(AFFINE, SHAPE, NECK)
    filled = trunk.depth > 0
    assert widths(filled, -134) == pytest.approx(110, abs=16)
    assert widths(filled, -174) > 180
    assert widths(filled, -220) == pytest.approx(358, abs=20)
    assert not filled[:, :, -10:].any()


def test_fat_lies_over_muscle_and_the_head_keeps_its_own():
    trunk = Trunk.of(AFFINE, SHAPE, NECK)
    table = np.zeros((2, len(Tissue)))
    table[0, Tissue.MUSCLE], table[1, Tissue.FAT] = 0.6, 1.4
    water, fat = np.zeros(SHAPE, np.float32), np.zeros(SHAPE, np.float32)
    zones = np.full(SHAPE, 3, np.uint8)
    covered = np.zeros(SHAPE, np.float32)
    head = (slice(45, 55), slice(20, 40), slice(34, 50))
    covered[head], water[head] = 1, 9
    share = trunk.join(water, fat, zones, covered, table)
    deep = trunk.depth > 20
    below = np.zeros(SHAPE, bool)
    below[:, :, :25] = True
    assert water[deep & below] == pytest.approx(0.6)
    shallow = (trunk.depth > 3) & (trunk.depth < 8) & below
    assert fat[shallow] == pytest.approx(1.4)
    assert (zones[deep & below] == 0).all()
    assert (water[45:55, 20:40, 36:] == 9).all()
    assert (share[head] == 1).all()
    assert (share >= covered).all()
