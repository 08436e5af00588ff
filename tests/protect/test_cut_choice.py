"""A child with an adult's head size and a thin cover loses no brain; an adult's cut stays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from faceblind.head.whole_head import find_whole_head
from faceblind.protect import cut_choice
from faceblind.protect.cut_choice import choose_cut
from faceblind.protect.placement import place
from faceblind.protect.region import face_region
from faceblind.volunteers.people.shape import PeopleSettings, sample_person
from faceblind.volunteers.scanner.settings import ScannerSettings
from faceblind.volunteers.scanner.simulate import scan_session

SETTINGS = ScannerSettings(
    spacing_mm=2.0, session_mm=0.0, session_deg=0.0, vertex_cut=0.0, chin_cut=0.0
)


def scanned(person, name):
    truth = scan_session(person, (name,), SETTINGS)[name]
    return truth, find_whole_head(truth.scan)


def nearest(truth, head, fit=None):
    """Least distance of a replaced voxel's centre from one of the brain, mm."""
    region = face_region(truth.scan, head.skin, head.alignment, place(head.alignment), fit=fit)
    away = ndimage.distance_transform_edt(~truth.brain, truth.scan.spacing)
    return float(away[region.mask].min())


@pytest.mark.slow
@pytest.mark.parametrize(("name", "lost"), [("T1w", 0.0), ("FLAIR", 0.0)])
def test_an_adults_head_size_does_not_hide_a_childs_cover(name, lost):
    """8 years, template to scan 0.97 to 1.0, scalp and skull 0.6 as thick as an adult's."""
    child = replace(sample_person(18, 42, PeopleSettings(ages=(3, 8))), cover=0.6)
    truth, head = scanned(child, name)
    assert nearest(truth, head) > 2.0
    args = (truth.scan, head.skin, head.alignment, place(head.alignment), "cut")
    assert nearest(truth, head, cut_choice._sparing(*args, thickness=1.0)) == lost


@pytest.mark.slow
def test_an_adults_cut_is_the_usual_one():
    truth, head = scanned(sample_person(77, 1, PeopleSettings(ages=(18, 89))), "T1w")
    args = (truth.scan, head.skin, head.alignment, place(head.alignment), "cut")
    chosen, usual = choose_cut(*args), cut_choice._sparing(*args, thickness=1.0)
    assert np.array_equal(chosen.lift_mm, usual.lift_mm)
    assert np.array_equal(chosen.scan_to_cut, usual.scan_to_cut)
    assert chosen.spared_mm == usual.spared_mm
    child, other = choose_cut(*args), cut_choice._sparing(*args, thickness=0.6)
    assert other.lift_mm.sum() > child.lift_mm.sum()
