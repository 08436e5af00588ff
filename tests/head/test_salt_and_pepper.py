"""Air that takes any value of the scan's range, as in the uniform image of MP2RAGE."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from faceblind.errors import ScanError
from faceblind.head.own_head import find_own_head
from faceblind.head.salt_and_pepper import darkest, with_dark_air
from faceblind.head.whole_head import find_whole_head
from faceblind.protect.deface import deface
from faceblind.protect.reface import reface
from faceblind.scan import Scan
from faceblind.volunteers.people.shape import sample_person
from faceblind.volunteers.presets import preset
from faceblind.volunteers.scanner.simulate import scan_session

TOP = 4095
RADIUS = 24.0
SIZE = 80


def ball(tissue: float = 1200.0, noise: float = 60.0, seed: int = 3) -> tuple[Any, Any]:
    """Voxels (1 mm) of a smooth ball in air of any value, and their distance from its centre."""
    rng = np.random.default_rng(seed)
    index = np.indices((SIZE,) * 3, np.float32) - (SIZE - 1) / 2
    away = np.sqrt((index**2).sum(axis=0))
    air = rng.uniform(0, TOP, away.shape)
    inside = tissue + 0.1 * tissue * index[0] / RADIUS + rng.normal(0, noise, away.shape)
    return np.where(away < RADIUS, inside, air).astype(np.int16), away


@pytest.fixture(scope="module")
def person() -> Any:
    """A volunteer's uniform image, and what a real one's maker knows not."""
    chosen = preset("mp2rage")
    scanner = replace(chosen.scanner, spacing_mm=2.0)
    return scan_session(sample_person(7804, 3, chosen.people), ("T1w",), scanner)["T1w"]


@pytest.fixture(scope="module")
def whole(person: Any) -> Any:
    return find_whole_head(person.scan)


@pytest.mark.parametrize("tissue", [100.0, 1200.0, 3900.0])
def test_air_is_dark_and_tissue_of_any_level_is_not(tissue):
    voxels, away = ball(tissue)
    shown = with_dark_air(Scan(voxels, np.eye(4)))
    assert shown.voxels.dtype == np.float32
    assert shown.voxels[away > RADIUS + 4].mean() < 60
    assert np.quantile(shown.voxels[away < RADIUS - 4], 0.01) > 250
    # Half of the tissue's level lies on the surface.
    level = float(np.median(shown.voxels[away < RADIUS - 4])) / 2
    radius = (3 / (4 * np.pi) * (shown.voxels > level).sum()) ** (1 / 3)
    assert radius == pytest.approx(RADIUS, abs=0.8)


def test_other_scans_are_given_back_as_they_are():
    voxels, away = ball()
    rng = np.random.default_rng(1)
    noise = np.hypot(*rng.normal(0, 90, (2, *away.shape)))
    for magnitude in (
        np.where(away < RADIUS, voxels, noise),
        np.where(away < RADIUS, voxels, 0),
        noise,
        np.zeros(away.shape),
        np.full((3, 4, 5), 7.0),
        np.where(away < RADIUS, 2000 + 700 * rng.normal(size=away.shape), noise),
    ):
        for kind in (np.int16, np.float32):
            scan = Scan(magnitude.astype(kind), np.eye(4))
            assert with_dark_air(scan) is scan
    phase = Scan(voxels.astype(np.complex64), np.eye(4))
    assert with_dark_air(phase) is phase


def test_units_order_of_axes_gaps_and_padding_do_not_matter():
    voxels, away = ball()
    plain = with_dark_air(Scan(voxels, np.eye(4))).voxels
    ratio = (voxels / np.float32(TOP) - np.float32(0.5)).astype(np.float32)
    np.testing.assert_allclose(with_dark_air(Scan(ratio, np.eye(4))).voxels, plain, atol=2.0)
    turned = np.asfortranarray(voxels)
    found = with_dark_air(Scan(turned, np.eye(4))).voxels
    assert (np.abs(found - plain) > 40).mean() < 1e-3
    # Outer planes that were never acquired hold the middle of the range.
    padded = np.pad(ratio, ((0, 0), (0, 0), (40, 0)))
    padded[5, 5, 60] = np.nan
    shown = with_dark_air(Scan(padded, np.eye(4))).voxels
    assert shown[:, :, :38].max() == 0
    inside = away < RADIUS - 4
    np.testing.assert_allclose(shown[:, :, 40:][inside], plain[inside], rtol=0.05)


def test_the_darkest_tissue_is_told():
    voxels, _ = ball()
    assert darkest(voxels) == pytest.approx(0.005 * TOP, abs=20)
    assert darkest(np.full((8, 8, 8), np.nan, np.float32)) == 0.0


def test_the_head_is_found_and_its_skin_lies_where_it_is(person, whole):
    assert whole.alignment.confidence > 0.9
    assert min(whole.alignment.support[name] for name in ("brow", "eyes", "nose")) > 0.8
    names = ("glabella", "vertex", "inion", "zygion_left", "zygion_right")
    marks = np.array([person.landmarks[name] for name in names])
    away = np.linalg.norm(whole.skin.points[:, None] - marks, axis=2).min(axis=0)
    assert np.median(away) < 1.5
    found = find_own_head(person.scan)
    assert found.is_trusted
    assert found.scan.shape == person.scan.shape
    assert found.scan is not person.scan


@pytest.mark.parametrize("protect", [deface, reface])
def test_the_face_goes_and_the_brain_stays_bit_for_bit(person, whole, protect):
    done = protect(person.scan, head=whole)
    before, after, mask = person.scan.voxels, done.scan.voxels, done.region.mask
    assert np.array_equal(before[~mask], after[~mask])
    assert not (mask & person.brain).any()
    nose = np.rint(person.scan.index(person.landmarks["pronasale"][None])[0]).astype(int)
    assert mask[tuple(nose)]
    assert after.min() >= 0
    assert after.max() <= TOP
    if protect is deface:
        # New air is salt and pepper, too.
        assert after[mask].std() == pytest.approx(TOP / np.sqrt(12), rel=0.05)
        return
    # The new face is as bright as the person's own, and darker than the middle of the range.
    shown = with_dark_air(done.scan).voxels > 150
    assert 0.05 < shown[mask].mean() < 0.5
    own = with_dark_air(person.scan).voxels > 150
    kept, new = before[own & ~mask & ~person.brain], after[shown & mask]
    assert np.median(new) == pytest.approx(np.median(kept), abs=0.2 * TOP)


def test_salt_and_pepper_alone_is_no_head():
    rng = np.random.default_rng(0)
    noise = rng.integers(0, TOP, (100, 100, 100)).astype(np.int16)
    with pytest.raises(ScanError, match="no head was found"):
        find_whole_head(Scan(noise, np.diag([2.0, 2.0, 2.0, 1.0]), source="noise"))
