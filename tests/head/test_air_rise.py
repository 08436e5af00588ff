from __future__ import annotations

import numpy as np
import pytest

from faceblind.errors import ScanError
from faceblind.head.air_rise import rise_above_air
from faceblind.scan import Scan

SHAPE = (60, 64, 56)
AFFINE = np.diag([3.0, 3.0, 3.0, 1.0])
BLOCK = (slice(20, 40), slice(22, 42), slice(18, 38))


def scanned(contrast: float, slope: float, seed: int = 0) -> Scan:
    """A block in Rayleigh noise; both brighten by `slope` (logarithm) along the second axis."""
    rng = np.random.default_rng(seed)
    y = np.linspace(-1.0, 1.0, SHAPE[1])[:, None]
    signal = np.zeros(SHAPE)
    signal[BLOCK] = contrast
    noisy = np.abs(signal + rng.normal(size=SHAPE) + 1j * rng.normal(size=SHAPE))
    return Scan((20.0 * noisy * np.exp(slope * y)).astype(np.float32), AFFINE)


@pytest.mark.parametrize("slope", [0.0, 2.0])
def test_air_is_nothing_and_a_block_its_contrast_however_noise_changes(slope: float) -> None:
    rise = rise_above_air(scanned(6.0, slope)).rise.values
    air = np.ones(SHAPE, bool)
    air[14:46, 16:48, 12:44] = False
    assert abs(float(np.median(rise[air]))) < 0.05
    ends = [rise[3:-3, 3:9, 3:-3], rise[3:-3, -9:-3, 3:-3]]
    assert max(abs(float(np.median(end))) for end in ends) < 0.12
    # Means of Rician noise: 6.08 in the block, 1.25 in air.
    inner = rise[26:34, 28:36, 24:32]
    assert float(np.median(inner)) == pytest.approx(np.log(6.08 / 1.25), abs=0.12)


def test_the_scan_of_it_has_one_level_of_air() -> None:
    risen = rise_above_air(scanned(6.0, 2.0))
    assert float(np.median(risen.flat.voxels[:, :12])) == pytest.approx(np.log(2.0), abs=0.06)
    assert np.array_equal(risen.flat.affine, risen.rise.affine)


def test_brightness_does_not_matter() -> None:
    one = scanned(3.0, 1.0)
    other = Scan(np.asarray(one.voxels) * np.float32(1000.0), AFFINE)
    gap = rise_above_air(one).rise.values - rise_above_air(other).rise.values
    assert float(np.abs(gap).max()) < 1e-3


def test_wiped_air_gives_no_infinities() -> None:
    values = np.zeros(SHAPE, np.float32)
    values[BLOCK] = 100.0
    rise = rise_above_air(Scan(values, AFFINE)).rise.values
    assert np.isfinite(rise).all()
    assert float(rise[30, 32, 28]) > 1.0


def test_one_value_is_refused() -> None:
    with pytest.raises(ScanError):
        rise_above_air(Scan(np.full(SHAPE, 7.0, np.float32), AFFINE))
