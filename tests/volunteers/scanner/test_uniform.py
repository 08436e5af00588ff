import numpy as np
import pytest

from faceblind.volunteers.scanner.protocols import PROTOCOLS
from faceblind.volunteers.scanner.signal import tissue_signals
from faceblind.volunteers.scanner.tissue import Tissue
from faceblind.volunteers.scanner.uniform import RANGE, combine, first_of_second, readouts

T1W = PROTOCOLS["T1w"]


def test_white_is_brighter_than_grey_and_grey_than_fluid():
    early, late = (tissue_signals(p) for p in readouts(T1W))
    first = early * first_of_second(T1W)
    value = first * late / np.maximum(first**2 + late**2, 1e-9)
    assert value[Tissue.FAT] > value[Tissue.WHITE] > 0.05
    assert value[Tissue.WHITE] > value[Tissue.GREY] > value[Tissue.CSF]
    # Deichmann's nulling: fluid is still inverted at the first time.
    assert first[Tissue.CSF] < 0 < late[Tissue.CSF]


def test_the_coil_drops_out_and_air_fills_the_range():
    rng = np.random.default_rng(0)
    sensitive = np.linspace(0.5, 5, 40, dtype=np.float32)[:, None, None] * np.ones(
        (40, 30, 30), "f4"
    )
    noise = np.full(sensitive.shape, 1e-3, np.float32)
    tissue = combine(0.3 * sensitive, 0.9 * sensitive, noise, rng)
    assert tissue == pytest.approx(RANGE * (0.5 + 0.27 / 0.9), rel=0.02)
    air = combine(0 * sensitive, 0 * sensitive, noise, rng)
    assert air.min() >= 0
    assert air.max() <= RANGE
    assert air.mean() == pytest.approx(RANGE / 2, rel=0.02)
    assert air.std() > 0.15 * RANGE
