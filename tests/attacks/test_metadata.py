from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest

from faceblind.attacks.metadata import find_metadata


def write(path, **texts) -> None:
    image = nib.Nifti1Image(np.zeros((8, 8, 8), np.int16), np.eye(4))
    for field, text in texts.items():
        image.header[field] = text
    nib.save(image, path)


def kinds(path) -> dict[str, str]:
    return {finding.where: finding.severity for finding in find_metadata(path)}


def test_a_clean_file_has_no_finding(tmp_path):
    write(tmp_path / "sub-01_T1w.nii.gz")
    assert find_metadata(tmp_path / "sub-01_T1w.nii.gz") == ()


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        (b"DOE^JANE", "identifies"),
        (b"scanned 2019-03-07", "may identify"),
        (b"patient 7", "may identify"),
        (b"no 12345678", "may identify"),
        (b"FSL6.0", "note"),
    ],
)
def test_free_text(tmp_path, text, severity):
    write(tmp_path / "a.nii", descrip=text)
    (found,) = find_metadata(tmp_path / "a.nii")
    assert (found.where, found.severity) == ("header field descrip", severity)
    assert text.decode() not in str(found)


def test_name_of_the_file(tmp_path):
    write(tmp_path / "scan_20190307.nii.gz")
    assert kinds(tmp_path / "scan_20190307.nii.gz") == {"file name": "may identify"}


def test_extensions_and_what_follows_the_image(tmp_path):
    path = tmp_path / "a.nii"
    image = nib.Nifti1Image(np.zeros((8, 8, 8), np.int16), np.eye(4))
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"hello"))
    nib.save(image, path)
    path.write_bytes(path.read_bytes() + b"secret")
    assert kinds(path) == {"header extension": "may identify", "end of file": "may identify"}


def test_sidecar(tmp_path):
    write(tmp_path / "sub-01_T1w.nii.gz")
    sidecar = {"PatientName": "x", "SeriesDate": "y", "EchoTime": 0.003, "PatientID": ""}
    (tmp_path / "sub-01_T1w.json").write_text(json.dumps(sidecar))
    assert kinds(tmp_path / "sub-01_T1w.nii.gz") == {
        "sidecar key PatientName": "identifies",
        "sidecar key SeriesDate": "may identify",
    }
