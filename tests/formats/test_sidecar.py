"""Sidecars keep the physics and lose the person."""

from __future__ import annotations

import json

import pytest

from faceblind.errors import ScanError
from faceblind.formats.sidecar import read_sidecar, says_protected, sidecar_path, write_sidecar


def test_a_new_sidecar_names_the_method_and_drops_what_identifies(tmp_path):
    source = {
        "EchoTime": 0.003, "PatientName": "A^B", "AcquisitionDate": "2020", "InstitutionName": "X",
        "SeriesInstanceUID": "1.2", "ImageComments": "call Bob", "RepetitionTime": 2.3,
    }  # fmt: skip
    path = write_sidecar(tmp_path / "sub-1_T1w.nii.gz", source, "faceblind deface")
    assert path.name == "sub-1_T1w.json"
    content = json.loads(path.read_text())
    assert content.pop("DeidentificationMethod") == ["faceblind deface"]
    code = content.pop("DeidentificationMethodCodeSequence")[0]
    assert code["CodeValue"] == "113102"
    assert content == {"EchoTime": 0.003, "RepetitionTime": 2.3}
    assert says_protected(read_sidecar(tmp_path / "sub-1_T1w.nii.gz"))


def test_physics_of_a_body_and_texts_that_could_say_anything_stay_behind(tmp_path):
    source = {
        "SAR": 0.05, "TxRefAmp": 265.4, "Manufacturer": {"name": "Jane"}, "ScanOptions": "x" * 65,
        "SliceTiming": [0, 0.5, 1.0], "Units": [["Jane"]], "ReceiveCoilName": "Head_32",
        "NonlinearGradientCorrection": True,
    }  # fmt: skip
    content = json.loads(write_sidecar(tmp_path / "a.nii.gz", source, "faceblind").read_text())
    assert set(content) == {
        "SliceTiming", "ReceiveCoilName", "NonlinearGradientCorrection", "DeidentificationMethod",
        "DeidentificationMethodCodeSequence",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({}, False),
        ({"DeidentificationMethod": ["names removed"]}, False),
        ({"DeidentificationMethod": ["pydeface 2.0"]}, True),
        ({"DeidentificationMethodCodeSequence": [{"CodeValue": "113102"}]}, True),
    ],
)
def test_protection_is_read_from_the_sidecar(content, expected):
    assert says_protected(content) is expected


def test_no_sidecar_is_empty_and_a_damaged_one_is_an_error(tmp_path):
    assert read_sidecar(tmp_path / "a.nii") == {}
    sidecar_path(tmp_path / "a.nii").write_text("{")
    with pytest.raises(ScanError, match="JSON"):
        read_sidecar(tmp_path / "a.nii")
    sidecar_path(tmp_path / "a.nii").write_text("[]")
    with pytest.raises(ScanError, match="object"):
        read_sidecar(tmp_path / "a.nii")
