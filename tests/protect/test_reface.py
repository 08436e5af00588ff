"""The new face is the template's, in the scan's contrast, the same for everyone."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from faceblind.head.skin import find_skin
from faceblind.head.template import load_template
from faceblind.protect.cut_fit import CutFit
from faceblind.protect.placement import (
    ANCHOR,
    FACE_ANCHOR,
    FACE_SIZES,
    common_size,
    place,
    placement_of,
    rim_share,
)
from faceblind.protect.reface import _Model, reface
from faceblind.protect.region import face_region
from faceblind.protect.tissue_model import average_face

# A pose in the middle of the rounding steps.
ON_THE_GRID = {"turn": (0.0, 0.0, 0.0), "shift": (2.0, -5.0, 7.0)}


@lru_cache(maxsize=2)
def refaced(made):
    """The average face on a phantom; not to be changed."""
    return reface(made.scan, head=made.head)


@pytest.mark.parametrize("fat", [900.0, 250.0])
def test_a_face_appears_where_the_template_has_it(phantom, fat):
    made = phantom(seed=2, fat=fat)
    done = refaced(made)
    mask = done.region.mask
    assert np.array_equal(done.scan.voxels[~mask], made.scan.voxels[~mask])
    skin = find_skin(done.scan)
    placed = (
        skin.points @ done.placement.scan_to_template[:3, :3].T
        + done.placement.scan_to_template[:3, 3]
    )
    template = made.head.alignment.template
    features = template.points[template.region("nose", "eyes", "mouth")]
    distance = cKDTree(placed).query(features)[0]
    assert np.median(distance) < 1.2
    # Slits of lids and lips are narrower than voxels.
    assert np.quantile(distance, 0.95) < 5.0


def test_skin_has_the_scans_own_brightness(phantom):
    made = phantom(seed=2, fat=900.0)
    done = refaced(made)
    alignment = made.head.alignment
    inside = alignment.template.points - 4.0 * alignment.template.normals
    cheeks = inside[alignment.template.region("cheeks")]
    to_scan = np.linalg.inv(done.placement.scan_to_template)
    index = np.rint(done.scan.index(cheeks @ to_scan[:3, :3].T + to_scan[:3, 3])).astype(int)
    new = done.scan.voxels[tuple(index.T)]
    assert np.median(new) == pytest.approx(900, rel=0.15)


def test_two_people_get_one_face(phantom):
    """Deep inside the region the noiseless images agree, though the people differ."""
    first = phantom(seed=1, spread=0.0, noise=0.0, **ON_THE_GRID)
    other = phantom(seed=4, spread=0.05, noise=0.0, **ON_THE_GRID)
    a, b = (reface(p.scan, head=p.head) for p in (first, other))
    affine = np.linalg.inv(b.scan.affine) @ a.scan.affine
    moved = ndimage.affine_transform(
        b.scan.voxels.astype(np.float32), affine[:3, :3], affine[:3, 3], a.scan.shape, order=1
    )
    cut = ndimage.zoom(
        a.region.cut.values.transpose(2, 1, 0),
        np.array(a.scan.shape) / a.region.cut.values.shape[::-1],
        order=1,
    )
    deep = cut > 10
    deep[:6] = deep[-6:] = deep[:, :6] = deep[:, -6:] = deep[:, :, :6] = deep[:, :, -6:] = False
    difference = np.abs(moved - a.scan.voxels)[deep]
    assert deep.sum() > 5000
    assert np.quantile(difference, 0.9) < 60


def test_how_the_cut_lies_does_not_shape_the_new_face(phantom):
    """The brain decides over the cut; the face, brow and lower forehead included, is the same."""
    made = phantom(seed=4, spread=0.0)
    placement = place(made.head.alignment)
    template = load_template()
    points = template.points[(rim_share(template.points) == 0.0) & (template.points[:, 2] < 50)]
    assert len(points) > 2000
    back = np.linalg.inv(placement.scan_to_face)
    points = points @ back[:3, :3].T + back[:3, 3]
    depths = []
    for lift, pitch, shift in ((-3, 0, 0), (0, 0, 0), (3, 0, 0), (0, 4, 0), (0, -6, 0), (0, 0, -3)):
        move = np.eye(4)
        move[:3, :3] = Rotation.from_euler("x", pitch, degrees=True).as_matrix()
        move[:3, 3] = FACE_ANCHOR - move[:3, :3] @ FACE_ANCHOR + [0.0, shift, 0.0]
        fit = CutFit(
            np.linalg.solve(move, placement.scan_to_template), np.full((3, 5), float(lift))
        )
        region = face_region(
            made.scan, made.head.skin, made.head.alignment, placement, fit=fit
        )  # fmt: skip
        model = _Model(made.scan, made.head.skin, placement, region)
        index = np.linalg.inv(model.box.affine)
        index = points @ index[:3, :3].T + index[:3, 3]
        depths.append(ndimage.map_coordinates(model.depth, index.T, order=1, mode="nearest"))
    assert np.ptp(depths, axis=0).max() < 0.3


def test_series_get_the_face_in_every_volume(phantom):
    made = phantom(seed=3, volumes=2)
    done = reface(made.scan, head=made.head)
    both = done.scan.voxels[done.region.mask]
    tissue = both[:, 0] > 300
    assert tissue.sum() > 1000
    assert (both[tissue, 1] > 200).mean() > 0.97


def test_the_map_of_the_face_is_air_where_it_ends_behind_and_above() -> None:
    # Look-ups beyond the map repeat its last layer: tissue there would fill the air of the scan.
    depth = average_face().depth
    assert (depth[:, 0, :] < -20).all()
    assert (depth[:, :, -1] < -20).all()


def test_the_new_face_has_one_size_for_heads_of_many() -> None:
    """Its landmarks lie equally far apart in scans of a small and of a large head."""
    distances = []
    for scale in (0.9, 1.0, 1.1):
        scales = np.array([scale, scale * 1.04, scale * 0.96])
        placement = placement_of(scales, np.eye(3), ANCHOR / scales)
        assert np.allclose(placement.scan_to_template, np.diag([*scales, 1.0]))
        depth = average_face().placed(placement).depth
        # Along the midline: the tip of the nose, and the front of the chin.
        face = average_face()
        i = int(np.rint(face.index(np.zeros((1, 3)))[0, 0]))
        front = depth.shape[1] - 1 - (depth[i, ::-1] > 0).argmax(axis=0)
        z = face.affine[2, 3] + face.affine[2, 2] * np.arange(depth.shape[2])
        y = face.affine[1, 3] + face.affine[1, 1] * front
        low = (z < 5 / scale) & (z > -50 / scale)
        tip = int(np.flatnonzero(low)[y[low].argmax()])
        brow = int(np.abs(z - 40).argmin())
        distances.append([(z[brow] - z[tip]) / scales[2], (y[tip] - y[brow]) / scales[1]])
    assert np.ptp(np.array(distances), axis=0).max() < 2.5


def test_small_children_get_a_smaller_face() -> None:
    sizes = []
    for scale in (0.9, 1.1, 1.25):
        scales = np.full(3, scale)
        face = common_size(np.diag([*scales, 1.0]), scales, np.eye(3))
        sizes.append(face[0, 0])
    assert sizes[0] == sizes[1] == FACE_SIZES[0]
    assert sizes[2] == FACE_SIZES[1]


def test_new_skin_covers_a_cut_in_front_of_the_average_forehead(phantom) -> None:
    """Bone uncovered by the cut would show the person's own shape."""
    made = phantom(seed=6, spread=1.5)
    done = reface(made.scan, head=made.head)
    skin = find_skin(done.scan)
    placed = (
        skin.points @ done.placement.scan_to_template[:3, :3].T
        + done.placement.scan_to_template[:3, 3]
    )
    forehead = (np.abs(placed[:, 0]) < 35) & (placed[:, 2] > 30) & (placed[:, 2] < 60)
    below = placed[forehead & (placed[:, 1] > 40)]
    cut = ndimage.map_coordinates(
        done.region.cut.values,
        done_index(done, skin.points[forehead & (placed[:, 1] > 40)]).T,
        order=1,
    )
    assert len(below) > 200
    assert np.median(cut) > 2.0


def done_index(done, points):
    inverse = np.linalg.inv(done.region.cut.affine)
    return points @ inverse[:3, :3].T + inverse[:3, 3]
