from dataclasses import replace

import numpy as np
import pytest

from faceblind.volunteers.people.head_model import HeadModel
from faceblind.volunteers.people.reference_face import EYES, SKIN, eye_box, reference
from faceblind.volunteers.people.shape import sample_person
from faceblind.volunteers.photographs import accessories, beard, hair
from faceblind.volunteers.photographs.camera import CameraSettings
from faceblind.volunteers.photographs.style import COVERINGS, draw_style


@pytest.fixture(scope="module")
def head():
    person = sample_person(2, 0)
    style = draw_style(person, CameraSettings(glasses=1, moustache=0, beard=0))
    return HeadModel.load().surface(person.points()), style


def test_glasses_sit_before_the_eyes_and_behind_the_ears(head):
    surface, style = head
    worn = accessories.put_on(surface, style.glasses)
    parts = reference().parts
    assert worn.lenses.points[:, 1].min() > surface[parts == EYES, 1].max()
    for side, middle in zip((1, -1), worn.middle, strict=True):
        eye, _ = eye_box(surface, parts, side)
        assert abs(middle[0] - eye[0]) < 10
        assert abs(middle[2] - eye[2]) < 10
        temple = worn.frame.points[worn.frame.points[:, 0] * side > 40]
        ear = surface[(reference().ear > 0.5) & (surface[:, 0] * side > 0)]
        assert temple[:, 1].min() < ear[:, 1].mean()
    assert np.linalg.norm(worn.lenses.origin, axis=1) == pytest.approx(1, abs=1e-5)


def test_a_rim_shades_the_skin_behind_it_and_nothing_before_it(head):
    surface, style = head
    worn = accessories.put_on(surface, replace(style.glasses, rim=2.0, clear=0.0, tint=0.0))
    rim = worn.lenses.points[-1].astype(np.float64)
    light = np.array([0.0, 1.0, 0.0])
    step = np.array([0, 15, 0])
    behind, before = rim - step, rim + step
    far = rim - [0, 15, 90]
    left = worn.shade(np.array([behind, before, far], np.float32), light, 1.0)
    assert left[0] < 0.7
    assert left[1:] == pytest.approx([1, 1], abs=0.01)
    # Light from behind casts no shadow on the face.
    assert (worn.shade(np.array([behind], np.float32), -light, 1.0) == 1).all()


@pytest.mark.parametrize("covering", COVERINGS)
def test_coverings_lie_outside_the_skin_and_leave_the_face_free(head, covering):
    surface, style = head
    base = reference()
    shell = accessories.head_covering(surface, replace(style, covering=covering))
    assert np.isfinite(shell.points).all()
    assert shell.points[:, 2].max() > surface[:, 2].max() + 2
    face = np.array([[0, 99, -10], [30, 75, 16], [0, 88, -50], [40, 60, -20]], np.float32)
    assert accessories.covered(face, covering).max() == 0
    crown = base.points[(base.points[:, 2] > 100) & (base.parts == SKIN)]
    assert accessories.covered(crown, covering).min() == 1


def test_no_covering_no_mesh(head):
    surface, style = head
    assert accessories.head_covering(surface, style) is None
    assert beard.grow(surface, style) is None


def test_beards_grow_where_beards_grow(head):
    surface, style = head
    chin, forehead, lobe, lip = (
        np.array([p], np.float32) for p in ([0, 75, -82], [0, 88, 60], [76, -12, -20], [0, 89, -53])
    )
    for kind in ("full", "short", "goatee"):
        bearded = replace(style, beard=kind, beard_mm=8.0)
        assert beard.cover(chin, bearded)[0] > 0.7
        assert beard.cover(np.concatenate([forehead, lobe, lip]), bearded).max() == 0
        shell = beard.grow(surface, bearded)
        assert shell.points[:, 2].max() < 20
    assert beard.beard_mask(np.array([[45, 35, -40]], np.float32), "goatee")[0] == 0
    assert beard.beard_mask(np.array([[45, 35, -60]], np.float32), "full")[0] > 0.5


def test_a_fringe_hangs_over_the_forehead(head):
    _, style = head
    look = replace(style.look, style="short", recession=0.0, fringe=0.0)
    forehead = np.array([[x, 86, 62] for x in (-20, 0, 20)], np.float32)
    bare = hair.density(forehead, replace(style, look=look, fringe=None))
    fringed = replace(style, look=look, fringe="straight", fringe_mm=40.0)
    assert bare.max() == 0
    assert hair.density(forehead, fringed).min() > 0.6
    brow = np.array([[20, 86, 30]], np.float32)
    assert hair.density(brow, fringed)[0] == 0
