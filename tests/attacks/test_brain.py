"""Harm to the brain, on a made-up head that lies where the template does."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from faceblind.attacks.brain import BITE_ML, find_harm
from faceblind.scan import Scan

MM = 3.0
ALIGNMENT = SimpleNamespace(scan_to_template=np.eye(4))
HEAD = SimpleNamespace(level=lambda share: 100.0 * share)


def scan_of(voxels: np.ndarray, shift: float = 0.0) -> Scan:
    affine = np.diag([MM, MM, MM, 1.0])
    affine[:3, 3] = (-90.0 + shift, -120.0, -60.0)
    return Scan(voxels, affine)


@pytest.fixture
def voxels() -> np.ndarray:
    return np.full((60, 76, 76), 100.0, np.float32)


def centre(scan: Scan, at: tuple[float, float, float]) -> tuple[int, ...]:
    return tuple(int(n) for n in np.round(scan.index(np.array([at])))[0])


def test_altered_voxels_of_the_brain_are_counted(voxels):
    before = scan_of(voxels)
    changed = voxels.copy()
    changed[centre(before, (0, 40, 50))] = 90
    changed[centre(before, (0, -20, 50))] = 0
    changed[0, 0, 0] = 0  # air
    found = find_harm(scan_of(changed), ALIGNMENT, HEAD, before)
    assert found.changed_mm3 == pytest.approx(2 * MM**3)
    assert set(found.where) == {"frontal", "middle"}
    assert find_harm(before, ALIGNMENT, HEAD, scan_of(voxels * np.float32(1 + 1e-8))).where == ()
    assert find_harm(before, ALIGNMENT, HEAD, before).changed_mm3 == 0


def test_another_grid_is_not_compared(voxels):
    other = np.zeros_like(voxels)
    assert find_harm(scan_of(voxels), ALIGNMENT, HEAD).changed_mm3 is None
    assert find_harm(scan_of(voxels), ALIGNMENT, HEAD, scan_of(other, MM)).changed_mm3 is None
    smaller = scan_of(other[:-1])
    assert find_harm(scan_of(voxels), ALIGNMENT, HEAD, smaller).changed_mm3 is None
    # Rounding of the header's numbers is no other grid.
    assert find_harm(scan_of(voxels), ALIGNMENT, HEAD, scan_of(other, 0.01)).changed_mm3 > 1e6


def test_a_bite_shows_without_the_original(voxels):
    assert find_harm(scan_of(voxels), ALIGNMENT, HEAD).bite_ml == 0
    x, y, z = centre(scan_of(voxels), (0, 40, 50))
    voxels[x - 6 : x + 6, y - 6 : y + 6, z - 6 : z + 6] = 0
    found = find_harm(scan_of(voxels), ALIGNMENT, HEAD)
    assert found.bite_ml > BITE_ML
    assert found.where == ("frontal",)


def test_levels_are_those_of_what_the_head_was_found_in(voxels):
    """Air of salt and pepper is dark in what was looked at, and any other value in the file."""
    before, pale = scan_of(voxels), scan_of(voxels * 0)
    assert find_harm(pale, ALIGNMENT, HEAD, shown=before).bite_ml == 0
    x, y, z = centre(before, (0, 40, 50))
    holed = voxels.copy()
    holed[x - 6 : x + 6, y - 6 : y + 6, z - 6 : z + 6] = 0
    found = find_harm(before, ALIGNMENT, HEAD, before, shown=scan_of(holed))
    assert found.bite_ml > BITE_ML
    assert found.changed_mm3 == 0


def test_beside_a_head_cut_as_ours_nothing_is_a_bite(voxels):
    """The head was found 30 mm too far back: what is missing there is air, a hole inside is not."""
    voxels[:, :24] = 0
    scan = scan_of(voxels)
    head = SimpleNamespace(level=lambda share: 100.0 * share, mask=voxels > 50, affine=scan.affine)
    assert find_harm(scan, ALIGNMENT, head).bite_ml > BITE_ML
    assert find_harm(scan, ALIGNMENT, head, cut_spares_brain=True).bite_ml == 0
    x, y, z = centre(scan, (0, 20, 50))
    voxels[x - 6 : x + 6, y - 6 : y + 6, z - 6 : z + 6] = 0
    assert find_harm(scan_of(voxels), ALIGNMENT, head, cut_spares_brain=True).bite_ml > BITE_ML


def test_darkness_around_a_small_brain_is_no_bite(voxels):
    small = SimpleNamespace(scan_to_template=np.diag([1.25, 1.25, 1.25, 1.0]))
    scan = scan_of(voxels)
    index = np.indices(voxels.shape).reshape(3, -1).T
    away = np.linalg.norm((scan.world(index) - (0.0, 10.0, 40.0)) / (62.0, 80.0, 60.0), axis=1)
    voxels[tuple(index[away > 1.0].T)] = 0
    alone = find_harm(scan_of(voxels), ALIGNMENT, HEAD)
    beside = find_harm(scan_of(voxels), ALIGNMENT, HEAD, by_brain=small)
    assert alone.bite_ml > BITE_ML
    assert beside.bite_ml < alone.bite_ml / 2
    # What is empty in both places is a bite.
    x, y, z = centre(scan, (0, 20, 40))
    voxels[x - 6 : x + 6, y - 6 : y + 6, z - 6 : z + 6] = 0
    assert find_harm(scan_of(voxels), ALIGNMENT, HEAD, by_brain=small).bite_ml > BITE_ML
