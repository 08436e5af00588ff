"""Air, tissue and the shape of the head on phantoms of known levels and sizes."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from faceblind.errors import ScanError
from faceblind.head.segmentation import (
    DIM_FRACTION,
    HeadMask,
    _fill,
    _local_level,
    _near_the_head,
    _otsu,
    _sprawling,
    _threshold,
    _without_crumbs,
    find_head,
    usable_grid,
)
from faceblind.scan import Scan

MM = 2.0
RADIUS, AIR, NOISE, TISSUE = 66.0, 40.0, 6.0, 600.0
LITRES = 4.0 / 3.0 * np.pi * (RADIUS / 100.0) ** 3


def places(shape: tuple[int, int, int] = (80, 80, 80)) -> np.ndarray:
    """Distance of each voxel from the middle along three axes, mm."""
    middle = (np.array(shape).reshape(3, 1, 1, 1) - 1) / 2
    return (np.indices(shape) - middle) * MM


def scan_of(voxels: np.ndarray) -> Scan:
    affine = np.diag([MM, MM, MM, 1.0])
    affine[:3, 3] = -79.0
    return Scan(voxels.astype(np.float32), affine, "T1w", "ball")


def ball(rim: float = TISSUE) -> Scan:
    """A ball in noisy air, its outermost 8 mm as bright as `rim`."""
    radius = np.linalg.norm(places(), axis=0)
    inside = np.clip((RADIUS - radius) / MM + 0.5, 0, 1)
    level = np.where(radius > RADIUS - 8, rim, TISSUE)
    noise = np.random.default_rng(0).normal(0, NOISE, radius.shape)
    return scan_of(AIR + inside * (level - AIR) + noise)


@lru_cache
def found() -> HeadMask:
    return find_head(ball())


def test_levels_and_size_of_a_known_head() -> None:
    head = found()
    assert head.air_level == pytest.approx(AIR, abs=1.0)
    assert head.air_noise == pytest.approx(NOISE, rel=0.1)
    assert head.tissue_level == pytest.approx(TISSUE, rel=0.02)
    assert head.litres == pytest.approx(LITRES, rel=0.05)
    assert head.level(0.0) == head.air_level
    assert head.level(1.0) == pytest.approx(head.tissue_level)
    middle = tuple(n // 2 for n in head.mask.shape)
    assert head.mask[middle]
    assert not head.mask[0, 0, 0]
    assert head.skin_level[middle[0], middle[1], 8] == pytest.approx(TISSUE, rel=0.05)
    assert (head.threshold > AIR + 4 * NOISE).all()
    assert (head.threshold < (AIR + TISSUE) / 2 + 5).all()


def test_a_dim_scalp_is_found_at_a_lower_share_of_the_tissue() -> None:
    scan = ball(rim=AIR + 0.2 * (TISSUE - AIR))
    without = 4.0 / 3.0 * np.pi * ((RADIUS - 8) / 100.0) ** 3
    assert find_head(scan).litres == pytest.approx(without, rel=0.08)
    assert find_head(scan, DIM_FRACTION).litres == pytest.approx(LITRES, rel=0.08)


def test_usable_voxels_are_finite() -> None:
    voxels = np.arange(1000.0, dtype=np.float32).reshape(10, 10, 10)
    voxels[0, 0, :2] = np.nan, np.inf
    values = usable_grid(scan_of(voxels)).values
    assert values.dtype == np.float32
    assert (values[0, 0, :2] == 2.0).all()
    np.testing.assert_array_equal(values.ravel()[2:], np.arange(2.0, 1000.0))


@pytest.mark.parametrize(
    ("voxels", "message"),
    [(np.zeros((9, 9, 9), np.complex64), "not plain numbers"),
     (np.full((9, 9, 9), np.nan), "no finite voxel"),
     (np.full((9, 9, 9), 3.0), "the same value")],
)  # fmt: skip
def test_voxels_that_tell_nothing_are_refused(voxels: np.ndarray, message: str) -> None:
    with pytest.raises(ScanError, match=message):
        usable_grid(Scan(voxels, np.eye(4)))


def test_otsu_parts_two_clusters() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(10, 2, 3000), rng.normal(50, 2, 1000)])
    assert 16 < _otsu(values.astype(np.float32)) < 44


def test_the_threshold_lies_between_noise_and_half_of_the_contrast() -> None:
    local = np.array([60.0, 140.0, 1040.0], np.float32)
    # Half the contrast, four spreads of the noise, three tenths of the contrast.
    np.testing.assert_allclose(_threshold(40.0, 6.0, local), [50.0, 70.0, 340.0])


def test_a_local_level_carries_on_what_is_known() -> None:
    x = places((40, 40, 40))[0]
    where = np.abs(x) < 30
    values = np.where(where, np.where(x < 0, 100.0, 200.0), 0.0).astype(np.float32)
    level = _local_level(values, where, 4.0, 150.0)
    assert level[2, 20, 20] == pytest.approx(100.0, rel=0.05)
    assert level[-3, 20, 20] == pytest.approx(200.0, rel=0.05)
    assert _local_level(values, np.zeros_like(where), 4.0, 150.0) == pytest.approx(150.0)


def test_crumbs_go_and_pieces_stay() -> None:
    mask = np.zeros((20, 20, 20), bool)
    mask[2:6, 2:6, 2:6] = True
    mask[10:13, 10:13, 10:13] = True
    kept = _without_crumbs(mask)
    assert kept.sum() == 64
    assert kept[2:6, 2:6, 2:6].all()


def test_cavities_and_narrow_openings_are_filled_and_wide_ones_are_not() -> None:
    mask = np.zeros((40, 40, 40), bool)
    mask[5:35, 5:35, 5:35] = True
    mask[12:28, 12:28, 12:28] = False
    narrow, wide = mask.copy(), mask.copy()
    narrow[19:21, 19:21, 28:] = False
    wide[13:27, 13:27, 28:] = False
    for opened, inside in ((mask, True), (narrow, True), (wide, False)):
        filled = _fill(opened)
        assert filled[20, 20, 20] == inside
        assert not filled[1, 1, 1]


def test_pieces_in_the_air_are_dropped_and_those_inside_are_kept() -> None:
    radius = np.linalg.norm(places(), axis=0)
    scalp = (radius < 64) & (radius > 58)
    brain = radius < 48
    apart = np.linalg.norm(places() - np.full((3, 1, 1, 1), 70.0), axis=0) < 9
    kept = _near_the_head(scalp | brain | apart)
    np.testing.assert_array_equal(kept, scalp | brain)


def test_only_long_pieces_sprawl() -> None:
    pieces = np.zeros((80, 20, 20), bool)
    pieces[5:70, 3, 3] = True
    pieces[5:40, 10, 10] = True
    np.testing.assert_array_equal(np.argwhere(_sprawling(pieces)).max(axis=0), [69, 3, 3])
    assert _sprawling(pieces).sum() == 65
