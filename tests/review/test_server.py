"""What the app answers, to right and to hostile questions."""

from __future__ import annotations

import gzip
import json
import os

import nibabel as nib
import numpy as np
import pytest
from review_parts import FACE, POSTING, ask, head, make_folders, write

FAIL = "sub-02/anat/sub-02_T1w.nii.gz"


def decide(app, number, content):
    body = json.dumps(content).encode() if not isinstance(content, bytes) else content
    return ask(app, f"/api/scans/{number}/decision", "POST", POSTING, body)


def test_the_queue_names_no_folder(app, folders):
    answer = ask(app, "/api/review")
    assert answer.status == 200
    assert answer.header("content-type") == "application/json"
    assert answer.json["scans"][0]["path"] == FAIL
    assert (answer.json["rater"], answer.json["round"]) == ("anna", 1)
    assert str(folders.protected).encode() not in answer.body


def test_pages_are_served_by_name_only(app):
    for path, kind in (("/", "text/html"), ("/sheets", "text/html"),
                       ("/pages/review.js", "text/javascript")):  # fmt: skip
        answer = ask(app, path)
        assert answer.status == 200
        assert answer.header("content-type") == f"{kind}; charset=utf-8"
    for path in ("/pages/LICENSES.md", "/pages/__init__.py", "/pages/", "/pages/a/b", "/nothing",
                 "/api/scans/0/decisions.sqlite", "/api/scans/0/x/after.nii"):  # fmt: skip
        assert ask(app, path).status == 404, path


def test_no_page_holds_anything_inline(app):
    for path in ("/", "/sheets"):
        text = ask(app, path).body.decode()
        assert " style=" not in text
        assert "<style" not in text
        assert " on" + "click" not in text
        assert "<script>" not in text
        assert "http" not in text.replace("http-equiv", "")


def test_a_decision_is_kept_and_read_again(app, folders):
    answer = decide(app, 2, {"choice": "accept", "comment": "<script>alert(1)</script>"})
    assert answer.status == 200
    assert answer.json["choice"] == "accept"
    assert ask(app, "/api/scans/2").json["comment"] == "<script>alert(1)</script>"
    table = ask(app, "/api/decisions.tsv")
    assert table.header("content-disposition") == 'attachment; filename="decisions.tsv"'
    assert "<script>alert(1)</script>" in table.body.decode()
    assert table.header("x-content-type-options") == "nosniff"
    assert folders.review("ben").decide(2, "reject")["choice"] == "reject"
    (pair,) = ask(app, "/api/agreement").json
    assert (pair["first"], pair["second"], pair["items"], pair["observed"]) == ("anna", "ben", 1, 0)


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400), (b"{", 400), (b"[]", 400), (b"null", 400), ({}, 400), ({"choice": 1}, 400),
        ({"choice": "accept", "faults": "eyes"}, 400),
        ({"choice": "accept", "faults": [["eyes"]]}, 400),
        ({"choice": "accept", "comment": 3}, 400),
        ({"choice": "redo", "settings": []}, 400),
        ({"choice": "burn"}, 409), ({"choice": "redo", "settings": {"method": "../x"}}, 409),
        ({"choice": "accept", "comment": "x" * 3000}, 409),
        ({"choice": "accept", "faults": ["eyes"]}, 409),
    ],
)  # fmt: skip
def test_what_no_page_sends_is_refused(app, folders, content, status):
    answer = decide(app, 0, content)
    assert answer.status == status
    assert answer.json["error"]
    assert str(folders.protected).encode() not in answer.body
    assert (folders.protected / FAIL).is_file()


def test_numbers_are_all_that_names_a_scan(app):
    assert decide(app, 3, {"choice": "accept"}).status == 409
    assert ask(app, "/api/scans/3").status == 409
    assert ask(app, "/api/scans/-1").status == 404
    assert ask(app, "/api/scans/sub-01/after.nii").status == 404
    assert decide(app, "0x0", {"choice": "accept"}).status == 404


def test_pictures_show_what_was_replaced(app, folders, tmp_path):
    said = ask(app, "/api/scans/2/volumes.json").json
    assert said["before"]
    assert said["replaced"]
    low, high = said["windows"]["usual"]
    assert 0 <= low < 10
    assert 150 < high < 210
    images = {}
    for name in ("before", "after", "replaced"):
        answer = ask(app, f"/api/scans/2/{name}.nii")
        assert answer.status == 200
        (tmp_path / f"{name}.nii").write_bytes(answer.body)
        images[name] = np.asanyarray(nib.load(tmp_path / f"{name}.nii").dataobj)
    source = nib.load(folders.originals / "sub-01/anat/sub-01_T1w.nii.gz")
    np.testing.assert_allclose(images["before"], np.asanyarray(source.dataobj), atol=0.02)
    differs = np.abs(images["before"] - images["after"]) > 0.5
    np.testing.assert_array_equal(images["replaced"] > 0, differs)
    assert differs[FACE].mean() > 0.1
    assert differs.sum() == differs[FACE].sum()


