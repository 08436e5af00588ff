"""The scan type: frames, checks, and changes to scans that have no file."""

from __future__ import annotations

import numpy as np
import pytest

from faceblind.errors import ScanError
from faceblind.scan import Scan, Stored

OBLIQUE = np.array([[0.0, -1.6, 0.4, 50], [2.0, 0.0, 0.0, -80], [0.0, 1.2, 2.4, -30], [0, 0, 0, 1]])


def scan_of(voxels: np.ndarray, affine: np.ndarray = OBLIQUE) -> Scan:
    return Scan(voxels, affine)


def test_spacing_and_maps():
    scan = scan_of(np.zeros((4, 5, 6)))
    np.testing.assert_allclose(scan.spacing, [2.0, 2.0, np.hypot(0.4, 2.4)])
    points = np.array([[0, 0, 0], [1, 2, 3.5]])
    np.testing.assert_allclose(scan.world(points)[0], [50, -80, -30])
    np.testing.assert_allclose(scan.index(scan.world(points)), points, atol=1e-12)


def test_canonical_keeps_every_voxel_where_it_was():
    voxels = np.arange(120).reshape(4, 5, 6)
    scan = scan_of(voxels)
    canonical = scan.canonical()
    assert np.argmax(np.abs(canonical.affine[:3, :3]), axis=0).tolist() == [0, 1, 2]
    assert (np.diag(canonical.affine)[:3] > 0).all()
    for ijk in ((0, 0, 0), (3, 1, 5), (2, 4, 0)):
        there = np.rint(canonical.index(scan.world([ijk]))[0]).astype(int)
        assert canonical.voxels[tuple(there)] == voxels[ijk]


def test_series():
    scan = scan_of(np.arange(240).reshape(4, 5, 6, 2))
    assert scan.shape == (4, 5, 6)
    assert scan.volume(1)[0, 0, 0] == 1
    assert scan.canonical().voxels.shape[3] == 2


@pytest.mark.parametrize(
    ("voxels", "affine", "message"),
    [
        (np.zeros((4, 5)), OBLIQUE, "3-D or 4-D"),
        (np.zeros((4, 5, 6)), np.eye(3), "finite 4x4"),
        (np.zeros((4, 5, 6)), np.full((4, 4), np.nan), "finite 4x4"),
        (np.zeros((4, 5, 6)), np.diag([1.0, 1, 0, 1]), "singular"),
        (np.zeros((4, 5, 6)), np.diag([1e200, 1e200, 1e200, 1]), "singular"),
        (np.zeros((4, 5, 6)), OBLIQUE[:, [0, 0, 2, 3]], "singular"),
    ],
)
def test_refusals(voxels, affine, message):
    with pytest.raises(ScanError, match=message):
        Scan(voxels, affine)


def test_small_voxels_are_not_singular():
    assert Scan(np.zeros((2, 2, 2)), np.diag([1e-4, 1e-4, 1e-4, 1])).spacing[0] == 1e-4


def test_the_affine_is_a_read_only_copy():
    affine = OBLIQUE.copy()
    scan = scan_of(np.zeros((4, 5, 6)), affine)
    affine[0, 3] = 999
    assert scan.affine[0, 3] == 50
    with pytest.raises(ValueError, match="read-only"):
        scan.affine[0, 3] = 1


def test_changes_without_a_file_round_and_clip():
    scan = scan_of(np.full((4, 5, 6), 7, np.uint8))
    mask = np.zeros((4, 5, 6), bool)
    mask[0, 0, :3] = True
    changed = scan.with_changes(mask, [1.6, 300, -5])
    assert changed.voxels[0, 0, :4].tolist() == [2, 255, 0, 7]
    assert changed.voxels.dtype == np.uint8
    assert (scan.voxels == 7).all()


@pytest.mark.parametrize(("dtype", "slope", "inter"), [("i2", 0.3, -7.0), ("u4", 2.0, 1.5)])
def test_quantising_inverts_scaling(dtype, slope, inter):
    raw = np.arange(200, dtype=dtype)
    record = Stored(raw, slope, inter, raw, np.eye(4))
    np.testing.assert_array_equal(record.quantise(record.intensities(raw)), raw)


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2"])
def test_float32_becomes_the_same_integers_as_float64(dtype):
    record = Stored(np.zeros(1, dtype), 1.0, 0.0, np.zeros(1, dtype), np.eye(4))
    values = np.concatenate([
        np.arange(-70000, 70000, 0.5, np.float32),
        np.nextafter(np.arange(-300, 300, 0.5, np.float32), np.float32(np.inf)),
        np.array([-1e30, 1e30], np.float32),
    ])  # fmt: skip
    found = record.quantise(values)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, record.quantise(values.astype(np.float64)))


def test_volumes_change_each_under_its_own_mask():
    voxels = np.arange(2 * 3 * 4 * 2, dtype=np.int16).reshape(2, 3, 4, 2)
    scan = Scan(voxels, np.eye(4))
    masks = [np.zeros((2, 3, 4), bool) for _ in range(2)]
    masks[0][0, 0, 0] = masks[1][1] = True
    # What lies beside the mask does not count.
    values = [np.where(mask, np.float32(-7.4), np.float32(np.nan)) for mask in masks]
    done = scan.with_volumes((t, masks[t], values[t]) for t in (1, 0))
    for t, mask in enumerate(masks):
        assert (done.voxels[..., t][mask] == -7).all()
        assert np.array_equal(done.voxels[..., t][~mask], voxels[..., t][~mask])
    assert not done.voxels.flags.writeable
    with pytest.raises(ScanError, match="do not fit their mask"):
        scan.with_volumes([(0, masks[0], values[0][:1])])
    with pytest.raises(ScanError, match="must be finite"):
        scan.with_volumes([(0, masks[0], values[1])])


@pytest.mark.parametrize("order", ["C", "F"])
def test_new_volumes_land_in_place_in_any_order_of_memory(order):
    shape = (3, 4, 5)
    scan = Scan(np.zeros(shape, np.int16, order=order), np.eye(4))
    new = np.arange(60, dtype=np.float32).reshape(shape)
    mask = new % 3 == 1
    for given in (new, np.asfortranarray(new)):
        done = scan.with_volumes([(0, mask, given)])
        np.testing.assert_array_equal(done.voxels, np.where(mask, new, 0))
