"""The average face that faceblind puts in is found without the original."""

from __future__ import annotations

import numpy as np
import pytest

from faceblind.attacks.locate import locate_head
from faceblind.attacks.own_protection.face import EAR_MM, outside_average
from faceblind.head.template import load_template
from faceblind.protect.placement import face_share, fuller
from faceblind.protect.reface import reface
from faceblind.volunteers.people.shape import sample_person
from faceblind.volunteers.scanner.simulate import scan_session

pytestmark = pytest.mark.slow


def test_the_new_face_is_found(refaced):
    known = locate_head(refaced.scan).known
    assert known.is_face
    assert known.face > 0.95


def test_the_new_ears_of_a_small_head_are_not_taken_for_the_persons():
    """The new face has one size: only its rim tells the size of a head that is 4 % smaller."""
    small = scan_session(sample_person(1, 16))["T1w"].scan
    located = locate_head(reface(small).scan)
    assert located.known.is_face
    ears = load_template().region("ears") & (located.surface.offset < EAR_MM)
    assert located.known.ours[ears].mean() > 0.97


def test_the_average_face_lies_on_the_average_face(refaced):
    placement = refaced.placement
    template = load_template()
    back = np.linalg.inv(placement.scan_to_face)
    points = template.points.astype(float) @ back[:3, :3].T + back[:3, 3]
    away, alone = outside_average(points, placement)
    assert alone.sum() > 2000
    assert np.median(np.abs(away[alone])) < 1e-6
    bulge = fuller(template.points, face_share(template.points))
    assert np.abs(away + bulge)[alone].max() < 0.3
    moved = points + 3.0 * template.normals @ back[:3, :3].T
    nose = template.region("nose") & alone
    assert np.median(outside_average(moved, placement)[0][nose]) == pytest.approx(3.0, abs=0.5)
