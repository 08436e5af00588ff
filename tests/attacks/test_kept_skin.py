"""The skin that a protection left tells where the head lies."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from nibabel.affines import apply_affine

from faceblind.attacks.kept_skin import kept_skin, place_by_kept_skin
from faceblind.attacks.mislaid import BROW_MM, short_mm
from faceblind.attacks.own_protection.cut import CutPlace
from faceblind.attacks.own_protection.find import OwnProtection
from faceblind.head.skin import find_skin
from faceblind.protect.placement import exact_placement, hung, nearest_placement, one_size


@pytest.fixture(scope="module")
def laid(volunteer, placed):
    """The intact head, as if protected where a test says; what is outside the cut is untouched."""
    skin = find_skin(volunteer)

    def lay(method, lower_mm=0.0):
        down = np.eye(4)
        down[2, 3] = lower_mm
        here = nearest_placement(down @ exact_placement(placed).scan_to_template)
        nothing = np.zeros(len(placed.template.points), bool)
        if method == "cut":
            cut = hung(here.scan_to_template, one_size(here.scales), here.turn)
            known = OwnProtection(1.0, 0.0, nothing, CutPlace(here, cut))
        else:
            known = OwnProtection(0.0, 1.0, nothing, face_at=here)
        return SimpleNamespace(skin=skin, alignment=placed, by_scalp=placed, known=known)

    return lay


@pytest.mark.parametrize("method", ["cut", "face"])
def test_what_lies_too_low_is_short_by_the_skin_that_it_left(volunteer, placed, laid, method):
    shorts = []
    for lower in (0.0, 12.0):
        located = laid(method, lower)
        place = place_by_kept_skin(located, volunteer)
        brow = apply_affine(placed.scan_to_template @ np.linalg.inv(place), BROW_MM)
        assert np.abs(brow - BROW_MM).max() < 12.0
        shorts.append(short_mm(located.known, place))
    assert shorts[1] - shorts[0] == pytest.approx(12.0 / np.sqrt(2.0), abs=4.5)


@pytest.mark.parametrize("method", ["cut", "face"])
def test_skin_that_a_protection_may_have_changed_is_left_out(volunteer, placed, laid, method):
    located = laid(method)
    kept = kept_skin(located, volunteer)
    _, y, z = apply_affine(placed.scan_to_template, located.skin.points).T
    face = (y > 70.0) & (z < 0.0) & (z > -40.0)
    behind = (y < -80.0) & (z > 20.0)
    assert min(face.sum(), behind.sum()) > 100
    assert not kept[face].any()
    assert kept[behind].all()


def test_without_a_protection_all_skin_is_kept(volunteer, laid):
    located = laid("cut")
    located.known = OwnProtection(0.0, 0.0, np.zeros(1, bool))
    assert kept_skin(located, volunteer).all()


def test_too_little_skin_tells_nothing(volunteer, laid, monkeypatch):
    located = laid("cut")
    monkeypatch.setattr(
        "faceblind.attacks.kept_skin.kept_skin",
        lambda located, scan: np.arange(len(located.skin.points)) < 50,
    )
    assert place_by_kept_skin(located, volunteer) is None
    located.by_scalp = None
    assert place_by_kept_skin(located, volunteer) is None
