from dataclasses import replace

import numpy as np
import pytest

from faceblind.volunteers.people.shape import sample_person
from faceblind.volunteers.photographs import scene
from faceblind.volunteers.photographs.camera import CameraSettings
from faceblind.volunteers.photographs.strands import splat
from faceblind.volunteers.photographs.style import draw_style


def test_hairs_cover_what_lies_behind_and_not_what_lies_before():
    picture = np.zeros((20, 20, 3), np.float32)
    nearest = np.zeros((20, 20), np.float32)
    nearest[:, 10:] = 0.01
    hair = np.array([[[2, 8, 0.005], [18, 8, 0.005]]])
    splat(picture, nearest, hair, np.ones((1, 3), np.float32), 1.0, 0.002)
    assert picture[8, 3:9].min() > 0.3
    assert picture[:, 11:].max() == 0
    assert picture[[5, 12]].max() == 0


def test_hairs_outside_the_picture_are_left_out():
    picture = np.zeros((9, 9, 3), np.float32)
    hair = np.array([[[-50, -50, 0.005], [-3, 40, 0.005]]])
    splat(picture, np.zeros((9, 9), np.float32), hair, np.ones((1, 3), np.float32), 1.0, 0.0)
    assert picture.max() == 0


def test_brows_lashes_and_beard_lie_on_their_places():
    person = sample_person(2, 0)
    plain = draw_style(person, CameraSettings(beard=0, moustache=0))
    bearded = replace(plain, beard="full", beard_mm=8.0)
    before, after = (scene.build(person.points(), s).strands for s in (plain, bearded))
    head = [s for s in before if s.layer == "head"]
    assert len(head) == 2
    brows, lashes = head
    assert len(brows.points) > 150
    assert (brows.points[:, 0, 2] > lashes.points[:, 0, 2].max() - 2).mean() > 0.95
    assert (lashes.points[:, -1, 1] > lashes.points[:, 0, 1]).mean() > 0.95
    more = [s for s in after if s.layer == "head"]
    assert len(more) == 3
    assert np.median(more[2].points[:, 0, 2]) < np.median(brows.points[:, 0, 2]) - 60
    lengths = np.linalg.norm(np.diff(lashes.points, axis=1), axis=2).sum(axis=1)
    assert lengths.max() < 16
    assert lengths.mean() == pytest.approx(7, abs=3)
