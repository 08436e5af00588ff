"""One method on each scan: what is kept, what is tried again, what was done to the brain."""

from __future__ import annotations

import json

import numpy as np
import pytest

from faceblind.formats import load, save
from faceblind.scan import Scan
from faceblind.workflows.benchmark_protect import BenchmarkScan, changed_brain, protect_all
from faceblind.workflows.peers import Peer

AFFINE = np.diag([8.0, 8.0, 8.0, 1.0])
VALUES = np.random.default_rng(0).integers(1, 1000, (8, 9, 10)).astype(np.int16)
BRAIN = np.zeros(VALUES.shape, np.uint8)
BRAIN[1:4, 1:4, 1:4] = 1


def put(path, voxels, affine=AFFINE):
    path.parent.mkdir(parents=True, exist_ok=True)
    save(Scan(voxels, affine), path)
    return path


@pytest.fixture
def scan(tmp_path):
    return put(tmp_path / "a.nii.gz", VALUES), put(tmp_path / "brain.nii.gz", BRAIN)


def changed(values, at, by):
    out = values.copy()
    out[at] += by
    return out


@pytest.mark.parametrize(
    ("after", "count"),
    [
        (VALUES, 0),
        (changed(VALUES, (2, 2, 2), 40), 1),
        (changed(VALUES, (slice(2, 6), 2, 2), 1), 2),
        (changed(VALUES, (5, 5, 5), 40), 0),
        (VALUES + np.float32(2e-4), 0),
        (VALUES + np.float32(5e-3), 27),
    ],
)
def test_changed_voxels_of_the_true_brain_are_counted(scan, tmp_path, after, count):
    made = put(tmp_path / "after.nii.gz", after)
    assert changed_brain(scan[0], made, scan[1]) == count


def test_what_is_no_number_has_changed(scan, tmp_path):
    after = VALUES.astype(np.float32)
    after[2, 2, 2] = np.nan
    # Read as any number, it is not the one that was there.
    assert changed_brain(scan[0], put(tmp_path / "b.nii.gz", after), scan[1]) == 1


def test_the_order_of_axes_makes_no_difference(scan, tmp_path):
    flipped = AFFINE.copy()
    flipped[0] = [-8.0, 0.0, 0.0, 8.0 * (VALUES.shape[0] - 1)]
    made = put(tmp_path / "b.nii.gz", changed(VALUES, (2, 2, 2), 40)[::-1], flipped)
    assert changed_brain(scan[0], made, scan[1]) == 1


def test_another_grid_cannot_be_compared(scan, tmp_path):
    moved = AFFINE.copy()
    moved[0, 3] = 0.5
    assert changed_brain(scan[0], put(tmp_path / "b.nii.gz", VALUES, moved), scan[1]) is None
    assert changed_brain(scan[0], put(tmp_path / "c.nii.gz", VALUES[:, :-1]), scan[1]) is None


@pytest.fixture
def cohort(tmp_path):
    """Three people, one scan each."""
    return [
        BenchmarkScan(
            person, "T1w", put(tmp_path / "scans" / f"{person}_T1w.nii.gz", VALUES),
            put(tmp_path / "truth" / f"{person}.nii.gz", BRAIN),
        )
        for person in ("sub-1", "sub-2", "sub-3")
    ]  # fmt: skip


def tool(tmp_path, name, text, *more):
    """A shell script as a method; it notes each of its runs."""
    script = tmp_path / f"{name}.sh"
    script.write_text(f"echo x >>{tmp_path}/{name}.log\n{text}\n")
    return Peer(name, ("/bin/sh", str(script), "{source}", "{target}", *more), "1", "ab")


def runs(tmp_path, name):
    log = tmp_path / f"{name}.log"
    return log.read_text().count("x") if log.exists() else 0


def test_every_scan_is_protected_once_and_kept(cohort, tmp_path):
    copier = tool(tmp_path, "copier", 'cp "$1" "$2"')
    run, paths = protect_all(copier, cohort, tmp_path / "out", 30.0, False)
    assert (run.name, run.version, run.digest) == ("copier", "1", "ab")
    assert (run.scans, run.protected, run.failed) == (3, 3, 0)
    assert (run.brain_voxels, run.brain_scans, run.other_grid) == (0, 0, 0)
    assert run.wall_s > 0
    assert sorted(paths) == [("sub-1", "T1w"), ("sub-2", "T1w"), ("sub-3", "T1w")]
    for path in paths.values():
        assert np.array_equal(load(path).voxels, VALUES)
    again, same = protect_all(copier, cohort, tmp_path / "out", 30.0, False)
    assert (again, same) == (run, paths)
    assert runs(tmp_path, "copier") == 3
    assert not list((tmp_path / "out").glob(".run-*"))


def test_what_was_spoilt_or_made_otherwise_is_made_again(cohort, tmp_path):
    copier = tool(tmp_path, "copier", 'cp "$1" "$2"')
    _, paths = protect_all(copier, cohort[:2], tmp_path / "out", 30.0, False)
    paths["sub-1", "T1w"].write_bytes(b"spoilt")
    note = paths["sub-2", "T1w"].with_name("sub-2_T1w.nii.gz.json")
    known = json.loads(note.read_text())
    note.write_text(json.dumps({**known, "more": 1}))
    protect_all(copier, cohort[:2], tmp_path / "out", 30.0, False)
    assert runs(tmp_path, "copier") == 4
    assert np.array_equal(load(paths["sub-1", "T1w"]).voxels, VALUES)
    newer = Peer(copier.name, copier.command, "2", copier.digest)
    protect_all(newer, cohort[:2], tmp_path / "out", 30.0, False)
    assert runs(tmp_path, "copier") == 6


def test_failures_are_named_and_tried_again(cohort, tmp_path):
    picky = tool(
        tmp_path,
        "picky",
        'case "$1" in *sub-2*) echo "$1: no face" >&2; exit 3;; esac\ncp "$1" "$2"',
    )
    for times in (1, 2):
        run, paths = protect_all(picky, cohort, tmp_path / "out", 30.0, False)
        assert (run.protected, run.failed) == (2, 1)
        assert ("sub-2", "T1w") not in paths
        ((scan, why),) = run.failures
        assert scan == "sub-2_T1w.nii.gz"
        assert "picky: " in why
        assert "no face" in why
        assert "out/.run-" not in why
        assert runs(tmp_path, "picky") == 2 + times
    assert not (tmp_path / "out" / "sub-2_T1w.nii.gz").exists()


def test_a_program_that_edits_its_input_spoils_no_cohort(cohort, tmp_path):
    rude = tool(tmp_path, "rude", 'cp "$3" "$2"; echo >"$1"; echo >"$3"', "{brain}")
    run, paths = protect_all(rude, cohort[:1], tmp_path / "out", 30.0, False)
    assert np.array_equal(load(cohort[0].path).voxels, VALUES)
    assert np.array_equal(load(cohort[0].brain).voxels, BRAIN)
    # It was given the brain, and gave it back.
    assert np.array_equal(load(paths["sub-1", "T1w"]).voxels, BRAIN)
    assert (run.brain_voxels, run.brain_scans) == ((VALUES[BRAIN > 0] != 1).sum(), 1)


def test_a_method_that_does_nothing_has_no_costs(cohort, tmp_path):
    run, paths = protect_all(tool(tmp_path, "idle", ":"), cohort, tmp_path / "out", 30.0, False)
    assert paths == {}
    assert (run.protected, run.failed) == (0, 3)
    assert (run.wall_s, run.peak_mb, run.brain_voxels, run.brain_scans) == (None,) * 4
    assert "wrote nothing" in run.failures[0][1]
