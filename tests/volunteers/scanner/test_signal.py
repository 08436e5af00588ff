import numpy as np
import pytest

from faceblind.volunteers.scanner.protocols import PROTOCOLS, Protocol
from faceblind.volunteers.scanner.signal import (
    inversion_echo,
    inversion_spin_echo,
    spin_echo,
    spoiled_echo,
    tissue_signals,
)
from faceblind.volunteers.scanner.tissue import HOUNSFIELD, Relaxation, Tissue, relaxation

WATER = Relaxation(0.8, 1000.0, 80.0, 50.0)


def protocol(**values):
    return Protocol("x", "T1w", "inversion-echo", "", (1, 1, 1), (1, 1, 1), **values)


def test_spoiled_echo_is_ernsts():
    e = np.exp(-20 / 1000)
    flip = np.deg2rad(30)
    expected = 0.8 * np.sin(flip) * (1 - e) / (1 - np.cos(flip) * e) * np.exp(-5 / 50)
    assert spoiled_echo(WATER, 20, 5, 30) == pytest.approx(expected)
    # The Ernst angle is where it is strongest, sqrt((1 - E1) / (1 + E1)) for no echo time.
    best = np.rad2deg(np.arccos(e))
    angles = np.linspace(1, 60, 2000)
    signals = [spoiled_echo(WATER, 20, 0, a) for a in angles]
    assert angles[int(np.argmax(signals))] == pytest.approx(best, abs=0.05)
    assert max(signals) == pytest.approx(0.8 * np.sqrt((1 - e) / (1 + e)), rel=1e-6)


def test_spin_echo():
    assert spin_echo(WATER, 1000, 80) == pytest.approx(0.8 * (1 - np.exp(-1)) * np.exp(-1))
    assert spin_echo(WATER, 1e9, 0) == pytest.approx(0.8)
    # A train leaves less time to recover.
    assert spin_echo(WATER, 1500, 80, 500) == pytest.approx(spin_echo(WATER, 1000, 80))


def test_inversion_nulls():
    fluid = Relaxation(1, 4300, 2000, 400)
    # T1 ln 2 for a long TR, less where there is no time to recover.
    assert inversion_spin_echo(fluid, 1e9, 90, 4300 * np.log(2)) == pytest.approx(0, abs=1e-12)
    null = 4300 * (np.log(2) - np.log1p(np.exp(-(9000 - 180) / 4300)))
    assert inversion_spin_echo(fluid, 9000, 90, null, 180) == pytest.approx(0, abs=1e-12)
    assert inversion_spin_echo(fluid, 9000, 90, null - 100, 180) < 0
    slow = protocol(tr_ms=1e9, ti_ms=1000 * np.log(2), te_ms=0)
    assert inversion_echo(WATER, slow) == pytest.approx(0, abs=1e-12)
    quick = protocol(tr_ms=2000, ti_ms=900, te_ms=3)
    expected = 0.8 * (1 - 2 * np.exp(-0.9) + np.exp(-2)) * np.exp(-3 / 50)
    assert inversion_echo(WATER, quick) == pytest.approx(expected)


def test_the_train_of_mprage_against_pulse_by_pulse():
    p = PROTOCOLS["T1w"]
    flip = np.deg2rad(p.flip_deg)
    spacing = p.train_ms / p.echoes

    def recover(m, ms):
        return 1 - (1 - m) * np.exp(-ms / WATER.t1)

    m = 1.0
    for _ in range(12):
        m = recover(-m, p.ti_ms - p.train_ms / 2)
        for n in range(p.echoes):
            if n == p.echoes // 2:
                signal = m * np.sin(flip)
            m = recover(m * np.cos(flip), spacing)
        m = recover(m, p.tr_ms - p.ti_ms - p.train_ms / 2)
    expected = WATER.density * signal * np.exp(-p.te_ms / WATER.t2_star)
    assert inversion_echo(WATER, p) == pytest.approx(expected, rel=1e-9)


def test_relaxation_between_and_below_the_tables():
    low, middle, high = (relaxation(Tissue.WHITE, b).t1 for b in (1.5, 2.1, 3.0))
    assert (low, high) == (656, 832)
    assert low < middle < high
    assert relaxation(Tissue.WHITE, 0.05).t1 == pytest.approx(275, rel=0.05)
    assert relaxation(Tissue.GREY, 0.05).t1 == pytest.approx(327, rel=0.05)
    assert relaxation(Tissue.GREY, 3.0).t2_star == pytest.approx(50, abs=8)
    assert relaxation(Tissue.GREY, 1.5).t2_star > relaxation(Tissue.GREY, 3.0).t2_star


def signals(name):
    return dict(zip(Tissue, tissue_signals(PROTOCOLS[name]), strict=True))


def test_contrasts_are_ordered_as_on_pictures():
    t1, t2, flair, dens = (signals(n) for n in ("T1w", "T2w", "FLAIR", "PDw"))
    assert t1[Tissue.FAT] > t1[Tissue.WHITE] > t1[Tissue.GREY] > t1[Tissue.CSF]
    assert t2[Tissue.CSF] > t2[Tissue.GREY] > t2[Tissue.WHITE] > t2[Tissue.MUSCLE]
    assert abs(flair[Tissue.CSF]) < 0.25 < flair[Tissue.WHITE] < flair[Tissue.GREY]
    assert 1 < dens[Tissue.GREY] < 1.3
    assert t1[Tissue.WHITE] == 1
    assert 0.5 < t1[Tissue.GREY] < 0.8
    for contrast in (t1, t2, flair, dens):
        assert contrast[Tissue.AIR] == 0
        assert contrast[Tissue.BONE] < 0.05


def test_fat_suppression_and_field():
    assert signals("axFLAIR")[Tissue.FAT] < signals("T2w")[Tissue.FAT]
    assert signals("lowfield")[Tissue.WHITE] == 1


def test_hounsfield():
    ct = signals("CT")
    assert ct == HOUNSFIELD
    assert ct[Tissue.AIR] == -1000
    assert ct[Tissue.FAT] < ct[Tissue.CSF] < ct[Tissue.WHITE] < ct[Tissue.GREY] < ct[Tissue.MUSCLE]
    assert ct[Tissue.MUSCLE] < ct[Tissue.MARROW] < ct[Tissue.BONE] < ct[Tissue.TOOTH]
