"""The template's own brain as a scan: what the average brain explains of it, and where."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from faceblind.head.brain_cover import template_fields
from faceblind.head.brain_evidence import (
    DEEP_MM,
    FIRST_TISSUE,
    LEAST_WHOLE,
    SHARP_MM,
    SURE_WHOLE,
    Changes,
    Mixture,
    brain_in_view,
    brain_share,
    deep_brain,
    whole_brain,
)
from faceblind.head.pitch_search import pitch_step
from faceblind.scan import Scan

SAME = np.eye(4)


@pytest.fixture(scope="module")
def head():
    """Where the template's brain is, in the part of a head's mask that is used."""
    fields = template_fields()
    return SimpleNamespace(mask=fields.inside >= FIRST_TISSUE, affine=fields.affine)


@pytest.fixture(scope="module")
def scan(head):
    """White matter brighter than grey on the template's grid."""
    quarters = np.where(head.mask, template_fields().inside.astype(int) - FIRST_TISSUE, 0)
    return Scan((100 + 30 * (quarters // 4) + 10 * (quarters % 4)).astype(np.float32), head.affine)


def test_a_mixture_of_tissues_is_explained_whatever_the_contrast():
    rng = np.random.default_rng(0)
    shares = rng.random((500, 2))
    for white, grey in ((3.0, 1.0), (-2.0, 5.0), (0.0, 0.1)):
        found = 40.0 + shares @ [white, grey]
        assert Mixture.of(shares).explained(found) == pytest.approx(1.0)
    noise = rng.normal(size=500)
    assert Mixture.of(shares).explained(noise) < 0.02
    mixed = shares @ [3.0, 0.0] + 3.0 * np.std(shares[:, 0]) * noise
    assert Mixture.of(shares).explained(mixed) == pytest.approx(0.5, abs=0.08)
    assert Mixture.of(shares).explained(np.full(500, 7.0)) == 0.0


@pytest.mark.parametrize("alike", [0.5, 1e-12])
def test_the_share_is_that_of_a_least_squares_fit_even_where_tissues_are_one(alike):
    rng = np.random.default_rng(1)
    shares = rng.random((400, 2))
    shares[:, 1] = shares[:, 0] + alike * shares[:, 1]
    found = shares @ [2.0, 1.0] + 0.5 * rng.normal(size=400)
    design = np.column_stack([shares, np.ones(400)])
    fitted = design @ np.linalg.lstsq(design, found, rcond=1e-6)[0]
    expected = fitted.var() / found.var()
    assert 0.5 < expected < 0.9
    assert Mixture.of(shares).explained(found) == pytest.approx(expected, abs=1e-6)


def test_a_head_on_the_scans_own_grid_gives_what_one_on_another_grid_does(head, scan):
    coarse = Changes.of(scan, head).grid
    apart = np.diag([0.5, 0.5, 0.5, 1.0])
    apart[:3, 3] = -0.25
    mask = np.kron(head.mask, np.ones((2, 2, 2), bool))
    fine = SimpleNamespace(mask=mask, affine=head.affine @ apart)
    assert np.array_equal(Changes.of(scan, fine).grid.values != 0, coarse.values != 0)
    assert (coarse.values[head.mask] != 0).mean() > 0.99
    assert not coarse.values[~head.mask].any()


def test_a_brain_in_its_place_is_found_there(head, scan):
    share, step = brain_share(SAME, scan, head)
    assert share > 0.85
    assert np.abs(step).max() < 0.1
    deep, _ = brain_share(SAME, scan, head, deep=True, enough=0.4)
    assert deep >= 0.4


def test_a_pitched_and_lifted_brain_is_found_by_the_search(head, scan):
    share, step = brain_share(pitch_step(np.array([9.0, 0.0, 8.0])), scan, head, enough=0.5)
    assert share >= 0.5
    assert step == pytest.approx([9.0, 0.0, 8.0])


def test_the_search_ends_where_enough_is_found(head, scan):
    share, step = brain_share(SAME, scan, head, enough=SURE_WHOLE)
    assert share >= SURE_WHOLE
    # The first try; it is better half a step further on.
    assert np.abs(step).tolist() == [3.0, 0.0, 0.0]


def test_noise_is_no_brain(head):
    rng = np.random.default_rng(0)
    noise = rng.normal(500.0, 20.0, head.mask.shape).astype(np.float32)
    assert brain_share(SAME, Scan(noise, head.affine), head)[0] < LEAST_WHOLE / 5


def test_a_brain_out_of_view_explains_nothing(head, scan):
    far = np.eye(4)
    far[0, 3] = 500.0
    assert brain_share(far, scan, head, enough=0.5)[0] == 0.0
    assert brain_in_view(SAME, scan)
    assert not brain_in_view(far, scan)


@pytest.mark.parametrize(("beyond", "in_view"), [(5.0, False), (-5.0, True)])
def test_half_of_the_brain_must_be_in_view(scan, beyond, in_view):
    """Moved so that the field of view ends about the brain's middle."""
    moved = np.eye(4)
    moved[0, 3] = np.median(whole_brain().places[:, 0]) - scan.affine[0, 3] + beyond
    assert brain_in_view(moved, scan) is in_view


def test_what_changes_slowly_is_taken_off(head, scan):
    z = np.arange(scan.shape[2])
    level = Scan(np.full(scan.shape, 300.0, np.float32), scan.affine)
    flat = Changes.of(level, head).smoothed(SHARP_MM)
    ramp = np.broadcast_to((300.0 + z).astype(np.float32), scan.shape)
    ramped = Changes.of(Scan(np.array(ramp), scan.affine), head).smoothed(SHARP_MM)
    tissue = Changes.of(scan, head).smoothed(SHARP_MM)
    middle = tuple(slice(n // 2 - 4, n // 2 + 4) for n in scan.shape)
    assert np.abs(flat.values).max() < 1e-3
    assert np.abs(ramped.values[middle]).max() < 0.5
    assert np.ptp(tissue.values[middle]) > 10.0
    assert np.allclose(tissue.to_index @ scan.affine, np.eye(4))


def test_relative_changes_do_not_know_a_coils_shading(head, scan):
    shading = np.linspace(1.0, 4.0, scan.shape[0], dtype=np.float32)[:, None, None]
    shaded = Scan(scan.voxels * shading, scan.affine)
    plain, bright = (
        Changes.of(s, head, relative=True).smoothed(SHARP_MM).values for s in (scan, shaded)
    )
    inside = head.mask & (np.abs(plain) > 0.02)
    assert inside.sum() > 10_000
    assert np.median(np.abs(bright[inside] / plain[inside] - 1)) < 0.06
    told, usual = (
        Changes.of(one, head).smoothed(SHARP_MM).values[inside] for one in (shaded, scan)
    )
    assert np.median(told / usual) > 1.5


def test_places_are_drawn_from_the_brain_and_from_below_its_cortex():
    whole, deep = whole_brain(), deep_brain()
    for tissue in (whole, deep):
        assert tissue.places.shape == (6000, 3)
        assert tissue.shares.shape == (6000, 2)
        assert len(np.unique(tissue.places, axis=0)) == 6000
    fields = template_fields()
    assert fields.at("brain", whole.places).min() < DEEP_MM
    assert fields.at("brain", deep.places).min() > DEEP_MM - 0.01
    # Centred at every depth, so that depth alone tells nothing.
    rings = (fields.at("brain", deep.places) / 3.0).astype(int)
    for ring in np.unique(rings):
        some = deep.shares[rings == ring]
        if len(some) > 300:
            assert np.abs(some.mean(axis=0)).max() < 0.25
