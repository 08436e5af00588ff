"""NRRD in and out: the same content as pynrrd's, unchanged bytes stay, the rest is refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from faceblind.errors import ScanError
from faceblind.formats.nrrd import load, save
from faceblind.scan import Scan

SHAPE = (10, 11, 12)
AFFINE = np.array([[-8.0, 0, 0, 31], [0, 0.2, 7.5, -20], [0, 6.5, 0, 5], [0, 0, 0, 1]])


def make_bytes(
    kind: str = "short",
    dtype: str = "<i2",
    encoding: str = "raw",
    shape: tuple[int, ...] = SHAPE,
    newline: str = "\n",
    directions: str = "(8,0,0) (0,7.5,0) (0,0,6.5)",
    extra: tuple[str, ...] = (),
    **fields: str,
) -> bytes:
    """A file built line by line."""
    content = {
        "type": kind,
        "dimension": str(len(shape)),
        "space": "left-posterior-superior",
        "sizes": " ".join(map(str, shape)),
        "space directions": directions,
        "endian": "big" if dtype.startswith(">") else "little",
        "encoding": encoding,
        "space origin": "(-31,20,5)",
    } | {key.replace("_", " "): value for key, value in fields.items()}
    lines = ["NRRD0005", "# made by Jane Doe"]
    lines += [f"{key}: {value}" for key, value in content.items() if value]
    lines += extra
    data = np.random.default_rng(5).integers(0, 100, shape).astype(dtype).tobytes(order="F")
    body = gzip.compress(data) if encoding in ("gzip", "gz") else data
    return (newline.join(lines) + newline * 2).encode() + body


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def parts(path: Path) -> tuple[bytes, bytes]:
    header, _, body = path.read_bytes().replace(b"\r\n", b"\n").partition(b"\n\n")
    return header, gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body


@pytest.mark.parametrize("encoding", ["raw", "gzip", "gz"])
@pytest.mark.parametrize(
    ("kind", "dtype"),
    [("uchar", "<u1"), ("int16", ">i2"), ("unsigned short", "<u2"), ("float", ">f4"),
     ("double", "<f8"), ("signed int", "<i4")],
)  # fmt: skip
def test_content_comes_back_bit_for_bit(tmp_path, encoding, kind, dtype):
    path = write(tmp_path / "sub-1_T2w.nrrd", make_bytes(kind, dtype, encoding))
    scan = load(path)
    data = np.random.default_rng(5).integers(0, 100, SHAPE)
    np.testing.assert_array_equal(scan.voxels, data)
    expected = np.diag([-8.0, -7.5, 6.5, 1.0])
    expected[:3, 3] = [31, -20, 5]
    np.testing.assert_allclose(scan.affine, expected)
    assert scan.modality == "T2w"
    save(scan, tmp_path / "b.nrrd")
    assert parts(tmp_path / "b.nrrd") == parts(path)


def test_windows_line_ends_are_kept(tmp_path):
    path = write(tmp_path / "a.nrrd", make_bytes(newline="\r\n"))
    save(load(path), tmp_path / "b.nrrd")
    assert (tmp_path / "b.nrrd").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("place", [0, 3])
def test_the_axis_without_direction_is_time(tmp_path, place):
    words = ["(8,0,0)", "(0,7.5,0)", "(0,0,6.5)"]
    words.insert(place, "none")
    shape = list(SHAPE)
    shape.insert(place, 3)
    content = make_bytes(shape=tuple(shape), directions=" ".join(words))
    path = write(tmp_path / "a.nrrd", content)
    scan = load(path)
    assert scan.voxels.shape == (*SHAPE, 3)
    data = np.random.default_rng(5).integers(0, 100, shape)
    np.testing.assert_array_equal(scan.voxels, np.moveaxis(data, place, 3))
    mask = np.zeros(SHAPE, bool)
    mask[1, 2, 3] = True
    save(scan, tmp_path / "b.nrrd")
    assert (tmp_path / "b.nrrd").read_bytes() == content
    save(scan.with_changes(mask, 99), tmp_path / "c.nrrd")
    again = load(tmp_path / "c.nrrd")
    assert (again.voxels[1, 2, 3] == 99).all()
    np.testing.assert_array_equal(again.voxels[~mask], scan.voxels[~mask])


def test_free_text_is_left_out(tmp_path):
    extra = ("DWMRI_b-value:=1000", "DICOM_0010_0010_PatientName:=Doe^Jane")
    path = write(tmp_path / "a.nrrd", make_bytes(content="Jane at home", extra=extra))
    scan = load(path)
    save(scan, tmp_path / "b.nrrd", clear_text=True)
    header, body = parts(tmp_path / "b.nrrd")
    assert b"Jane" not in header
    assert b"DWMRI_b-value:=1000" in header
    assert body == parts(path)[1]
    save(scan, tmp_path / "c.nrrd", clear_text=True, drop_extensions=True)
    assert b"DWMRI" not in parts(tmp_path / "c.nrrd")[0]


def test_only_fields_that_are_no_free_text_stay(tmp_path):
    said = (
        'labels: "Jane" "b" "c"', "sample units: Jane", "owner: Jane", "Jane was here",
        "modality:=Jane", "DWMRI_owner:=Jane", "DWMRI_b-value:=of Jane",
    )  # fmt: skip
    needed = (
        'space units: "mm" "mm" "mm"', "kinds: domain domain domain", "spacings: 1 1 1",
        "measurement frame: (1,0,0) (0,1,0) (0,0,1)", "modality:=DWMRI",
        "DWMRI_gradient_0000:=0.5 -1e-3 0",
    )  # fmt: skip
    path = write(tmp_path / "a.nrrd", make_bytes(extra=(*said, *needed)))
    save(load(path), tmp_path / "b.nrrd", clear_text=True)
    header, body = parts(tmp_path / "b.nrrd")
    assert b"Jane" not in header
    assert not [line for line in needed if line.encode() not in header.split(b"\n")]
    assert body == parts(path)[1]
    np.testing.assert_allclose(load(tmp_path / "b.nrrd").affine, load(path).affine)


@pytest.mark.parametrize("shape", [SHAPE, (*SHAPE, 2)])
def test_scan_made_in_memory_round_trips_and_others_read_it(tmp_path, shape):
    nrrd = pytest.importorskip("nrrd", reason="pynrrd is not installed")
    voxels = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    save(Scan(voxels, AFFINE), tmp_path / "a.nrrd")
    scan = load(tmp_path / "a.nrrd")
    np.testing.assert_array_equal(scan.voxels, voxels)
    np.testing.assert_allclose(scan.affine, AFFINE, rtol=1e-12)
    data, header = nrrd.read(str(tmp_path / "a.nrrd"))
    np.testing.assert_array_equal(data, voxels)
    np.testing.assert_allclose(header["space directions"][:3].T, AFFINE[:3, :3])


def test_refusals_are_one_line(tmp_path):
    good = make_bytes()
    for content, message in [
        (b"", "file is empty"),
        (b"a letter" * 60, "not an NRRD file"),
        (good[:100], "two files"),
        (good[:-1], "truncated"),
        (make_bytes(encoding="gzip")[:-9], "truncated|damaged"),
        (make_bytes(data_file="a.raw"), "two files"),
        (make_bytes(sizes="10 x 12"), "lacks sizes"),
        (make_bytes(sizes="10 11"), "2 dimensions"),
        (make_bytes(sizes="99999999 99999999 99999999"), "truncated"),
        (make_bytes(kind="block"), "holds block"),
        (make_bytes(encoding="bzip2"), "encoded as bzip2"),
        (make_bytes(byte_skip="-1"), "skips parts"),
        (make_bytes(endian="middle"), "byte order"),
        (make_bytes(space="3D-right-handed"), "does not say where"),
        (make_bytes(directions=""), "does not say where"),
        (make_bytes(directions="(1,0,0) (0,x,0) (0,0,1)"), "directions are damaged"),
        (make_bytes(directions="(8,0,0) (0,7,0)"), "2 directions for 3 axes"),
        (make_bytes(directions="(8,0,0) (0,7,0) (0,0,0.001)"), "voxels of"),
        (make_bytes(directions="(8,0,0) (8,0,0) (0,0,7)"), "singular"),
        (make_bytes(space_origin="(nan,0,0)"), "not finite"),
    ]:
        path = write(tmp_path / "bad.nrrd", content)
        with pytest.raises(ScanError, match=message) as caught:
            load(path)
        assert "\n" not in str(caught.value)
