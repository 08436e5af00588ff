"""The inside of an opened dark skull, on shells of known volume."""

from __future__ import annotations

import numpy as np
import pytest

from faceblind.head.open_skull import LEAST_LITRES, open_skull
from faceblind.head.segmentation import find_head
from faceblind.scan import Scan

MM = 2.0
OUTER, INNER, BRAIN = 90.0, 80.0, 62.0
SPACE_LITRES = 4.0 / 3.0 * np.pi * (INNER**3 - BRAIN**3) / 1e6


def distances(shape: tuple[int, int, int] = (110, 110, 110)) -> tuple[np.ndarray, np.ndarray]:
    """(3, I, J, K) places around the middle and (I, J, K) distances from it, mm."""
    middle = (np.array(shape).reshape(3, 1, 1, 1) - 1) / 2
    places = (np.indices(shape) - middle) * MM
    return places, np.linalg.norm(places, axis=0)


def shell(opening_mm: float, brain: float = BRAIN) -> np.ndarray:
    """A scalp with a round opening in front, and a brain loose in it."""
    places, radius = distances()
    scalp = (radius <= OUTER) & (radius > INNER)
    front = (places[1] > 0) & (np.hypot(places[0], places[2]) <= opening_mm / 2)
    return (scalp & ~front) | (radius <= brain)


def litres(mask: np.ndarray) -> float:
    return float(mask.sum()) * MM**3 / 1e6


@pytest.mark.parametrize("opening", [20.0, 40.0])
def test_the_space_around_a_loose_brain_is_found(opening):
    head = shell(opening)
    found = open_skull(head, head, MM)
    assert litres(found) == pytest.approx(SPACE_LITRES, rel=0.15)
    _, radius = distances()
    assert not found[radius > OUTER].any()
    assert not (found & head).any()


def test_what_is_filled_already_is_not_found_again():
    head = shell(0.0)
    _, radius = distances()
    assert not open_skull(head, radius <= OUTER, MM).any()


def test_troughs_creases_and_small_cavities_are_air():
    places, radius = distances()
    across = np.hypot(places[0], places[1])
    trough = (across <= OUTER) & (across > INNER) & (places[1] < 0)
    assert not open_skull(trough, trough, MM).any()
    crease = (np.abs(places[2]) > 20) & (radius <= OUTER)
    crease |= (places[1] < -40) & (radius <= OUTER)
    assert not open_skull(crease, crease, MM).any()
    side = (0.9 * LEAST_LITRES * 1e6) ** (1 / 3) / 2
    mouth = (radius <= OUTER) & ~(np.abs(places).max(axis=0) < side)
    mouth &= ~((np.hypot(places[0], places[2]) < 10) & (places[1] > 0))
    assert not open_skull(mouth, mouth, MM).any()


def test_a_head_with_an_opened_dark_skull_is_found_whole():
    places, radius = distances()
    head = shell(30.0)
    # Muscle joins scalp and brain below, so that they are one piece.
    head |= (places[2] < -50) & (radius <= OUTER)
    noise = np.random.default_rng(0).normal(0.0, 4.0, radius.shape)
    affine = np.diag([MM, MM, MM, 1.0])
    found = find_head(Scan((500.0 * head + 30.0 + noise).astype(np.float32), affine))
    assert found.litres == pytest.approx(4.0 / 3.0 * np.pi * OUTER**3 / 1e6, rel=0.05)
