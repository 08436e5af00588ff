"""``faceblind bids`` as a user runs it, once with real scans and a real audit."""

from __future__ import annotations

import json
import logging
import shutil

import nibabel as nib
import numpy as np
import pytest

from faceblind.cli.verb import set_up_logging
from faceblind.formats import save
from faceblind.volunteers.people.shape import sample_person
from faceblind.volunteers.scanner.settings import ScannerSettings
from faceblind.volunteers.scanner.simulate import simulate


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """A dataset of one synthetic volunteer: a scan, a map of it, a functional series, tables."""
    root = tmp_path_factory.mktemp("bids") / "raw"
    anat, func = root / "sub-01" / "anat", root / "sub-01" / "func"
    anat.mkdir(parents=True)
    func.mkdir()
    scan = simulate(sample_person(7, 1), ScannerSettings(spacing_mm=4.0)).scan
    save(scan, anat / "sub-01_T1w.nii.gz")
    save(scan, anat / "sub-01_T1map.nii.gz")
    series = nib.Nifti1Image(np.arange(8 * 8 * 6 * 3, dtype=np.int16).reshape(8, 8, 6, 3), None)
    series.header.set_zooms((4, 4, 4, 2))
    series.header.set_xyzt_units("mm", "sec")
    nib.save(series, func / "sub-01_task-rest_bold.nii.gz")
    texts = {
        "dataset_description.json": {"Name": "Raw", "BIDSVersion": "1.10.0", "Authors": ["A"]},
        "README": "A dataset of nobody, made to try things on. " * 5,
        "participants.tsv": "participant_id\tage\nsub-01\t30\n",
        "participants.json": {"age": {"Description": "Age", "Units": "year"}},
        "T1w.json": {"EchoTime": 0.003, "MagneticFieldStrength": 3},
        "task-rest_bold.json": {"TaskName": "rest", "RepetitionTime": 2.0},
        "sub-01/sub-01_scans.tsv": "filename\nanat/sub-01_T1w.nii.gz\n",
    }
    for name, text in texts.items():
        content = text if isinstance(text, str) else json.dumps(text)
        (root / name).write_text(content)
    return root


@pytest.fixture(scope="module")
def published(raw, tmp_path_factory, command):
    """The dataset as it may be published, and what the command said."""
    out = tmp_path_factory.mktemp("published") / "out"
    done = command("bids", raw, out, "participant", "--layout", "publish", "--nprocs", 1)
    return out, done


@pytest.mark.slow
def test_real_scans_become_public_once_they_pass(raw, published, command):
    out, done = published
    assert done.code == 0, done.err
    assert f"Passed and public: 2 of 2: {out}" in done.out
    assert "1 images are copied as they are" in done.out
    for name in ("T1w", "T1map"):
        before = nib.load(raw / "sub-01" / "anat" / f"sub-01_{name}.nii.gz")
        after = nib.load(out / "sub-01" / "anat" / f"sub-01_{name}.nii.gz")
        changed = np.asarray(before.dataobj) != np.asarray(after.dataobj)
        assert 0.1 < changed.mean() < 0.9
        assert np.array_equal(before.affine, after.affine)
    assert command("status", out).out.startswith("Sessions: 1 of 1 finished, 0 worked on now")
    group = command("bids", raw, out, "group", "--nprocs", 1)
    assert group.code == 0, group.err
    assert "2 of 2 public scans pass." in group.out
    report = out / "private" / "report"
    assert f"Report: {report / 'report.html'}" in group.out
    assert "2 of 2 scans (100" in (report / "report.html").read_text(encoding="utf-8")
    assert "as audited" in (report / "private" / "report.html").read_text(encoding="utf-8")
    assert command("bids", raw, out, "group", "--nprocs", 1).code == 0
    # A scan of the dataset that no run has seen closes the gate, unless it is not asked for.
    late = raw / "sub-02" / "anat" / "sub-02_T1w.nii.gz"
    late.parent.mkdir(parents=True)
    late.write_bytes(b"x")
    closed = command("bids", raw, out, "group", "--nprocs", 1)
    chosen = command("bids", raw, out, "group", "--nprocs", 1, "--participant-label", "01")
    shutil.rmtree(raw / "sub-02")
    assert closed.code == 3
    assert "not public: sub-02/anat/sub-02_T1w.nii.gz: waiting: no run has worked" in closed.err
    assert "1 sessions are not finished" in closed.err
    assert chosen.code == 0, chosen.err


def test_a_dry_run_writes_nothing(raw, command, tmp_path):
    done = command(
        "bids", raw, tmp_path / "out", "participant", "--dry-run", "--layout", "publish", "-v"
    )
    assert done.code == 0
    assert done.out.splitlines()[:3] == [
        "protect  sub-01/anat/sub-01_T1w.nii.gz  ->  sub-01/anat/sub-01_T1w.nii.gz",
        "blank    sub-01/anat/sub-01_T1map.nii.gz  as sub-01_T1w.nii.gz",
        "copy     sub-01/func/sub-01_task-rest_bold.nii.gz",
    ]
    assert not (tmp_path / "out").exists()


def test_usage(raw, command, tmp_path):
    args = ["bids", raw, tmp_path / "out", "participant"]
    assert command(*args, "--protect-only", "--audit-only").code == 2
    assert command(*args, "--study", tmp_path / "photos.tsv").code == 2
    assert command(*args, "--nprocs", 0).code == 2
    slurm = ["--queue", "slurm", "--nprocs", 2]
    assert command(*args, "--queue", "slurm").code == 2
    assert command(*args, "--queue-option=--time=5").code == 2
    assert command(*args, *slurm, "--dask", "tcp://node:8786").code == 2
    assert command(*args, *slurm, "--queue-option", "--time=5\nreboot").code == 2
    assert command(*args[:3], "group", *slurm).code == 2
    done = command(*args, "--participant-label", "99")
    assert done.code == 1
    assert "sub-99: no such participant" in done.err
    assert command("bids", raw, tmp_path / "out", "group").code == 1
    assert command("status", tmp_path / "out").code == 1


def test_the_log_as_json(capsys):
    logger = logging.getLogger("faceblind")
    before = logger.handlers[:], logger.propagate, logger.level
    try:
        set_up_logging(verbose=False, quiet=False, as_json=True)
        logger.info("Sessions of %s: %d of %d done", "sub-07", 1, 2)
    finally:
        logger.handlers[:], logger.propagate = before[:2]
        logger.setLevel(before[2])
    line = json.loads(capsys.readouterr().err)
    assert (line["level"], line["message"]) == ("info", "Sessions of sub-*: 1 of 2 done")
    assert line["time"].endswith("+00:00")
