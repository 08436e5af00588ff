"""Series of one session help one another, and only where they show one head in one place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from faceblind.errors import AlignmentError, ScanError
from faceblind.geometry.mesh import crop
from faceblind.head import own_head, session
from faceblind.head.alignment import moved
from faceblind.head.session import heads_of_session
from faceblind.head.skin import Skin
from faceblind.head.whole_head import Head
from faceblind.protect.deface import deface
from faceblind.scan import Scan
from faceblind.volunteers.people.shape import sample_person
from faceblind.volunteers.scanner.settings import ScannerSettings
from faceblind.volunteers.scanner.simulate import scan_session


@pytest.fixture
def known(monkeypatch, phantom):
    """Skins and alignments by scan; nothing is searched."""
    table = {}

    def find_skin(scan, head=None):
        skin, _ = table[scan.source]
        if skin is None:
            raise ScanError(f"{scan.source}: no head stands out from the air")
        return skin

    def align(skin, scan):
        alignment = table[scan.source][1]
        if alignment is None:
            raise AlignmentError(f"{scan.source}: no part of the skin resembles a head")
        return alignment

    monkeypatch.setattr(own_head, "find_skin", find_skin)
    monkeypatch.setattr(own_head, "align", align)
    monkeypatch.setattr(own_head, "find_head", lambda scan, fraction: None)
    monkeypatch.setattr(own_head, "find_dim_head", lambda scan: None)
    made = phantom(seed=1)

    def add(
        name,
        *,
        confidence=1.0,
        seen=1.0,
        support=1.0,
        move=None,
        blank=False,
        lost=False,
        bare=False,
    ):
        skin, alignment = made.head.skin, made.head.alignment
        affine = made.scan.affine
        if move is not None:
            turn, shift = move[:3, :3], move[:3, 3]
            skin = replace(
                skin,
                points=(skin.points @ turn.T + shift).astype(np.float32),
                normals=(skin.normals @ turn.T).astype(np.float32),
            )
            alignment = replace(
                alignment,
                scan_to_template=alignment.scan_to_template @ np.linalg.inv(move),
                scan_to_template_rigid=alignment.scan_to_template_rigid @ np.linalg.inv(move),
            )
            affine = move @ affine
        share = {region: value * seen for region, value in alignment.seen.items()}
        shown = dict.fromkeys(alignment.support, support)
        alignment = replace(alignment, confidence=confidence, seen=share, support=shown)
        if bare:
            skin = without_face(skin, alignment)
        table[name] = (None if blank else skin, None if lost else alignment)
        return replace(made.scan, source=name, affine=affine, stored=None)

    return add


def without_face(skin, alignment):
    """The skin without what lies in front of the ears."""
    where = skin.points @ alignment.scan_to_template[:3, :3].T + alignment.scan_to_template[:3, 3]
    points, faces, kept = crop(skin.points, skin.faces, where[:, 1] < 20)
    return Skin(points, faces, skin.normals[kept], skin.edge[kept])


def small_move(turn=(3.0, -2.0, 1.0), shift=(2.0, -3.0, 1.0)):
    move = np.eye(4)
    move[:3, :3] = Rotation.from_euler("zyx", turn, degrees=True).as_matrix()
    move[:3, 3] = shift
    return move


def test_each_series_speaks_for_itself(known):
    scans = [known("t1"), known("t2", move=small_move())]
    heads = heads_of_session(scans)
    first, second = (head.alignment.scan_to_template for head in heads)
    assert not np.allclose(first, second)


def test_a_flair_cut_at_the_nostrils_takes_its_sisters_alignment(known):
    move = small_move()
    scans = [known("t1"), known("flair", seen=0.4, move=move)]
    head = heads_of_session(scans)[1]
    expected = heads_of_session([known("t1")])[0].alignment.scan_to_template @ np.linalg.inv(move)
    points = scans[1].world([[20, 30, 40], [60, 70, 50], [40, 90, 80]])
    got = (
        points @ head.alignment.scan_to_template[:3, :3].T + head.alignment.scan_to_template[:3, 3]
    )
    want = points @ expected[:3, :3].T + expected[:3, 3]
    assert np.linalg.norm(got - want, axis=1).max() < 1.0


@pytest.mark.parametrize("options", [{"confidence": 0.2}, {"lost": True}])
def test_a_series_that_is_unsure_is_helped(known, options):
    scans = [known("t1"), known("bold", **options)]
    heads = heads_of_session(scans)
    assert heads[1].alignment.confidence == 1.0


def test_a_sister_without_a_face_helps_nobody(known):
    """Its skin is a cut: a T2 that shows less of the face speaks for itself all the same."""
    faceless, alone = known("t1", support=0.05), known("t2", seen=0.6)
    assert isinstance(heads_of_session([faceless])[0], ScanError)
    _, head = heads_of_session([faceless, alone])
    assert head.alignment.support["nose"] == 1.0
    assert np.array_equal(
        head.alignment.scan_to_template, heads_of_session([alone])[0].alignment.scan_to_template
    )
    lost = heads_of_session([faceless, known("bold", lost=True)])
    assert "t1: no face was found where the head has one" in str(lost[0])
    assert isinstance(lost[1], AlignmentError)


@pytest.mark.parametrize("seen", [0.6, 1.0])
def test_under_a_missing_face_the_sisters_skin_tells_where_the_brain_lies(known, seen):
    """A T2 that was cut before or is dark: the depth of the brain is not measured under its cut."""
    whole = known("t1")
    cut = known("t2", seen=seen, support=0.05, move=small_move(), bare=True)
    alone, head = (heads_of_session(scans)[-1] for scans in ([cut], [whole, cut]))
    assert isinstance(alone, ScanError)
    nose = head.alignment.fitted()[head.alignment.template.region("nose")]
    assert cKDTree(head.skin.points).query(nose)[0].max() < 6.0
    own = heads_of_session([whole, known("t2", seen=0.6, move=small_move())])[1]
    assert np.allclose(own.alignment.scan_to_template, head.alignment.scan_to_template, atol=0.05)


def test_a_sister_of_low_confidence_helps_nobody(known):
    scans = [known("t1", confidence=0.3), known("bold", lost=True)]
    heads = heads_of_session(scans)
    assert all(isinstance(head, AlignmentError) for head in heads)
    assert "t1" in str(heads[0])
    assert "not found with confidence (0.30" in str(heads[0])
    assert "resembles" in str(heads[1])


def test_low_confidence_is_accepted_only_when_allowed(known):
    scan = known("t1", confidence=0.3)
    assert isinstance(heads_of_session([scan])[0], AlignmentError)
    assert heads_of_session([scan], strict=False)[0].alignment.confidence == 0.3


def test_a_series_that_the_inside_does_not_help_either(known, monkeypatch):
    """Where neither skin nor inside is believed, a series is refused."""
    monkeypatch.setattr(session, "_by_inside", lambda scan, companion: None)
    heads = heads_of_session([known("t1"), known("blank", blank=True)])
    assert isinstance(heads[1], ScanError)


def test_a_head_elsewhere_is_not_the_same_place(known):
    far = small_move(turn=(0, 0, 0), shift=(0, 40.0, 0))
    turned = small_move(turn=(25.0, 0, 0), shift=(0, 0, 0))
    for move in (far, turned):
        scans = [known("t1"), known("other", lost=True, move=move)]
        assert isinstance(heads_of_session(scans)[1], AlignmentError)


def test_a_series_without_skin_is_laid_on_its_sister_by_what_is_inside(known):
    move = small_move()
    scans = [known("t1"), known("blank", blank=True, move=move)]
    first, second = heads_of_session(scans)
    want = first.alignment.scan_to_template @ np.linalg.inv(move)
    points = first.skin.points[::50] @ move[:3, :3].T + move[:3, 3]
    error = points @ (second.alignment.scan_to_template - want)[:3, :3].T
    error += (second.alignment.scan_to_template - want)[:3, 3]
    assert np.linalg.norm(error, axis=1).max() < 1.5
    assert np.linalg.norm(second.skin.points[::50] - points, axis=1).max() < 1.5


def test_a_series_of_noise_is_not_laid_on_its_sister(known):
    noise = known("blank", blank=True)
    values = np.random.default_rng(1).normal(100, 12, noise.shape).astype(np.float32)
    heads = heads_of_session([known("t1"), replace(noise, voxels=values)])
    assert isinstance(heads[1], ScanError)
    assert heads[0].alignment.confidence == 1.0


def test_skin_that_a_scan_does_not_show_counts_as_cut(known, phantom):
    made = phantom(seed=1)
    half = Scan(made.scan.voxels[:, :, :40], made.scan.affine, "T1w", "half")
    skin = session._moved_skin(made.head.skin, np.eye(4), half)
    top = half.world([[0, 0, 39]])[0, 2]
    assert skin.edge[skin.points[:, 2] > top].all()
    assert not skin.edge[(skin.points[:, 2] < top - 6) & ~made.head.skin.edge].all()


def test_a_series_over_time_is_looked_at_by_its_first_volume(phantom):
    made = phantom(seed=3, volumes=3)
    still = phantom(seed=3)
    head = heads_of_session([made.scan])[0]
    alone = heads_of_session([still.scan])[0]
    assert head.alignment.confidence >= 0.5
    shift = head.alignment.landmarks()["pronasale"] - alone.alignment.landmarks()["pronasale"]
    assert np.linalg.norm(shift) < 1.0


def test_moving_an_alignment_moves_its_landmarks(phantom):
    alignment = phantom(seed=1).head.alignment
    move = small_move()
    there = moved(alignment, move)
    nose = alignment.landmarks()["pronasale"]
    back = np.linalg.solve(move[:3, :3], nose - move[:3, 3])
    assert np.allclose(there.landmarks()["pronasale"], back, atol=1e-3)


def test_scans_are_not_changed(known):
    scan = known("t1")
    before = scan.voxels.copy()
    heads_of_session([scan])
    assert isinstance(scan, Scan)
    assert np.array_equal(scan.voxels, before)


@pytest.fixture(scope="module")
def dark_skinned():
    """T1 and axial T2*: skin as dark as noise, and a cranium that fits turned round."""
    settings = ScannerSettings(
        tilt_sd=10.0, tilt_limit=30.0, vertex_cut=0.2, ears_cut=0.2, chin_cut=0.2, nose_cut=0.1,
        wrap=0.1, session_mm=2.0, session_deg=1.5,
    )  # fmt: skip
    return scan_session(sample_person(7, 18), ("T1w", "axT2star"), settings)


@pytest.mark.slow
def test_skin_far_darker_than_the_brain_is_found_where_it_is(dark_skinned):
    truth = dark_skinned["axT2star"]
    (head,) = heads_of_session([truth.scan])
    found = head.alignment.landmarks()
    names = ("glabella", "exocanthion_left", "exocanthion_right", "vertex", "opisthocranion")
    away = np.mean([found[name] - truth.landmarks[name] for name in names], axis=0)
    assert np.linalg.norm(away) < 3.0
    mask = deface(truth.scan, head=head).region.mask
    assert not (mask & truth.brain).any()
    assert (mask & truth.face).sum() > 0.2 * truth.face.sum()


def test_a_brain_without_visible_skin_is_refused_not_turned_round(dark_skinned):
    """Skin that gives no signal at all."""
    truth = dark_skinned["axT2star"]
    values = np.array(truth.scan.voxels)
    air = values[:8, :8].ravel()
    gone = ~truth.brain
    values[gone] = np.random.default_rng(0).choice(air, int(gone.sum()))
    (head,) = heads_of_session([replace(truth.scan, voxels=values, stored=None)])
    assert isinstance(head, AlignmentError | ScanError)


@pytest.mark.slow
def test_the_same_series_is_protected_by_its_sister(dark_skinned):
    heads = heads_of_session([truth.scan for truth in dark_skinned.values()])
    assert isinstance(heads[1], Head)
    first, truth = dark_skinned["T1w"], dark_skinned["axT2star"]
    back = np.linalg.inv(first.to_first) @ truth.to_first
    exact = Head(
        session._moved_skin(heads[0].skin, back, truth.scan), moved(heads[0].alignment, back)
    )
    # The T1's skin where it lies in this series: what of it is face must go.
    skin = exact.skin
    index = np.rint(truth.scan.index(skin.points - 1.0 * skin.normals)).astype(int)[~skin.edge]
    index = index[truth.face[tuple(index.T)]]
    assert len(index) > 500
    depth, shown = [], []
    for head in (heads[1], exact):
        mask = deface(truth.scan, head=head).region.mask
        assert not (mask & truth.brain).any()
        depth.append((mask & truth.face).sum() / truth.face.sum())
        shown.append(mask[tuple(index.T)].mean())
    # Most of the face lies below this series; what it shows goes as with the true motion.
    assert depth[0] == pytest.approx(depth[1], abs=0.04)
    assert min(shown) > 0.98