def test_skins_have_one_box(app):
    said = ask(app, "/api/scans/2/skins.json").json
    assert said["before"] == said["after"] == ""
    boxes = []
    for name in ("before", "after"):
        mesh = ask(app, f"/api/scans/2/{name}.mz3").body
        magic, kind, faces, points, _ = (
            np.frombuffer(mesh[:4], "<u2").tolist() + np.frombuffer(mesh[4:16], "<u4").tolist()
        )
        assert (magic, kind) == (0x5A4D, 3)
        assert len(mesh) == 16 + 12 * (faces + points)
        vertices = np.frombuffer(mesh[16 + 12 * faces :], "<f4").reshape(-1, 3)
        boxes.append([vertices.min(axis=0), vertices.max(axis=0)])
    np.testing.assert_allclose(boxes[0], boxes[1])
    np.testing.assert_allclose(boxes[0], said["box"], atol=1e-3)


def test_a_scan_that_cannot_be_read_is_said_without_its_path(app, folders):
    (folders.protected / FAIL).write_bytes(b"no scan")
    answer = ask(app, "/api/scans/0/after.nii")
    assert answer.status == 409
    assert b"sub-02" not in answer.body
    assert ask(app, "/api/scans/2/volumes.json").status == 200


def test_hostile_names_are_only_text(tmp_path):
    from faceblind.review.prepare import Pictures
    from faceblind.review.server import make_app

    folders = make_folders(tmp_path, 1)
    name = '"><img src=x onerror=alert(1)>'
    old = folders.protected / "sub-01/anat/sub-01_T1w.nii.gz"
    old.rename(old.with_name(f"{name}.nii.gz"))
    review = folders.review()
    pictures = Pictures(tmp_path / "cache", 1)
    try:
        answer = ask(make_app(review, pictures, "the-token-of-these-tests"), "/api/review")
        assert answer.json["scans"][0]["path"] == f"sub-01/anat/{name}.nii.gz"
        assert answer.header("content-type") == "application/json"
    finally:
        pictures.close()
        review.close()


def _shortened(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _huge(content: bytes) -> bytes:
    raw = bytearray(gzip.decompress(content))
    raw[42:48] = np.array([30_000] * 3, "<i2").tobytes()
    return gzip.compress(bytes(raw))


def _not_finite(content: bytes) -> bytes:
    image = nib.Nifti1Image.from_bytes(gzip.decompress(content))
    voxels = np.full(image.shape, np.nan, np.float32)
    return gzip.compress(nib.Nifti1Image(voxels, image.affine).to_bytes())


BROKEN = {
    "empty": lambda content: b"",
    "cut packed": _shortened,
    "half written": lambda content: gzip.compress(_shortened(gzip.decompress(content))),
    "huge": _huge,
    "nan": _not_finite,
    "text": lambda content: b"<html>no scan</html>",
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_scan_is_said_in_one_line_and_the_others_go_on(app, folders, how):
    path = folders.protected / FAIL
    path.write_bytes(BROKEN[how](path.read_bytes()))
    for name in ("volumes.json", "skins.json", "overlays.json", "tile.png"):
        answer = ask(app, f"/api/scans/0/{name}")
        assert answer.status == 409
        said = answer.json["error"]
        assert said
        assert "\n" not in said
        assert str(folders.protected) not in said
        assert "internal error" not in said
    assert ask(app, "/api/scans/2/volumes.json").status == 200
    assert ask(app, "/api/review").json["scans"][0]["path"] == FAIL


@pytest.mark.parametrize("how", [*BROKEN, "gone"])
def test_a_broken_original_is_said_and_the_protected_scan_is_shown(app, folders, how):
    path = folders.originals / FAIL
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(BROKEN[how](path.read_bytes()))
    said = ask(app, "/api/scans/0/volumes.json").json
    assert said["before"] is False
    assert said["error"].startswith("the original cannot be read: ")
    assert str(folders.originals) not in said["error"]
    assert ask(app, "/api/scans/0/after.nii").status == 200
    assert ask(app, "/api/scans/0/skins.json").json["after"] == ""


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all files")
def test_a_scan_that_may_not_be_read_is_said(app, folders):
    (folders.protected / FAIL).chmod(0)
    answer = ask(app, "/api/scans/0/volumes.json")
    assert answer.status == 409
    assert "ermission" in answer.json["error"]


def test_a_fault_of_the_program_is_said_in_words(app, monkeypatch):
    from faceblind.review.prepare import Pictures

    def fail(*_: object) -> None:
        raise ValueError("holds a name")

    monkeypatch.setattr(Pictures, "get", fail)
    answer = ask(app, "/api/scans/0/volumes.json")
    assert answer.status == 500
    assert answer.json["error"].startswith("internal error (ValueError at server.py:")
    assert b"holds a name" not in answer.body


def test_only_what_was_looked_at_can_be_accepted(app, folders):
    seen = ask(app, "/api/scans/2/volumes.json").json["seen"]
    assert ask(app, "/api/scans/2").json["seen"] == seen
    path = folders.protected / ask(app, "/api/scans/2").json["path"]
    write(path, head(5))
    refused = decide(app, 2, {"choice": "accept", "seen": seen})
    assert refused.status == 412
    assert refused.json["error"] == "has changed since it was shown; look at it again"
    assert ask(app, "/api/scans/2").json["choice"] == ""
    # To reject is always safe.
    assert decide(app, 2, {"choice": "reject", "seen": seen}).status == 200
    assert not path.exists()
    seen = ask(app, "/api/scans/2/volumes.json").json["seen"]
    assert decide(app, 2, {"choice": "accept", "seen": seen}).status == 200
    assert path.exists()
