"""NIfTI in and out: known content comes back, unchanged bytes stay, the rest is refused."""

from __future__ import annotations

import gzip
import struct
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faceblind.errors import FaceblindError, OutputError, ScanError
from faceblind.formats import has_extensions, nifti
from faceblind.formats import load as load_any
from faceblind.formats import save as save_any
from faceblind.formats.nifti import load, save
from faceblind.scan import Scan

AFFINE = np.array([[-8.0, 0, 0, 31], [0, 0, 7.5, -20], [0, 6.5, 0, 5], [0, 0, 0, 1]])
SHAPE = (10, 11, 12)
DTYPES = ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]


def make_bytes(
    dtype: str = "i2",
    byteorder: str = "<",
    version: int = 1,
    slope: float = float("nan"),
    inter: float = 0.0,
    shape: tuple[int, ...] = SHAPE,
    affine: np.ndarray = AFFINE,
    extension: bytes = b"",
    data: np.ndarray | None = None,
    **fields: object,
) -> bytes:
    """An uncompressed NIfTI file, built field by field so that oddities can be put in."""
    kind = nib.Nifti1Header if version == 1 else nib.Nifti2Header
    header = kind(endianness=byteorder)
    if len(shape) >= 1:
        header["dim"][: len(shape) + 1] = [len(shape), *shape]
    header["datatype"] = nib.nifti1.data_type_codes.code[np.dtype(dtype)]
    header["bitpix"] = np.dtype(dtype).itemsize * 8
    header["srow_x"], header["srow_y"], header["srow_z"] = affine[:3]
    header["sform_code"], header["qform_code"] = 3, 1
    header["pixdim"][1:4] = np.linalg.norm(affine[:3, :3], axis=0)
    header["quatern_b"] = 0.1
    header["xyzt_units"] = 10
    header["descrip"] = b"secret text"
    header["magic"] = b"n+1" if version == 1 else b"n+2"
    header["scl_slope"], header["scl_inter"] = slope, inter
    header["vox_offset"] = len(header.structarr.tobytes()) + 4 + len(extension)
    for key, value in fields.items():
        header[key] = value
    if data is None:
        rng = np.random.default_rng(7)
        data = rng.integers(0, 100, shape).astype(dtype)
    body = data.astype(np.dtype(dtype).newbyteorder(byteorder)).tobytes(order="F")
    flag = bytes([1 if extension else 0, 0, 0, 0])
    return header.structarr.tobytes() + flag + extension + body


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def unpacked(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


EXTENSION = struct.pack("<ii", 32, 6) + b"Jane Doe, 1961-02-03    "


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("scaling", [(float("nan"), 0.0), (0.25, -3.0)])
def test_unchanged_scan_is_written_back_byte_for_byte(tmp_path, dtype, byteorder, version, scaling):
    content = make_bytes(dtype, byteorder, version, *scaling, extension=EXTENSION)
    for ending in (".nii", ".nii.gz"):
        scan = load(write(tmp_path / f"in{ending}", content))
        save(scan, tmp_path / f"out{ending}")
        assert unpacked(tmp_path / f"out{ending}") == content


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("version", [1, 2])
def test_content_agrees_with_nibabel(tmp_path, byteorder, version):
    path = write(tmp_path / "a_T1w.nii", make_bytes("i2", byteorder, version, 0.25, -3.0))
    scan, expected = load(path), nib.load(path)
    np.testing.assert_allclose(scan.voxels, expected.get_fdata(), rtol=1e-6)
    np.testing.assert_allclose(scan.affine, expected.affine)
    assert scan.voxels.dtype == np.float32
    assert scan.modality == "T1w"
    np.testing.assert_allclose(scan.spacing, [8, 6.5, 7.5])


def test_unscaled_integers_keep_their_type_in_native_order(tmp_path):
    scan = load(write(tmp_path / "a.nii", make_bytes("i2", ">")))
    assert scan.voxels.dtype == np.int16
    assert scan.voxels.dtype.isnative
    assert not scan.voxels.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        scan.voxels[0, 0, 0] = 1


def test_qform_is_used_without_sform_and_spacing_without_both(tmp_path):
    only_q = write(tmp_path / "q.nii", make_bytes(sform_code=0))
    neither = write(tmp_path / "n.nii", make_bytes(sform_code=0, qform_code=0))
    np.testing.assert_allclose(load(only_q).affine, nib.load(only_q).get_qform())
    np.testing.assert_allclose(load(neither).affine, nib.load(neither).affine)


@pytest.mark.parametrize(("code", "factor"), [(1, 1e-3), (2, 1.0), (3, 1e3), (0, 1.0)])
def test_units_become_millimetres(tmp_path, code, factor):
    affine = AFFINE.copy()
    affine[:3] *= factor
    scan = load(write(tmp_path / "a.nii", make_bytes(affine=affine, xyzt_units=code | 8)))
    np.testing.assert_allclose(scan.affine, AFFINE, rtol=1e-6)


def test_series_is_kept_and_said_in_the_log(tmp_path, caplog):
    caplog.set_level("INFO")
    scan = load(write(tmp_path / "sub-77_bold.nii.gz", make_bytes(shape=(*SHAPE, 3))))
    assert scan.voxels.shape == (*SHAPE, 3)
    assert scan.volume().shape == SHAPE
    assert "3 volumes" in caplog.text
    assert "sub-77" not in caplog.text
    one = load(write(tmp_path / "one.nii", make_bytes(shape=(*SHAPE, 1))))
    assert one.voxels.shape == SHAPE


def test_a_few_nans_count_as_air_and_stay_nan_on_disk(tmp_path):
    data = np.random.default_rng(0).normal(50, 5, SHAPE)
    data[:3] = np.nan
    data[3, 0, 0] = np.inf
    content = make_bytes("f4", data=data)
    scan = load(write(tmp_path / "a.nii", content))
    assert np.isfinite(scan.voxels).all()
    assert (scan.voxels[:3] == scan.voxels.min()).all()
    save(scan, tmp_path / "b.nii")
    assert unpacked(tmp_path / "b.nii") == content


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("slope", [np.nan, 0.5])
def test_a_derived_map_may_be_nan_nearly_everywhere(tmp_path, byteorder, slope):
    data = np.full(SHAPE, np.nan)
    data[5, 5:7, 5] = [-4.0, 6.0]
    data[0, 0, 0] = np.inf
    content = make_bytes("f4", byteorder, slope=slope, data=data)
    scan = load_any(write(tmp_path / "a.nii", content), derived=True)
    scale = 1.0 if np.isnan(slope) else slope
    assert scan.voxels.dtype == np.float32
    assert scan.voxels[5, 5:7, 5].tolist() == [-4.0 * scale, 6.0 * scale]
    assert np.count_nonzero(scan.voxels) == 2
    save(scan, tmp_path / "b.nii")
    assert unpacked(tmp_path / "b.nii") == content
    mask = np.zeros(SHAPE, bool)
    mask[5, 6, 5] = True
    changed = scan.with_changes(mask, 0.0)
    np.testing.assert_array_equal(changed.stored.raw[~mask], scan.stored.raw[~mask])
    assert changed.stored.raw[5, 6, 5] == 0.0
    with pytest.raises(ScanError, match="NaN or infinite"):
        load_any(tmp_path / "a.nii")


@pytest.mark.parametrize("ending", [".nii.gz", ".mgz", ".nrrd"])
def test_derived_labels_may_be_empty(tmp_path, ending):
    path = tmp_path / f"labels{ending}"
    for voxels in (np.zeros(SHAPE, np.uint8), np.full((*SHAPE, 2), np.nan, np.float32)):
        save_any(Scan(voxels, AFFINE), path, overwrite=True)
        scan = load_any(path, derived=True)
        np.testing.assert_array_equal(scan.stored.raw, voxels)
        assert (scan.voxels == 0).all()
        with pytest.raises(ScanError, match=r"same value|NaN"):
            load_any(path)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("scaling", [(float("nan"), 0.0), (0.5, -3.0)])
def test_only_changed_voxels_change(tmp_path, dtype, byteorder, scaling):
    content = make_bytes(dtype, byteorder, 1, *scaling)
    scan = load(write(tmp_path / "a.nii", content))
    mask = np.zeros(SHAPE, bool)
    mask[2:4, 1, 5:] = True
    changed = scan.with_changes(mask, np.full(SHAPE, 20.2))
    save(changed, tmp_path / "b.nii")
    again = load(tmp_path / "b.nii")
    np.testing.assert_array_equal(again.voxels, changed.voxels)
    np.testing.assert_array_equal(again.stored.raw[~mask], scan.stored.raw[~mask])
    assert unpacked(tmp_path / "b.nii")[:352] == content[:352]
    exact = dtype.startswith("f")
    step = 1.0 if np.isnan(scaling[0]) else scaling[0]
    assert np.abs(changed.voxels[mask].astype(float) - 20.2).max() <= (1e-5 if exact else step / 2)
    np.testing.assert_array_equal(scan.stored.raw, load(tmp_path / "a.nii").stored.raw)


@pytest.mark.parametrize("dtype", ["u1", "i2", "i8", "u8"])
def test_values_are_clipped_to_the_range_of_the_type(tmp_path, dtype):
    scan = load(write(tmp_path / "a.nii", make_bytes(dtype)))
    mask = np.zeros(SHAPE, bool)
    mask[0, 0, :2] = True
    changed = scan.with_changes(mask, [-1e30, 1e30])
    low, high = changed.stored.raw[0, 0, :2]
    assert low == np.iinfo(dtype).min
    assert float(high) >= np.iinfo(dtype).max * (1 - 1e-15)


def test_a_mask_changes_every_volume_of_a_series(tmp_path):
    scan = load(write(tmp_path / "a.nii", make_bytes(shape=(*SHAPE, 3))))
    mask = np.zeros(SHAPE, bool)
    mask[1, 2, 3] = True
    changed = scan.with_changes(mask, 99)
    assert (changed.voxels[1, 2, 3] == 99).all()
    assert (changed.voxels != scan.voxels).sum() <= 3


def test_change_refusals(tmp_path):
    scan = load(write(tmp_path / "a.nii", make_bytes()))
    with pytest.raises(ScanError, match="expected a mask of shape"):
        scan.with_changes(np.ones((2, 2, 2), bool), 0)
    with pytest.raises(ScanError, match="finite"):
        scan.with_changes(np.ones(SHAPE, bool), np.nan)
    with pytest.raises(ScanError, match="do not fit"):
        scan.with_changes(np.ones(SHAPE, bool), [1.0, 2.0])
    with pytest.raises(ScanError, match="replaced"):
        replace(scan, voxels=scan.voxels.copy()).with_changes(np.ones(SHAPE, bool), 0)


def test_replaced_voxels_or_affine_are_never_written_as_the_original(tmp_path):
    scan = load(write(tmp_path / "a.nii", make_bytes()))
    for other in (
        replace(scan, voxels=np.zeros_like(scan.voxels)),
        replace(scan, affine=np.diag([8.0, 8, 8, 1])),
    ):
        with pytest.raises(OutputError, match="no longer matches"):
            save(other, tmp_path / "b.nii")
    assert not (tmp_path / "b.nii").exists()


def test_scan_made_in_memory_round_trips(tmp_path):
    voxels = np.random.default_rng(0).normal(size=SHAPE)
    save(Scan(voxels, AFFINE), tmp_path / "a.nii.gz")
    scan = load(tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(scan.voxels, voxels.astype(np.float32))
    np.testing.assert_allclose(scan.affine, AFFINE, atol=1e-5)
    np.testing.assert_allclose(nib.load(tmp_path / "a.nii.gz").get_qform(), AFFINE, atol=1e-4)


def test_output_is_deterministic_and_large_files_unpack(tmp_path):
    voxels = np.random.default_rng(0).integers(0, 999, (150, 150, 101)).astype(np.int16)
    scan = Scan(voxels, np.diag([1.0, 1, 1, 1]))
    save(scan, tmp_path / "a.nii.gz")
    save(scan, tmp_path / "b.nii.gz")
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()
    np.testing.assert_array_equal(nib.load(tmp_path / "a.nii.gz").get_fdata(), voxels)
    np.testing.assert_array_equal(load(tmp_path / "a.nii.gz").voxels, voxels)


def test_extensions_and_text_can_be_left_out(tmp_path):
    scan = load(write(tmp_path / "a.nii", make_bytes(extension=EXTENSION)))
    save(scan, tmp_path / "b.nii", drop_extensions=True, clear_text=True)
    content = unpacked(tmp_path / "b.nii")
    assert b"Jane" not in content
    assert b"secret" not in content
    assert not nib.load(tmp_path / "b.nii").header.extensions
    np.testing.assert_array_equal(load(tmp_path / "b.nii").stored.raw, scan.stored.raw)


def test_bytes_between_header_and_voxels_that_are_no_extension_are_text(tmp_path):
    """A gap that the header's offset leaves, and NIfTI-2's unused string."""
    for version in (1, 2):
        text = {"unused_str": b"Jane"} if version == 2 else {"db_name": b"Jane"}
        content = bytearray(make_bytes(version=version, **text))
        size = {1: 348, 2: 540}[version] + 4
        gap = b"Jane Doe".ljust(16, b"\0")
        if version == 1:
            content[108:112] = np.float32(size + len(gap)).tobytes()
        else:
            content[168:176] = np.int64(size + len(gap)).tobytes()
        path = write(tmp_path / f"{version}.nii", bytes(content[:size]) + gap + content[size:])
        scan = load(path)
        save(scan, tmp_path / f"kept{version}.nii")
        assert unpacked(tmp_path / f"kept{version}.nii") == path.read_bytes()
        save(scan, tmp_path / f"cleared{version}.nii", clear_text=True)
        cleared = unpacked(tmp_path / f"cleared{version}.nii")
        assert b"Jane" not in cleared
        assert len(cleared) == len(path.read_bytes())
        np.testing.assert_array_equal(
            load(tmp_path / f"cleared{version}.nii").stored.raw, scan.stored.raw
        )


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_extensions_are_seen(tmp_path, ending, version, byteorder):
    for extension in (EXTENSION, b""):
        content = make_bytes("i2", byteorder, version, extension=extension)
        assert has_extensions(write(tmp_path / f"a{ending}", content)) == bool(extension)
    (tmp_path / f"a{ending}").write_bytes(b"\x1f\x8b broken")
    assert not has_extensions(tmp_path / f"a{ending}")
    assert not has_extensions(tmp_path / f"absent{ending}")
    assert not has_extensions(tmp_path / "a.mgz")


def test_extensions_that_stay_are_warned_of_once(tmp_path, caplog):
    nifti._warn_of_extensions.cache_clear()
    scan = load(write(tmp_path / "a.nii", make_bytes(extension=EXTENSION)))
    with caplog.at_level("WARNING"):
        save(scan, tmp_path / "b.nii")
        save(scan, tmp_path / "c.nii", clear_text=True, drop_extensions=True)
        assert not caplog.records
        save(scan, tmp_path / "d.nii", clear_text=True)
        save(scan, tmp_path / "e.nii", clear_text=True)
    assert [record.getMessage() for record in caplog.records] == [
        "Header extensions stay and may hold names: --drop-extensions leaves them out."
    ]


def test_nothing_is_left_when_the_disk_refuses(tmp_path, monkeypatch):
    scan = load(write(tmp_path / "a.nii", make_bytes()))

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("faceblind.formats.gzipped.zlib.crc32", full)
    with pytest.raises(OutputError, match="No space left on device"):
        save(scan, tmp_path / "b.nii.gz")
    assert [p.name for p in tmp_path.iterdir()] == ["a.nii"]


def test_targets_that_are_refused(tmp_path):
    path = write(tmp_path / "a.nii", make_bytes())
    scan = load(path)
    link = tmp_path / "link.nii"
    link.symlink_to(path)
    (tmp_path / "there.nii").write_bytes(b"precious")
    (tmp_path / "folder.nii").mkdir()
    for target, overwrite, message in [
        (tmp_path / "there.nii", False, "exists already"),
        (path, True, "is the input itself"),
        (link, True, "is the input itself"),
        (tmp_path / "b.mgz", False, "must end in"),
        (tmp_path / "no" / "b.nii", False, "does not exist"),
        (tmp_path / "folder.nii", True, "is a folder"),
        (tmp_path / f"{'n' * 300}.nii", False, "name too long"),
    ]:
        with pytest.raises(OutputError, match=message):
            save(scan, target, overwrite=overwrite)
    assert (tmp_path / "there.nii").read_bytes() == b"precious"
    save(scan, tmp_path / "there.nii", overwrite=True)
    assert unpacked(tmp_path / "there.nii") == unpacked(path)
    assert not list(tmp_path.glob(".*"))


def bad_affine(value: float, row: int = 0, column: int = 0) -> np.ndarray:
    affine = AFFINE.copy()
    affine[row, column] = value
    return affine


CONSTANT = np.full(SHAPE, 7)
REFUSED = {
    "empty": (b"", "the file is empty"),
    "text": (b"this is a letter, not an image" * 40, "not a NIfTI image"),
    "short": (make_bytes()[:200], "truncated"),
    "no data": (make_bytes()[:352], "truncated"),
    "cut": (make_bytes()[:-1], "truncated"),
    "pair": (make_bytes(magic=b"ni1"), "two files"),
    "analyze": (make_bytes(magic=b""), "two files"),
    "slice": (make_bytes(shape=(60, 60)), "2-D image"),
    "flat": (make_bytes(shape=(60, 60, 1)), "2-D image"),
    "vectors": (make_bytes(shape=(*SHAPE, 1, 3)), "5 dimensions"),
    "negative": (make_bytes(dim=[3, -5, 11, 12, 1, 1, 1, 1]), "dimensions are damaged"),
    "offset": (make_bytes(vox_offset=17), "data offset is damaged"),
    "offset nan": (make_bytes(vox_offset=np.nan), "data offset is damaged"),
    "complex": (make_bytes(datatype=32), "complex numbers"),
    "rgb": (make_bytes(datatype=128), "RGB colours"),
    "unknown type": (make_bytes(datatype=999), "data type 999"),
    "singular": (make_bytes(affine=bad_affine(0.0)), "affine is singular"),
    "not finite": (make_bytes(affine=bad_affine(np.nan)), "affine is not finite"),
    "infinite": (make_bytes(affine=bad_affine(np.inf, 1, 3)), "affine is not finite"),
    "far": (make_bytes(affine=bad_affine(1e9, 1, 3)), "metres away"),
    "tiny voxels": (make_bytes(affine=AFFINE * [[0.01], [0.01], [0.01], [1]]), "voxels of"),
    "huge voxels": (make_bytes(affine=AFFINE * [[10], [10], [10], [1]]), "voxels of"),
    "metres": (make_bytes(xyzt_units=1), "the header says metres"),
    "slab": (make_bytes(shape=(10, 11, 3)), "field of view"),
    "constant": (make_bytes(data=CONSTANT), "same value"),
    "nan": (make_bytes("f4", data=CONSTANT * np.nan), "NaN or infinite"),
    "infinity": (make_bytes("f4", data=CONSTANT * np.inf), "NaN or infinite"),
    "empty volumes": (
        make_bytes("f4", shape=(*SHAPE, 2), data=np.stack([CONSTANT * np.nan, CONSTANT], 3)),
        "every voxel of every volume has the same value",
    ),
    "nan volumes": (
        make_bytes("f4", shape=(*SHAPE, 2), data=np.stack([CONSTANT * np.nan] * 2, 3)),
        "most voxels of every volume are NaN",
    ),
    "scaling": (make_bytes(slope=2.0, inter=np.inf), "scaling is damaged"),
}


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize("case", REFUSED)
def test_refusals_name_the_file_and_the_fault_in_one_line(tmp_path, case, ending):
    content, message = REFUSED[case]
    path = tmp_path / f"bad{ending}"
    if case == "empty":
        path.write_bytes(b"")
    else:
        write(path, content)
    with pytest.raises(ScanError, match=message) as caught:
        load(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    assert len(text) - len(str(path)) < 160


def test_missing_folder_and_foreign_files_are_refused(tmp_path):
    with pytest.raises(ScanError, match="no such file"):
        load(tmp_path / "absent.nii")
    (tmp_path / "dir.nii").mkdir()
    with pytest.raises(ScanError, match="is a folder"):
        load(tmp_path / "dir.nii")
    (tmp_path / "note.txt").write_text("hello")
    with pytest.raises(ScanError, match="not a format"):
        load_any(tmp_path / "note.txt")
    with pytest.raises(ScanError, match="no such file"):
        load_any(tmp_path / "note.doc")


def test_damaged_and_cut_gzip_are_refused(tmp_path):
    path = tmp_path / "a.nii.gz"
    packed = gzip.compress(make_bytes())
    for end in (5, 100, len(packed) // 2, len(packed) - 9, len(packed) - 1):
        path.write_bytes(packed[:end])
        with pytest.raises(ScanError, match="truncated"):
            load(path)
    wrong_sum = bytearray(packed)
    wrong_sum[-6] ^= 1
    path.write_bytes(wrong_sum)
    with pytest.raises(ScanError, match="damaged"):
        load(path)


def test_header_that_claims_more_than_memory_is_refused_at_once(tmp_path):
    content = make_bytes(version=2, dim=[3, 2**40, 2**40, 2**40, 1, 1, 1, 1])
    for ending in (".nii", ".nii.gz"):
        with pytest.raises(ScanError, match="truncated"):
            load(write(tmp_path / f"a{ending}", content))


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_corrupted_files_are_refused_or_still_valid(tmp_path, data):
    version = data.draw(st.sampled_from([1, 2]))
    dtype = data.draw(st.sampled_from(["u1", "i2", "f4", "f8"]))
    content = bytearray(make_bytes(dtype, data.draw(st.sampled_from("<>")), version, 0.5, 1.0))
    header_size = 348 if version == 1 else 540
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, header_size + 3))] = data.draw(st.integers(0, 255))
    packed = bytes(content)
    ending = data.draw(st.sampled_from([".nii", ".nii.gz"]))
    if ending == ".nii.gz":
        damaged = bytearray(gzip.compress(packed, 1))
        if data.draw(st.booleans()):
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
        packed = bytes(damaged)
    path = tmp_path / f"fuzz{ending}"
    path.write_bytes(packed[: data.draw(st.integers(1, len(packed)) | st.just(len(packed)))])
    try:
        scan = load(path)
    except FaceblindError:
        return
    assert np.isfinite(scan.voxels).all()
    assert np.isfinite(scan.affine).all()
    save(scan, tmp_path / "again.nii", overwrite=True)
    assert len(unpacked(tmp_path / "again.nii")) >= 352


def test_real_scans_are_written_back_bit_for_bit(shared, tmp_path):
    folder = shared / "scans"
    wanted = ("*T1w_2mm.nii.gz", "t1*2mm.nii.gz", "colin27_T1w_cut_below_nose.nii.gz")
    paths = [path for pattern in wanted for path in folder.glob(pattern)]
    assert len(paths) == 4
    for path in paths:
        save(load(path), tmp_path / path.name)
        assert unpacked(tmp_path / path.name) == unpacked(path)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("sform", [0, 3])
@pytest.mark.parametrize(("first", "qfac"), [(0.0, 1), (np.nan, 1), (2.0, 1), (-1.0, -1)])
def test_any_qfac_that_is_not_negative_is_one(tmp_path, version, byteorder, sform, first, qfac):
    pixdim = [first, 8.0, 6.5, 7.5, 1, 1, 1, 1]
    content = make_bytes(
        byteorder=byteorder, version=version, sform_code=sform, qform_code=1, pixdim=pixdim,
        quatern_b=0.0, affine=np.diag([8.0, 6.5, 7.5, 1.0]),
    )  # fmt: skip
    path = write(tmp_path / "a.nii.gz", content)
    scan = load(path)
    expected = [8.0, 6.5, 7.5 * (1 if sform else qfac)]
    np.testing.assert_allclose(np.diag(scan.affine)[:3], expected)
    save(scan, tmp_path / "b.nii.gz")
    assert unpacked(tmp_path / "b.nii.gz") == content


def test_a_quaternion_too_long_by_rounding_and_negative_sizes_are_read(tmp_path):
    pixdim = [1, -8.0, 6.5, 7.5, 1, 1, 1, 1]
    content = make_bytes(sform_code=0, qform_code=1, pixdim=pixdim, quatern_b=1.001)
    scan = load(write(tmp_path / "a.nii", content))
    np.testing.assert_allclose(scan.affine[:3, :3], np.diag([8.0, -6.5, -7.5]), atol=1e-5)


@pytest.mark.parametrize(
    "dim", [[4, 10, 11, 12, 0, 0, 0, 0], [5, 10, 11, 12, 1, 1, 0, 0], [7, 10, 11, 12, 1, 0, 1, 0]]
)
def test_dimensions_that_are_not_used_may_be_nought_or_one(tmp_path, dim):
    content = make_bytes(dim=dim)
    scan = load(write(tmp_path / "a.nii", content))
    assert scan.voxels.shape == SHAPE
    save(scan, tmp_path / "b.nii")
    assert unpacked(tmp_path / "b.nii") == content


@pytest.mark.parametrize("version", [1, 2])
def test_data_may_begin_right_after_the_header(tmp_path, version):
    size = 348 if version == 1 else 540
    whole = make_bytes(version=version, vox_offset=size)
    scan = load(write(tmp_path / "a.nii", whole[:size] + whole[size + 4 :]))
    assert np.array_equal(
        scan.voxels, load(write(tmp_path / "b.nii", make_bytes(version=version))).voxels
    )


UNIT = np.eye(4)
LARGE = (70, 71, 72)


def test_a_transform_without_the_voxel_size_is_refused_with_the_cause(tmp_path):
    small = make_bytes(shape=LARGE, affine=UNIT, pixdim=[1, 0.5, 0.5, 1, 1, 1, 1, 1])
    with pytest.raises(
        ScanError, match=r"a\.nii: its sform has voxels of 1 x 1 x 1 mm, its pixdim 0\.5"
    ):
        load(write(tmp_path / "a.nii", small))
    for pixdim in ([1, 1, 1, 1, 1, 1, 1, 1], [1, 0, 0, 0, 0, 0, 0, 0]):
        content = make_bytes(shape=LARGE, affine=UNIT, pixdim=pixdim)
        assert load(write(tmp_path / "b.nii", content)).doubt == ""


def test_a_size_that_is_said_twice_and_differently_is_a_doubt(tmp_path):
    content = make_bytes(pixdim=[1, 4, 4, 4, 1, 1, 1, 1])
    assert "its pixdim 4 x 4 x 4 mm" in load(write(tmp_path / "a.nii", content)).doubt
    assert load(write(tmp_path / "b.nii", make_bytes())).doubt == ""


def test_nan_around_a_head_is_air(tmp_path):
    shape = (30, 30, 30)
    data = np.full(shape, np.nan)
    data[10:22, 10:22, 10:22] = np.random.default_rng(0).normal(50, 5, (12, 12, 12))
    content = make_bytes("f4", shape=shape, data=data)
    scan = load(write(tmp_path / "a.nii", content))
    assert (scan.voxels[:10] == np.nanmin(data.astype("f4"))).all()
    save(scan, tmp_path / "b.nii")
    assert unpacked(tmp_path / "b.nii") == content
    gaps = np.zeros(shape, bool)
    gaps[12] = True
    holed = scan.with_gaps(gaps)
    assert np.isnan(holed.stored.raw[gaps]).all()
    assert holed.voxels is scan.voxels
    save(holed, tmp_path / "c.nii")
    assert np.isnan(nib.load(tmp_path / "c.nii").get_fdata()[12]).all()
    with pytest.raises(ScanError, match="know no NaN"):
        load(write(tmp_path / "d.nii", make_bytes())).with_gaps(np.zeros(SHAPE, bool))


@pytest.mark.parametrize(
    ("sform", "qform", "code"), [(0, 0, 0), (1, 0, 1), (0, 2, 2), (4, 1, 4), (-1, 0, 0)]
)
def test_the_form_codes_say_how_far_the_position_is_known(tmp_path, sform, qform, code):
    image = nib.Nifti1Image(
        np.arange(64**3, dtype=np.int16).reshape(64, 64, 64), np.diag([3, 3, 3, 1])
    )
    data = bytearray(image.to_bytes())
    data[252:256] = struct.pack("<hh", qform, sform)
    path = tmp_path / "sub-01_T1w.nii.gz"
    path.write_bytes(gzip.compress(bytes(data), 1))
    position = load(path).position
    assert position.code == code
    assert position.second is None


def test_a_qform_elsewhere_is_remembered(tmp_path):
    image = nib.Nifti1Image(
        np.arange(64**3, dtype=np.int16).reshape(64, 64, 64), np.diag([3, 3, 3, 1])
    )
    image.set_sform(np.diag([3, 3, 3, 1]), 1)
    there = np.diag([3.0, 3, 3, 1])
    there[1, 3] = 20
    image.set_qform(there, 1)
    nib.save(image, tmp_path / "sub-01_T1w.nii.gz")
    assert np.allclose(load(tmp_path / "sub-01_T1w.nii.gz").position.second, there)


def test_a_series_may_begin_with_an_empty_volume(tmp_path):
    voxels = np.zeros((40, 40, 40, 3), np.float32)
    voxels[..., 0] = np.nan
    voxels[10:, ..., 2] = 7
    nib.save(nib.Nifti1Image(voxels, np.diag([4, 4, 4, 1])), tmp_path / "sub-01_pet.nii.gz")
    assert load(tmp_path / "sub-01_pet.nii.gz").voxels.shape == (40, 40, 40, 3)
