"""An image is cut where its scan is only if both lie in one space."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from faceblind.errors import ScanError
from faceblind.protect.same_space import Content, content, in_space_of
from faceblind.scan import Position, Scan


@pytest.fixture(scope="module")
def made(phantom):
    return phantom(seed=1)


def images(made):
    values = made.scan.voxels.astype(np.float32)
    middle = np.argwhere(made.brain).mean(axis=0)
    at = np.stack(np.meshgrid(*map(np.arange, made.scan.shape), indexing="ij"), -1)
    return {
        "head": values,
        "inverted": np.where(values > 150, 1500 - values, 0),
        "mask": made.brain.astype(np.uint8),
        "lesion": (np.linalg.norm(at - middle - (8, 3, 2), axis=-1) < 4).astype(np.uint8),
    }


def elsewhere(scan, turn=(0.0, 0.0, 0.0), shift=(0.0, 0.0, 0.0)):
    move = np.eye(4)
    move[:3, :3] = Rotation.from_euler("xyz", turn, degrees=True).as_matrix()
    middle = scan.world([(np.array(scan.shape) - 1) / 2])[0]
    move[:3, 3] = middle + shift - move[:3, :3] @ middle
    return replace(scan, affine=move @ scan.affine)


@pytest.mark.parametrize("kind", ["head", "inverted", "mask"])
def test_what_an_image_shows_tells_its_space(made, kind):
    image = Scan(images(made)[kind], made.scan.affine, source=kind)
    assert in_space_of(image, made.scan, made.head) is image
    for wrong in (
        elsewhere(image, shift=(0, 20, 0)),
        elsewhere(image, turn=(180, 0, 0)),
    ):
        with pytest.raises(ScanError, match=rf"{kind}: .*(the scan has (the head|it)|head where)"):
            in_space_of(wrong, made.scan, made.head)


def test_a_small_label_is_believed_if_its_header_can_be(made):
    image = Scan(images(made)["lesion"], made.scan.affine, source="lesion")
    assert content(image, made.scan, made.head) is Content.SILENT
    assert in_space_of(image, made.scan, made.head) is image
    template = replace(image, position=Position(4))
    with pytest.raises(ScanError, match=r"names another space \(form code 4\).*too little to tell"):
        in_space_of(template, made.scan, made.head)
    there = replace(made.scan, position=Position(4))
    assert in_space_of(template, there, made.head) is template
    torn = replace(image, position=Position(1, elsewhere(image, shift=(0, 20, 0)).affine))
    with pytest.raises(ScanError, match="in two places"):
        in_space_of(torn, made.scan, made.head)
    whole = replace(torn, voxels=images(made)["head"])
    assert in_space_of(whole, made.scan, made.head) is whole


def test_an_unknown_position_needs_the_same_grid_and_its_user(made):
    bare = Scan(images(made)["mask"], np.diag([2.0, 2, 2, 1]), source="map", position=Position(0))
    with pytest.raises(ScanError, match=r"map: its header has no position.*--same-grid"):
        in_space_of(bare, made.scan, made.head, name="t1")
    placed = in_space_of(bare, made.scan, made.head, same_grid=True)
    assert np.array_equal(placed.affine, made.scan.affine)
    smaller = replace(bare, voxels=bare.voxels[:-1])
    with pytest.raises(ScanError, match="are not those of t1"):
        in_space_of(smaller, made.scan, made.head, same_grid=True, name="t1")
    turned = replace(bare, voxels=np.ascontiguousarray(bare.voxels[:, ::-1, ::-1]))
    with pytest.raises(ScanError, match="does not lie where t1 has the head"):
        in_space_of(turned, made.scan, made.head, same_grid=True, name="t1")
    whole = Scan(images(made)["head"], made.scan.affine, source="map")
    unplaced = replace(made.scan, position=Position(0))
    with pytest.raises(ScanError, match="t1 has no position"):
        in_space_of(whole, unplaced, made.head, name="t1")
