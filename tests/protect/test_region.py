"""The face goes, the brain stays, and the boundary is nobody's skin."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from nibabel.affines import apply_affine
from scipy import ndimage

from faceblind.errors import ScanError
from faceblind.head.brain_cover import CHILD_COVER, template_fields
from faceblind.head.template import load_template
from faceblind.head.whole_head import find_whole_head
from faceblind.protect.brain_margin import BRAIN_MM, LOW_BRAIN_MM
from faceblind.protect.cut_fit import CutFit, moved_cut
from faceblind.protect.cut_lift import FADE_LOW_MM
from faceblind.protect.placement import place
from faceblind.protect.region import face_region
from faceblind.protect.region_options import RegionOptions
from faceblind.scan import Scan
from faceblind.volunteers.people.shape import PeopleSettings, sample_person
from faceblind.volunteers.scanner.settings import ScannerSettings
from faceblind.volunteers.scanner.simulate import scan_session

FEATURES = ("brow", "eyes", "nose", "mouth", "chin")

# A pose in the middle of the rounding steps.
ON_THE_GRID = {"turn": (0.0, 0.0, 0.0), "shift": (2.0, -5.0, 7.0)}


@lru_cache(maxsize=8)
def region_of(phantom, options=None):
    head = phantom.head
    placement = place(head.alignment)
    return face_region(phantom.scan, head.skin, head.alignment, placement, options)


def masked_at(mask, scan, points):
    index = np.clip(np.rint(scan.index(points)).astype(int), 0, np.array(scan.shape) - 1)
    return mask[tuple(index.T)]


@pytest.mark.parametrize("seed", range(1, 4))
def test_every_feature_goes_and_no_brain_voxel(phantom, seed):
    made = phantom(seed=seed)
    region = region_of(made)
    assert not (region.mask & made.brain).any()
    alignment = made.head.alignment
    for name in FEATURES:
        points = alignment.fitted()[alignment.template.region(name)]
        assert masked_at(region.mask, made.scan, points).mean() > 0.99, name
    ears = alignment.fitted()[alignment.template.region("ears")]
    assert masked_at(region.mask, made.scan, ears).mean() > 0.95


def test_a_thin_cover_lifts_the_cut(phantom):
    """Brain 7 mm under the skin, as near as in any adult measured: still untouched."""
    made = phantom(seed=2, cover_mm=7.0)
    region = region_of(made)
    assert not (region.mask & made.brain).any()
    assert set(np.ravel(region.fit.lift_mm)) <= set(np.arange(-6.0, 11.0))


@pytest.mark.parametrize("protocol", ["T1w", "T2w"])
def test_the_margin_holds_in_a_small_child_with_a_thin_cover(protocol):
    """A child of 4 years, made smaller: 5 mm lie over the brain, and fluid outshines the scalp."""
    size = 0.9
    settings = ScannerSettings(
        spacing_mm=2.0, session_mm=0.0, session_deg=0.0, vertex_cut=0.0, chin_cut=0.0
    )
    person = replace(sample_person(18, 2, PeopleSettings(ages=(3, 7))), cover=CHILD_COVER)
    truth = scan_session(person, (protocol,), settings)[protocol]
    scan = Scan(truth.scan.voxels, np.diag([size, size, size, 1.0]) @ truth.scan.affine)
    head = find_whole_head(scan)
    region = face_region(scan, head.skin, head.alignment, place(head.alignment))
    away = ndimage.distance_transform_edt(~truth.brain, scan.spacing)
    assert away[region.mask].min() > 2.0
    for name in ("brow", "eyes", "nose", "mouth"):
        points = head.alignment.fitted()[head.alignment.template.region(name)]
        assert masked_at(region.mask, scan, points).mean() > 0.95, name


@pytest.mark.parametrize(
    ("seen", "support", "confidence"), [(1.0, 0.6, 1.0), (0.2, 0.2, 1.0), (1.0, 1.0, 0.6)]
)
def test_a_small_head_that_is_not_seen_clearly_is_refused(phantom, seen, support, confidence):
    """Its brow is dark or above the field of view, or its place less sure than a grown head's."""
    made = phantom(seed=3)
    whole = made.head.alignment
    less = replace(
        whole,
        support={**whole.support, "brow": support},
        seen={**whole.seen, "brow": seen},
        confidence=confidence,
    )
    with pytest.raises(ScanError, match=r"small head.*not seen clearly enough.*another scan"):
        face_region(made.scan, made.head.skin, less, place(whole))


