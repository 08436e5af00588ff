"""A blur that is undone."""

from __future__ import annotations

import numpy as np
import pytest

from faceblind.attacks.blur import deblur
from faceblind.attacks.surface import FACE, find_surface, find_surface_by_rays
from faceblind.head.segmentation import find_head
from faceblind.head.skin import find_skin

pytestmark = pytest.mark.slow


def surface_of(scan, placed):
    return find_surface(find_skin(scan), placed, scan)


def test_a_sharp_face_is_left_alone(subject, placed):
    found = deblur(subject.scan, find_head(subject.scan), surface_of(subject.scan, placed), placed)
    assert found is None


def test_a_blur_is_measured_and_the_nose_comes_back(hide, subject, placed):
    blurred = hide.blur(4.0)(subject)
    before = surface_of(blurred, placed)
    found = deblur(blurred, find_head(blurred), before, placed)
    assert found is not None
    assert 2.5 < found.sigma_mm < 5.0
    truth = surface_of(subject.scan, placed).offset
    after = surface_of(found.scan, placed).offset
    nose = placed.template.region("nose")

    def error(offset):
        return np.sqrt(np.nanmean(np.clip((offset - truth)[nose], -8, 8) ** 2))

    assert error(after) < 0.7 * error(before.offset)


def test_a_glance_sees_what_the_skin_shows(hide, subject, placed):
    quick = find_surface_by_rays(subject.scan, find_head(subject.scan), placed)
    slow = surface_of(subject.scan, placed)
    face = placed.template.region(*FACE)
    assert np.nanmedian(np.abs(quick.offset - slow.offset)[face]) < 1.5
    nothing = find_surface_by_rays(hide.zeroed(subject), find_head(subject.scan), placed)
    assert np.nanmedian(nothing.offset[face]) < -15
