"""Sidecars keep the physics and lose the person."""

from __future__ import annotations

import json

import pytest

from faceblind.datasets.sidecar import read_sidecar, says_protected, sidecar_path, write_sidecar
from faceblind.errors import ScanError


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
        ({"DeidentificationMethodCodeSequence": [{"CodeValue": 113102}]}, True),
        (
            {
                "DeidentificationMethodCodeSequence": {
                    "CodeMeaning": "Clean Recognizable Visual Features Option"
                }
            },
            True,
        ),
        ({"DeidentificationMethod": {"defaced": True}}, True),
        ({"DeidentificationMethod": {"defaced": False}}, False),
        ({"DeidentificationMethod": ["names kept", {"how": ["mri_deface"]}]}, True),
        ({"ImageComments": "defaced"}, False),
    ],
)
def test_protection_is_read_from_the_sidecar(content, expected):
    assert says_protected(content) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("defaced", True),
        ("Defacing with mideface", True),
        ("MiDeFace 7.4", True),
        ("fsl_deface", True),
        ("@afni_refacer_run", True),
        ("re-faced", True),
        ("de-faced by hand", True),
        ("face removed", True),
        ("Faces removed, ears kept", True),
        ("Facial features masked", True),
        ("removeFace", True),
        ("mask_face", True),
        ("maskface 2", True),
        ("skull-stripped", True),
        ("Skull stripped", True),
        ("skullstripping (BET)", True),
        ("DICOM 113102", True),
        ("Clean Recognizable Visual Features Option", True),
        ("face is not visible", True),
        ("names not removed; face removed", True),
        ("not only the names: defaced", True),
        ("faceblind 0.1 deface: face and ears removed, surrounding air replaced, eyes kept", True),
        ("faceblind 0.1 reface: face replaced by that of an average face, ears kept", True),
        ("Surface coil intensity corrected", False),
        ("resurfaced, interface, preface, facet", False),
        ("face not removed", False),
        ("Faces were not removed", False),
        ("facial features kept", False),
        ("face and ears retained", False),
        ("face left intact", False),
        ("no defacing", False),
        ("not yet been defaced", False),
        ("without any defacing", False),
        ("non-defaced", False),
        ("undefaced", False),
        ("hasn't been defaced", False),
        ("defacing: no", False),
        ("face removed: false", False),
        ("deface=0", False),
        ("not skull-stripped", False),
        ("code 1131021", False),
    ],
)
def test_protection_is_told_from_other_faces_and_from_denials(text, expected):
    assert says_protected({"DeidentificationMethod": text}) is expected
    assert says_protected({"DeidentificationMethod": ["names removed", text]}) is expected


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ScanOptions", "IR\\WE"),
        ("ScanOptions", ["PFP", "FAST_GEMS"]),
        ("SequenceVariant", "SK\\SP\\MP"),
        ("ScanningSequence", "GR_IR"),
        ("MRAcquisitionType", "3D"),
        ("PatientPosition", "HFS"),
        ("BodyPartExamined", "BRAIN"),
        ("BodyPart", "Brain"),
        ("ContrastBolusIngredient", "CARBON DIOXIDE"),
        ("PhaseEncodingDirection", "j-"),
        ("ReceiveCoilActiveElements", "HE1-4;NE1,2"),
        ("ReceiveCoilName", "HeadNeck_64"),
        ("ReceiveCoilName", "64ch+spine"),
        ("ReceiveCoilName", "MULTI COIL"),
        ("ReceiveCoilName", "SENSE-Head-8"),
        ("Manufacturer", "GE MEDICAL SYSTEMS"),
        ("Manufacturer", "Siemens"),
        ("Manufacturer", "TOSHIBA_MEC"),
        ("ManufacturersModelName", "Prisma_fit"),
        ("ManufacturersModelName", "DISCOVERY MR750"),
        ("ManufacturersModelName", "Biograph 64_mCT"),
        ("ManufacturersModelName", "Investigational_Device_7T"),
        ("PulseSequenceType", "Gradient Echo EPI"),
        ("PulseSequenceType", "3D_SPIRAL"),
        ("Units", "Bq/mL"),
        ("MTState", False),
        ("ImageOrientationPatientDICOM", [1, 0, 0.5]),
    ],
)
def test_usual_words_of_a_measurement_stay(tmp_path, key, value):
    path = write_sidecar(tmp_path / "a.nii.gz", {key: value}, "faceblind")
    assert json.loads(path.read_text())[key] == value


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ScanOptions", ["PFP", "JANE DOE 1970-01-01"]),
        ("ScanOptions", "JANE DOE"),
        ("ScanOptions", "Jane"),
        ("ScanOptions", "A" * 17),
        ("ScanOptions", "DOE_1970"),
        ("SequenceVariant", "SK\\19700101"),
        ("Modality", "MR 1"),
        ("BodyPart", "Head of Jane"),
        ("ContrastBolusIngredient", "JANE"),
        ("PhaseEncodingDirection", "Jane"),
        ("ReceiveCoilActiveElements", "Jane Doe"),
        ("ReceiveCoilName", "DOE^JANE"),
        ("ReceiveCoilName", "Doe, Jane"),
        ("ReceiveCoilName", "JANE_DOE"),
        ("ReceiveCoilName", "Head 12.03.74"),
        ("ReceiveCoilName", "Head 3 Mar 74"),
        ("Manufacturer", "Jane Doe"),
        ("ManufacturersModelName", "Jane Doe 32"),
        ("ManufacturersModelName", "Prisma 66092"),
        ("ManufacturersModelName", "Prisma 2014"),
        ("PulseSequenceType", "spin echo " * 5),
        ("Units", "of Jane"),
        ("EchoTime", "Jane"),
        ("SliceTiming", [0, "JANE"]),
    ],
)
def test_names_and_dates_in_known_keys_stay_behind(tmp_path, key, value):
    path = write_sidecar(tmp_path / "a.nii.gz", {key: value}, "faceblind")
    assert key not in json.loads(path.read_text())