def moved_region(made, motion):
    placement = place(made.head.alignment)
    fit = CutFit(moved_cut(placement.scan_to_template, np.array(motion)), np.zeros((3, 5)))
    return face_region(made.scan, made.head.skin, made.head.alignment, placement, fit=fit).mask


def test_ears_go_however_the_cut_was_moved(phantom):
    made = phantom(seed=1)
    alignment = made.head.alignment
    ears = alignment.fitted()[alignment.template.region("ears")]
    for pitch in (-10.0, 10.0):
        mask = moved_region(made, [0.0, 0.0, 0.0, pitch, 0.0, 0.0])
        assert masked_at(mask, made.scan, ears).mean() > 0.95


def test_a_cut_that_was_moved_too_far_still_keeps_away_from_the_brain(phantom):
    """Below the brow, where no brain is measured, by more than above it."""
    made = phantom(seed=1)
    placement = place(made.head.alignment)
    mask = moved_region(made, [0.0, -40.0, 0.0, 0.0, 0.0, 0.0])
    where = apply_affine(placement.scan_to_template, made.scan.world(np.argwhere(mask)))
    away = -template_fields().at("brain", where)
    low = where[:, 2] < FADE_LOW_MM
    assert away[low].min() > LOW_BRAIN_MM - 1.5
    assert away.min() > BRAIN_MM - 1.0
    assert away[low].min() < LOW_BRAIN_MM + 1.5


def test_ears_can_stay(phantom):
    made = phantom(seed=1)
    alignment = made.head.alignment
    ears = alignment.fitted()[alignment.template.region("ears")]
    kept = region_of(made, RegionOptions(keep_ears=True)).mask
    assert masked_at(kept, made.scan, ears).mean() < 0.1
    nose = alignment.fitted()[alignment.template.region("nose")]
    assert masked_at(kept, made.scan, nose).all()


def test_eyes_can_stay(phantom):
    made = phantom(seed=1)
    placement = place(made.head.alignment)
    ijk = np.argwhere(np.ones(made.scan.shape, bool))
    where = (
        made.scan.world(ijk) @ placement.scan_to_template[:3, :3].T
        + placement.scan_to_template[:3, 3]
    )
    globes = (template_fields().at("eyes", where) > 2.0).reshape(made.scan.shape)
    assert globes.sum() > 1000
    assert not (region_of(made, RegionOptions(keep_eyes=True)).mask & globes).any()
    assert (region_of(made).mask & globes).any()


def test_what_stays_by_choice_is_not_laid_to_the_brain(phantom):
    made = phantom(seed=1)
    kept = region_of(made, RegionOptions(keep_eyes=True, keep_ears=True)).remaining
    assert not {"eyes", "ears"} & set(kept)
    assert kept.get("brow") == region_of(made).remaining.get("brow")


def test_one_placement_one_boundary(phantom):
    """Two people whose size rounds to the same lose voxels along the same surface."""
    first = phantom(seed=1, spread=0.0, cover_mm=14.0, **ON_THE_GRID)
    other = phantom(seed=4, spread=0.05, cover_mm=14.0, **ON_THE_GRID)
    a, b = (region_of(p) for p in (first, other))
    assert np.abs(a.fit.lift_mm - b.fit.lift_mm).max() <= 1
    affine = np.linalg.inv(b.cut.affine) @ a.cut.affine
    moved = ndimage.affine_transform(
        b.cut.values, affine[:3, :3], affine[:3, 3], a.cut.values.shape, order=1, mode="nearest"
    )
    inner = (slice(8, -8),) * 3
    near = np.abs(a.cut.values[inner]) < 6
    assert np.abs(a.cut.values[inner] - moved[inner])[near].max() < 1.2


