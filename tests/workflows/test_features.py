"""From files to embeddings: what is cached, what is refused, and in which words."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from faceblind.errors import FaceblindError, PhotographError
from faceblind.face.pipeline import reconstruct_head, render_face, require_face
from faceblind.system.cache import Cache
from faceblind.workflows import features
from faceblind.workflows.features import FeatureSettings, photo_embeddings, scan_embeddings

SETTINGS = FeatureSettings()


@pytest.fixture
def cache(studied: Any, tmp_path: Path) -> Cache:
    """A copy of what the study of the four volunteers kept."""
    shutil.copytree(studied.out / "private" / "cache", tmp_path / "cache")
    return Cache(tmp_path / "cache")


@pytest.fixture
def scan_file(four_people: Path) -> Path:
    return four_people / "scans" / "sub-0001" / "anat" / "sub-0001_T1w.nii.gz"


def never(*args: object, **kwargs: object) -> None:
    raise AssertionError("computed again")


def test_a_scan_gives_one_unit_vector_for_each_picture(scan_file: Path, cache: Cache) -> None:
    vectors = scan_embeddings(scan_file, SETTINGS, cache)
    assert vectors.shape == (36, 64 * 49)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_the_cache_spares_all_work_even_under_another_name(
    scan_file: Path, cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = scan_embeddings(scan_file, SETTINGS, cache)
    monkeypatch.setattr(features, "scan_pictures", never)
    copy = shutil.copy(scan_file, tmp_path / "other.nii.gz")
    np.testing.assert_array_equal(scan_embeddings(Path(copy), SETTINGS, cache), before)


def test_another_recogniser_uses_the_kept_pictures(
    scan_file: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def embed(images: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        assert images.shape[0] == len(landmarks) == 81
        return np.ones((len(images), 1), np.float32)

    other = SimpleNamespace(identity="other-1", embed=embed)
    monkeypatch.setattr(features, "get_recogniser", lambda name: other)
    monkeypatch.setattr(features, "reconstruct_head", never)
    vectors = scan_embeddings(scan_file, FeatureSettings("other"), cache)
    np.testing.assert_array_equal(vectors, np.ones((81, 1)))


def test_sface_map_sees_four_of_the_nine_lights(
    scan_file: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def embed(images: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        return images.reshape(len(images), -1)

    other = SimpleNamespace(identity="other-2", embed=embed)
    monkeypatch.setattr(features, "get_recogniser", lambda name: other)
    few = scan_embeddings(scan_file, FeatureSettings("sface-map"), cache)
    every = scan_embeddings(scan_file, FeatureSettings("all-lights"), None)
    np.testing.assert_array_equal(few, every.reshape(9, 9, -1)[:, [0, 1, 2, 7]].reshape(36, -1))


def test_another_setting_or_version_is_computed_anew(
    scan_file: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "reconstruct_head", never)
    with pytest.raises(AssertionError, match="computed again"):
        scan_embeddings(scan_file, FeatureSettings(variant="as-is"), cache)
    monkeypatch.setattr(features, "code_digest", lambda: "next")
    with pytest.raises(AssertionError, match="computed again"):
        scan_embeddings(scan_file, SETTINGS, cache)


def test_as_is_and_without_a_cache(scan_file: Path) -> None:
    head = reconstruct_head(features.load(scan_file))
    assert head.presence.share > 0.8
    assert head.presence.seen > 0.9
    assert head.variant("as-is") is head.as_is
    assert head.variant("completed") is head.completed
    require_face(head, "x")
    renders = render_face(head.as_is)
    assert renders.images.shape[:2] == (9, 9)
    assert renders.images.dtype == np.uint8
    # The nose lies inside every picture, where the face is.
    height, width = renders.images.shape[2:]
    nose = renders.landmarks[:, 2]
    assert ((nose > 0.2 * width) & (nose < 0.8 * height)).all()


def test_a_photograph_gives_one_unit_vector(four_people: Path, tmp_path: Path) -> None:
    path = four_people / "photos" / "sub-0002_front.jpg"
    cache = Cache(tmp_path / "cache")
    first = photo_embeddings(path, SETTINGS, cache)
    assert first.vectors.shape == (1, 64 * 49)
    assert np.linalg.norm(first.vectors) == pytest.approx(1, abs=1e-5)
    again = photo_embeddings(path, SETTINGS, cache)
    np.testing.assert_array_equal(again.vectors, first.vectors)
    assert again.flags == first.flags


def test_a_picture_without_a_face_is_refused(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (300, 240, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    with pytest.raises(PhotographError, match=r"noise\.png: no face found"):
        photo_embeddings(tmp_path / "noise.png", SETTINGS)


@pytest.mark.parametrize("cached", [False, True])
def test_a_missing_scan_is_refused(tmp_path: Path, cached: bool) -> None:
    cache = Cache(tmp_path / "cache") if cached else None
    with pytest.raises(FaceblindError, match=r"gone\.nii: .*check the path"):
        scan_embeddings(tmp_path / "gone.nii", SETTINGS, cache)
