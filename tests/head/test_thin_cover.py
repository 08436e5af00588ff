"""Whether a cover is as thin as a child's is read above the ears, in any contrast."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from faceblind.head.thin_cover import SideCover, side_cover


def depths(millimetres, rest=None):
    """Three fifths of the places at one depth, the others at another."""
    return np.r_[np.full(48, millimetres), np.full(32, millimetres if rest is None else rest)]


@pytest.mark.parametrize("cover", [7.0, 9.0, 11.0, 14.0, 16.0])
def test_the_cover_above_the_ears_is_measured(phantom, cover):
    made = phantom(seed=1, cover_mm=cover)
    found = side_cover(made.scan, made.head.skin, made.head.alignment.scan_to_template)
    reached = min(cover, 14.0)
    assert np.median(found.depth_mm) == pytest.approx(reached, abs=1.5) or cover > 14.0
    assert found.dark < 0.4
    assert found.rim == pytest.approx(1.0, abs=0.05)
    assert found.is_thin == (cover < 12.0)


@pytest.mark.parametrize(
    ("depth", "dark", "rim", "thin"),
    [
        (11.5, 0.2, 0.95, True),
        (12.5, 0.1, 0.97, False),
        (9.0, 0.2, 1.6, True),
        (11.0, 0.02, 1.34, False),
        (9.5, 0.05, 1.07, True),
        (11.5, 0.26, 1.06, False),
        (9.5, 0.99, 1.2, True),
        (11.5, 0.95, 1.5, False),
        (5.5, 0.95, 4.1, False),
    ],
)
def test_limits_follow_the_contrast(depth, dark, rim, thin):
    """Even fluid (T1w, FLAIR), bright fluid (T2w), in between (PDw), CT, bright scalp alone."""
    assert SideCover(depths(depth), dark, rim).is_thin == thin


def test_where_bone_is_missed_in_places_the_lower_quartile_tells():
    low_field = SideCover(depths(15.0, 9.0), 0.39, 0.93)
    assert low_field.is_thin
    assert not replace(low_field, dark=0.05).is_thin
    assert not SideCover(depths(30.0, 14.0), 0.48, 0.97).is_thin


@pytest.mark.parametrize(
    ("depth", "rest", "sure"),
    [
        (8.0, None, True),
        (8.0, 15.0, True),
        (3.5, None, False),
        (4.5, 30.0, False),
        # Nothing in common.
        (np.linspace(5.0, 20.0, 48), 2.0, False),
    ],
)
def test_a_thin_cover_is_sure_where_profiles_agree_on_a_likely_depth(depth, rest, sure):
    """3 to 4.5 mm were read at half of the places in two T1w with noise and an array coil."""
    assert SideCover(depths(depth, rest), 0.1, 2.7).is_sure == sure


@pytest.mark.parametrize(
    ("depth", "rest", "dark", "thick"),
    [
        (14.0, None, 0.3, True),
        (14.0, 30.0, 0.3, True),
        # Mostly not found, thin in a fifth of places, and CT.
        (30.0, 14.0, 0.3, False),
        (np.r_[np.full(16, 9.0), np.full(32, 15.0)], 15.0, 0.3, False),
        (14.0, None, 0.95, False),
    ],
)
def test_a_cover_is_surely_thick_where_bone_is_found_deep(depth, rest, dark, thick):
    assert SideCover(depths(depth, rest), dark, 1.0).is_surely_thick == thick


@pytest.mark.parametrize(
    ("depth", "rim", "perhaps"),
    [
        (11.5, 0.96, True), (12.0, 0.96, True), (12.5, 0.96, False),
        # Whether fluid is bright cannot be told at 1.08, and can at 1.3.
        (11.0, 1.08, True), (12.5, 1.08, False), (11.0, 1.3, False), (10.0, 1.3, True),
    ],
)  # fmt: skip
def test_a_cover_little_thicker_than_a_childs_may_be_one(depth, rim, perhaps):
    assert SideCover(depths(depth), 0.2, rim).may_be_thin == perhaps


def test_the_brain_is_asked_where_its_tissues_differ():
    assert SideCover(depths(11.0), 0.2, 0.98).shows_cortex
    assert SideCover(depths(9.0), 0.1, 1.5).shows_cortex
    assert not SideCover(depths(9.0), 0.1, 1.07).shows_cortex
    assert not SideCover(depths(9.0), 0.95, 1.0).shows_cortex


def test_without_skin_there_nothing_is_said(phantom):
    made = phantom(seed=1)
    edge = np.ones_like(made.head.skin.edge)
    skin = replace(made.head.skin, edge=edge)
    assert side_cover(made.scan, skin, made.head.alignment.scan_to_template) is None
