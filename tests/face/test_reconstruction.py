"""Both faces of heads whose surface is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from faceblind.errors import AlignmentError
from faceblind.face.reconstruction import FIVE_LANDMARKS, Face, FaceSettings, reconstruct
from faceblind.geometry.mesh import checked_normals
from faceblind.head.alignment import Alignment
from faceblind.head.skin import Skin
from faceblind.head.template import REGIONS, load_template

Head = Callable[..., Any]

CHEEK = np.array([-53.6, 53.5, -23.9])
"""On the left cheek of `someone`, template mm."""


def someone() -> np.ndarray:
    return np.random.default_rng(3).normal(0, 0.7, len(load_template().modes))


def place() -> np.ndarray:
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_rotvec(np.deg2rad([12, -8, 10])).as_matrix()
    pose[:3, 3] = 10, -20, 15
    return pose


def known(head: Any) -> Alignment:
    """The true alignment, so that only the reconstruction is on trial."""
    pose = np.linalg.inv(head.place)
    whole = dict.fromkeys(REGIONS, 1.0)
    return Alignment(pose, pose, head.coefficients, 0.0, 1.0, whole, whole, load_template())


def upright(head: Any) -> tuple[np.ndarray, np.ndarray]:
    """Points and normals of a head's skin in the template frame."""
    turn = head.place[:3, :3]
    return (head.skin.points - head.place[:3, 3]) @ turn, head.skin.normals @ turn


def above(face: Face, head: Any) -> tuple[np.ndarray, np.ndarray]:
    """Height (P,) of each vertex of `face` over the skin, mm, and where it is (P, 3)."""
    points, normals = upright(head)
    _, nearest = cKDTree(points).query(face.points)
    return ((face.points - points[nearest]) * normals[nearest]).sum(axis=1), face.points


def plain_part(points: np.ndarray) -> np.ndarray:
    """Mask of the face without its folds: away from ears, neck, lips, lids and nostrils."""
    template = load_template()
    _, nearest = cKDTree(template.points).query(points)
    front = template.region("face", "brow", "cheeks", "chin", "scalp")[nearest]
    return front & (points[:, 2] > -75)


def without(skin: Skin, gone: np.ndarray) -> Skin:
    """Skin without the masked vertices: a hole with open rims."""
    faces = skin.faces[~gone[skin.faces].any(axis=1)]
    number = np.cumsum(~gone) - 1
    return Skin(
        skin.points[~gone], number[faces].astype(np.int32), skin.normals[~gone], skin.edge[~gone]
    )


@pytest.fixture(scope="module")
def whole(head: Head) -> Any:
    return head(someone(), place(), dense=True)


@pytest.fixture(scope="module")
def faces(whole: Any) -> tuple[Face, Face]:
    return reconstruct(whole.skin, known(whole))


def test_a_head_comes_back(whole: Any, faces: tuple[Face, Face]) -> None:
    for face in faces:
        height, where = above(face, whole)
        plain = np.abs(height[plain_part(where)])
        assert np.median(plain) < 0.1, face.variant
        assert np.percentile(plain, 99) < 0.5, face.variant


def test_the_whole_nose_comes_back(whole: Any, faces: tuple[Face, Face]) -> None:
    points, _ = upright(whole)
    tip = load_template().landmark_index["pronasale"]
    for face in faces:
        assert face.points[:, 1].max() == pytest.approx(points[tip, 1], abs=0.5)


def test_meshes_are_sound(faces: tuple[Face, Face]) -> None:
    as_is, completed = faces
    assert (as_is.variant, completed.variant) == ("as-is", "completed")
    for face in faces:
        assert face.points.dtype == face.normals.dtype == face.landmarks.dtype == np.float32
        assert face.faces.dtype == np.int32
        assert face.faces.max() < len(face.points)
        np.testing.assert_allclose(np.linalg.norm(face.normals, axis=1), 1, atol=1e-3)
        np.testing.assert_allclose(
            face.normals, checked_normals(face.points, face.faces), atol=1e-4
        )
    np.testing.assert_array_equal(as_is.landmarks, completed.landmarks)


def test_landmarks(whole: Any, faces: tuple[Face, Face]) -> None:
    points, _ = upright(whole)
    index = load_template().landmark_index
    truth = points[[index[name] for name in FIVE_LANDMARKS]]
    error = np.abs(faces[1].landmarks - truth)
    assert error[:3].max() < 0.5
    # Mouth corners lie in the fold between the lips, which is bridged: they come forward.
    assert error[3:, [0, 2]].max() < 1
    assert error[3:, 1].max() < 5
    right_eye, left_eye, nose, right_mouth, left_mouth = faces[1].landmarks
    assert right_eye[0] > 0 > left_eye[0]
    assert right_mouth[0] > 0 > left_mouth[0]
    assert right_eye[2] > nose[2] > right_mouth[2]


def test_what_counts_as_a_fold_is_a_setting(whole: Any, faces: tuple[Face, Face]) -> None:
    _, unfolded = reconstruct(whole.skin, known(whole), FaceSettings(fold_cosine=-1.0))
    corner = FIVE_LANDMARKS.index("cheilion_right")
    # Nothing counts as a fold: the corner of the mouth is not bridged and does not come forward.
    assert unfolded.landmarks[corner, 1] < faces[1].landmarks[corner, 1] - 0.5


def test_true_size_is_kept(head: Head) -> None:
    template = load_template()
    grown = head(someone(), place(), dense=True, change=lambda points, _: 1.05 * points)
    _, face = reconstruct(grown.skin, known(grown))
    eyes = np.linalg.norm(face.landmarks[0] - face.landmarks[1])
    index = [template.landmark_index[name] for name in FIVE_LANDMARKS[:2]]
    truth = np.linalg.norm(np.subtract(*(1.05 * template.shape(someone())[index])))
    assert eyes == pytest.approx(truth, abs=3)
    height, where = above(face, grown)
    assert np.median(np.abs(height[plain_part(where)])) < 0.3


