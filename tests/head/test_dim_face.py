"""Faces that hardly stand out of the noise."""

from __future__ import annotations

import numpy as np
import pytest

from faceblind.errors import FaceblindError
from faceblind.geometry.grid import Grid
from faceblind.head import dim_face
from faceblind.head.dim_face import find_dim_head
from faceblind.head.session import heads_of_session
from faceblind.head.skin import find_skin
from faceblind.head.whole_head import find_whole_head
from faceblind.scan import Scan
from faceblind.volunteers.scanner.simulate import ScanTruth


def test_a_threshold_does_not_find_it(dim: ScanTruth) -> None:
    with pytest.raises(FaceblindError, match="no head was found"):
        find_skin(dim.scan)


def test_a_dim_face_is_found_where_it_lies(dim: ScanTruth) -> None:
    head = find_whole_head(dim.scan)
    found = head.alignment.landmarks()
    for name in ("nasion", "pronasale", "glabella", "pupil_left", "pupil_right"):
        assert np.linalg.norm(found[name] - dim.landmarks[name]) < 8.0, name


def test_a_session_finds_it_too(dim: ScanTruth) -> None:
    (head,) = heads_of_session([dim.scan])
    assert not isinstance(head, FaceblindError)
    assert head.alignment.confidence > 0.5


def test_without_its_face_it_is_refused(dim_faceless: Scan) -> None:
    assert find_dim_head(dim_faceless) is None
    with pytest.raises(FaceblindError):
        find_whole_head(dim_faceless)


@pytest.mark.parametrize("kind", ["noise", "ball"])
def test_what_has_no_brain_is_no_dim_head(kind: str) -> None:
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    affine[:3, 3] = -112.0
    voxels = np.random.default_rng(0).rayleigh(10.0, (56, 56, 56))
    if kind == "ball":
        index = np.stack(np.meshgrid(*[np.arange(56)] * 3, indexing="ij"), axis=-1)
        voxels[np.linalg.norm(4.0 * index - 112.0, axis=-1) < 90.0] += 25.0
    assert find_dim_head(Scan(voxels.astype(np.float32), affine)) is None


@pytest.mark.parametrize("shift_mm", [-6.0, 5.0])
def test_the_step_in_noise_is_found_where_it_is(shift_mm: float) -> None:
    """A plane of a signal-to-noise ratio of two, beside where the average skin lies."""
    spacing, size = 2.0, 40
    x = spacing * (np.arange(size) - size / 2.0)
    outwards = np.broadcast_to(x[:, None, None], (size,) * 3).astype(np.float32)
    # Means of Rician noise, 2.27 and 1.25; averages over 2 mm leave a spread of 0.1.
    level = np.where(outwards < shift_mm, np.log(2.27 / 1.25), 0.0)
    values = level + np.random.default_rng(0).normal(0.0, 0.1, level.shape)
    grid = Grid(values.astype(np.float32), np.diag([spacing, spacing, spacing, 1.0]))
    zone = np.ones(level.shape, np.float32)
    mask, step = dim_face._by_steps(grid, zone, outwards, np.zeros(level.shape, bool))
    x, share = x[2:-2], mask[2:-2, 5:-5, 5:-5].mean(axis=(1, 2))
    assert abs(float(x[np.argmax(share < 0.5)]) - shift_mm) <= 2.0
    assert share[x < shift_mm - 4.0].min() > 0.95
    assert share[x > shift_mm + 4.0].max() < 0.05
    assert float(np.median(step[np.abs(outwards - shift_mm) < 4.0])) > dim_face.LEAST_STEP


def test_noise_that_rises_towards_the_mouth_hides_no_step() -> None:
    """Before a mouth, air may lie above what a brain's tissue counts as."""
    spacing, size = 2.0, 40
    x = spacing * (np.arange(size) - size / 2.0)
    outwards = np.broadcast_to(x[:, None, None], (size,) * 3).astype(np.float32)
    air = np.linspace(0.0, 3.0, size)[None, None, :]
    level = air + np.where(outwards < 4.0, 0.6, 0.0)
    values = level + np.random.default_rng(0).normal(0.0, 0.08, level.shape)
    grid = Grid(values.astype(np.float32), np.diag([spacing, spacing, spacing, 1.0]))
    zone = np.ones(level.shape, np.float32)
    mask, step = dim_face._by_steps(grid, zone, outwards, np.zeros(level.shape, bool))
    inner = mask[:, 5:-5, 5:-5]
    assert inner[(x > -36.0) & (x < 0.0)].mean() > 0.95
    assert inner[x > 8.0].mean() < 0.05
    at_skin = step[np.abs(outwards - 4.0) < 4.0]
    assert float(np.quantile(at_skin, 0.05)) > dim_face.LEAST_STEP
