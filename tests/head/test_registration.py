"""Scans registered to each other by what is inside the head."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.metrics import normalized_mutual_information

from faceblind.head.registration import normalised_information, register
from faceblind.scan import Scan
from faceblind.volunteers.people.shape import sample_person
from faceblind.volunteers.scanner.settings import ScannerSettings
from faceblind.volunteers.scanner.simulate import ScanTruth, scan_session


def test_information_is_the_librarys():
    rng = np.random.default_rng(1)
    a = rng.integers(0, 8, 5000)
    b = (a + rng.integers(0, 3, 5000)) % 8
    assert normalised_information(a, b) == pytest.approx(
        normalized_mutual_information(a.astype(float), b.astype(float), bins=8), abs=1e-6
    )


def test_information_is_two_for_equals_and_one_for_strangers():
    rng = np.random.default_rng(2)
    a = rng.integers(0, 6, 200_000)
    assert normalised_information(a, 5 - a) == pytest.approx(2.0)
    assert normalised_information(a, rng.permutation(a)) == pytest.approx(1.0, abs=1e-3)


@pytest.fixture(scope="module")
def session() -> dict[str, ScanTruth]:
    """Two contrasts of one head, which moved between them; the motion is known."""
    settings = ScannerSettings(session_mm=2.0, session_deg=1.5)
    return scan_session(sample_person(7, 9), ("T1w", "lowfield"), settings)


def places(truth: ScanTruth) -> np.ndarray:
    """Around the head, mm of its scan."""
    axis = np.arange(-75.0, 76.0, 5.0)
    grid = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)
    middle = truth.scan.world(np.argwhere(truth.brain)).mean(axis=0)
    return grid[np.linalg.norm(grid, axis=1) < 85.0] + middle


@pytest.mark.slow
def test_a_known_motion_is_recovered_across_contrasts(session):
    first, other = session["T1w"], session["lowfield"]
    found = register(other.scan, first.scan, places(first))
    assert found.is_sure
    points = other.scan.world(np.argwhere(other.brain)[::500])
    truth, move = other.to_first, found.scan_to_target
    error = points @ (move - truth)[:3, :3].T + (move - truth)[:3, 3]
    moved = points @ (truth - np.eye(4))[:3, :3].T + truth[:3, 3]
    assert np.linalg.norm(moved, axis=1).mean() > 2.0
    assert np.linalg.norm(error, axis=1).max() < 1.5


@pytest.mark.slow
def test_noise_is_laid_on_nothing(session):
    first, other = session["T1w"], session["lowfield"].scan
    noise = np.random.default_rng(5).normal(100, 10, other.shape).astype(np.float32)
    found = register(Scan(noise, other.affine, "T1w"), first.scan, places(first))
    assert not found.is_sure
    assert found.information < 1.01
