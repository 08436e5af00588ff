"""From a start beside it, the fit finds the pose and the shape that a head was made with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from faceblind.errors import AlignmentError
from faceblind.geometry.transforms import angle_degrees
from faceblind.head.fitting import SETTINGS, Aligner, Fit, SkinTargets
from faceblind.head.skin import Skin
from faceblind.head.template import load_template

TEMPLATE = load_template()
SHAPE = np.clip(np.random.default_rng(3).normal(0, 1, len(TEMPLATE.modes)), -2, 2)


def rigid(degrees: tuple[float, float, float], shift: tuple[float, float, float]) -> np.ndarray:
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()
    pose[:3, 3] = shift
    return pose


PLACE = rigid((12.0, -7.0, 15.0), (6.0, -20.0, 14.0))


@pytest.fixture(scope="module")
def made(head):
    return head(SHAPE, PLACE, noise_mm=0.3)


@pytest.fixture(scope="module")
def aligner(made):
    return Aligner(SkinTargets.of(made.skin, made.scan), TEMPLATE, SETTINGS)


def misfit(fit: Fit) -> float:
    """Mean distance of the face's points from where they were put, mm."""
    face = TEMPLATE.region("brow", "eyes", "nose", "mouth")
    found, true = (
        TEMPLATE.shape(shape)[face] @ pose[:3, :3].T + pose[:3, 3]
        for shape, pose in ((fit.shape, fit.template_to_scan), (SHAPE, PLACE))
    )
    return float(np.linalg.norm(found - true, axis=1).mean())


def test_the_search_starts_near_the_truth_best_first(aligner):
    starts = aligner.start(everywhere=False)
    assert len(starts) == SETTINGS.keep_header
    scores = [fit.score for fit in starts]
    assert scores == sorted(scores, reverse=True)
    assert angle_degrees(starts[0].template_to_scan, PLACE) < 8.0
    assert not starts[0].shape.any()


def test_each_step_comes_closer_to_the_generated_head(aligner):
    start = Fit(rigid((4.0, -3.0, 2.0), (4.0, 3.0, -5.0)) @ PLACE, np.zeros(len(SHAPE)), 0.0)
    refined = aligner.refine(start)
    finished = aligner.finish(refined)
    assert misfit(start) > 5.0
    assert misfit(refined) < 2.5
    assert misfit(finished) < 1.0
    assert not refined.shape[12:].any()
    assert angle_degrees(finished.template_to_scan, PLACE) < 2.0
    # The leading modes are the broad ones, which a surface tells best.
    assert np.corrcoef(finished.shape[:8], SHAPE[:8])[0, 1] > 0.9
    assert finished.score > SETTINGS.enough_score
    assert finished.witness > 0.95


def test_a_finished_fit_keeps_its_closest_skin(aligner):
    finished = aligner.finish(Fit(PLACE, SHAPE, 0.0))
    known, pairs = aligner.supported(finished)
    near, again = aligner.supported(replace(finished, pairs=None))
    assert pairs is finished.pairs
    np.testing.assert_array_equal(known, near)
    np.testing.assert_array_equal(pairs.distance, again.distance)
    np.testing.assert_array_equal(pairs.normals, again.normals)


def test_a_wrong_pose_scores_less_than_the_right_one(aligner):
    right = aligner.finish(Fit(PLACE, SHAPE, 0.0))
    back_to_front = aligner.finish(
        Fit(PLACE @ rigid((0.0, 0.0, 180.0), (0.0, 0.0, 0.0)), SHAPE, 0.0)
    )
    assert right.score > back_to_front.score + 0.06
    assert right.witness > back_to_front.witness + 0.3


def test_near_rivals_are_the_same_answer(aligner):
    fits = [
        Fit(rigid((degrees, 0.0, 0.0), (0.0, 0.0, 0.0)), SHAPE, score)
        for degrees, score in ((0.0, 0.5), (10.0, 0.6), (90.0, 0.4), (30.0, 0.3))
    ]
    assert [fit.score for fit in aligner._distinct(fits, 15.0, 9)] == [0.6, 0.4, 0.3]
    assert [fit.score for fit in aligner._distinct(fits, 15.0, 2)] == [0.6, 0.4]


def test_support_is_where_skin_is(made):
    """Half a head: the other half of the template has no skin and is not believed."""
    left = made.skin.points @ np.linalg.inv(PLACE)[:3, :3].T + np.linalg.inv(PLACE)[:3, 3]
    edge = made.skin.edge | (left[:, 0] > 0)
    skin = Skin(made.skin.points, made.skin.faces, made.skin.normals, edge)
    half = Aligner(SkinTargets.of(skin, made.scan), TEMPLATE, SETTINGS)
    near, _ = half.supported(Fit(PLACE, SHAPE, 0.0))
    side = half.fine_samples.points[:, 0]
    assert near[side < -8].mean() > 0.9
    assert near[side > 8].mean() < 0.02


def test_without_a_face_the_face_does_not_count(head):
    """The front is pushed in by 25 mm; the pose is still that of the scalp."""

    def flat(points, normals):
        front = np.clip((points[:, 1] - 50.0) / 10.0, 0, 1) * (points[:, 2] < 30)
        return points - np.outer(25.0 * front, [0.0, 1.0, 0.0])

    cut = head(SHAPE, PLACE, change=flat)
    start = Fit(rigid((3.0, 0.0, 0.0), (2.0, 2.0, 2.0)) @ PLACE, np.zeros(len(SHAPE)), 0.0)
    without = Aligner(SkinTargets.of(cut.skin, cut.scan), TEMPLATE, SETTINGS, faceless=True)
    with_face = Aligner(SkinTargets.of(cut.skin, cut.scan), TEMPLATE, SETTINGS)
    found = without.finish(without.refine(start))
    assert angle_degrees(found.template_to_scan, PLACE) < 4.0
    assert found.score > with_face.finish(with_face.refine(start)).score
    assert found.score > SETTINGS.enough_scalp_score


def test_too_little_skin_is_refused(made):
    few = Skin(made.skin.points, made.skin.faces, made.skin.normals, np.ones_like(made.skin.edge))
    with pytest.raises(AlignmentError, match="too little skin"):
        Aligner(SkinTargets.of(few, made.scan), TEMPLATE, SETTINGS)
