"""Heads of known shape and place are found; what is no head is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from faceblind.errors import AlignmentError
from faceblind.formats import load
from faceblind.geometry.points import thin
from faceblind.geometry.triangles import vertex_normals
from faceblind.head.alignment import CONFIDENT, Alignment, align, align_by_scalp
from faceblind.head.fitting import Aligner, Fit, SkinTargets
from faceblind.head.skin import Skin, find_skin
from faceblind.head.template import REGIONS, load_template
from faceblind.scan import Scan

Head = Callable[..., Any]


def placed(turn: np.ndarray, shift: tuple[float, float, float] = (25, -40, 15)) -> np.ndarray:
    place = np.eye(4)
    place[:3, :3] = turn
    place[:3, 3] = shift
    return place


def tilt(degrees: float, way: tuple[float, float, float]) -> np.ndarray:
    return Rotation.from_rotvec(
        np.deg2rad(degrees) * np.divide(way, np.linalg.norm(way))
    ).as_matrix()


def someone(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.7, len(load_template().modes))


def check(head: Any, median_mm: float = 1.0, worst_mm: float = 3.0) -> Alignment:
    found = align(head.skin, head.scan)
    errors = head.errors(found)
    assert found.confidence >= CONFIDENT
    assert np.median(list(errors.values())) < median_mm, errors
    assert max(errors.values()) < worst_mm, errors
    return found


def joined(skin: Skin, *meshes: trimesh.Trimesh) -> Skin:
    points, faces, normals, edge = [skin.points], [skin.faces], [skin.normals], [skin.edge]
    for mesh in meshes:
        faces.append(mesh.faces + sum(map(len, points)))
        points.append(mesh.vertices)
        normals.append(vertex_normals(mesh.vertices, mesh.faces))
        edge.append(np.zeros(len(mesh.vertices), bool))
    return Skin(
        np.concatenate(points).astype(np.float32),
        np.concatenate(faces).astype(np.int32),
        np.concatenate(normals).astype(np.float32),
        np.concatenate(edge),
    )


def wide_scan(place: np.ndarray | None = None) -> Scan:
    voxel = np.diag([4.0, 4.0, 4.0, 1.0])
    voxel[:3, 3] = -220, -220, -260
    place = np.eye(4) if place is None else place
    return Scan(np.zeros((110, 110, 110), np.uint8), place @ voxel)


def as_skin(mesh: trimesh.Trimesh) -> Skin:
    points, faces = mesh.vertices.astype(np.float32), mesh.faces.astype(np.int32)
    return Skin(points, faces, vertex_normals(points, faces), np.zeros(len(points), bool))


def test_a_head_in_its_place(head: Head) -> None:
    truth = head(someone(0))
    found = check(truth)
    np.testing.assert_allclose(found.scan_to_template_rigid, np.linalg.inv(truth.place), atol=1.0)
    np.testing.assert_allclose(found.shape[:5], truth.coefficients[:5], atol=0.5)
    assert found.residual_mm < 0.3
    assert found.confidence == 1.0
    assert set(found.support) == set(found.seen) == set(REGIONS)
    assert all(found.support[name] > 0.9 for name in ("brow", "eyes", "nose", "mouth", "scalp"))


def test_a_skin_prepared_once_is_aligned_as_if_prepared_anew(head: Head) -> None:
    truth = head(someone(0))
    targets = SkinTargets.of(truth.skin, truth.scan)
    for by in (align, align_by_scalp):
        found = by(truth.skin, truth.scan, targets=targets)
        anew = by(truth.skin, truth.scan)
        assert found.confidence >= CONFIDENT
        np.testing.assert_array_equal(found.scan_to_template, anew.scan_to_template)
        np.testing.assert_array_equal(found.shape, anew.shape)


def test_a_head_without_its_face_is_fitted_once_for_both_ways(
    head: Head, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = head(someone(0))
    made: list[tuple[bool, bool]] = []
    best = Aligner.best

    def counted(self: Aligner, everywhere: bool, known: list[Fit]) -> list[Fit]:
        made.append((self.faceless, everywhere))
        return best(self, everywhere, known)

    monkeypatch.setattr(Aligner, "best", counted)
    targets = SkinTargets.of(truth.skin, truth.scan)
    by_scalp = [align_by_scalp(truth.skin, truth.scan, targets=targets) for _ in range(2)]
    align(truth.skin, truth.scan, targets=targets)
    assert made == [(True, False), (False, False)]
    assert by_scalp[0] is not None
    assert by_scalp[1] is not None
    np.testing.assert_array_equal(by_scalp[0].shape, by_scalp[1].shape)


def test_pose_is_rigid_and_affine_brings_the_template_back(head: Head) -> None:
    found = check(head(someone(1), placed(tilt(20, (1, 2, -1)))))
    turn = found.scan_to_template_rigid[:3, :3]
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(turn) == pytest.approx(1)
    back = found.fitted() @ found.scan_to_template[:3, :3].T + found.scan_to_template[:3, 3]
    assert np.median(np.linalg.norm(back - found.template.points, axis=1)) < 4


@pytest.mark.parametrize("way", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (-1, 1, -1)])
def test_tilted_heads(head: Head, way: tuple[float, float, float]) -> None:
    check(head(someone(2), placed(tilt(30, way))))


@pytest.mark.parametrize(
    ("low", "high"),
    [
        ((-120, -140, -100), (120, 140, 75)),
        ((-120, -140, -65), (120, 140, 160)),
        ((-60, -140, -100), (120, 140, 160)),
        ((-120, -60, -100), (120, 140, 160)),
        ((-120, -140, -40), (120, 140, 100)),
    ],
    ids=["vertex", "chin", "ear", "back", "mouth and vertex"],
)
def test_cut_fields_of_view(head: Head, low: tuple[float, ...], high: tuple[float, ...]) -> None:
    truth = head(someone(3), placed(tilt(15, (2, -1, 1))), low=low, high=high)
    # A landmark that was cut off is guessed from the rest of the head.
    found = check(truth, worst_mm=6.0)
    assert min(found.seen.values()) < 0.95


def test_what_the_field_of_view_cuts_is_unseen(head: Head) -> None:
    found = check(head(someone(3), low=(-120, -140, -65)), worst_mm=6.0)
    assert found.seen["chin"] < 0.5
    assert found.seen["brow"] == found.seen["nose"] == 1.0


def test_noise_and_a_coarse_mesh(head: Head) -> None:
    truth = head(someone(4), noise_mm=1.0)
    keep = np.sort(np.random.default_rng(0).permutation(len(truth.skin.points))[:6000])
    # Alignment looks at points and normals only.
    sparse = Skin(
        truth.skin.points[keep], truth.skin.faces[:0], truth.skin.normals[keep],
        truth.skin.edge[keep],
    )  # fmt: skip
    check(replace(truth, skin=sparse), 1.5, 4.0)


def test_shoulders_and_headphones(head: Head) -> None:
    truth = head(someone(5), placed(tilt(10, (1, 1, 0)), (0, 0, 0)))
    shoulders = trimesh.creation.icosphere(subdivisions=4, radius=1.0)
    shoulders.apply_scale([190, 80, 60]).apply_translation([0, -40, -175])
    cups = [
        trimesh.creation.icosphere(subdivisions=3, radius=35).apply_translation([x, 0, 0])
        for x in (-110, 110)
    ]
    clutter = [mesh.apply_transform(truth.place) for mesh in (shoulders, *cups)]
    whole = replace(truth, skin=joined(truth.skin, *clutter), scan=wide_scan(truth.place))
    check(whole)


@pytest.mark.slow
@pytest.mark.parametrize("number", [3, 5, 10, 22])
def test_wrong_headers(head: Head, number: int) -> None:
    rng = np.random.default_rng(number)
    axes = Rotation.create_group("O").as_matrix()[number]
    turn = tilt(rng.uniform(10, 30), tuple(rng.normal(size=3))) @ axes
    high = (120, 140, 80) if number == 10 else (120, 140, 160)
    check(head(someone(number), placed(turn), high=high), worst_mm=4.0)


def test_handedness_is_the_header_s(head: Head) -> None:
    """A mirrored head aligns as well: its left stays where the header says left is."""
    template = load_template()
    truth = head(someone(6))
    skin = truth.skin
    flip = np.float32([-1, 1, 1])
    mirrored = Skin(skin.points * flip, skin.faces[:, ::-1], skin.normals * flip, skin.edge)
    found = align(mirrored, truth.scan)
    assert found.confidence >= CONFIDENT
    assert np.linalg.det(found.scan_to_template_rigid[:3, :3]) > 0
    expected = template.shape(truth.coefficients)[template.mirror] * flip
    landmarks = found.landmarks()
    errors = [
        np.linalg.norm(landmarks[name] - expected[index])
        for name, index in template.landmark_index.items()
    ]
    assert max(errors) < 3
    assert landmarks["pupil_right"][0] > 20 > -20 > landmarks["pupil_left"][0]


@pytest.mark.slow
def test_a_removed_face_is_missed_and_the_scalp_found(head: Head) -> None:
    def deface(points: np.ndarray, normals: np.ndarray) -> np.ndarray:
        front = (points[:, 2] < 60) & (points[:, 1] > 20)
        return np.where(front[:, None], points * [1, 0, 1] + [0, 20, 0], points)

    truth = head(someone(3), placed(tilt(10, (1, 0, 1))), change=deface)
    found = align(truth.skin, truth.scan)
    errors = truth.errors(found)
    assert found.confidence >= CONFIDENT
    assert max(errors[name] for name in ("vertex", "opisthocranion", "preauricular_left")) < 4
    assert max(errors.values()) < 8
    assert found.support["scalp"] > 0.9
    assert all(found.support[name] < 0.2 for name in ("brow", "eyes", "nose", "mouth", "chin"))
    assert all(found.seen[name] > 0.8 for name in ("brow", "eyes", "nose", "mouth"))


def solid(kind: str) -> trimesh.Trimesh:
    if kind == "box":
        return trimesh.creation.box((150, 190, 220)).subdivide_to_size(9)
    ball = trimesh.creation.icosphere(subdivisions=5, radius=1.0)
    return ball.apply_scale([85, 85, 85] if kind == "sphere" else [75, 95, 110])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sphere", "ellipsoid", "box"])
def test_what_is_no_head_is_not_found(kind: str) -> None:
    assert align(as_skin(solid(kind)), wide_scan()).confidence < CONFIDENT


def test_too_little_skin_is_refused() -> None:
    with pytest.raises(AlignmentError, match="too little skin"):
        align(as_skin(trimesh.creation.icosphere(subdivisions=2, radius=60)), wide_scan())


def test_same_input_same_answer(head: Head) -> None:
    truth = head(someone(7), noise_mm=0.5)
    first, second = (align(truth.skin, truth.scan) for _ in range(2))
    np.testing.assert_array_equal(first.scan_to_template_rigid, second.scan_to_template_rigid)
    np.testing.assert_array_equal(first.shape, second.shape)


@pytest.mark.parametrize(
    ("degrees", "told", "size", "expected"),
    [
        (90.0, (1.05, 1.12), 1.0, True),
        (90.0, (1.12, 1.05), 1.0, False),
        (40.0, (1.05, 1.12), 1.0, False),
        # Nothing fits upright.
        (90.0, (), 1.2, True),
        (90.0, (), 1.0, False),
    ],
)
def test_the_inside_contradicts_a_head_turned_round(
    degrees: float,
    told: tuple[float, ...],
    size: float,
    expected: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Small crania cut at the nose fitted turned by 90 degrees with full confidence."""
    from faceblind.head import alignment as module
    from faceblind.head.fitting import SETTINGS, Fit

    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_euler("x", degrees, degrees=True).as_matrix()
    fit, upright = (Fit(pose, np.zeros(1), 0.6) for pose in (turn, np.eye(4)))
    answers = iter(told)
    monkeypatch.setattr(module, "information", lambda *_: next(answers))
    described = SimpleNamespace(scan_to_template=np.diag([size, size, size, 1.0]))
    monkeypatch.setattr(module, "_describe", lambda *_: described)
    monkeypatch.setattr(module.Levels, "of", lambda *_: None)
    scan = Scan(np.zeros((2, 2, 2), np.uint8), np.eye(4))
    others = [upright] if told else []
    found = module._is_contradicted(None, fit, others, scan, SETTINGS)  # type: ignore[arg-type]
    assert bool(found) is expected


