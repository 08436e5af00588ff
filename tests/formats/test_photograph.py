"""Picture files of any kind become upright RGB pixels, or one error."""

from __future__ import annotations

import io
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from faceblind.errors import PhotographError
from faceblind.formats.photograph import read_photo

STORED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a, -1),
}


def quadrants() -> NDArray[np.uint8]:
    """A picture that differs under all turns and flips."""
    picture = np.zeros((16, 24, 3), dtype=np.uint8)
    picture[:8, :12] = (255, 0, 0)
    picture[:8, 12:] = (0, 255, 0)
    picture[8:, :12] = (0, 0, 255)
    return picture


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "tiff", "jpg"])
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int, suffix: str) -> None:
    upright = quadrants()
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"photo.{suffix}"
    options = {"quality": 100, "subsampling": 0} if suffix == "jpg" else {}
    stored = np.ascontiguousarray(STORED[orientation](upright))
    Image.fromarray(stored).save(path, exif=exif, **options)
    found = read_photo(path)
    assert found.shape == upright.shape
    assert np.abs(found.astype(int) - upright).max() <= 12


@pytest.mark.parametrize(
    ("mode", "colour", "suffix", "expected"),
    [
        ("RGB", (10, 20, 30), "bmp", (10, 20, 30)),
        ("L", 77, "png", (77, 77, 77)),
        ("1", 1, "png", (255, 255, 255)),
        ("I;16", 65535, "png", (255, 255, 255)),
        ("I;16", 1023, "tiff", (255, 255, 255)),
        ("I;16", 2048, "tiff", (128, 128, 128)),
        ("I;16", 200, "png", (200, 200, 200)),
        ("LA", (0, 0), "png", (255, 255, 255)),
        ("RGBA", (10, 20, 30, 255), "png", (10, 20, 30)),
        ("RGBA", (10, 20, 30, 0), "png", (255, 255, 255)),
        ("CMYK", (255, 0, 0, 0), "tiff", (0, 255, 255)),
    ],
)
def test_pixel_modes(
    tmp_path: Path, mode: str, colour: object, suffix: str, expected: tuple[int, int, int]
) -> None:
    path = tmp_path / f"photo.{suffix}"
    Image.new(mode, (5, 4), colour).save(path)  # type: ignore[arg-type]
    found = read_photo(path)
    assert found.dtype == np.uint8
    assert found.shape == (4, 5, 3)
    np.testing.assert_array_equal(found[0, 0], expected)


def test_palettes_with_and_without_transparency(tmp_path: Path) -> None:
    picture = Image.new("P", (4, 4), 1)
    picture.putpalette([0, 0, 0, 9, 8, 7])
    picture.save(tmp_path / "plain.png")
    picture.save(tmp_path / "clear.png", transparency=1)
    np.testing.assert_array_equal(read_photo(tmp_path / "plain.png")[0, 0], (9, 8, 7))
    np.testing.assert_array_equal(read_photo(tmp_path / "clear.png")[0, 0], (255, 255, 255))


def test_the_first_of_several_frames_is_taken(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "two.tiff", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(read_photo(tmp_path / "two.tiff")[0, 0], (255, 0, 0))


def jpeg() -> bytes:
    stream = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(stream, "JPEG")
    return stream.getvalue()


def png_that_claims(width: int, height: int) -> bytes:
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
    return b"\x89PNG\r\n\x1a\n" + body + b"\x00\x00\x00\x00IEND\xaeB`\x82"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.jpg", b"", "not a picture"),
        ("text.jpg", b"this is not a picture\n" * 20, "not a picture"),
        ("half.jpg", jpeg()[: len(jpeg()) // 2], "damaged or cut short"),
        ("head.jpg", jpeg()[:30], "not a picture|damaged"),
        ("bomb.png", png_that_claims(60000, 60000), "more pixels than any photograph"),
        ("large.png", png_that_claims(14500, 14500), "more pixels|more than any photograph"),
        ("nothing.png", png_that_claims(64, 64), "damaged or cut short"),
        ("text.heic", b"not a picture", "damaged|not a picture|pillow-heif"),
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(PhotographError, match=message) as caught:
        read_photo(path)
    assert "\n" not in str(caught.value)


def test_missing_files_and_odd_pixels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PhotographError, match="no such file"):
        read_photo(tmp_path / "none.jpg")
    Image.new("F", (4, 4), 0.5).save(tmp_path / "float.tiff")
    with pytest.raises(PhotographError, match="floating-point"):
        read_photo(tmp_path / "float.tiff")


def test_fuzzed_files_give_a_picture_or_the_one_error(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    path = tmp_path / "fuzzed.jpg"
    refused = 0
    for _ in range(150):
        content = bytearray(jpeg())
        for place in rng.integers(0, len(content), 12):
            content[place] = rng.integers(256)
        path.write_bytes(bytes(content[: rng.integers(1, len(content) + 1)]))
        try:
            assert read_photo(path).ndim == 3
        except PhotographError:
            refused += 1
    assert refused > 20


def test_heic_is_read_when_the_extra_is_there(tmp_path: Path) -> None:
    heif = pytest.importorskip("pillow_heif")
    path = tmp_path / "photo.heic"
    upright = np.kron(quadrants(), np.ones((4, 4, 1), dtype=np.uint8))
    heif.from_pillow(Image.fromarray(upright)).save(path, quality=100)
    found = read_photo(path)
    assert found.shape == upright.shape
    assert np.abs(found[10, 10].astype(int) - (255, 0, 0)).max() < 12


def test_heic_without_the_extra_names_the_install_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (tmp_path / "photo.HEIC").write_bytes(b"x")
    with pytest.raises(PhotographError, match=r"pip install faceblind\[heic\]"):
        read_photo(tmp_path / "photo.HEIC")
