"""Files in, protected files out; failures by name, and nothing half done."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from faceblind.datasets.names import mask_path
from faceblind.errors import AlignmentError, OutputError, ScanError
from faceblind.formats.nifti import load, save
from faceblind.geometry.grid import Grid
from faceblind.head import own_head
from faceblind.head.alignment import align
from faceblind.head.presence import find_presence
from faceblind.head.skin import find_skin
from faceblind.protect import cut_choice
from faceblind.protect import region as region_module
from faceblind.protect.placement import place
from faceblind.protect.protected_scan import ProtectedScan
from faceblind.protect.region_options import RegionOptions
from faceblind.scan import Scan
from faceblind.workflows import protect_outputs
from faceblind.workflows import protect_session as session_workflow
from faceblind.workflows.protect import protect_file, protect_folder, protect_session
from faceblind.workflows.protect_outputs import OutputFiles
from faceblind.workflows.protect_session import Job
from faceblind.workflows.protect_settings import ProtectionSettings, method_in_words


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

    monkeypatch.setattr(session_workflow, "heads_of_session", heads)
    return made


@pytest.fixture
def quick(monkeypatch):
    """A protection that only blanks the front of the image: for what happens around it."""

    def deface(scan, *, head, **_):
        mask = np.zeros(scan.shape, bool)
        mask[:, -20:] = True
        cut = Grid(np.zeros((2, 2, 2), np.float32), np.eye(4))
        region = region_module.ReplacedRegion(mask, "cut", cut, np.zeros((2, 3)), {})
        return ProtectedScan(scan.with_changes(mask, 0), region, place(head.alignment), "deface")

    monkeypatch.setattr(session_workflow, "deface", deface)
    # Such a result keeps the face, which the look at it has its own tests for.
    monkeypatch.setattr(session_workflow, "_require_gone", lambda *_: None)


def write(scan: Scan, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    save(replace(scan, source=None), path)
    return path


def test_one_file(known_heads, tmp_path):
    source = write(known_heads.scan, tmp_path / "sub-1_T1w.nii.gz")
    (tmp_path / "sub-1_T1w.json").write_text(json.dumps({"EchoTime": 0.003, "PatientName": "A"}))
    target = tmp_path / "out.nii.gz"
    done = protect_file(source, target, ProtectionSettings(write_mask=True))
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
    protect_file(tmp_path / "b.nii.gz", tmp_path / "c.nii.gz", ProtectionSettings(force=True))
    assert (tmp_path / "c.nii.gz").exists()


def test_a_run_that_was_killed_goes_on(known_heads, quick, tmp_path, monkeypatch):
    """What is done stays and helps its companions as before; what is half done is done again."""
    seen = []
    heads = session_workflow.heads_of_session

    def counted(scans, **options):
        seen.append([Path(scan.source).name for scan in scans])
        return heads(scans, **options)

    monkeypatch.setattr(session_workflow, "heads_of_session", counted)
    data, out = tmp_path / "data", tmp_path / "out"
    names = [f"sub-1_{suffix}.nii.gz" for suffix in ("FLAIR", "T1w", "T2w")]
    for name in names:
        write(known_heads.scan, data / name)
    settings = ProtectionSettings(write_mask=True)
    protect_folder(data, out, settings, n_jobs=1, show_progress=False)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    (out / "sub-1_T2w.nii.gz").unlink()
    (out / "sub-1_T1w.nii.gz").unlink()
    (out / "sub-1_mod-T1w_defacemask.nii.gz").unlink()
    again = protect_folder(data, out, settings, n_jobs=1, show_progress=False)
    assert [result.error for result in again] == [None, None, None]
    assert [result.existed for result in again] == [True, False, False]
    assert seen == [names, names]
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    protect_folder(data, out, settings, n_jobs=1, show_progress=False)
    assert len(seen) == 2


def test_what_a_worker_wrote_before_it_died_counts(known_heads, quick, tmp_path):
    outputs = []
    for name in ("sub-1_T1w.nii.gz", "sub-1_T2w.nii.gz"):
        source = write(known_heads.scan, tmp_path / "data" / name)
        outputs.append(OutputFiles(source, tmp_path / name, ProtectionSettings()))
    first, second = (Job((output,)) for output in outputs)
    session_workflow.protect_job(first, ProtectionSettings())
    both = Job((*first.scans, *second.scans))
    done = session_workflow.lost(both, "the worker died", ProtectionSettings())
    assert [result.existed for result in done] == [True, False]
    assert done[1].error == f"{outputs[1].source}: the worker died"
    # Tried again, the session ends as if nothing had happened.
    done = session_workflow.protect_job(both, ProtectionSettings())
    assert [result.target for result in done] == [output.target for output in outputs]


@pytest.mark.parametrize(
    "other",
    [
        {"options": RegionOptions(keep_ears=True)},
        {"drop_extensions": True},
        {"strict": False},
        {"write_mask": True},
        {"keep_fiducials": True},
        {"save_transforms": True},
    ],
)
def test_what_was_made_in_another_way_is_not_taken_for_done(known_heads, quick, tmp_path, other):
    source = write(known_heads.scan, tmp_path / "data" / "sub-1_T1w.nii.gz")
    protect_folder(tmp_path / "data", tmp_path / "out", n_jobs=1, show_progress=False)
    settings = ProtectionSettings(**other)
    (again,) = protect_folder(
        tmp_path / "data", tmp_path / "out", settings, n_jobs=1, show_progress=False
    )
    assert again.source == source
    assert "exists already" in again.error


def test_an_input_that_changed_since_is_not_taken_for_done(known_heads, quick, tmp_path):
    source = write(known_heads.scan, tmp_path / "data" / "sub-1_T1w.nii.gz")
    protect_folder(tmp_path / "data", tmp_path / "out", n_jobs=1, show_progress=False)
    later = source.stat().st_mtime + 60
    os.utime(source, (later, later))
    (again,) = protect_folder(tmp_path / "data", tmp_path / "out", n_jobs=1, show_progress=False)
    assert "exists already" in again.error


def test_a_face_that_is_gone_is_not_cut_again(phantom, tmp_path, monkeypatch):
    """Not even when forced: under a cut the brain is nearer than under skin."""
    made = phantom(seed=1)
    bare = replace(made.head.alignment, support=dict.fromkeys(made.head.alignment.support, 0.05))
    monkeypatch.setattr(own_head, "find_skin", lambda scan, head=None: made.head.skin)
    monkeypatch.setattr(own_head, "align", lambda skin, scan: bare)
    source = write(made.scan, tmp_path / "a.nii.gz")
    with pytest.raises(ScanError, match=r"a\.nii\.gz: no face was found"):
        protect_file(source, tmp_path / "b.nii.gz", ProtectionSettings(force=True))
    assert [path.name for path in tmp_path.iterdir()] == ["a.nii.gz"]


def test_two_scans_never_share_a_sidecar(known_heads, quick, tmp_path):
    data = tmp_path / "data"
    first = write(known_heads.scan, data / "a_T1w.nii")
    second = write(known_heads.scan, data / "a_T1w.nii.gz")
    done = protect_folder(data, tmp_path / "out", n_jobs=1, show_progress=False)
    assert [result.source for result in done] == [first, second]
    assert done[0].error is None
    assert "names of those of a_T1w.nii; rename one" in done[1].error
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        ".faceblind.json",
        "a_T1w.json",
        "a_T1w.nii",
    ]
    with pytest.raises(OutputError, match="rename one"):
        protect_session([first, second], tmp_path / "other")


@pytest.mark.parametrize("ending", [".nii", ".NII"])
def test_a_sidecar_in_use_is_not_taken_for_a_left_over(known_heads, quick, tmp_path, ending):
    """Another run: the sidecar is ours, but of a scan that lies beside it."""
    first = write(known_heads.scan, tmp_path / "in" / "a.nii")
    second = write(known_heads.scan, tmp_path / "in" / "a.nii.gz")
    protect_file(first, tmp_path / f"b{ending}")
    said = (tmp_path / "b.json").read_bytes()
    with pytest.raises(OutputError, match=r"b\.json: exists already"):
        protect_file(second, tmp_path / "b.nii.gz", ProtectionSettings("reface"))
    assert (tmp_path / "b.json").read_bytes() == said
    assert not (tmp_path / "b.nii.gz").exists()


def test_nothing_stale_stays_beside_what_was_replaced(known_heads, quick, tmp_path):
    data, out = tmp_path / "data", tmp_path / "out"
    source = write(known_heads.scan, data / "sub-1_T1w.nii.gz")
    first = ProtectionSettings(write_mask=True, save_transforms=True)
    protect_folder(data, out, first, n_jobs=1, show_progress=False)
    mask, transform = out / "sub-1_mod-T1w_defacemask.nii.gz", out / "private" / "transforms"
    assert mask.exists()
    assert list(transform.iterdir())
    protect_folder(data, out, ProtectionSettings(force=True), n_jobs=1, show_progress=False)
    assert not mask.exists()
    assert not list(transform.iterdir())
    source.write_bytes(source.read_bytes()[:3000])
    (failed,) = protect_folder(
        data, out, ProtectionSettings(force=True), n_jobs=1, show_progress=False
    )
    assert failed.error.endswith("(the output still holds an older result)")


@pytest.mark.parametrize("with_mask", [True, False])
def test_a_result_that_cannot_be_replaced_stays_as_it_was(
    known_heads, quick, tmp_path, monkeypatch, with_mask
):
    source = write(known_heads.scan, tmp_path / "in" / "a.nii.gz")
    target = tmp_path / "b.nii.gz"
    settings = ProtectionSettings(write_mask=True)
    protect_file(source, target, settings)
    before = {path.name: path.read_bytes() for path in tmp_path.glob("b*")}
    assert len(before) == 3

    def full(*_):
        raise OutputError("disk full")

    monkeypatch.setattr(protect_outputs, "write_sidecar", full)
    with pytest.raises(ScanError, match="disk full"):
        protect_file(source, target, ProtectionSettings(write_mask=with_mask, force=True))
    assert {path.name: path.read_bytes() for path in tmp_path.glob("b*")} == before


def test_a_scan_never_lies_there_without_its_sidecar(known_heads, quick, tmp_path, monkeypatch):
    """Killed between any two renames: the scan comes last, and a second run goes on."""
    write(known_heads.scan, tmp_path / "data" / "sub-1_T1w.nii.gz")
    out, settings = tmp_path / "out", ProtectionSettings(write_mask=True)
    names = ["sub-1_mod-T1w_defacemask.nii.gz", "sub-1_T1w.json", "sub-1_T1w.nii.gz"]
    rename = Path.replace
    renamed = []

    def killed(path, target):
        if Path(target).name in names:
            renamed.append(Path(target).name)
        if len(renamed) == 3:
            raise KeyboardInterrupt
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            protect_folder(tmp_path / "data", out, settings, n_jobs=1, show_progress=False)
    assert renamed == names
    assert not (out / names[2]).exists()
    (again,) = protect_folder(tmp_path / "data", out, settings, n_jobs=1, show_progress=False)
    assert again.error is None
    assert all((out / name).exists() for name in names)


def test_the_input_is_never_the_output(known_heads, tmp_path):
    source = write(known_heads.scan, tmp_path / "a.nii.gz")
    content = source.read_bytes()
    with pytest.raises(OutputError, match="input itself"):
        protect_file(source, source, ProtectionSettings(force=True))
    with pytest.raises(OutputError, match="holds the input"):
        protect_session([source], tmp_path, ProtectionSettings(force=True))
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
    assert again[0].existed
    assert again[0].target == done[0].target
    assert [result.error is None for result in again] == [True, False, False]


def test_derived_images_lose_the_same_region(known_heads, tmp_path):
    source = write(known_heads.scan, tmp_path / "in" / "sub-1_T1w.nii.gz")
    labels = (known_heads.scan.voxels > 300).astype(np.uint8)
    derived = write(Scan(labels, known_heads.scan.affine), tmp_path / "in" / "labels.nii.gz")
    settings = ProtectionSettings("reface", save_transforms=True)
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


def test_labels_need_not_show_what_lies_over_the_brain(known_heads, monkeypatch, tmp_path):
    """The first scan shows a thin cover, its labels show none: one region for both all the same."""
    measured = cut_choice.find_cover

    def find_cover(scan, skin, affine, thickness):
        cover = measured(scan, skin, affine, thickness)
        shows_bone = scan.voxels.dtype == np.int16
        return replace(cover, depth_mm=cover.depth_mm * (0.55 if shows_bone else 1.0))

    monkeypatch.setattr(cut_choice, "find_cover", find_cover)
    source = write(known_heads.scan, tmp_path / "in" / "t1.nii.gz")
    labels = np.full(known_heads.scan.shape, 3, np.uint8)
    labels[0, 0, 0] = 0
    derived = write(Scan(labels, known_heads.scan.affine), tmp_path / "in" / "labels.nii.gz")
    settings = ProtectionSettings(write_mask=True)
    done = protect_session([source], tmp_path / "out", settings, apply_to=[derived])
    assert [result.error for result in done] == [None, None]
    first, second = (
        load(tmp_path / "out" / f"{name}_defacemask.nii.gz").volume() for name in ("t1", "labels")
    )
    assert np.array_equal(first, second)


def test_a_derived_image_is_not_written_without_its_scan(known_heads, tmp_path):
    source = write(known_heads.scan, tmp_path / "in" / "lost_T1w.nii.gz")
    derived = write(known_heads.scan, tmp_path / "in" / "map.nii.gz")
    protected = write(known_heads.scan, tmp_path / "in" / "done_T1w.nii.gz")
    (tmp_path / "in" / "done_T1w.json").write_text('{"DeidentificationMethod": ["pydeface"]}')
    for first in (source, protected):
        out = tmp_path / first.stem
        done = protect_session([first], out, apply_to=[derived])
        assert "belongs to was not protected" in done[1].error
        assert [path.name for path in out.iterdir()] == [".faceblind.json"]


def test_a_sidecar_is_never_put_beside_its_own_input(known_heads, tmp_path):
    """It would say that the original, too, has no face."""
    source = write(known_heads.scan, tmp_path / "a.nii.gz")
    with pytest.raises(OutputError, match="sidecar would be the input's"):
        protect_file(source, tmp_path / "a.nii", ProtectionSettings(force=True))
    assert [path.name for path in tmp_path.iterdir()] == ["a.nii.gz"]


def test_a_mask_never_replaces_the_input(known_heads, tmp_path):
    source = write(known_heads.scan, tmp_path / "a_defacemask.nii.gz")
    content = source.read_bytes()
    with pytest.raises(OutputError, match="input itself"):
        protect_file(source, tmp_path / "a.nii.gz", ProtectionSettings(force=True, write_mask=True))
    assert source.read_bytes() == content


def test_a_scan_without_its_sidecar_is_not_left_behind(known_heads, quick, tmp_path, monkeypatch):
    source = write(known_heads.scan, tmp_path / "in" / "a.nii.gz")

    def full(*_):
        raise OutputError("disk full")

    monkeypatch.setattr(protect_outputs, "write_sidecar", full)
    with pytest.raises(ScanError, match="disk full"):
        protect_file(source, tmp_path / "b.nii.gz")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_damage_in_one_scan_does_not_take_its_sisters(known_heads, quick, tmp_path, monkeypatch):
    sources = [write(known_heads.scan, tmp_path / "in" / f"{n}_T1w.nii.gz") for n in "abc"]
    (tmp_path / "in" / "b_T1w.json").write_text("{")

    def deface(scan, **options):
        if "a_T1w" in scan.source:
            raise ZeroDivisionError
        return protection_deface(scan, **options)

    protection_deface = session_workflow.deface
    monkeypatch.setattr(session_workflow, "deface", deface)
    done = protect_session(sources, tmp_path / "out", ProtectionSettings(force=True))
    assert "a_T1w.nii.gz: internal error (ZeroDivisionError" in done[0].error
    assert "b_T1w.json: not readable JSON" in done[1].error
    assert done[2].error is None
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [".faceblind.json", "c_T1w.json", "c_T1w.nii.gz"]


def test_folders_without_labels_are_of_different_people(known_heads, quick, tmp_path, monkeypatch):
    """Every folder holds a T1w.nii.gz: none helps another, and no transform replaces another."""
    seen = []
    heads = session_workflow.heads_of_session

    def counted(scans, **options):
        seen.append(len(scans))
        return heads(scans, **options)

    monkeypatch.setattr(session_workflow, "heads_of_session", counted)
    for person in ("Ann", "Bo"):
        write(known_heads.scan, tmp_path / "data" / person / "T1w.nii.gz")
    settings = ProtectionSettings(save_transforms=True)
    out = tmp_path / "out"
    done = protect_folder(tmp_path / "data", out, settings, n_jobs=1, show_progress=False)
    assert [result.error for result in done] == [None, None]
    assert seen == [1, 1]
    kept = sorted(str(path.relative_to(out)) for path in (out / "private").rglob("*.json"))
    assert kept == ["private/transforms/Ann/T1w.json", "private/transforms/Bo/T1w.json"]
    assert (out / "private").stat().st_mode & 0o077 == 0


def test_a_map_without_a_position_is_refused_unless_the_user_knows_its_grid(known_heads, tmp_path):
    """Both form codes 0: blanked where its guessed place has the face, it would lose brain."""
    source = write(known_heads.scan, tmp_path / "in" / "sub-1_T1w.nii.gz")
    made = write(known_heads.scan, tmp_path / "in" / "map.nii")
    header = bytearray(made.read_bytes())
    header[252:256] = bytes(4)
    made.write_bytes(bytes(header))
    done = protect_session([source], tmp_path / "out", apply_to=[made])
    assert done[0].error is None
    assert "map.nii: its header has no position" in done[1].error
    assert not (tmp_path / "out" / "map.nii").exists()
    settings = ProtectionSettings(same_grid=True)
    done = protect_session([source], tmp_path / "again", settings, apply_to=[made])
    assert [result.error for result in done] == [None, None]
    before, after = (load(result.source).voxels for result in done), done[1].target
    values, same = next(before), load(after)
    assert same.position.code == 0
    assert np.array_equal(same.voxels != values, load(done[0].target).voxels != values)


def test_an_image_of_a_series_that_moves_is_refused(known_heads, tmp_path, monkeypatch):
    measured = session_workflow.deface

    def deface(scan, **options):
        done = measured(scan, **options)
        return replace(done, region=replace(done.region, moved_mm=8.0))

    monkeypatch.setattr(session_workflow, "deface", deface)
    source = write(known_heads.scan, tmp_path / "in" / "sub-1_bold.nii.gz")
    made = write(known_heads.scan, tmp_path / "in" / "mean.nii.gz")
    done = protect_session([source], tmp_path / "out", apply_to=[made])
    assert "mean.nii.gz: the head moves through the volumes of sub-1_bold" in done[1].error


def test_series_of_a_session_are_whole_in_the_result(phantom, quick, tmp_path, monkeypatch):
    """For the search a series is one volume; every volume is protected."""
    made = phantom(seed=3, volumes=3)
    shapes = []

    def heads(scans, **_):
        shapes.extend(scan.voxels.ndim for scan in scans)
        return [made.head for _ in scans]

    monkeypatch.setattr(session_workflow, "heads_of_session", heads)
    sources = [write(made.scan, tmp_path / "in" / f"{n}_bold.nii.gz") for n in "ab"]
    done = protect_session(sources, tmp_path / "out")
    assert shapes == [3, 3]
    for source, result in zip(sources, done, strict=True):
        before, after = load(source).voxels, load(result.target).voxels
        assert before.shape == after.shape
        assert (before != after).any(axis=(0, 1, 2)).all()


def test_what_is_no_scan_is_named_as_it_was_given(known_heads, quick, tmp_path):
    source = write(known_heads.scan, tmp_path / "in" / "a.nii.gz")
    note = tmp_path / "in" / "notes.txt"
    note.write_text("x")
    done = protect_session([source, note], tmp_path / "out")
    assert done[0].error is None
    assert done[1].error.startswith(f"{note}: not a format")
    with pytest.raises(ScanError, match="is a folder; name the scans"):
        protect_session([tmp_path / "in"], tmp_path / "other")


def test_links_are_followed_and_missing_content_is_named(known_heads, quick, tmp_path):
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    write(known_heads.scan, elsewhere / "sub-2_T1w.nii.gz")
    data.mkdir()
    (data / "sub-2").symlink_to(elsewhere, target_is_directory=True)
    (data / "sub-1_T1w.nii.gz").symlink_to(tmp_path / "unfetched.nii.gz")
    done = protect_folder(data, tmp_path / "out", n_jobs=1, show_progress=False)
    assert "is a link to a missing file; fetch its content first" in done[0].error
    assert done[1].target == tmp_path / "out" / "sub-2" / "sub-2_T1w.nii.gz"
    assert done[1].error is None
    assert not done[1].target.is_symlink()
    with pytest.raises(OutputError, match="lies inside the input folder"):
        protect_folder(data, elsewhere / "out", n_jobs=1, show_progress=False)
    with pytest.raises(ScanError, match="fetch its content first"):
        protect_session([data / "sub-1_T1w.nii.gz"], tmp_path / "other")


@pytest.mark.parametrize("value", [np.nan, 0.0])
def test_maps_that_show_little_are_blanked_too(known_heads, tmp_path, value):
    """As those of brain tissue: nothing outside the brain, or nothing at all."""
    source = write(known_heads.scan, tmp_path / "in" / "sub-1_T1w.nii.gz")
    values = np.full(known_heads.scan.shape, value, np.float32)
    if np.isnan(value):
        values[known_heads.brain] = 0.7
    made = write(Scan(values, known_heads.scan.affine), tmp_path / "in" / "map.nii.gz")
    done = protect_session([source], tmp_path / "out", apply_to=[made])
    assert [result.error for result in done] == [None, None]
    before, after = (load(path, derived=True).stored.raw for path in (made, done[1].target))
    assert np.array_equal(before[known_heads.brain], after[known_heads.brain])
    changed = before.view(np.uint32) != after.view(np.uint32)
    assert not (changed & known_heads.brain).any()


def test_a_file_in_the_way_of_a_folder(known_heads, tmp_path):
    write(known_heads.scan, tmp_path / "data" / "sub-1" / "sub-1_T1w.nii.gz")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "sub-1").write_text("x")
    with pytest.raises(OutputError, match=r"sub-1: cannot be made \(File exists\)"):
        protect_folder(tmp_path / "data", tmp_path / "out", ProtectionSettings(force=True))


def test_fiducials_stay_in_the_sidecar(known_heads, tmp_path):
    source = write(known_heads.scan, tmp_path / "a.nii.gz")
    known = {"AnatomicalLandmarkCoordinates": {"NAS": [1, 2, 3], "LPA": "Jane", "Home": [0, 0, 0]}}
    (tmp_path / "a.json").write_text(json.dumps(known))
    protect_file(source, tmp_path / "b.nii.gz")
    assert "AnatomicalLandmarkCoordinates" not in json.loads((tmp_path / "b.json").read_text())
    protect_file(source, tmp_path / "c.nii.gz", ProtectionSettings(keep_fiducials=True))
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
    done = protect_file(source, tmp_path / f"out{ending}", ProtectionSettings(write_mask=True))
    before, after = formats.load(source), formats.load(done.target)
    mask = load(tmp_path / "out_defacemask.nii.gz").volume() > 0
    changed = before.stored.raw != after.stored.raw
    assert changed.any()
    assert not (changed & ~mask).any()


def test_names_and_words(tmp_path):
    assert mask_path(Path("sub-01_T1w.nii.gz"), "T1w").name == "sub-01_mod-T1w_defacemask.nii.gz"
    assert mask_path(Path("a.nii"), None).name == "a_defacemask.nii.gz"
    words = method_in_words(
        ProtectionSettings("reface", options=RegionOptions(keep_ears=True, keep_eyes=True))
    )
    assert "reface" in words
    assert "ears and eyes kept" in words
    assert "face replaced" in words
    assert "face and ears removed" in method_in_words(ProtectionSettings())
    assert "also neck" in method_in_words(ProtectionSettings(options=RegionOptions(neck=True)))
    assert mask_path(Path("sub-01_T1w.mgz"), "T1w").name == "sub-01_mod-T1w_defacemask.nii.gz"


@pytest.mark.slow
def test_real_scans_keep_their_brain_and_lose_their_face(shared, tmp_path):
    """T1 and T2 of one session: the T2 ends at the nostrils and is helped by the T1."""
    scans = [shared / "scans" / f"sub-a_{name}.nii.gz" for name in ("T1w", "T2w")]
    done = protect_session(scans, tmp_path / "out")
    assert [result.error for result in done] == [None, None]
    after = load(done[0].target)
    assert find_presence(align(find_skin(after), after)).is_gone


def test_a_derived_image_of_another_space_is_refused(known_heads, tmp_path):
    source = write(known_heads.scan, tmp_path / "in" / "sub-1_T1w.nii.gz")
    affine = known_heads.scan.affine.copy()
    affine[:3, 3] += 500.0
    labels = (known_heads.scan.voxels > 300).astype(np.uint8)
    derived = write(Scan(labels, affine), tmp_path / "in" / "labels.nii.gz")
    done = protect_session([source], tmp_path / "out", apply_to=[derived])
    assert done[0].error is None
    assert "does not show the head where sub-1_T1w.nii.gz has it" in done[1].error
    assert not (tmp_path / "out" / "labels.nii.gz").exists()


def test_images_of_a_folder_that_are_not_read_are_named(tmp_path):
    data = tmp_path / "in"
    for name in ("sub-1_T1w.nii", "sub-2/IM1", "sub-2/IM2", "sub-3_T1w.mif", "sub-3.png", "a.json"):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_bytes(bytes(128) + b"DICM" if "IM" in name else b"torn")
    for name in ("derivatives/IM1", ".hidden/IM1"):
        (data / name).parent.mkdir()
        (data / name).write_bytes(bytes(128) + b"DICM")
    done = protect_folder(data, tmp_path / "out", n_jobs=1, show_progress=False)
    assert [result.source.name for result in done] == ["sub-1_T1w.nii", "IM1", "sub-3_T1w.mif"]
    assert done[1].error == (
        f"{data}/sub-2/IM1 and 1 more in its folder: DICOM, not read and not protected; convert it "
        "to NIfTI first"
    )
    assert all(result.target is None and result.error for result in done)
