from dataclasses import replace

import numpy as np
import pytest

from faceblind.volunteers.scanner import artefacts, ct
from faceblind.volunteers.scanner.protocols import PROTOCOLS
from faceblind.volunteers.scanner.settings import ScannerSettings

OFF = ScannerSettings(
    noise=0, shading=0, blur=0, ghosting=0, motion_mm=0, fat_shift=0, dropout=0, dental=0
)


def ball(size=32, radius=9.0):
    grid = np.indices((size, size, size)) - size / 2
    return (np.sqrt((grid**2).sum(axis=0)) < radius).astype(np.float32)


def test_blur_has_the_width_it_says():
    point = np.zeros((31, 31, 31), np.float32)
    point[15, 15, 15] = 1
    out = artefacts.blur(point, (2.0, 1.0, 0.0))
    assert out.sum() == pytest.approx(1, abs=1e-4)
    axis = np.arange(31) - 15
    spread = [np.sqrt((out.sum(axis=other) * axis**2).sum()) for other in ((1, 2), (0, 2), (0, 1))]
    assert spread == pytest.approx([2.0, 1.0, 0.0], abs=0.08)


def test_shift_moves_by_parts_of_a_voxel_and_lets_nothing_in():
    volume = np.zeros((5, 5, 8), np.float32)
    volume[2, 2, 3] = 1
    out = artefacts.shift(volume, 1.25, 2)
    assert out[2, 2, 4] == pytest.approx(0.75)
    assert out[2, 2, 5] == pytest.approx(0.25)
    assert out.sum() == pytest.approx(1)
    back = artefacts.shift(volume, -0.5, 2)
    assert back[2, 2, 2] == back[2, 2, 3] == pytest.approx(0.5)
    assert artefacts.shift(volume, 20, 2).sum() == 0


def test_fat_moves_by_parts_per_million_over_the_bandwidth():
    protocol = replace(PROTOCOLS["T1w"], tesla=3.0, bandwidth_hz=3.5 * 42.577 * 3)
    assert artefacts.chemical_shift(protocol, ScannerSettings()) == pytest.approx(1.0)
    assert artefacts.chemical_shift(protocol, OFF) == 0
    water, fat = np.zeros((4, 4, 8), np.float32), np.zeros((4, 4, 8), np.float32)
    fat[1, 1, 3] = 1
    mixed = artefacts.mix_fat(water, fat, protocol, ScannerSettings(), 1.0)
    assert mixed[1, 1, 4] == pytest.approx(1)


def test_wrapped_rows_fold_to_the_back():
    volume = np.zeros((2, 10, 2), np.float32)
    volume[:, 9] = 5
    volume[:, 1] = 1
    out = artefacts.fold(volume, 2)
    assert out.shape == (2, 8, 2)
    assert (out[:, 1] == 6).all()
    assert out[:, 2:].sum() == 0


def test_ghosts_repeat_the_head_along_phase():
    volume = np.zeros((4, 40, 4), np.float32)
    volume[:, 5] = 1
    settings = replace(OFF, ghosting=0.1)
    artefacts.ghost(volume, settings, np.array([0.5, 0.5], np.float32))
    assert volume[:, 25] == pytest.approx(np.full((4, 4), 0.1))
    same = ball()
    artefacts.ghost(same, OFF, np.ones(2, np.float32))
    assert np.array_equal(same, ball())


def test_noise_is_rician():
    rng = np.random.default_rng(0)
    air = artefacts.detect(np.zeros((40, 40, 40), np.float32), 0.05, 10_000, rng)
    # Rayleigh: sigma sqrt(pi / 2); far from air the spread is sigma.
    assert air.mean() == pytest.approx(500 * np.sqrt(np.pi / 2), rel=0.01)
    tissue = artefacts.detect(np.ones((40, 40, 40), np.float32), 0.05, 10_000, rng)
    assert tissue.std() == pytest.approx(500, rel=0.02)
    assert tissue.mean() == pytest.approx(10_000 * np.sqrt(1 + 0.05**2), rel=0.01)


def test_the_coil_is_even_when_turned_off():
    volume = ball()
    artefacts.receive(volume, OFF, np.random.default_rng(0))
    assert volume == pytest.approx(ball())
    artefacts.receive(volume, replace(OFF, shading=0.5), np.random.default_rng(0))
    assert volume[ball() > 0].std() > 0.01


def test_metal_makes_a_hole_and_pits_stay_local():
    places = {name: np.array([16.0, 28.0, 16.0]) for name in artefacts._PITS}
    settings = replace(OFF, dental_mm=8.0)
    volume = np.ones((32, 40, 32), np.float32)
    metal, sizes = np.array([[16.0, 12.0, 16.0]]), np.ones(1)
    for name, hole in (("T2star", True), ("T1w", True), ("CT", False)):
        out = volume.copy()
        artefacts.lose_signal(
            out, np.eye(4), places, metal, sizes, PROTOCOLS[name], settings,
            np.random.default_rng(1),
        )  # fmt: skip
        assert (out[16, 12, 16] < 0.1) == hole
        assert out[16, 38, 16] == 1
        assert out[1, 30, 1] == pytest.approx(1, abs=0.01)
    out = volume.copy()
    artefacts.lose_signal(
        out, np.eye(4), places, metal[:0], sizes[:0], PROTOCOLS["T1w"],
        replace(OFF, dropout=2.0), np.random.default_rng(1),
    )  # fmt: skip
    assert out[16, 28, 16] < 0.7
    assert out[16, 4, 16] == pytest.approx(1, abs=1e-3)


def test_share_of_people_with_metal():
    def count(share):
        settings = replace(OFF, dental=share)
        return sum(
            len(artefacts.draw_metal(np.random.default_rng(i), settings, np.zeros(3)).sizes) > 0
            for i in range(200)
        )

    assert count(0) == 0
    assert 30 <= count(0.25) <= 70
    assert count(1) == 200


def test_ct_has_padding_noise_and_twelve_bits():
    rng = np.random.default_rng(0)
    volume = np.full((40, 40, 6), 5000, np.float32)
    volume[:, :20] = 40
    settings = ScannerSettings(noise=0.04)
    out = ct.reconstruct(volume, np.ones(3), settings, rng)
    assert out[0, 0, 0] == out[-1, -1, -1] == -1024
    assert out.max() == 3071
    inside = out[12:28, 6:17]
    assert inside.mean() == pytest.approx(40, abs=3)
    assert inside.std() == pytest.approx(5, abs=1.5)
