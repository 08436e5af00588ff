"""Scalp and skull over the brain: a usual thickness, and thinner where a small head shows it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree

from faceblind.head.brain_cover import (
    ADULT_COVER_MM,
    ADULT_SIZE,
    CHILD_COVER,
    CHILD_SIZE,
    COVER_MM,
    SMALL_HEAD,
    cover_share,
    find_cover,
    template_fields,
)
from faceblind.head.skin import Skin
from faceblind.head.template import load_template
from faceblind.scan import Scan


def test_fields_of_the_template_agree_with_its_landmarks():
    fields, template = template_fields(), load_template()
    marks = template.landmarks
    gone = ["pronasale", "nasion", "glabella", "stomion", "pogonion", "pupil_left", "pupil_right"]
    assert (fields.at("cut", np.array([marks[name] for name in gone])) > 4).all()
    stay = np.array([marks["vertex"], marks["inion"], marks["opisthocranion"]])
    assert (fields.at("cut", stay) < -8).all()
    ears = template.points[template.region("ears")]
    assert (fields.at("cut", ears) > 0).mean() > 0.99
    assert (fields.at("cut_ears_kept", ears) < 0).mean() > 0.9
    assert fields.at("brain", np.array([[0.0, -15.0, 60.0]]))[0] > 20
    # Air far in front and behind goes, and so does nothing of the average brain.
    assert (fields.at("cut", np.array([[0.0, 300.0, 0.0], [0.0, -300.0, 20.0]])) > 0).all()
    assert not ((fields.cut > 0) & (fields.brain > 0)).any()


def test_the_cut_is_the_same_on_both_sides():
    fields = template_fields()
    rng = np.random.default_rng(0)
    places = rng.uniform((5, -60, -80), (80, 100, 90), (2000, 3))
    mirrored = places * (-1, 1, 1)
    assert np.abs(fields.at("cut", places) - fields.at("cut", mirrored)).max() < 2.5


def head(scale: float, bone_mm: tuple[float, float] | None) -> tuple[Scan, Skin, np.ndarray]:
    """The template as a skin, in a volume whose brightness depends on the depth under it."""
    template = load_template()
    points = template.points / scale
    skin = Skin(
        points.astype(np.float32),
        template.faces,
        template.normals,
        np.zeros(len(points), bool),
    )
    low = points.min(axis=0) - 4
    size = np.ceil((points.max(axis=0) + 4 - low) / 2).astype(int)
    ijk = np.argwhere(np.ones(size, bool))
    place = ijk * 2.0 + low
    distance, nearest = cKDTree(points).query(place)
    outward = ((place - points[nearest]) * template.normals[nearest]).sum(axis=1)
    depth = np.where(outward > 0, -distance, distance)
    signal = np.where(depth < 0, 0, 800.0)
    if bone_mm is not None:
        signal[(depth > bone_mm[0]) & (depth < bone_mm[1])] = 100
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = low
    scan = Scan(signal.reshape(size).astype(np.float32), affine)
    return scan, skin, np.diag([scale, scale, scale, 1.0])


def test_an_adult_gets_the_usual_cover():
    cover = find_cover(*head(0.95, (1.0, 4.0)))
    assert len(cover.points) > 1000
    assert cover.depth_mm.min() == pytest.approx(COVER_MM.min())
    assert cover.depth_mm.max() > 15


def test_a_small_head_with_thin_bone_gets_less():
    small = 1.2
    thick, thin = (
        np.quantile(find_cover(*head(small, bone)).depth_mm, 0.1) for bone in (None, (1.0, 5.0))
    )
    assert thick == pytest.approx(COVER_MM.min() * SMALL_HEAD / small, abs=0.8)
    assert thin < thick - 0.5


def test_no_floor_of_a_small_childs_head_lies_deeper_than_its_brain_may():
    """No sinus lies in a child's brow, where an adult's brain is 15 mm and more under the skin."""
    size = 1.2
    deepest = find_cover(*head(size, None)).depth_mm.max()
    assert deepest <= ADULT_COVER_MM * CHILD_COVER / size


@pytest.mark.parametrize(("size", "share"), [(1.2, 1.0), (0.95, 0.0)])
def test_a_small_head_tells_that_scalp_lies_outside_the_skin_that_was_found(size, share):
    scan, skin, affine = head(size, None)
    inner = Skin(skin.points - 4.0 * skin.normals, skin.faces, skin.normals, skin.edge)
    assert find_cover(scan, skin, affine).outside_share < 0.05
    cover = find_cover(scan, inner, affine)
    assert cover.outside_share == pytest.approx(share, abs=0.05)
    if share:
        usual = find_cover(scan, skin, affine).depth_mm
        assert usual.mean() - cover.depth_mm.mean() > 0.5


def test_a_scalp_beyond_bone_as_dark_as_air_lies_outside_the_skin_too():
    """T2*: the skin found is the brain's surface, and the dim scalp stands off it."""
    scan, skin, affine = head(1.2, (2.0, 6.0))
    dark = Scan(np.where(scan.voxels == 100, 0, scan.voxels).astype(np.float32), scan.affine)
    inner = Skin(skin.points - 6.0 * skin.normals, skin.faces, skin.normals, skin.edge)
    assert find_cover(dark, inner, affine).outside_share > 0.9
    assert find_cover(dark, skin, affine).outside_share < 0.05


@pytest.mark.parametrize(
    ("size", "share"),
    [(0.9, 1.0), (ADULT_SIZE, 1.0), (CHILD_SIZE, CHILD_COVER), (1.4, CHILD_COVER)],
)
def test_small_heads_have_a_thinner_cover(size, share):
    assert cover_share(size) == pytest.approx(share)


def test_the_floor_lies_under_the_skin():
    scan, skin, affine = head(0.95, None)
    cover = find_cover(scan, skin, affine)
    above = cover.points @ affine[:3, :3].T
    moved = np.linalg.norm(above - cover.floor(affine), axis=1)
    assert np.allclose(moved, 0.95 * cover.depth_mm)
