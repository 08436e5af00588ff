"""Both layouts of datasets of several kinds, before the judge of BIDS itself."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from faceblind.datasets.sidecar import read_sidecar, write_sidecar
from faceblind.workflows import audit_cache
from faceblind.workflows.bids import session
from faceblind.workflows.bids.participant import run_participants
from faceblind.workflows.bids.settings import BidsSettings
from faceblind.workflows.protect_settings import ProtectionResult

PHYSICS = {
    "MagneticFieldStrength": 3, "Manufacturer": "Siemens", "ManufacturersModelName": "Prisma",
    "EchoTime": 0.003, "FlipAngle": 9, "RepetitionTime": 2.3, "PulseSequenceType": "MPRAGE",
    "MRAcquisitionType": "3D", "ScanningSequence": "GR", "SequenceVariant": "SP", "DwellTime": 1e-5,
    "ReceiveCoilName": "HeadNeck64", "ReceiveCoilActiveElements": "HEA;HEP",
    "NonlinearGradientCorrection": True,
}  # fmt: skip
SESSIONS = {
    "T1w.json": PHYSICS,
    "task-a_bold.json": {"TaskName": "a", "RepetitionTime": 2.0},
    "dwi.bval": "0 1000\n",
    "dwi.bvec": "0 1\n0 0\n0 0\n",
    **{
        f"sub-{p}/ses-{s}/{kind}/sub-{p}_ses-{s}_{name}": None
        for p in ("01", "02")
        for s in ("test", "retest")
        for kind, name in (
            ("anat", "T1w.nii.gz"),
            ("func", "task-a_bold.nii.gz"),
            ("dwi", "dwi.nii.gz"),
        )
    },
    "sub-01/ses-test/func/sub-01_ses-test_task-a_events.tsv": "onset\tduration\n1\t2\n",
    "sub-01/ses-test/sub-01_ses-test_scans.tsv": "filename\nanat/sub-01_ses-test_T1w.nii.gz\n",
}
MP2RAGE = {
    **{
        f"sub-1/anat/sub-1_inv-{k}_MP2RAGE.json": PHYSICS
        | {"InversionTime": 0.9, "RepetitionTimePreparation": 5.0, "RepetitionTimeExcitation": 0.01}
        | {"NumberShots": 160}
        for k in (1, 2)
    },
    **{f"sub-1/anat/sub-1_inv-{k}_MP2RAGE.nii.gz": None for k in (1, 2)},
    "sub-1/anat/sub-1_UNIT1.nii.gz": None,
    "sub-1/anat/sub-1_UNIT1.json": PHYSICS,
    "sub-1/anat/sub-1_T1map.nii.gz": None,
    "sub-1/anat/sub-1_T1map.json": PHYSICS,
    **{
        f"sub-1/anat/sub-1_echo-{k}_MEGRE.{ending}": content
        for k in (1, 2)
        for ending, content in (("nii.gz", None), ("json", PHYSICS | {"EchoTime": k / 100}))
    },
}
PET = {
    "sub-1/anat/sub-1_T1w.nii.gz": None,
    "sub-1/pet/sub-1_pet.nii.gz": None,
    "sub-1/pet/sub-1_pet.json": {
        "Manufacturer": "Siemens", "ManufacturersModelName": "Biograph mMR", "Units": "Bq/mL",
        "TracerName": "FDG", "TracerRadionuclide": "F18", "InjectedRadioactivity": 81.24,
        "InjectedRadioactivityUnits": "MBq", "InjectedMass": 5.0, "InjectedMassUnits": "ug",
        "SpecificRadioactivity": 1.1, "SpecificRadioactivityUnits": "MBq/ug",
        "ModeOfAdministration": "bolus", "TimeZero": "13:04:42", "ScanStart": 0,
        "InjectionStart": 0, "FrameTimesStart": [0, 2], "FrameDuration": [2, 2],
        "AcquisitionMode": "list mode", "ImageDecayCorrected": True, "ImageDecayCorrectionTime": 0,
        "ReconMethodName": "3D-OSEM-PSF", "ReconMethodParameterLabels": ["subsets"],
        "ReconMethodParameterUnits": ["none"], "ReconMethodParameterValues": [16],
        "ReconFilterType": "Gaussian", "ReconFilterSize": 4, "AttenuationCorrection": "CT-based",
        "InjectionEnd": 1, "PatientName": "Doe",
    },
}  # fmt: skip
TASKS = {
    "participants.json": {"age": {"Description": "Age at the scan", "Units": "years"}},
    "CHANGES": "1.0.1 2021-05-01\n  - Names of events\n",
    "LICENSE": "CC0",
    ".bidsignore": "*_notes.txt\n",
    "acq-mprage_T1w.json": PHYSICS,
    "task-rest_bold.json": {"TaskName": "rest", "RepetitionTime": 2.0},
    "task-faces_bold.json": {"TaskName": "faces", "RepetitionTime": 2.0},
    "task-faces_events.json": {"trial_type": {"Levels": {"face": "A face", "house": "A house"}}},
    "phenotype/stai.tsv": "participant_id\tstai\nsub-s01\t31\nsub-s02\t40\n",
    "phenotype/stai.json": {"stai": {"Description": "Anxiety"}},
    **{
        f"sub-{p}/{kind}/sub-{p}_{name}": content
        for p in ("s01", "s02")
        for kind, name, content in (
            ("anat", "acq-mprage_T1w.nii.gz", None),
            ("anat", "acq-space_run-1_T2w.nii.gz", None),
            ("anat", "acq-space_run-1_T2w.json", PHYSICS),
            ("anat", "FLAIR.nii.gz", None),
            ("anat", "FLAIR.json", PHYSICS | {"InversionTime": 2.5}),
            ("fmap", "magnitude1.nii.gz", None),
            ("fmap", "magnitude2.nii.gz", None),
            ("fmap", "phasediff.nii.gz", None),
            (
                "fmap",
                "phasediff.json",
                {"EchoTime1": 0.00492, "EchoTime2": 0.00738}
                | {"IntendedFor": [f"bids::sub-{p}/func/sub-{p}_task-rest_bold.nii.gz"]},
            ),
            ("func", "task-rest_bold.nii.gz", None),
            ("func", "task-faces_run-1_bold.nii.gz", None),
            ("func", "task-faces_run-1_events.tsv", "onset\tduration\ttrial_type\n1\t2\tface\n"),
            ("func", "task-faces_run-2_bold.nii.gz", None),
            ("func", "task-faces_run-2_events.tsv", "onset\tduration\ttrial_type\n1\t2\thouse\n"),
            ("beh", "task-stroop_beh.tsv", "trial\trt\n1\t0.5\n"),
            ("beh", "task-stroop_beh.json", {"TaskName": "stroop"}),
        )
    },
}
KINDS = {"sessions": SESSIONS, "mp2rage": MP2RAGE, "pet": PET, "tasks": TASKS}


@pytest.fixture(scope="session")
def validator() -> Path:
    """The validator of BIDS as PyPI has it; it needs no network."""
    home = Path(sys.executable).parent
    path = os.pathsep.join([str(home), os.environ.get("PATH", "")])
    found = shutil.which("bids-validator-deno", path=path)
    if found is None:
        pytest.skip("needs bids-validator-deno of the dev extra")
    return Path(found)


@pytest.fixture
def honest(monkeypatch):
    """Protected images are the images, so that the validator can read them, and pass."""
    import stand_ins

    def protect(job, settings):
        results = []
        for one in job.outputs:
            shutil.copyfile(one.source, one.target)
            write_sidecar(one.target, read_sidecar(one.source), one.method)
            results.append(ProtectionResult(one.source, one.target))
        return results

    monkeypatch.setattr(session, "protect_job", protect)
    monkeypatch.setattr(
        audit_cache, "examine", lambda *args: stand_ins.Examined(stand_ins.CLEAN, {})
    )


def image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = 2 if any(kind in path.parts for kind in ("func", "dwi", "pet")) else 0
    shape = (6, 6, 6, frames) if frames else (6, 6, 6)
    made = nib.Nifti1Image(np.arange(np.prod(shape), dtype=np.int16).reshape(shape), np.eye(4))
    made.header.set_zooms((4, 4, 4, 2)[: len(shape)])
    made.header.set_xyzt_units("mm", "sec")
    nib.save(made, path)


def make(root: Path, files: dict) -> Path:
    people = sorted({name.split("/")[0] for name in files if name.startswith("sub-")})
    files = {
        "dataset_description.json": {"Name": "Raw", "BIDSVersion": "1.10.0", "Authors": ["A"]},
        "README.md": "A dataset of nobody, made to be looked at by a validator. " * 5,
        "participants.tsv": "participant_id\n" + "".join(f"{name}\n" for name in people),
        **files,
    }
    for name, content in files.items():
        path = root / name
        if content is None:
            image(path)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content if isinstance(content, str) else json.dumps(content))
    return root


def issues(validator: Path, root: Path) -> Counter:
    """Errors and warnings by code, field and how many files they concern."""
    done = subprocess.run(
        [validator, str(root), "--format", "json"], capture_output=True, text=True, check=False
    )
    found = json.loads(done.stdout)["issues"]["issues"]
    return Counter((one["severity"], one["code"], one.get("subCode", "")) for one in found)


@pytest.mark.parametrize("layout", ["publish", "derivative"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_validator_finds_nothing_new(validator, honest, tmp_path, resources, kind, layout):
    raw = make(tmp_path / "raw", KINDS[kind])
    report = run_participants(raw, tmp_path / "out", BidsSettings(layout=layout), resources)
    assert report.ok, report.failures
    before, after = issues(validator, raw), issues(validator, tmp_path / "out")
    assert [code for code in before if code[0] == "error"] == []
    assert after - before == Counter()


def test_no_name_and_no_date_comes_through(honest, tmp_path, resources):
    said = PET["sub-1/pet/sub-1_pet.json"] | {"TracerName": "FDG of Jane Doe 1980", "TimeZero": "x"}
    raw = make(tmp_path / "raw", PET | {"sub-1/pet/sub-1_pet.json": said})
    run_participants(raw, tmp_path / "out", BidsSettings(layout="publish"), resources)
    kept = json.loads((tmp_path / "out/sub-1/pet/sub-1_pet.json").read_text())
    assert {"PatientName", "TracerName", "TimeZero"}.isdisjoint(kept)
    assert kept["FrameTimesStart"] == [0, 2]
