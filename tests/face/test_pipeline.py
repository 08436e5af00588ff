"""Which heads and faces are refused on the way to pictures, and in which words."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import trimesh

from faceblind.errors import AlignmentError, FaceblindError
from faceblind.face.pipeline import ReconstructedHead, reconstruct_head, require_face
from faceblind.geometry.triangles import vertex_normals
from faceblind.head import own_head
from faceblind.head.presence import Presence
from faceblind.head.skin import Skin
from faceblind.scan import Scan
from faceblind.volunteers.scanner.simulate import ScanTruth


def shown(face_share: float, seen_share: float) -> ReconstructedHead:
    nothing: Any = None
    return ReconstructedHead(nothing, nothing, nothing, Presence(face_share, seen_share))


@pytest.mark.parametrize(
    ("face_share", "seen_share", "message"),
    [
        (0.15, 1.0, r"x\.nii: the face is missing \(skin on 15% of it\); .*defaced already"),
        (1.0, 0.1, r"x\.nii: the face lies outside the field of view"),
        (0.0, 0.0, "outside the field of view"),
    ],
)
def test_a_head_without_a_face_is_refused(
    face_share: float, seen_share: float, message: str
) -> None:
    with pytest.raises(AlignmentError, match=message):
        require_face(shown(face_share, seen_share), "x.nii")


def test_a_cut_but_real_face_is_accepted() -> None:
    require_face(shown(0.9, 0.3), "x.nii")


def test_low_confidence_is_a_failure_and_not_a_face(monkeypatch: pytest.MonkeyPatch) -> None:
    scan = Scan(np.zeros((4, 4, 4)), np.eye(4), source="x.nii")
    monkeypatch.setattr(own_head, "find_skin", lambda scan, head=None: None)
    monkeypatch.setattr(own_head, "align", lambda *_: SimpleNamespace(confidence=0.31))
    with pytest.raises(AlignmentError, match=r"x\.nii: .*not found with enough confidence \(0\.31"):
        reconstruct_head(scan)


def test_too_little_skin_names_the_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    ball = trimesh.creation.icosphere(subdivisions=1, radius=60)
    points, faces = ball.vertices.astype(np.float32), ball.faces.astype(np.int32)
    skin = Skin(points, faces, vertex_normals(points, faces), np.zeros(len(points), bool))
    monkeypatch.setattr(own_head, "find_skin", lambda scan, head=None: skin)
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    affine[:3, 3] = -100
    scan = Scan(np.zeros((50, 50, 50)), affine, source="x.nii")
    with pytest.raises(
        AlignmentError, match=r"x\.nii: too little skin .*check that this is a head"
    ):
        reconstruct_head(scan)


def test_a_series_is_told_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def stop(scan: Scan) -> Skin:
        raise AlignmentError("far enough")

    monkeypatch.setattr(own_head, "find_skin", stop)
    with (
        caplog.at_level(logging.INFO, "faceblind"),
        pytest.raises(AlignmentError, match="far enough"),
    ):
        reconstruct_head(Scan(np.zeros((4, 4, 4, 3)), np.eye(4)))
    assert "A series of 3 volumes" in caplog.text


def test_a_dim_face_is_reconstructed_where_it_lies(dim: ScanTruth) -> None:
    head = reconstruct_head(dim.scan)
    require_face(head, "x.nii")
    found = head.alignment.landmarks()
    for name in ("nasion", "pronasale"):
        assert np.linalg.norm(found[name] - dim.landmarks[name]) < 8.0, name


def test_a_dim_head_without_a_face_stays_refused(dim_faceless: Scan) -> None:
    with pytest.raises(FaceblindError, match="no head was found"):
        reconstruct_head(dim_faceless)
