"""Files in, protected files out; failures by name, and nothing half done."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from faceblind import protection
from faceblind.errors import AlignmentError, OutputError, ScanError
from faceblind.formats.nifti import load, save
from faceblind.head.align import align
from faceblind.head.skin import find_skin
from faceblind.protect.regions import Choices
from faceblind.protection import (
    ProtectSettings,
    face_is_gone,
    mask_path,
    method_in_words,
    protect_file,
    protect_folder,
    protect_session,
)
from faceblind.scan import Scan


@pytest.fixture
def known_heads(monkeypatch, phantom):
    """Alignment has its own tests: here every scan is the phantom, unless it says otherwise."""
    made = phantom(seed=1)

    def heads(scans, *, strict=True):
        return [
            AlignmentError(f"{scan.source}: the head was not found with confidence")
            if "lost" in str(scan.source)
            else made.head
            for scan in scans
        ]

    monkeypatch.setattr(protection, "heads_of_session", heads)
    return made


def write(scan: Scan, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    save(replace(scan, source=None), path)
    return path


def test_one_file(known_heads, tmp_path):
    source = write(known_heads.scan, tmp_path / "sub-1_T1w.nii.gz")
    (tmp_path / "sub-1_T1w.json").write_text(json.dumps({"EchoTime": 0.003, "PatientName": "A"}))
    target = tmp_path / "out.nii.gz"
    done = protect_file(source, target, ProtectSettings(write_mask=True))
    assert done.target == target
    before, after = load(source), load(target)
    mask = load(tmp_path / "out_defacemask.nii.gz").volume() > 0
    changed = before.stored.raw != after.stored.raw
    assert changed.any()
    assert not (changed & ~mask).any()
    assert not (mask & known_heads.brain).any()
    assert np.array_equal(before.affine, after.affine)
    content = json.loads((tmp_path / "out.json").read_text())
    assert content["EchoTime"] == 0.003
    assert "PatientName" not in content
    with pytest.raises(OutputError, match="exists already"):
        protect_file(source, target)


def test_protected_input_is_refused_unless_forced(known_heads, tmp_path):
    source = write(known_heads.scan, tmp_path / "a.nii.gz")
    protect_file(source, tmp_path / "b.nii.gz")
    with pytest.raises(ScanError, match="protected already"):
        protect_file(tmp_path / "b.nii.gz", tmp_path / "c.nii.gz")
    assert not (tmp_path / "c.nii.gz").exists()
    protect_file(tmp_path / "b.nii.gz", tmp_path / "c.nii.gz", ProtectSettings(force=True))
    assert (tmp_path / "c.nii.gz").exists()


def test_the_input_is_never_the_output(known_heads, tmp_path):
    source = write(known_heads.scan, tmp_path / "a.nii.gz")
    content = source.read_bytes()
    with pytest.raises(OutputError, match="input itself"):
        protect_file(source, source, ProtectSettings(force=True))
    with pytest.raises(OutputError, match="holds the input"):
        protect_session([source], tmp_path, ProtectSettings(force=True))
    assert source.read_bytes() == content


def test_a_folder_is_mirrored_and_failures_leave_nothing(known_heads, tmp_path):
    data = tmp_path / "data"
    good = write(known_heads.scan, data / "sub-1" / "anat" / "sub-1_T1w.nii.gz")
    lost = write(known_heads.scan, data / "sub-2" / "anat" / "sub-2_desc-lost_T1w.nii.gz")
    broken = data / "sub-3" / "anat" / "sub-3_T1w.nii.gz"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(good.read_bytes()[:3000])
    out = tmp_path / "out"
    done = protect_folder(data, out, n_jobs=1, show_progress=False)
    assert [result.source for result in done] == [good, lost, broken]
    assert [result.error is None for result in done] == [True, False, False]
    assert "truncated" in done[2].error
    written = sorted(str(p.relative_to(out)) for p in out.rglob("*") if p.is_file())
    assert written == [
        ".faceblind.json",
        "sub-1/anat/sub-1_T1w.json",
        "sub-1/anat/sub-1_T1w.nii.gz",
    ]
    again = protect_folder(data, out, n_jobs=1, show_progress=False)
    assert "exists already" in again[0].error


def test_derived_images_lose_the_same_region(known_heads, tmp_path):
    source = write(known_heads.scan, tmp_path / "in" / "sub-1_T1w.nii.gz")
    labels = (known_heads.scan.voxels > 300).astype(np.uint8)
    derived = write(Scan(labels, known_heads.scan.affine), tmp_path / "in" / "labels.nii.gz")
    settings = ProtectSettings("reface", save_transforms=True)
    done = protect_session([source], tmp_path / "out", settings, apply_to=[derived])
    assert [result.error for result in done] == [None, None]
    after = load(tmp_path / "out" / "labels.nii.gz").volume()
    nose = known_heads.head.alignment.landmarks()["pronasale"]
    i, j, k = np.rint(known_heads.scan.index(nose[None])[0]).astype(int)
    assert labels[i, j - 2, k]
    assert not after[i, j - 2, k]
    assert np.array_equal(after[known_heads.brain], labels[known_heads.brain])
    transform = tmp_path / "out" / "private" / "transforms" / "sub-1_T1w.json"
    assert np.shape(json.loads(transform.read_text())["scan_to_template_mm"]) == (4, 4)


def test_a_missing_face_is_seen(phantom):
    alignment = phantom(seed=1).head.alignment
    assert not face_is_gone(alignment)
    support = dict.fromkeys(alignment.support, 0.05)
    assert face_is_gone(replace(alignment, support=support))
    # A field of view that ends above the brow tells nothing.
    unseen = dict.fromkeys(alignment.seen, 0.1)
    assert not face_is_gone(replace(alignment, support=support, seen=unseen))


def test_fiducials_stay_in_the_sidecar(known_heads, tmp_path):
    source = write(known_heads.scan, tmp_path / "a.nii.gz")
    known = {"AnatomicalLandmarkCoordinates": {"NAS": [1, 2, 3], "LPA": "Jane", "Home": [0, 0, 0]}}
    (tmp_path / "a.json").write_text(json.dumps(known))
    protect_file(source, tmp_path / "b.nii.gz")
    assert "AnatomicalLandmarkCoordinates" not in json.loads((tmp_path / "b.json").read_text())
    protect_file(source, tmp_path / "c.nii.gz", ProtectSettings(keep_fiducials=True))
    kept = json.loads((tmp_path / "c.json").read_text())["AnatomicalLandmarkCoordinates"]
    assert sorted(kept) == ["LPA", "NAS", "RPA"]
    assert kept["NAS"] == [1, 2, 3]
    place = known_heads.head.alignment.landmarks()["preauricular_left"]
    assert np.allclose(kept["LPA"], known_heads.scan.index(place[None])[0], atol=0.06)


@pytest.mark.parametrize("ending", [".mgz", ".nrrd"])
def test_other_formats_keep_theirs(known_heads, tmp_path, ending):
    from faceblind import formats

    source = tmp_path / f"sub-1_T1w{ending}"
    formats.save(replace(known_heads.scan, source=None), source)
    with pytest.raises(OutputError, match="keeps its format"):
        protect_file(source, tmp_path / "out.nii.gz")
    done = protect_file(source, tmp_path / f"out{ending}", ProtectSettings(write_mask=True))
    before, after = formats.load(source), formats.load(done.target)
    mask = load(tmp_path / "out_defacemask.nii.gz").volume() > 0
    changed = before.stored.raw != after.stored.raw
    assert changed.any()
    assert not (changed & ~mask).any()


def test_names_and_words(tmp_path):
    assert mask_path(Path("sub-01_T1w.nii.gz"), "T1w").name == "sub-01_mod-T1w_defacemask.nii.gz"
    assert mask_path(Path("a.nii"), None).name == "a_defacemask.nii.gz"
    words = method_in_words(ProtectSettings("reface", Choices(keep_ears=True, keep_eyes=True)))
    assert "reface" in words
    assert "ears and eyes kept" in words
    assert "also neck" in method_in_words(ProtectSettings(choices=Choices(neck=True)))
    assert mask_path(Path("sub-01_T1w.mgz"), "T1w").name == "sub-01_mod-T1w_defacemask.nii.gz"


@pytest.mark.slow
def test_real_scans_keep_their_brain_and_lose_their_face(shared, tmp_path):
    """T1 and T2 of one session: the T2 ends at the nostrils and is helped by the T1."""
    scans = [shared / "scans" / f"sub-a_{name}.nii.gz" for name in ("T1w", "T2w")]
    done = protect_session(scans, tmp_path / "out")
    assert [result.error for result in done] == [None, None]
    after = load(done[0].target)
    assert face_is_gone(align(find_skin(after), after))
