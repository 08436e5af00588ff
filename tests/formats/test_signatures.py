"""What files hold by their first bytes: bytes are made as the formats' documents say."""

from __future__ import annotations

import gzip
import struct

import pytest

from faceblind.formats.signatures import PEEK, Content, content_of, is_pointer


def nifti(order: str = "<", magic: bytes = b"n+1\0") -> bytes:
    header = bytearray(352)
    header[:4] = struct.pack(f"{order}i", 348)
    header[40:42] = struct.pack(f"{order}h", 3)
    header[344:348] = magic
    return bytes(header)


def element(group: int, number: int, vr: bytes, value: bytes) -> bytes:
    """A DICOM data element, explicit little endian with a short length."""
    return struct.pack("<HH2sH", group, number, vr, len(value)) + value


BARE = (
    element(8, 5, b"CS", b"ISO_IR 100")
    + element(8, 0x60, b"CS", b"MR")
    + element(0x10, 0x10, b"PN", b"DOE^JANE")
)


@pytest.mark.parametrize(
    ("start", "what"),
    [
        (nifti(), "a NIfTI image"),
        (nifti(">"), "a NIfTI image"),
        (nifti(magic=b"ni1\0"), "an Analyze or NIfTI header"),
        (struct.pack("<i", 540) + b"n+2\0" + bytes(532), "a NIfTI image"),
        (struct.pack(">7i", 1, 256, 256, 256, 1, 0, 0) + bytes(256), "an MGH image"),
        (bytes(128) + b"DICM", "DICOM"),
        (BARE, "DICOM"),
        (bytes(257) + b"ustar\0", "a tar archive"),
        (b"NRRD0004\n", "NRRD"),
        (b"ObjectType = Image\n", "MetaImage"),
        (b"\xef\xbb\xbfNDims = 3\n", "MetaImage"),
        (b"/annex/objects/MD5E-s1--0.nii.gz\n", "a git-annex pointer, not fetched"),
    ],
)
def test_images_are_told(start: bytes, what: str) -> None:
    assert content_of(start) == Content(what, is_image=True)
    assert content_of(gzip.compress(start)) == Content(f"{what}, gzipped", is_image=True)


@pytest.mark.parametrize(
    ("start", "what"),
    [
        (b"\x89PNG\r\n\x1a\n", "a picture"),
        (b"BM\x10\0\0\0\0\0\0\0", "a picture"),
        (b"\0\0\0\x18ftypheic", "a picture or video"),
        (b"%PDF-1.7", "a document"),
        (b'<?xml version="1.0"?>\n<GIFTI>', "a GIFTI surface"),
        (b'{"thumbnail": "data:image/png;base64,AAAA"}', "a text with a picture in it"),
    ],
)
def test_what_is_no_volume_is_named(start: bytes, what: str) -> None:
    assert content_of(start) == Content(what)


def test_text_is_text_and_noise_is_nothing() -> None:
    assert content_of(b"participant_id\tage\nsub-01\t30\n") == Content("", is_text=True)
    assert content_of("größe".encode("utf-16")) == Content("", is_text=True)
    assert content_of(b"\x07\x01\x02 bell") == Content("")
    assert content_of(b"") == Content("", is_text=True)


def test_a_name_alone_makes_no_format() -> None:
    """A header cut short, tags that fall and dimensions of nought are no images."""
    assert not content_of(nifti()[:300]).is_image
    assert not content_of(struct.pack(">7i", 1, 0, 256, 256, 1, 0, 0) + bytes(256)).is_image
    falling = element(0x10, 0x10, b"PN", b"DOE^JANE") + element(8, 0x60, b"CS", b"MR")
    assert not content_of(falling + element(8, 5, b"CS", b"ISO_IR 100")).is_image


def test_a_gzip_stream_that_tells_nothing_may_hold_an_image() -> None:
    damaged = b"\x1f\x8b\x08\x00" + b"\xff" * 64
    assert content_of(damaged) == Content("a gzip archive", is_image=True)
    packed = gzip.compress(nifti() + bytes(8 * PEEK))
    assert content_of(packed[:PEEK]).what == "a NIfTI image, gzipped"


def test_pointers_stand_for_files_that_were_not_fetched() -> None:
    assert is_pointer(b"version https://git-lfs.github.com/spec/v1\n")
    assert is_pointer(b"/annex/objects/MD5E-s1--0.nii.gz")
    assert not is_pointer(nifti())
