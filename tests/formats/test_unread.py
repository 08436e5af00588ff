"""What is no scan by its name: harmless, or a head that nobody reads."""

from __future__ import annotations

import bz2
import gzip
import os
import struct
import time

import pytest

from faceblind.datasets.census import take_census
from faceblind.formats.unread import describe, look_at

NIFTI = struct.pack("<i", 348) + bytes(340) + b"n+1\0" + bytes(4)
DICOM = bytes(128) + b"DICM" + b"\x02\0\0\0UL\x04\0" + bytes(4)
ELEMENTS = b"\x08\0\x05\0CS\x0a\0ISO_IR 100\x08\0\x08\0CS\x02\0X \x08\0\x16\0UI\x02\x001."
IMPLICIT = b"\x08\0\0\0\x04\0\0\0\x10\0\0\0\x08\0\x05\0\x02\0\0\0X \x08\0\x16\0\x02\0\0\x001."
MGH = struct.pack(">7i", 1, 20, 20, 20, 1, 3, 0) + bytes(300)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
XML = b'<?xml version="1.0"?>\n'


def packed(content: bytes) -> bytes:
    """Gzipped without the time, which would give each process's tests other names."""
    return gzip.compress(content, mtime=0)


@pytest.mark.parametrize(
    ("name", "content", "what", "is_image"),
    [
        ("IM1", DICOM, "DICOM", True),
        ("1.3.12.2", ELEMENTS, "DICOM", True),
        ("bare", IMPLICIT, "DICOM", True),
        ("a.dcm", b"", "DICOM, and the file is empty", True),
        ("notes.txt", DICOM, "named like text, but it is DICOM", True),
        ("README", ELEMENTS, "named like text, but it is DICOM", True),
        ("a.json", packed(NIFTI), "named like text, but it is a NIfTI image, gzipped", True),
        ("a.tsv", b"\1\0\2", "named like text, but it is none", False),
        ("T1", NIFTI, "a NIfTI image", True),
        ("T1.nii.gz.bak", packed(NIFTI), "a NIfTI image, gzipped", True),
        ("b", NIFTI[:344].replace(bytes(36), bytes(36), 1)[:40] + b"\3\0" + bytes(306),
         "an Analyze or NIfTI header", True),
        ("T1.mgz.old", packed(MGH), "an MGH image, gzipped", True),
        ("a.nii.zst", b"\x28\xb5\x2f\xfd", "a Zstandard archive", True),
        ("a.nii.bz2", bz2.compress(NIFTI), "a bzip2 archive", True),
        ("a.mif", b"mrtrix image\n", "MRtrix", True),
        ("a.mif.gz", packed(b"mrtrix image\n"), "MRtrix, gzipped", True),
        ("a", b"mrtrix image\n", "MRtrix", True),
        ("a.PAR", b"# === DATA", "Philips PAR/REC", True),
        ("a.rec", bytes(9), "Philips PAR/REC", True),
        ("a.hdr.gz", b"?", "an Analyze header", False),
        ("a.img.gz", b"?", "an Analyze image", True),
        ("a.txt", b"ObjectType = Image\nNDims = 3\n", "named like text, but it is MetaImage", True),
        ("a.nhdr", b"NRRD0004\n", "NRRD", True),
        ("a.v", b"MATRIX72v", "ECAT", True),
        ("a+orig.HEAD", b"\ntype  = string-attribute\n", "AFNI", False),
        ("a", b"\x89HDF\r\n\x1a\n", "HDF5 or MINC", True),
        ("a.zip", b"PK\3\4", "a ZIP archive", True),
        ("a.tar.gz", packed(bytes(257) + b"ustar"), "a tar archive, gzipped", True),
        ("a.png", PNG, "a picture", False),
        ("a.md", PNG, "named like text, but it is a picture", False),
        ("lh.surf.gii", XML + b"<GIFTI>", "a GIFTI surface", False),
        ("a.xml", XML + b"<GIFTI>", "named like text, but it is a GIFTI surface", False),
        ("lh.pial", b"\xff\xff\xfe", "a FreeSurfer surface", False),
        ("a.obj", b"v 0 0 0", "of an unknown kind", False),
        ("a.html", b"<html>", "a web page", False),
        ("._a.nii", b"\0\5\x16\7" + bytes(9000), "of an unknown kind", False),
    ],
)  # fmt: skip
def test_what_may_show_a_head(tmp_path, name, content, what, is_image):
    (tmp_path / name).write_bytes(content)
    found = look_at(tmp_path / name)
    assert found is not None
    assert (found.what, found.is_image) == (what, is_image)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("dataset_description.json", b"{}"),
        ("participants.tsv", "\ufeffid\tage".encode("utf-16")),
        ("physio.tsv.gz", packed(b"1\t2\n" * 5000)),
        ("a.bval", b"0 1000"),
        ("latin.txt", "Gr\u00fc\u00dfe".encode("latin-1")),
        ("README", b"Its ndims = 3, /annex/objects/"),
        ("a.json", b"/annex/objects/MD5E-s1--0.json"),
        ("run.py", b"print('<svg>')"),
        ("empty", b""),
        (".bidsignore", b"x"),
        (".DS_Store", b"\0\0\0\1Bud1" + bytes(9)),
        ("._sub-1_T1w.nii.gz", b"\0\5\x16\7" + bytes(99)),
        ("a.edf", b"0       " + bytes(99)),
    ],
)
def test_what_is_harmless(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert look_at(tmp_path / name) is None


def test_links_to_missing_files(tmp_path):
    for name in ("a.json", "a.mif", "loop"):
        (tmp_path / name).symlink_to("loop" if name == "loop" else "absent")
    assert look_at(tmp_path / "a.json") is None
    assert look_at(tmp_path / "a.mif").what == "MRtrix, a link to a missing file: fetch it"
    assert look_at(tmp_path / "loop").what.startswith("unknown, cannot be read")
    assert describe(tmp_path / "a.mif") == ""


def test_what_a_gate_must_not_pass_over(tmp_path):
    data = tmp_path / "in"
    for name in ("sub-1_T1w.nii", ".sub-2_T1w.nii", "sourcedata/sub-1_T1w.nii", "private/a.json"):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_bytes(b"?")
    (data / "up").symlink_to("..")
    os.mkfifo(data / "pipe.nii.gz")
    census = take_census(data, everywhere=True)
    assert [scan.path.name for scan in census.scans] == ["sub-1_T1w.nii"]
    assert {str(one.path.relative_to(data)): one.what for one in census.unread} == {
        ".sub-2_T1w.nii": "a scan that is hidden",
        "sourcedata/sub-1_T1w.nii": "a scan in the folder 'sourcedata', which is left out",
        "up": "a link to a folder that holds this one, not followed",
        "pipe.nii.gz": "no ordinary file (a pipe, socket or device)",
    }
    assert not any(one.may_be_scan for one in census.unread)


def test_a_folder_that_cannot_be_opened_is_named(tmp_path, monkeypatch):
    (tmp_path / "sub-1").mkdir()
    (tmp_path / "sub-2_T1w.nii").touch()
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("sub-1"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    (one,) = take_census(tmp_path, everywhere=True).unread
    assert (one.path.name, one.what) == ("sub-1", "a folder that cannot be opened")


def test_a_large_tree_is_walked_at_once(tmp_path):
    for folder in range(20):
        (tmp_path / f"sub-{folder}").mkdir()
        for k in range(50):
            (tmp_path / f"sub-{folder}" / f"{k}.json").write_text("{}")
    start = time.perf_counter()
    assert not take_census(tmp_path, everywhere=True).unread
    assert time.perf_counter() - start < 2.0
