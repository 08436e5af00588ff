from __future__ import annotations

import gzip
import json
import struct

import nibabel as nib
import numpy as np
import pytest

from faceblind.attacks.metadata.files import find_metadata
from faceblind.errors import ScanError
from faceblind.formats import load, save


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


def test_sidecar_of_nested_headers_with_a_byte_order_mark(tmp_path):
    write(tmp_path / "sub-01_T1w.nii.gz")
    nested = {"global": {"const": {"PatientID": "7"}}, "Series": [{"Comment": "DOE^JANE"}]}
    (tmp_path / "sub-01_T1w.json").write_text("\ufeff" + json.dumps(nested), encoding="utf-8")
    assert kinds(tmp_path / "sub-01_T1w.nii.gz") == {
        "sidecar key PatientID": "identifies",
        "sidecar key Comment": "identifies",
    }


def test_a_sidecar_that_cannot_be_read_is_a_doubt(tmp_path):
    write(tmp_path / "sub-01_T1w.nii.gz")
    (tmp_path / "sub-01_T1w.json").write_text('{"PatientName": "x"')
    assert kinds(tmp_path / "sub-01_T1w.nii.gz") == {"sidecar": "may identify"}


def test_what_a_gzip_stream_carries(tmp_path):
    write(tmp_path / "a.nii")
    raw = (tmp_path / "a.nii").read_bytes()
    path = tmp_path / "sub-01_T1w.nii.gz"
    with (
        path.open("wb") as stream,
        gzip.GzipFile("visit_20190307.nii", "wb", fileobj=stream) as out,
    ):
        out.write(raw)
    assert kinds(path) == {"name in the compressed file": "may identify"}
    # Readers stop at the stream's end and never show what follows it.
    path.write_bytes(gzip.compress(raw) + b"\0\0secret")
    assert kinds(path) == {"end of file": "may identify"}
    path.write_bytes(gzip.compress(raw) + bytes(64))
    assert kinds(path) == {}


def mgh(tags: bytes = b"", unused: bytes = b"") -> bytes:
    start = struct.pack(">7ih15f", 1, 4, 4, 4, 1, 4, 0, 1, *([1.0] * 3), *([0.0] * 12))
    header = (start + unused).ljust(284, b"\0")
    return header + bytes(2 * 64) + bytes(20) + tags


def tag(number: int, text: bytes) -> bytes:
    return struct.pack(">iq", number, len(text)) + text


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_tags_of_mgh_files(tmp_path, pack):
    path = tmp_path / "sub-01_T1w.mgz"
    path.write_bytes(pack(mgh()))
    assert kinds(path) == {}
    fine = tag(44, b"1 0 0 0") + struct.pack(">i", 2)
    path.write_bytes(pack(mgh(fine + tag(3, b"mri_convert jane.nii"))))
    (found,) = find_metadata(path)
    assert (found.where, found.severity) == ("tag", "may identify")
    assert "jane" not in str(found)
    path.write_bytes(pack(mgh(tag(3, b"mri_convert DOE^JANE.nii"))))
    assert kinds(path) == {"tag": "identifies"}
    path.write_bytes(pack(mgh(tag(42, b"\1\2DOE^JANE\0"))))
    assert kinds(path) == {"tag 42": "identifies"}
    path.write_bytes(pack(mgh(b"neither a tag nor padding")))
    assert kinds(path) == {"end of file": "may identify"}
    path.write_bytes(pack(mgh(unused=b"jane")))
    assert kinds(path) == {"header": "may identify"}


NRRD = (
    "NRRD0005\n# Complete NRRD file format specification at:\n"
    "# http://teem.sourceforge.net/nrrd/format.html\ntype: short\ndimension: 3\n"
    "space: left-posterior-superior\nsizes: 4 4 4\nendian: little\nencoding: raw\n"
)


def nrrd(path, lines: str = "", after: bytes = b"", end: str = "\n") -> None:
    text = (NRRD + lines + "\n").replace("\n", end)
    path.write_bytes(text.encode() + bytes(2 * 64) + after)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", {}),
        ("modality:=DWMRI\nDWMRI_b-value:=1000\n", {}),
        ("# from Jane\n", {"comment, line 10": "note"}),
        ("# DOE^JANE\n", {"comment, line 10": "identifies"}),
        ("content: seen 2019-03-07\n", {"header field content": "may identify"}),
        ("note: 山^太郎\n", {"header field of another name": "identifies"}),
        (
            "DICOM_0010_0020_PatientID:=7\n",
            {"header key DICOM_0010_0020_PatientID": "identifies"},
        ),
        ("DICOM_0010_0020_PatientID:=\n", {}),
        ("reader:=seen by J.\n", {"header key reader": "note"}),
        ("data file: scan_20190307.raw\n", {"header field data file": "may identify"}),
    ],
)
def test_texts_of_nrrd_files(tmp_path, line, expected, end):
    nrrd(tmp_path / "a.nrrd", line, end=end)
    assert kinds(tmp_path / "a.nrrd") == expected


def test_bytes_after_the_data_of_nrrd_files(tmp_path):
    nrrd(tmp_path / "a.nrrd", after=b"secret")
    assert kinds(tmp_path / "a.nrrd") == {"end of file": "may identify"}


def test_files_of_other_formats_are_doubted_or_refused(tmp_path):
    (tmp_path / "a.nii").write_bytes(b"neither")
    assert kinds(tmp_path / "a.nii") == {"header": "may identify"}
    write(tmp_path / "b.nii")
    whole = (tmp_path / "b.nii").read_bytes()[:352] + np.random.default_rng(0).bytes(1024)
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(whole)[:-20])
    with pytest.raises(ScanError, match="fetch the file again"):
        find_metadata(tmp_path / "b.nii.gz")


@pytest.mark.parametrize("name", ["a.nii.gz", "a.mgz", "a.nrrd"])
def test_what_is_written_to_be_published_says_nothing(tmp_path, name):
    """The writers clear what the audit would find."""
    source, target = tmp_path / f"source_{name}", tmp_path / name
    voxels = np.arange(16**3, dtype=np.int16).reshape(16, 16, 16)
    if name.endswith(".mgz"):
        image = nib.MGHImage(voxels.astype(np.int32), np.diag([5.0, 5, 5, 1]))
        nib.save(image, source)
        packed = gzip.decompress(source.read_bytes()) + tag(3, b"mri_convert DOE^JANE.nii")
        source.write_bytes(gzip.compress(packed))
    elif name.endswith(".nrrd"):
        text = NRRD.replace("4 4 4", "16 16 16") + "space directions: (5,0,0) (0,5,0) (0,0,5)\n"
        text += "# DOE^JANE\nPatientName:=DOE^JANE\ncontent: 2019-03-07\n\n"
        source.write_bytes(text.encode() + voxels.tobytes() + b"secret")
    else:
        image = nib.Nifti1Image(voxels, np.diag([5.0, 5, 5, 1]))
        image.header["descrip"] = b"DOE^JANE"
        image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"DOE^JANE"))
        nib.save(image, source)
    assert "identifies" in kinds(source).values()
    save(load(source), target, drop_extensions=True, clear_text=True)
    assert kinds(target) == {}
