"""What a service is sent of a file: pixels of the face, and nothing else."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from faceblind.datasets.census import ScanFile
from faceblind.datasets.photographs import PhotoRow
from faceblind.errors import PhotographError
from faceblind.face.cameras import DEFAULT_LIGHTS
from faceblind.workflows import service_pictures as module
from faceblind.workflows.features import FeatureSettings
from faceblind.workflows.service_pictures import (
    LIGHTS,
    PHOTO_SIDE,
    RENDER_SIDE,
    as_png,
    photograph_pictures,
    render_pictures,
)


def decoded(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def chunks(data: bytes) -> set[bytes]:
    found, at = set(), 8
    while at < len(data):
        found.add(data[at + 4 : at + 8])
        at += 12 + int.from_bytes(data[at : at + 4])
    return found


def test_a_png_holds_the_same_pixels_and_no_metadata():
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 256, (5, 7), dtype=np.uint8)
    colour = rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    assert np.array_equal(decoded(as_png(grey)), grey)
    assert np.array_equal(decoded(as_png(colour))[..., ::-1], colour)
    for image in (grey, colour):
        assert chunks(as_png(image)) == {b"IHDR", b"IDAT", b"IEND"}


def row(person: str, name: str) -> PhotoRow:
    return PhotoRow(Path(name), person, "front", "yes")


@pytest.fixture
def camera(monkeypatch):
    """Photographs by name: a face, none, or a file that cannot be read."""

    def read(path):
        if "torn" in path.name:
            raise PhotographError(f"{path}: cannot be read")
        return np.full((20, 30, 3), 90, np.uint8) if "face" in path.name else np.zeros((2, 2, 3))

    def find(image):
        return SimpleNamespace(found=image.any(), flags=("dark", "blurred"))

    def crop(image, face, side, *, grey):
        assert not grey
        return np.full((side, side, 3), image[0, 0], np.uint8), None

    monkeypatch.setattr(module, "read_photo", read)
    monkeypatch.setattr(module, "find_face", find)
    monkeypatch.setattr(module, "loose_crop", crop)


def test_each_person_has_the_faces_of_the_pictures_that_show_one(camera):
    rows = [row("sub-1", "face-a.jpg"), row("sub-2", "wall.jpg"), row("sub-1", "torn.jpg"),
            row("sub-1", "face-b.jpg"), row("sub-3", "torn.jpg")]  # fmt: skip
    found = photograph_pictures(rows, 1, False)
    assert {person: len(pictures) for person, pictures in found.of.items()} == {"sub-1": 2}
    picture = decoded(found.of["sub-1"][0])
    assert picture.shape == (PHOTO_SIDE, PHOTO_SIDE, 3)
    assert (picture == 90).all()
    # One good picture is enough.
    assert set(found.failed) == {"sub-2", "sub-3"}
    assert "no face found" in found.failed["sub-2"]
    assert [one["flags"] for one in found.flags] == [
        "dark,blurred", "failed", "failed", "dark,blurred", "failed"
    ]  # fmt: skip
    assert found.flags[1] == {
        "participant_id": "sub-2", "file": "wall.jpg", "view": "front", "flags": "failed"
    }  # fmt: skip


def test_renders_are_enlarged_and_seen_under_few_lights(monkeypatch, tmp_path):
    def pictures(path, settings, cache):
        if "lost" in path.name:
            raise PhotographError(f"{path}: no face")
        number = np.arange(2 * len(DEFAULT_LIGHTS), dtype=np.uint8)
        return np.broadcast_to(number[:, None, None], (len(number), 8, 8)), None

    monkeypatch.setattr(module, "scan_pictures", pictures)
    files = [ScanFile(tmp_path / f"{n}.nii", f"sub-{n}", None, None) for n in ("a", "lost")]
    found = render_pictures(files, FeatureSettings(), tmp_path, 1, False)
    renders = [decoded(data) for data in found.of["sub-a"]]
    assert {image.shape for image in renders} == {(RENDER_SIDE, RENDER_SIDE)}
    wanted = [DEFAULT_LIGHTS.index(light) for light in LIGHTS]
    views = len(DEFAULT_LIGHTS)
    assert [int(image[0, 0]) for image in renders] == [
        view * views + light for view in (0, 1) for light in wanted
    ]
    assert set(found.failed) == {"sub-lost"}
    assert found.failed["sub-lost"].endswith("no face")
    assert found.flags == ()
