"""A small dataset, and protection and audit replaced by what file names ask for."""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from faceblind.workflows import audit_cache
from faceblind.workflows.bids import session
from faceblind.workflows.bids.participant import RunReport, run_participants
from faceblind.workflows.bids.settings import BidsSettings, Resources

sys.path.insert(0, str(Path(__file__).parent))
stand_ins = importlib.import_module("stand_ins")


def fill(root: Path, files: dict[str, str | bytes | dict]) -> Path:
    """Write files below a folder."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, dict):
            content = json.dumps(content)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


@pytest.fixture
def write() -> Callable[..., Path]:
    """See `fill`."""
    return fill


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Two participants: one with sessions, one with a failing series; func, tables, strangers."""
    scan = b"\x1f\x8bvoxels of "
    return fill(
        tmp_path / "raw",
        {
            "dataset_description.json": {"Name": "Raw", "BIDSVersion": "1.9.0"},
            "README": "About it.",
            "participants.tsv": "participant_id\tage\nsub-1\t30\nsub-2\t40\n",
            ".bidsignore": "extra/\n",
            "T1w.json": {"EchoTime": 0.003, "InstitutionName": "St. Mary"},
            "task-a_bold.json": {"TaskName": "a"},
            "notes.docx": "PK",
            "derivatives/x/sub-1_T1w.nii.gz": scan,
            "phenotype/bdi.tsv": "participant_id\tbdi\nsub-1\t3\n",
            "sub-1/ses-a/anat/sub-1_ses-a_T1w.nii.gz": scan + b"1a",
            "sub-1/ses-a/anat/sub-1_ses-a_T1map.nii.gz": scan + b"1a map",
            "sub-1/ses-a/func/sub-1_ses-a_task-a_bold.nii.gz": b"bold",
            "sub-1/ses-a/func/sub-1_ses-a_task-a_events.tsv": "onset\tduration\n",
            "sub-1/ses-b/anat/sub-1_ses-b_T1w.nii.gz": scan + b"1b",
            "sub-2/sub-2_scans.tsv": "filename\tage\nanat/sub-2_T1w.nii.gz\t3\n"
            "anat/sub-2_rec-shows_T2w.nii.gz\t4\n",
            "sub-2/anat/sub-2_T1w.nii.gz": scan + b"2",
            "sub-2/anat/sub-2_T1w.json": {"EchoTime": 0.004, "PatientName": "Doe"},
            "sub-2/anat/sub-2_rec-shows_T2w.nii.gz": scan + b"2 T2",
        },
    )


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Protection and audit of the heads have their own tests."""
    monkeypatch.setattr(session, "protect_job", stand_ins.protect_job)
    monkeypatch.setattr(audit_cache, "examine", stand_ins.examine)
    monkeypatch.setattr(audit_cache, "find_metadata", lambda path: ())


@pytest.fixture
def run(dataset: Path, tmp_path: Path) -> Callable[..., RunReport]:
    """Runs ``participant`` on the dataset in this process."""

    def participants(out: str | Path = "out", **options: object) -> RunReport:
        settings = BidsSettings(**options)
        return run_participants(
            dataset, tmp_path / out, settings, Resources(n_jobs=1, show_progress=False)
        )

    return participants


@pytest.fixture
def tree() -> Callable[[Path], dict[str, bytes]]:
    """What is public in an output."""

    def public(root: Path) -> dict[str, bytes]:
        found = {}
        for folder, inside, names in os.walk(root):
            if Path(folder) == root:
                inside.remove("private")
            for name in names:
                path = Path(folder) / name
                found[path.relative_to(root).as_posix()] = path.read_bytes()
        return found

    return public


@pytest.fixture
def resources() -> Resources:
    """This process alone."""
    return Resources(n_jobs=1, show_progress=False)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Which images were protected, one after the other."""
    seen = SimpleNamespace(names=[])

    def protect(job, settings):
        seen.names += [one.source.name for one in job.outputs]
        return stand_ins.protect_job(job, settings)

    monkeypatch.setattr(session, "protect_job", protect)
    return seen