def test_a_hole_is_completed_and_stays_open_as_is(whole: Any) -> None:
    points, _ = upright(whole)
    gone = np.linalg.norm(points - CHEEK, axis=1) < 12
    holed = without(whole.skin, gone)
    as_is, completed = reconstruct(holed, known(whole))
    height, where = above(completed, whole)
    inside = np.linalg.norm(where - CHEEK, axis=1) < 12
    assert inside.sum() > 50
    assert np.abs(height[inside]).max() < 0.5
    assert (np.linalg.norm(as_is.points - CHEEK, axis=1) < 9).sum() == 0


def test_a_hole_follows_its_rim(head: Head) -> None:
    """Where skin is missing, the movement of the skin around it goes on."""
    thick = head(
        someone(), place(), dense=True, change=lambda points, normals: points + 2 * normals
    )
    points, _ = upright(thick)
    spot = CHEEK + 2 * upright(thick)[1][np.linalg.norm(points - CHEEK, axis=1).argmin()]
    holed = without(thick.skin, np.linalg.norm(points - spot, axis=1) < 12)
    _, completed = reconstruct(holed, known(thick))
    height, where = above(completed, thick)
    assert np.abs(height[np.linalg.norm(where - spot, axis=1) < 10]).max() < 1


def test_what_the_field_of_view_cuts_is_completed(head: Head, whole: Any) -> None:
    cut = head(someone(), place(), dense=True, low=(-120, -140, -40))
    as_is, completed = reconstruct(cut.skin, known(cut))
    height, where = above(completed, whole)
    chin = plain_part(where) & (where[:, 2] < -55)
    assert chin.sum() > 100
    assert np.median(np.abs(height[chin])) < 1
    assert as_is.points[:, 2].min() > -42


@pytest.mark.parametrize("radius", [3, 5])
def test_a_pit_is_bridged(head: Head, whole: Any, radius: float) -> None:
    def pit(points: np.ndarray, normals: np.ndarray) -> np.ndarray:
        here = np.linalg.norm(points - CHEEK, axis=1) < radius
        return points - 6 * normals * here[:, None]

    pitted = head(someone(), place(), dense=True, change=pit)
    _, completed = reconstruct(pitted.skin, known(pitted))
    height, where = above(completed, whole)
    assert height[np.linalg.norm(where - CHEEK, axis=1) < 8].min() > -0.6


def test_a_swelling_is_kept(head: Head, whole: Any) -> None:
    def swell(points: np.ndarray, normals: np.ndarray) -> np.ndarray:
        distance = np.linalg.norm(points - CHEEK, axis=1)
        return points + 3 * normals * np.exp(-0.5 * (distance / 8) ** 2)[:, None]

    swollen = head(someone(), place(), dense=True, change=swell)
    for face in reconstruct(swollen.skin, known(swollen)):
        height, where = above(face, whole)
        distance = np.linalg.norm(where - CHEEK, axis=1)
        assert height[distance < 5].max() == pytest.approx(3, abs=0.4), face.variant
        around = plain_part(where) & (distance > 30) & (distance < 40)
        assert np.percentile(np.abs(height[around]), 95) < 0.4, face.variant


def test_a_step_is_kept(head: Head, whole: Any) -> None:
    def step(points: np.ndarray, normals: np.ndarray) -> np.ndarray:
        here = np.linalg.norm(points - CHEEK, axis=1) < 10
        return points + 3 * normals * here[:, None]

    stepped = head(someone(), place(), dense=True, change=step)
    _, completed = reconstruct(stepped.skin, known(stepped))
    height, where = above(completed, whole)
    distance = np.linalg.norm(where - CHEEK, axis=1)
    assert np.median(height[distance < 7]) == pytest.approx(3, abs=0.6)
    assert np.median(np.abs(height[(distance > 14) & (distance < 20)])) < 0.2


def test_speckle_is_cleaned(head: Head, whole: Any) -> None:
    rough = head(someone(), place(), dense=True, noise_mm=0.5)
    for face in reconstruct(rough.skin, known(rough)):
        height, where = above(face, whole)
        assert np.std(height[plain_part(where)]) < 0.3, face.variant


def test_shoulders_and_crumbs_go(whole: Any) -> None:
    skin = whole.skin
    crumb = (skin.points[:3] + np.float32([0, 0, 200]), skin.faces[:1] * 0 + [[0, 1, 2]])
    crumbed = Skin(
        np.concatenate([skin.points, crumb[0]]),
        np.concatenate([skin.faces, crumb[1] + len(skin.points)]).astype(np.int32),
        np.concatenate([skin.normals, skin.normals[:3]]),
        np.concatenate([skin.edge, [False] * 3]),
    )
    as_is, _ = reconstruct(crumbed, known(whole))
    points, _ = upright(whole)
    assert as_is.points[:, 2].max() < points[:, 2].max() + 1


def test_no_skin_above_the_neck_is_refused(whole: Any) -> None:
    low = Skin(
        whole.skin.points - np.float32([0, 0, 400]), whole.skin.faces, whole.skin.normals,
        whole.skin.edge,
    )  # fmt: skip
    with pytest.raises(AlignmentError, match="no skin above the neck"):
        reconstruct(low, known(whole))


def test_same_input_same_answer(whole: Any, faces: tuple[Face, Face]) -> None:
    for first, second in zip(faces, reconstruct(whole.skin, known(whole)), strict=True):
        np.testing.assert_array_equal(first.points, second.points)
        np.testing.assert_array_equal(first.faces, second.faces)
