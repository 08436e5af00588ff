"""A head that moves through a series loses its face, and keeps its brain, in every volume."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from faceblind.errors import ScanError
from faceblind.head.motion import How, around, follow
from faceblind.head.reference_volume import leaders
from faceblind.head.whole_head import find_whole_head
from faceblind.protect.deface import deface
from faceblind.protect.protected_scan import require_untouched
from faceblind.protect.reface import reface
from faceblind.scan import Scan, Stored


def shifted(values, steps, fill=100):
    """Moved along the second axis (to the front), with air where nothing is left."""
    out = np.full_like(values, fill)
    if steps > 0:
        out[:, steps:] = values[:, :-steps]
    elif steps < 0:
        out[:, :steps] = values[:, -steps:]
    else:
        out[...] = values
    return out


@pytest.fixture(scope="module")
def padded(phantom):
    """The phantom with 40 mm of air in front and behind, its brain, and its head."""
    made = phantom(seed=1)
    noise = np.random.default_rng(5)
    room = ((0, 0), (20, 20), (0, 0))
    voxels = np.pad(made.scan.voxels, room)
    air = np.pad(np.zeros(made.scan.shape, bool), room, constant_values=True)
    voxels[air] = np.rint(noise.normal(100, 12, int(air.sum())))
    affine = made.scan.affine.copy()
    affine[:3, 3] -= affine[:3, 1] * 20
    scan = Scan(np.asfortranarray(voxels), affine, "bold", "padded")
    return scan, np.pad(made.brain, room), made.head


def series(scan, *volumes):
    voxels = np.asfortranarray(np.stack(volumes, -1))
    stored = Stored(voxels, 1.0, 0.0, voxels, scan.affine)
    return replace(scan, voxels=voxels, stored=stored)


@pytest.mark.parametrize(("method", "steps"), [(deface, -10), (deface, 6), (reface, -6)])
def test_the_region_goes_with_the_head(padded, method, steps):
    scan, brain, head = padded
    moving = series(scan, scan.voxels, shifted(scan.voxels, steps))
    done = method(moving, head=head)
    require_untouched(moving, done)
    assert done.region.mask.shape == moving.voxels.shape
    assert done.region.moved_mm == pytest.approx(abs(2.0 * steps), abs=0.7)
    still, there = done.region.mask[..., 0], done.region.mask[..., 1]
    assert not (there & shifted(brain, steps, False)).any()
    face = head.alignment.landmarks()["pronasale"]
    i, j, k = np.rint(scan.index(face[None])[0]).astype(int)
    assert still[i, j - 2, k]
    assert there[i, j - 2 + steps, k]
    # Half a voxel on the boundary is what placing a volume may miss.
    assert (there ^ shifted(still, steps, True)).mean() < 0.01


def test_a_head_that_lies_still_has_one_region(padded):
    scan, _, head = padded
    noise = np.random.default_rng(1).normal(0, 12, scan.shape)
    other = np.rint(scan.voxels + noise).astype(scan.voxels.dtype)
    done = deface(series(scan, scan.voxels, other), head=head)
    assert np.array_equal(done.region.mask, deface(scan, head=head).region.mask)
    assert done.region.moved_mm == 0.0


def test_a_head_that_went_too_far_is_named(padded):
    scan, _, head = padded
    turned = scan.voxels[:, ::-1, ::-1]
    with pytest.raises(ScanError, match=r"padded: the head moves too far .* volume 2 of 2"):
        deface(series(scan, scan.voxels, turned), head=head)


def test_volumes_that_show_nothing_lie_where_their_neighbours_do(padded):
    scan, _, head = padded
    rng = np.random.default_rng(2)
    noise = np.rint(rng.normal(100, 12, scan.shape)).astype(scan.voxels.dtype)
    moving = series(scan, scan.voxels, shifted(scan.voxels, 5), noise, np.zeros_like(noise))
    motion = follow(moving, 0, around(head.alignment))
    assert motion.how == (How.SIMILAR, How.SIMILAR, How.SILENT, How.SILENT)
    assert motion.millimetres() == pytest.approx([0, 10, 10, 10], abs=0.7)


@pytest.mark.parametrize("kind", ["empty", "phase"])
def test_the_volume_that_shows_the_head_leads(padded, kind):
    scan, brain, _ = padded
    rng = np.random.default_rng(3)
    first = {
        "empty": np.zeros(scan.shape, np.int16),
        "phase": np.where(scan.voxels > 200, 2000, rng.uniform(0, 4096, scan.shape)).astype("i2"),
    }[kind]
    both = series(scan, first, scan.voxels)
    assert leaders(both)[0] == 1
    head = find_whole_head(both)
    assert head.lead == 1
    done = deface(both, head=head)
    mask = done.region.mask if done.region.mask.ndim == 3 else done.region.mask[..., 1]
    assert not (mask & brain).any()
    nose = head.alignment.landmarks()["pronasale"]
    i, j, k = np.rint(scan.index(nose[None])[0]).astype(int)
    assert mask[i, j - 2, k]


def test_the_first_volume_leads_where_it_shows_the_head(padded):
    scan, _, _ = padded
    brighter = (scan.voxels * 1.1).astype(scan.voxels.dtype)
    assert leaders(series(scan, scan.voxels, brighter))[0] == 0
