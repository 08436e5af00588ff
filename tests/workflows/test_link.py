from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pytest

from faceblind.errors import AlignmentError, TableError
from faceblind.head.template import load_template
from faceblind.identification.scan_match import ScanFeatures
from faceblind.identification.surface_match import Shape, kept_vertices
from faceblind.workflows import features
from faceblind.workflows import link as workflow


@pytest.fixture
def folders(tmp_path):
    for side, suffix in (("probes", "FLAIR"), ("gallery", "T1w")):
        for person in range(4):
            path = tmp_path / side / f"sub-{person}" / "anat" / f"sub-{person}_{suffix}.nii.gz"
            path.parent.mkdir(parents=True)
            path.write_bytes(b"")
    return tmp_path


def made_up(path, recogniser, variant, cache):
    """A person's features from the digit in the name, with a little noise of the contrast."""
    person = int(path.name[4])
    if (person, path.parts[-4]) == (3, "probes"):
        raise AlignmentError(f"{path}: the head was not found")
    rng = np.random.default_rng(person)
    noise = np.random.default_rng(10 + person + 5 * ("FLAIR" in path.name))
    vector = rng.normal(size=16) + 0.1 * noise.normal(size=16)
    template = load_template()
    points = template.shape(rng.normal(size=len(template.modes)))[kept_vertices()]
    return ScanFeatures(
        (vector / np.linalg.norm(vector))[None].astype(np.float32),
        Shape(points.astype(np.float32), np.ones(len(points), np.float32)),
    )


@dataclass(frozen=True)
class Stub:
    identity: str = "stub"


@pytest.mark.parametrize("matching", ["fused", "centred", "nearest"])
def test_people_are_found_and_failures_are_misses(folders, monkeypatch, matching):
    monkeypatch.setattr(workflow, "features_of_scan", made_up)
    monkeypatch.setattr(workflow, "get_recogniser", lambda name: Stub())
    out = folders / "out"
    result = workflow.link(
        folders / "probes", folders / "gallery", out, matching=matching, n_jobs=1,
        show_progress=False,
    )  # fmt: skip
    assert result.direction == "scan-to-scan"
    assert (result.rank1.hits, result.rank1.n) == (3, 4)
    assert [p.person for p in result.ranks if p.failure] == ["sub-3"]
    summary = json.loads((out / "summary.json").read_text())
    assert summary["direction"] == "scan-to-scan"
    assert summary["matching"] == matching
    assert summary["settings"]["matching"] == matching
    assert summary["settings"]["probe_contrasts"] == {"FLAIR": 4}
    assert "sub-" not in (out / "summary.json").read_text()
    assert (out / "private" / "ranks.tsv").is_file()
    assert (out / "private").stat().st_mode & 0o077 == 0


def test_nobody_in_common(tmp_path):
    for side, name in (("a", "sub-1_T1w.nii.gz"), ("b", "sub-2_T1w.nii.gz")):
        (tmp_path / side).mkdir()
        (tmp_path / side / name).write_bytes(b"")
    with pytest.raises(TableError, match="the same label"):
        workflow.link(tmp_path / "a", tmp_path / "b", tmp_path / "out")


def test_a_scan_is_not_searched_among_itself(folders, tmp_path):
    with pytest.raises(TableError, match="keep the two apart"):
        workflow.link(folders / "gallery", folders / "gallery", tmp_path / "out")
    (folders / "probes" / "sub-9_T1w.nii.gz").symlink_to(
        folders / "gallery" / "sub-1" / "anat" / "sub-1_T1w.nii.gz"
    )
    with pytest.raises(TableError, match=r"sub-9_T1w\.nii\.gz: is a probe and in the gallery"):
        workflow.link(folders / "probes", folders / "gallery", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_unreadable_file_is_a_failure_with_a_reason(folders, monkeypatch, tmp_path):
    """The cache reads the file before the reader does, and its error was an internal one."""
    monkeypatch.setattr(workflow, "get_recogniser", lambda name: Stub())
    monkeypatch.setattr(features, "get_recogniser", Stub)

    def refused(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(features, "file_digest", refused)
    result = workflow.link(
        folders / "probes", folders / "gallery", tmp_path / "out", n_jobs=1, show_progress=False
    )
    assert all("cannot be read (Permission denied)" in p.failure for p in result.ranks)