def test_landmarks_are_finite_numbers(tmp_path):
    known = {"NAS": [True, 2, 3], "LPA": [1, float("nan"), 3], "RPA": [1, float("inf"), 3]}
    source = {"AnatomicalLandmarkCoordinates": known | {"NAS": [1, 2.5, 3]}}
    path = write_sidecar(tmp_path / "a.nii", source, "faceblind", {"LPA": [7.0, 8.0, 9.0]})
    found = json.loads(path.read_text())["AnatomicalLandmarkCoordinates"]
    assert found == {"LPA": [7.0, 8.0, 9.0], "NAS": [1, 2.5, 3]}
    path = write_sidecar(
        tmp_path / "a.nii", {"AnatomicalLandmarkCoordinates": known}, "faceblind", {}
    )
    assert json.loads(path.read_text())["AnatomicalLandmarkCoordinates"] == {}


def put(folder, contents):
    for name, content in contents.items():
        path = folder / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))


def test_sidecars_are_inherited_as_in_bids(tmp_path):
    root = tmp_path / "root"
    put(tmp_path, {"bold": {"RepetitionTime": 9, "FromOutside": 1}})
    put(
        root,
        {
            "dataset_description": {},
            "bold": {"RepetitionTime": 1, "EchoTime": 1, "FlipAngle": 1, "KVP": 1},
            "task-rest_bold": {"EchoTime": 2, "FlipAngle": 2, "DeidentificationMethod": "defaced"},
            "task-other_bold": {"EchoTime": 3},
            "T1w": {"EchoTime": 4},
            "bold_extra": {"EchoTime": 5},
            "sub-1/sub-1_bold": {"FlipAngle": 3, "KVP": 3},
            "sub-1/func/sub-1_task-rest_run-2_bold": {"KVP": 5},
            "sub-1/func/sub-1_task-rest_run-1_bold": {"KVP": 4},
        },
    )
    scan = root / "sub-1" / "func" / "sub-1_task-rest_run-1_bold.nii.gz"
    expected = {"RepetitionTime": 1, "EchoTime": 2, "FlipAngle": 3, "KVP": 4}
    assert read_sidecar(scan) == expected | {"DeidentificationMethod": "defaced"}
    assert says_protected(read_sidecar(scan))
    assert read_sidecar(scan, inherit=False) == {"KVP": 4}
    sidecar_path(scan).unlink()
    assert read_sidecar(scan)["KVP"] == 3
    assert read_sidecar(scan.with_name("bold rest.nii")) == {}
    (root / "T1w.json").write_text("{")
    assert says_protected(read_sidecar(scan))
    (root / "bold.json").write_text("{")
    with pytest.raises(ScanError, match=r"root/bold\.json: not readable JSON"):
        read_sidecar(scan)
    (root / "dataset_description.json").unlink()
    assert read_sidecar(scan) == {}


def test_inheritance_works_from_within_the_dataset(tmp_path, monkeypatch):
    put(tmp_path, {"dataset_description": {}, "T1w": {"EchoTime": 4}, "sub-1/x": {}})
    for folder, scan in (("sub-1", "sub-1_T1w.nii"), (".", "sub-1/sub-1_T1w.nii")):
        monkeypatch.chdir(tmp_path / folder)
        assert read_sidecar(scan) == {"EchoTime": 4}


def test_a_sidecar_whose_content_was_not_fetched_is_an_error(tmp_path):
    sidecar_path(tmp_path / "a.nii").symlink_to("absent")
    with pytest.raises(ScanError, match=r"a\.json: is a link to a missing file; fetch"):
        read_sidecar(tmp_path / "a.nii")


def test_json_that_is_nested_too_deep_is_unreadable(tmp_path):
    sidecar_path(tmp_path / "a.nii").write_text("[" * 200_000)
    with pytest.raises(ScanError, match="not readable JSON"):
        read_sidecar(tmp_path / "a.nii")
    deep: list[object] = ["defaced"]
    for _ in range(100_000):
        deep = [deep]
    assert says_protected({"DeidentificationMethod": deep})


def test_no_sidecar_is_empty_and_a_damaged_one_is_an_error(tmp_path):
    assert read_sidecar(tmp_path / "a.nii") == {}
    sidecar_path(tmp_path / "a.nii").write_text("{")
    with pytest.raises(ScanError, match="JSON"):
        read_sidecar(tmp_path / "a.nii")
    sidecar_path(tmp_path / "a.nii").write_text("[]")
    with pytest.raises(ScanError, match="object"):
        read_sidecar(tmp_path / "a.nii")
