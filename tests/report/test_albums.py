from __future__ import annotations

import base64
import gzip
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from faceblind.formats import save
from faceblind.report import albums
from faceblind.report.pictures import TILE
from faceblind.scan import Scan
from faceblind.system.tables import write_tsv


def size(picture) -> tuple[int, int]:
    return Image.open(io.BytesIO(base64.b64decode(picture.data.partition("base64,")[2]))).size


@pytest.fixture
def files(tmp_path):
    """Three scans; the first has an original, the last cannot be read."""
    voxels = np.random.default_rng(0).random((20, 20, 20)).astype(np.float32)
    paths = [tmp_path / f"{name}.nii" for name in ("a", "b", "before")]
    for path in paths:
        save(Scan(voxels, np.diag([6.0, 6, 6, 1])), path)
    (tmp_path / "c.nii").write_bytes(b"x")
    return ((paths[0], paths[2]), (paths[1], None), (tmp_path / "c.nii", None))


def test_the_most_suspicious_come_first_with_what_they_were_before(audit_of, files):
    report = audit_of()
    fail, passed, _, broken = report.verdicts[:4]
    report = replace(report, verdicts=(passed, broken, fail), files=(files[1], files[2], files[0]))
    note, *found = albums.scan_albums(report, n_jobs=1, show_progress=False)
    assert [album.tone for album in found] == ["fail", "unsure", "pass"]
    assert [[p.caption for p in album.pictures] for album in found] == [
        ["before", "after"], [], ["as audited"],
    ]  # fmt: skip
    assert size(found[0].pictures[0]) == (5 * TILE, TILE)
    assert "rank 1 of 20" in found[0].note
    assert note.text == albums.LEGEND


def _half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _huge(content: bytes) -> bytes:
    return content[:42] + np.array([30_000] * 3, "<i2").tobytes() + content[48:]


def _not_finite(content: bytes) -> bytes:
    return content[:352] + np.full(8000, np.nan, "<f4").tobytes()


@pytest.mark.parametrize(
    "change",
    [_half, _huge, _not_finite, lambda content: b"", lambda content: gzip.compress(content)[:99]],
)
def test_a_scan_that_broke_since_it_was_audited_is_named_with_the_reason(audit_of, files, change):
    after, before = files[0]
    after.write_bytes(change(after.read_bytes()))
    report = audit_of()
    report = replace(report, verdicts=report.verdicts[:1], files=((after, before),))
    _, album = albums.scan_albums(report, n_jobs=1, show_progress=False)
    assert album.title == report.verdicts[0].path
    assert [picture.caption for picture in album.pictures] == ["before"]
    said = album.note.rpartition("no picture of the scan after protection: ")[2]
    assert said != album.note
    assert said
    assert "internal error" not in said
    assert str(after.parent) not in said


def test_a_large_audit_says_what_it_leaves_out(audit_of, files, monkeypatch):
    monkeypatch.setattr(albums, "MOST_SCANS", 1)
    report = replace(audit_of(scans=3), files=(files[1],) * 3)
    _, note, *found = albums.scan_albums(report, n_jobs=1, show_progress=False)
    assert len(found) == 1
    assert note.text == "2 scans that come later in this order are left out."


def test_without_files_there_are_no_pictures(audit_of):
    assert albums.scan_albums(audit_of(), n_jobs=1) == ()


def test_photographs_stand_beside_renders(tmp_path):
    Image.new("RGB", (400, 500), "red").save(tmp_path / "p.png")
    names = ("participant_id", "file", "view", "flags")
    rows = [
        ("sub-1", tmp_path / "p.png", "front", "blurred"),
        ("sub-1", tmp_path / "p.png", "left", "dark"),
        ("sub-2", tmp_path / "gone.jpg", "front", ""),
    ]
    write_tsv(tmp_path / "photographs.tsv", [dict(zip(names, row, strict=True)) for row in rows])
    assert albums.photograph_flags(tmp_path) == {"sub-1": "front: blurred; left: dark"}
    assert albums.people_albums(tmp_path, ["sub-1", "sub-2"]) == ()
    for person in ("sub-1", "sub-2"):
        folder = tmp_path / "faces" / person
        folder.mkdir(parents=True)
        Image.new("L", (9 * 20, 9 * 30)).save(folder / "as-is.png")
    first, second = albums.people_albums(tmp_path, ["sub-1", "sub-2", "sub-3"])
    assert [p.caption for p in first.pictures] == ["photograph", "render of the scan"]
    assert [size(p) for p in first.pictures] == [(134, 168), (60, 30)]
    assert [p.caption for p in second.pictures] == ["render of the scan"]


def test_a_study_without_photographs_has_no_flags(tmp_path):
    assert albums.photograph_flags(tmp_path) == {}
