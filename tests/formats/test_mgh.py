"""MGH in and out: the same geometry as nibabel's, unchanged bytes stay, the rest is refused."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from faceblind.errors import OutputError, ScanError
from faceblind.formats.mgh import load, save
from faceblind.scan import Scan

AFFINE = np.array([[-8.0, 0, 0, 31], [0, 0.2, 7.5, -20], [0, 6.5, 0, 5], [0, 0, 0, 1]])
SHAPE = (10, 11, 12)
# Tag 3 (a command line) with its length.
TAGS = b"\0\0\0\3" + (24).to_bytes(8, "big") + b"recon-all -s Jane_Doe_61"


def make(path: Path, dtype: str = "i2", shape: tuple[int, ...] = SHAPE, tail: bytes = b"") -> Path:
    data = np.random.default_rng(3).integers(0, 100, shape).astype(dtype)
    image = nib.MGHImage(data, AFFINE)
    image.header["tr"] = 2300.0
    nib.save(image, path)
    if tail:
        packed = path.suffix == ".mgz"
        content = gzip.decompress(path.read_bytes()) if packed else path.read_bytes()
        path.write_bytes(gzip.compress(content + tail) if packed else content + tail)
    return path


def unpacked(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".mgz" else data


@pytest.mark.parametrize("ending", [".mgh", ".mgz"])
@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "f4"])
@pytest.mark.parametrize("shape", [SHAPE, (*SHAPE, 3)])
def test_content_is_nibabels_and_comes_back_bit_for_bit(tmp_path, ending, dtype, shape):
    path = make(tmp_path / f"sub-1_T1w{ending}", dtype, shape, TAGS)
    scan = load(path)
    image = nib.load(path)
    np.testing.assert_array_equal(scan.voxels, image.get_fdata())
    np.testing.assert_allclose(scan.affine, image.affine, atol=1e-4)
    assert scan.modality == "T1w"
    save(scan, tmp_path / f"b{ending}")
    assert unpacked(tmp_path / f"b{ending}") == unpacked(path)


def test_only_changed_voxels_change(tmp_path):
    path = make(tmp_path / "a.mgz")
    scan = load(path)
    mask = np.zeros(SHAPE, bool)
    mask[2:4, 1, 5:] = True
    save(scan.with_changes(mask, 77), tmp_path / "b.mgz")
    again = load(tmp_path / "b.mgz")
    assert (again.voxels[mask] == 77).all()
    np.testing.assert_array_equal(again.stored.raw[~mask], scan.stored.raw[~mask])
    assert unpacked(tmp_path / "b.mgz")[:284] == unpacked(path)[:284]


@pytest.mark.parametrize("option", ["clear_text", "drop_extensions"])
def test_tags_with_names_are_left_out_and_parameters_stay(tmp_path, option):
    scan = load(make(tmp_path / "a.mgh", tail=TAGS))
    save(scan, tmp_path / "b.mgh", **{option: True})
    assert b"Jane" not in (tmp_path / "b.mgh").read_bytes()
    assert nib.load(tmp_path / "b.mgh").header["tr"] == 2300.0


def test_a_file_without_directions_is_coronal(tmp_path):
    path = make(tmp_path / "a.mgh", "u1", (70, 71, 72))
    content = bytearray(path.read_bytes())
    content[28:30] = b"\0\0"
    path.write_bytes(bytes(content))
    expected = np.array([[-1.0, 0, 0, 35], [0, 0, 1, -36], [0, -1, 0, 35.5], [0, 0, 0, 1]])
    np.testing.assert_allclose(load(path).affine, expected)


def test_scan_made_in_memory_round_trips(tmp_path):
    voxels = np.random.default_rng(0).normal(size=SHAPE)
    save(Scan(voxels, AFFINE), tmp_path / "a.mgz")
    scan, image = load(tmp_path / "a.mgz"), nib.load(tmp_path / "a.mgz")
    np.testing.assert_array_equal(scan.voxels, voxels.astype(np.float32))
    np.testing.assert_array_equal(image.get_fdata(), voxels.astype(np.float32))
    np.testing.assert_allclose(scan.affine, AFFINE, atol=1e-4)
    np.testing.assert_allclose(image.affine, AFFINE, atol=1e-4)
    with pytest.raises(OutputError, match="cannot hold int64"):
        save(Scan(np.ones(SHAPE, np.int64), AFFINE), tmp_path / "b.mgz")


def test_refusals_are_one_line(tmp_path):
    good = make(tmp_path / "good.mgh").read_bytes()
    sizes = bytearray(good)
    sizes[4:8] = (-5).to_bytes(4, "big", signed=True)
    flat = bytearray(good)
    flat[8:12] = (1).to_bytes(4, "big")
    kind = bytearray(good)
    kind[20:24] = (7).to_bytes(4, "big")
    huge = bytearray(good)
    huge[4:8] = huge[8:12] = huge[12:16] = b"\x7f\xff\xff\xff"
    spacing = bytearray(good)
    spacing[30:34] = np.array(1e-3, ">f4").tobytes()
    nan = bytearray(good)
    nan[30:34] = np.array(np.nan, ">f4").tobytes()
    for content, message in [
        (b"", "file is empty"),
        (b"a letter" * 60, "not an MGH volume"),
        (good[:100], "truncated"),
        (good[:400], "truncated"),
        (bytes(sizes), "dimensions are damaged"),
        (bytes(flat), "not a volume"),
        (bytes(kind), "data type 7"),
        (bytes(huge), "truncated"),
        (bytes(spacing), "voxels of"),
        (bytes(nan), "not finite"),
    ]:
        path = tmp_path / "bad.mgh"
        path.write_bytes(content)
        with pytest.raises(ScanError, match=message) as caught:
            load(path)
        assert "\n" not in str(caught.value)


def test_scans_of_other_formats_keep_theirs(tmp_path):
    scan = load(make(tmp_path / "a.mgz"))
    from faceblind.formats import save as save_any

    with pytest.raises(OutputError, match="another format"):
        save_any(scan, tmp_path / "b.nii.gz")
    save_any(replace(scan, stored=None), tmp_path / "b.nii.gz")
    assert (tmp_path / "b.nii.gz").exists()


def test_without_directions_the_position_is_unknown(tmp_path):
    path = tmp_path / "map.mgh"
    save(
        Scan(np.arange(64**3, dtype=np.float32).reshape(64, 64, 64), np.diag([3.0, 3, 3, 1])), path
    )
    assert load(path).position.code == 1
    data = bytearray(path.read_bytes())
    data[28:30] = bytes(2)
    path.write_bytes(bytes(data))
    assert load(path).position.code == 0
