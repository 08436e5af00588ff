import numpy as np
import pytest

from faceblind.volunteers.scanner.anatomy import BRAIN, FACE, Anatomy
from faceblind.volunteers.scanner.susceptibility import SLOPE_STEP
from faceblind.volunteers.scanner.tissue import Tissue
from faceblind.volunteers.scanner.warping import NODE, pull, spline

SHAPE = (12, 12, 12)


def halves():
    """Muscle below index 6, then CSF with a fifth of white matter."""
    labels = np.full(SHAPE, Tissue.MUSCLE, np.uint8)
    labels[6:] = Tissue.CSF
    zones = np.where(labels == Tissue.CSF, BRAIN, FACE).astype(np.uint8)
    white = np.where(labels == Tissue.CSF, 51, 0).astype(np.uint8)
    slopes = np.zeros([n // SLOPE_STEP for n in SHAPE], np.uint8)
    slopes[:, :, -1] = 9
    return Anatomy(labels, np.zeros(SHAPE, np.uint8), white, white, zones, slopes, np.eye(4))


def pulled(shift):
    """The middle rows of the anatomy on its own grid, `shift` voxels further along the first."""
    nodes = np.arange(0, SHAPE[0] + NODE, NODE)
    field = np.stack(np.meshgrid(nodes, nodes, nodes, indexing="ij")).astype(np.float32)
    field[0] += shift
    covered = np.zeros(SHAPE, np.float32)
    covered[:, 2:10] = 1
    table = np.zeros((2, len(Tissue)))
    table[0, [Tissue.MUSCLE, Tissue.CSF, Tissue.WHITE]] = 3.0, 1.0, 2.0
    table[1, Tissue.MUSCLE] = 7.0
    left = np.ones(256, np.float32)
    left[9] = 0.5
    return pull(field, covered, halves(), table, left)


def test_pull_mixes_tissues_and_takes_the_nearest_zone():
    water, fat, zones = pulled(0.25)
    # A fifth of white matter over CSF: 1 + 0.2 (2 - 1).
    assert water[8, 5, 5] == pytest.approx(1.2)
    assert water[2, 5, 5] == pytest.approx(3.0)
    assert water[5, 5, 5] == pytest.approx(0.75 * 3.0 + 0.25 * 1.2)
    assert fat[5, 5, 5] == pytest.approx(0.75 * 7.0)
    assert (zones[5, 5, 5], zones[6, 5, 5]) == (FACE, BRAIN)
    assert pulled(0.75)[2][5, 5, 5] == BRAIN


def test_pull_heeds_the_field_and_the_grid():
    water, fat, zones = pulled(0.0)
    assert water[2, 5, 9] == pytest.approx(1.5)
    assert water[2, 5, 8] == pytest.approx(3.0)
    for outside in (water, fat, zones):
        assert not outside[:, :2].any()
        assert not outside[:, 10:].any()


def test_spline_of_an_affine_map_is_that_map():
    rng = np.random.default_rng(0)
    source, at = rng.normal(0, 50, (20, 3)), rng.normal(0, 50, (5, 3))
    matrix = np.eye(3) + rng.normal(0, 0.1, (3, 3))
    np.testing.assert_allclose(spline(source, source @ matrix + 4, at), at @ matrix + 4, atol=1e-8)
