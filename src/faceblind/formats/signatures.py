"""What a file holds, told from its first bytes, whatever its name says."""

from __future__ import annotations

import zlib
from dataclasses import KW_ONLY, dataclass
from typing import Literal

from faceblind.formats import gzipped

PEEK = 2048
"""Bytes from the start of a file that are looked at."""
_WITH_GZIP_HEADER = 31
_ORDERS: tuple[Literal["little", "big"], ...] = ("little", "big")


@dataclass(frozen=True)
class Content:
    """What the first bytes of a file say.

    Parameters
    ----------
    what : str
        In words; empty where nothing is recognised.
    is_image : bool
        Whether it is, or may hold, a volume of a scanner (not a picture, mesh or document).
    is_text : bool
        Whether it is nothing but text.
    """

    what: str
    _: KW_ONLY
    is_image: bool = False
    is_text: bool = False


# Beginnings as the formats' own documents give them.
_IMAGES = (
    (b"mrtrix image", "MRtrix"), (b"mrtrix tracks", "MRtrix tracks"), (b"NRRD000", "NRRD"),
    (b"MATRIX7", "ECAT"), (b"CDF\x01", "MINC"), (b"CDF\x02", "MINC"),
    (b"\x89HDF\r\n\x1a\n", "HDF5 or MINC"), (b"#!/usr/local/fdf", "Varian"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"), (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"), (b"\x04\x22\x4d\x18", "an LZ4 archive"),
    (b"\x5d\x00\x00", "an LZMA archive"), (b"\x1f\x9d", "a compress archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
)  # fmt: skip
_OTHERS = (
    (b"\x89PNG", "a picture"), (b"\xff\xd8\xff", "a picture"), (b"GIF8", "a picture"),
    (b"II*\x00", "a picture"), (b"MM\x00*", "a picture"), (b"II+\x00", "a picture"),
    (b"\x00\x00\x00\x0cjP", "a picture"), (b"8BPS", "a picture"), (b"qoif", "a picture"),
    (b"PK\x03\x04", "a ZIP archive"), (b"\x93NUMPY", "a numpy array"), (b"MATLAB ", "MATLAB"),
    (b"%PDF", "a document"), (b"{\\rtf", "a document"), (b"\xd0\xcf\x11\xe0", "a document"),
    (b"RIFF", "a picture or video"), (b"\x1aE\xdf\xa3", "a video"),
    (b"\x00\x00\x01\xba", "a video"),
    (b"ply\n", "a mesh"), (b"ply\r", "a mesh"), (b"OFF\n", "a mesh"),
    (b"glTF", "a mesh"), (b"# vtk DataFile", "VTK"), (b"\xff\xff\xfe", "a FreeSurfer surface"),
    (b"\xff\xff\xff", "a FreeSurfer surface"), (b"#!ascii version", "a FreeSurfer surface"),
)  # fmt: skip
_ANNEX, _LFS = "/annex/objects/", "version https://git-lfs"
_TEXT_STARTS = (
    ("objecttype =", "MetaImage", True), ("ndims =", "MetaImage", True),
    ("!interfile", "Interfile", True), ("# === data description file", "Philips PAR/REC", True),
    ("type = string-attribute", "AFNI", True), ("type  = string-attribute", "AFNI", True),
    ("<afni", "AFNI", True), ("<gifti", "a GIFTI surface", False), ("<vtkfile", "VTK", False),
    ("<svg", "a picture", False), ("<html", "a web page", False),
    ("<!doctype", "a web page", False),
    (_ANNEX, "a git-annex pointer, not fetched", True),
    (_LFS, "a Git LFS pointer, not fetched", True),
)  # fmt: skip
# Elements below an XML declaration.
_XML = (
    ("<gifti", "a GIFTI surface", False), ("<vtkfile", "VTK", False), ("<svg", "a picture", False),
    ("<pride_v5", "Philips PAR/REC", True), ("<html", "a web page", False),
)  # fmt: skip
_VR = {
    *(b"AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN"
      b" UR US UT UV").split()
}  # fmt: skip


def is_pointer(start: bytes) -> bool:
    """Whether a file only stands for another one that was not fetched (git-annex, Git LFS).

    Parameters
    ----------
    start : bytes
        Its first 32 bytes or more.
    """
    return start.startswith((_ANNEX.encode(), _LFS.encode()))


def content_of(start: bytes) -> Content:
    """What a file holds.

    Parameters
    ----------
    start : bytes
        Its first `PEEK` bytes, or all of a shorter one. Gzip is looked into.
    """
    if start[:2] == gzipped.MAGIC:
        inner = _unpacked(start)
        if not inner:
            return Content("a gzip archive", is_image=True)
        found = content_of(inner)
        return Content(
            found.what and f"{found.what}, gzipped", is_image=found.is_image, is_text=found.is_text
        )
    what = _volume(start)
    if what:
        return Content(what, is_image=True)
    for known, is_image in ((_IMAGES, True), (_OTHERS, False)):
        for magic, name in known:
            if start.startswith(magic):
                return Content(name, is_image=is_image)
    if start[4:8] == b"ftyp":
        return Content("a picture or video")
    if start[:2] == b"BM" and start[6:10] == bytes(4):
        return Content("a picture")
    text = _text(start)
    if text is None:
        return Content("")
    return _in_text(text.lower().lstrip("\ufeff \t\r\n"))


def _in_text(text: str) -> Content:
    """What a text in lower case holds."""
    for mark, name, is_image in _TEXT_STARTS:
        if text.startswith(mark):
            return Content(name, is_image=is_image)
    if text.startswith("<?xml"):
        for mark, name, is_image in _XML:
            if mark in text:
                return Content(name, is_image=is_image)
    if "data:image/" in text:
        return Content("a text with a picture in it")
    return Content("", is_text=True)


def _volume(start: bytes) -> str:
    """The name of a medical format that is told by more than its first bytes; else empty."""
    if start[128:132] == b"DICM" or _is_bare_dicom(start):
        return "DICOM"
    for order in _ORDERS:
        size = int.from_bytes(start[:4], order)
        if size == 348 and start[344:347] == b"n+1":
            return "a NIfTI image"
        dims = int.from_bytes(start[40:42], order)
        if size == 348 and len(start) >= 348 and 1 <= dims <= 7:
            return "an Analyze or NIfTI header"
        if size == 540 and start[4:7] in (b"n+2", b"ni2"):
            return "a NIfTI image"
    if start[257:262] == b"ustar":
        return "a tar archive"
    head = [int.from_bytes(start[k : k + 4], "big") for k in range(0, 24, 4)]
    if head[0] == 1 and all(1 <= size < 65536 for size in head[1:5]) and head[5] in range(11):
        return "an MGH image" if len(start) >= 284 else ""
    return ""


def _is_bare_dicom(start: bytes) -> bool:
    """Whether data elements of the first groups stand at the start: DICOM without its preamble.

    Three in a row with rising tags, explicit or implicit, in either byte order (DICOM PS3.5, 7.1).
    """
    for order in _ORDERS:
        place, before, count = 0, -1, 0
        while place + 8 <= len(start) and count < 3:
            group = int.from_bytes(start[place : place + 2], order)
            element = int.from_bytes(start[place + 2 : place + 4], order)
            tag = (group << 16) | element
            if group not in (2, 4, 8, 0x10, 0x18) or tag <= before:
                break
            place = _after_element(start, place, order)
            before, count = tag, count + 1
            if place < 0:
                break
        # A long first element may leave no room for a third.
        if count >= 3 or (count == 2 and place > len(start) - 8):
            return True
    return False


def _after_element(start: bytes, place: int, order: Literal["little", "big"]) -> int:
    """Where the data element after that at `place` stands; -1 where none can."""
    if start[place + 4 : place + 6] in _VR:
        if start[place + 4 : place + 6] in (b"OB", b"OW", b"SQ", b"UN", b"UT", b"UC", b"UR"):
            size = int.from_bytes(start[place + 8 : place + 12], order)
            value = place + 12
        else:
            size = int.from_bytes(start[place + 6 : place + 8], order)
            value = place + 8
    else:
        size = int.from_bytes(start[place + 4 : place + 8], order)
        value = place + 8
    return value + size if size % 2 == 0 and size < 1 << 20 else -1


def _text(start: bytes) -> str | None:
    """The bytes as text; None where they hold what no text does."""
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return start.decode("utf-16", errors="replace")
    if b"\0" in start:
        return None
    odd = sum(byte < 32 and byte not in b"\t\n\v\f\r\x1b" for byte in start)
    return None if odd else start.decode("utf-8", errors="replace")


def _unpacked(start: bytes) -> bytes:
    """What the first bytes of a gzip stream hold; empty where they hold nothing sound."""
    try:
        return zlib.decompressobj(_WITH_GZIP_HEADER).decompress(start, PEEK)
    except zlib.error:
        return b""