def test_the_boundary_does_not_follow_the_skin(phantom):
    """Peeled off, the fill shows a surface that varies between people far less than their skin."""
    depths, skins = [], []
    for seed in range(1, 6):
        made = phantom(seed=seed)
        alignment = made.head.alignment
        face = alignment.template.region("nose", "mouth", "chin", "cheeks", "brow")
        placement = place(alignment)
        fitted = alignment.fitted()[face][::25]
        where = fitted @ placement.scan_to_template[:3, :3].T + placement.scan_to_template[:3, 3]
        # A boundary parallel to the skin would lie at one depth under it.
        depths.append(template_fields().at("cut", where))
        skins.append(where)
    spread_of_depth = np.std(depths, axis=0)
    spread_of_skin = np.linalg.norm(np.std(skins, axis=0), axis=1)
    assert np.median(spread_of_depth / spread_of_skin) > 0.4
    assert np.min(depths) > 0


def test_teeth_and_neck_go_when_asked(phantom):
    made = phantom(seed=1, spread=0.0)
    alignment = made.head.alignment
    to_scan = np.linalg.inv(place(alignment).scan_to_template)

    def gone(mask, places):
        return masked_at(mask, made.scan, np.array(places) @ to_scan[:3, :3].T + to_scan[:3, 3])

    molars = [[s * 26.0, 32.0, z] for s in (-1, 1) for z in (-60.0, -42.0)]
    nape = [[0.0, -70.0, -100.0], [30.0, -60.0, -105.0]]
    spine = [[0.0, -25.0, -100.0], [0.0, -20.0, -80.0]]
    plain = region_of(made).mask
    everything = region_of(made, RegionOptions(teeth=True, neck=True)).mask
    assert not gone(plain, molars).all()
    assert gone(everything, molars).all()
    assert not gone(plain, nape).any()
    assert gone(everything, nape).all()
    assert not gone(everything, spine).any()
    assert not (everything & made.brain).any()
    assert not (plain & ~everything).any()


def test_tall_ears_and_long_lobes_go_whole_or_stay_whole():
    """Ears as tall as any of 84 people's: the average ones, stretched from the ear canal."""
    template = load_template()
    ears = template.points[template.region("ears")].astype(np.float64)
    ears = ears[np.abs(ears[:, 0]) > 70.0]
    canal = np.array([0.0, -10.0, 0.0])
    stretched = ears + 0.6 * (ears - canal) * [0.0, 0.3, 1.0]
    assert stretched[:, 2].max() > 45.0
    assert stretched[:, 2].min() < -43.0
    fields = template_fields()
    air = fields.at("depth", stretched) < -2.5
    assert air.mean() > 0.5
    assert (fields.at("cut", stretched[air]) > 0).mean() > 0.99
    assert (fields.at("cut_ears_kept", stretched) < 0).all()


def test_the_air_above_the_ears_keeps_its_distance_from_the_brain():
    """A child's head, found 8 mm beside its place, lost 75 voxels of brain there."""
    fields = template_fields()
    index = np.argwhere(fields.cut > 0)
    where = index @ fields.affine[:3, :3].T + fields.affine[:3, 3]
    above = (np.abs(where[:, 0]) > 60) & (np.abs(where[:, 1] + 17) < 20)
    brain = fields.brain[tuple(index.T)]
    assert brain[above & (where[:, 2] > 36)].max() < -11.0
    assert brain[above & (where[:, 2] > 48)].max() < -17.0
