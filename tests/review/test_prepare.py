from __future__ import annotations

import os
import stat

import pytest

from faceblind.errors import FaceblindError
from faceblind.review import prepare
from faceblind.review.prepare import Pictures
from faceblind.review.scans import Source


@pytest.fixture
def pictures(tmp_path):
    made = Pictures(tmp_path / "cache", 1)
    yield made
    made.close()


def source(folders, number=1):
    inside = f"sub-0{number}/anat/sub-0{number}_T1w.nii.gz"
    return Source(folders.protected / inside, folders.originals / inside)


def test_a_picture_is_made_once_and_again_when_the_scan_changes(pictures, folders):
    first = pictures.get(0, source(folders), "tile.png")
    made = first.stat().st_mtime_ns
    assert first.read_bytes()[:4] == b"\x89PNG"
    assert pictures.get(0, source(folders), "tile.png").stat().st_mtime_ns == made
    os.utime(source(folders).after, (5, 5))
    assert pictures.get(0, source(folders), "tile.png") != first


@pytest.mark.skipif(os.name != "posix", reason="rights as POSIX has them")
def test_what_shows_people_is_private_and_goes_at_the_end(pictures, folders):
    path = pictures.get(0, source(folders), "after.nii")
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(pictures.folder.stat().st_mode) == 0o700
    pictures.close()
    assert not pictures.folder.exists()


def test_only_the_last_scans_are_kept(pictures, folders, monkeypatch):
    monkeypatch.setattr(prepare, "KEPT", 2)
    paths = [pictures.get(n, source(folders, n), "volumes.json") for n in (1, 2, 3)]
    assert [path.is_file() for path in paths] == [False, True, True]
    assert pictures.get(1, source(folders, 1), "volumes.json").is_file()


def test_without_an_original_there_is_less(pictures, folders):
    alone = Source(source(folders).after, None)
    assert b'"before": false' in pictures.get(0, alone, "volumes.json").read_bytes()
    with pytest.raises(FaceblindError, match="has none"):
        pictures.get(0, alone, "before.nii")


def test_a_damaged_original_costs_only_itself(pictures, folders):
    source(folders).before.write_bytes(b"x")
    said = pictures.get(0, source(folders), "volumes.json").read_text()
    assert '"before": false' in said
    assert pictures.get(0, source(folders), "after.nii").is_file()


def test_a_dead_worker_is_replaced(pictures, folders):
    pictures.get(0, source(folders), "tile.png")
    for process in list(pictures._pool._processes.values()):
        process.kill()
    with pytest.raises(FaceblindError, match="worker process died"):
        pictures.get(1, source(folders, 2), "volumes.json")
    assert pictures.get(1, source(folders, 2), "volumes.json").is_file()