def test_thin_keeps_one_point_per_cube() -> None:
    points = np.random.default_rng(0).uniform(0, 10, (5000, 3))
    keep = thin(points, 2.5)
    assert (np.diff(keep) > 0).all()
    cells = np.floor((points - points.min(axis=0)) / 2.5)
    assert len(np.unique(cells[keep], axis=0)) == len(keep) == len(np.unique(cells, axis=0))


@pytest.mark.slow
def test_real_scans_also_with_scrambled_axes(shared: Path) -> None:
    """The same skin turned by one of the 24 axis orientations gives the same landmarks.

    Every fourth scan is turned: each takes the search among all rotations.
    """
    axes = Rotation.create_group("O").as_matrix()
    others = ("already_defaced", "fruit", "ct_pitch", "spm152")
    paths = sorted((shared / "scans").glob("*.nii.gz"))
    paths = [path for path in paths if not path.name.startswith(others)]
    assert len(paths) >= 10
    for number, path in enumerate(paths):
        scan = load(path)
        skin = find_skin(scan)
        straight = align(skin, scan)
        assert straight.confidence >= CONFIDENT, path.name
        if number % 4:
            continue
        turn = np.eye(4)
        turn[:3, :3] = axes[(5 * number + 3) % 24]
        scrambled = Skin(
            skin.points @ turn[:3, :3].T.astype(np.float32),
            skin.faces,
            skin.normals @ turn[:3, :3].T.astype(np.float32),
            skin.edge,
        )
        turned = align(scrambled, Scan(scan.volume(), turn @ scan.affine))
        assert turned.confidence >= CONFIDENT, path.name
        after = turned.landmarks()
        apart = [
            np.linalg.norm(turn[:3, :3] @ place - after[name])
            for name, place in straight.landmarks().items()
        ]
        # Slices of 5 mm leave the pose open by as much.
        assert np.median(apart) < max(3, scan.spacing.max()), path.name
