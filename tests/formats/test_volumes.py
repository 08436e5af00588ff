"""Suspicion in reading volumes and wholeness in writing them."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from faceblind.errors import OutputError, ScanError
from faceblind.formats import volumes
from faceblind.scan import Scan

BODY = bytes(range(256)) * 8


@pytest.mark.parametrize("packed", [BODY, gzip.compress(BODY)])
def test_no_more_is_unpacked_than_the_header_says(packed: bytes) -> None:
    seen = []

    def end_of(start: bytes) -> int:
        seen.append(start)
        return 1000

    data = volumes.unpack(packed, "a.nii", end_of, peek=16, tail=24)
    assert data[:1000] == BODY[:1000]
    assert seen == [BODY[:16]]
    with pytest.raises(ScanError, match=r"a\.nii: the file is truncated"):
        volumes.unpack(packed, "a.nii", lambda _: len(BODY) + 1)


def test_a_header_that_asks_for_the_impossible_is_not_followed() -> None:
    with pytest.raises(ScanError, match="truncated"):
        volumes.unpack(gzip.compress(BODY), "a.nii", lambda _: 1 << 40)
    packed = bytearray(gzip.compress(np.random.default_rng(0).bytes(4000)))
    packed[200] ^= 0xFF
    with pytest.raises(ScanError, match=r"damaged|truncated"):
        volumes.unpack(bytes(packed), "a.nii", lambda _: 4000)


@pytest.mark.parametrize(
    ("spacing", "shape", "origin", "message"),
    [
        (0.1, (900,) * 3, 0.0, "voxels of 0.1 x 0.1 x 0.1 mm"),
        (9.0, (30,) * 3, 0.0, "voxels of 9 x 9 x 9 mm"),
        (1.0, (200, 200, 50), 0.0, "field of view of 200 x 200 x 50 mm"),
        (2.0, (200, 200, 400), 0.0, "field of view of 400 x 400 x 800 mm"),
        (1.0, (200,) * 3, 2e4, "metres away"),
        (1.0, (200,) * 3, np.nan, "not finite"),
    ],
)
def test_what_cannot_be_a_head_is_refused(
    spacing: float, shape: tuple[int, int, int], origin: float, message: str
) -> None:
    affine = np.diag([spacing] * 3 + [1.0])
    affine[0, 3] = origin
    with pytest.raises(ScanError, match=f"a.nii: .*{message}"):
        volumes.check_geometry(shape, affine, "a.nii")


def test_the_limits_themselves_are_allowed_though_rounded() -> None:
    volumes.check_geometry((20, 20, 20), np.diag([*np.float64(np.float32([8.0] * 3)), 1]), "a")
    volumes.check_geometry((300,) * 3, np.diag([*np.float64(np.float32([0.2] * 3)), 1]), "a")


def test_gaps_become_air_in_a_head_and_nought_in_a_map() -> None:
    raw = np.full((10, 10, 10), 7.0, np.float32)
    raw[0], raw[1] = np.nan, 3.0
    affine = np.diag([20.0, 20.0, 20.0, 1.0])
    stored = volumes.make_stored(raw.copy(), affine, None, "a")
    assert (stored.voxels[0] == 3.0).all()
    assert np.isnan(stored.raw[0]).all()
    assert not stored.voxels.flags.writeable
    derived = volumes.make_stored(raw.copy(), affine, None, "a", derived=True)
    assert (derived.voxels[0] == 0.0).all()
    raw[1:] = 3.0
    with pytest.raises(ScanError, match="every voxel has the same value"):
        volumes.make_stored(raw, affine, None, "a")


def test_too_few_numbers_are_no_head() -> None:
    raw = np.full((10, 10, 10), np.nan, np.float32)
    raw[0, :6] = np.arange(60).reshape(6, 10)
    for spacing, enough in ((20.0, False), (21.0, True)):
        affine = np.diag([spacing] * 3 + [1.0])
        if enough:
            # 60 voxels of 9.26 ml: 0.56 litres.
            assert volumes.make_stored(raw.copy(), affine, None, "a").voxels.max() == 59
        else:
            with pytest.raises(ScanError, match="most voxels are NaN"):
                volumes.make_stored(raw.copy(), affine, None, "a")


def test_a_scan_without_a_file_has_numbers_that_files_know() -> None:
    for given, wanted in ((bool, np.uint8), (np.float64, np.float32), (np.int16, np.int16)):
        scan = Scan(np.ones((2, 2, 2), given), np.eye(4))
        numbers = volumes.plain_numbers(scan)
        assert numbers.dtype == wanted
        assert (numbers == 1).all()


@pytest.mark.parametrize("is_packed", [False, True])
def test_a_file_is_written_whole(tmp_path: Path, is_packed: bool) -> None:
    path = tmp_path / "a.bin"
    volumes.write(path, b"plain", BODY, is_packed)
    data = path.read_bytes()
    assert data[:5] == b"plain"
    assert (gzip.decompress(data[5:]) if is_packed else data[5:]) == BODY
    assert volumes.read_bytes(path) == data
    with pytest.raises(OutputError, match="cannot be written"):
        volumes.write(tmp_path / "none" / "a.bin", b"", BODY, is_packed)
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "empty.nii").touch()
    with pytest.raises(ScanError, match="the file is empty"):
        volumes.read_bytes(tmp_path / "empty.nii")
    with pytest.raises(ScanError, match="is a folder"):
        volumes.read_bytes(tmp_path)
