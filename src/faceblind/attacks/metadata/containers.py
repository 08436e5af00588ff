"""What the files around the voxels say: headers, extensions, tags, and bytes that nobody shows."""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from faceblind.attacks.metadata.texts import Finding, decoded, is_name, judge_text, keyword_severity
from faceblind.errors import ScanError
from faceblind.formats.names import without_ending

_GZIP = b"\x1f\x8b"
_PEEK = 1024
_CHUNK = 1 << 20
_MOST_AFTER = 1 << 20
"""Bytes after the image that are unpacked; more are only said to be there."""

_NIFTI_TEXTS = ("data_type", "db_name", "descrip", "aux_file", "intent_name")
_NIFTI_EXTENSIONS = {2: "DICOM", 4: "AFNI", 6: "comment", 44: "MRS"}

_MGH_HEADER = 284
_MGH_USED = 90
_MGH_PARAMETERS = 20
_MGH_BYTES = {0: 1, 1: 4, 3: 4, 4: 2, 10: 2}
# FreeSurfer, include/tags.h and utils/tags.cpp: those that quote command lines and paths, those
# without a length, and the one whose length has four bytes and counts a null too many.
_MGH_QUOTING = {3: "command line", 30: "path of a transform", 31: "path of a transform"}
_MGH_NUMBERS = {4, 5, 21, 32, 33, 40, 41, 42, 43, 44}
_MGH_BARE = {1, 2, 10, 11, 12, 20}
_MGH_SHORT = 30
_PRINTABLE = re.compile(rb"[ -~]{6,}")

_NRRD_USUAL = re.compile(r"#\s*(?:Complete NRRD file format specification at:|https?://teem\.)")
_NRRD_NAMES = ("data file", "datafile", "labels", "units", "space units", "sample units")
_NRRD_FIELDS = {
    "type", "dimension", "space", "space dimension", "sizes", "space directions", "kinds", "endian",
    "encoding", "space origin", "measurement frame", "spacings", "thicknesses", "axis mins",
    "axismins", "axis maxs", "axismaxs", "centers", "centerings", "min", "max", "old min",
    "oldmin", "old max", "oldmax", "block size", "blocksize", "line skip", "lineskip",
    "byte skip", "byteskip", "number",
}  # fmt: skip


def find_texts(path: Path) -> list[Finding]:
    """Whatever a scan's file says besides its voxels.

    Parameters
    ----------
    path : Path
        NIfTI, MGH/MGZ or NRRD, told by content.

    Raises
    ------
    ScanError
        If the file cannot be read.
    """
    try:
        raw = path.read_bytes()
        found, start = _gzip_header(raw, path), raw[:_PEEK]
        if raw.startswith(_GZIP):
            start = zlib.decompressobj(31).decompress(raw, _PEEK)
        if start.startswith(b"NRRD"):
            return found + _nrrd(raw)
        for size, order in ((348, "<"), (540, "<"), (348, ">"), (540, ">")):
            if start[:4] == struct.pack(f"{order}i", size) and len(start) >= size:
                return found + _nifti(raw, start[:size], order)
        if start[:4] == struct.pack(">i", 1) and len(start) >= _MGH_HEADER:
            return found + _mgh(raw, start[:_MGH_HEADER])
    except (OSError, EOFError, zlib.error) as error:
        raise ScanError(f"{path}: cannot be read; fetch the file again") from error
    what = "of a format whose texts are not examined"
    return [*found, Finding("header", what, "may identify")]


def _unpacked(raw: bytes, most: int) -> tuple[bytes, int]:
    """The first `most` bytes of plain or gzipped data, and how many more the file holds.

    What follows a gzip stream counts too: programs that read the image never see it.
    """
    if not raw.startswith(_GZIP):
        return raw[:most], max(0, len(raw) - most)
    pieces, room, more, rest = [], most, 0, raw
    while rest.startswith(_GZIP):
        member = zlib.decompressobj(31)
        while not member.eof:
            piece = member.decompress(rest, _CHUNK)
            rest = member.unconsumed_tail
            if not piece and not rest and not member.eof:
                raise EOFError
            pieces.append(piece[: max(room, 0)])
            more += max(0, len(piece) - max(room, 0))
            room -= len(piece)
        rest = member.unused_data.lstrip(b"\0")
    return b"".join(pieces), more + len(rest)


def _after(data: bytes, end: int, more: int) -> list[Finding]:
    """The finding about bytes after the image, if there are any but zeros."""
    if not more and not any(data[end:]):
        return []
    spare = len(data) - end + more
    return [Finding("end of file", f"{spare} bytes after the image", "may identify")]


def _gzip_header(raw: bytes, path: Path) -> list[Finding]:
    """Name and comment in the header of a gzip stream (RFC 1952, section 2.3)."""
    if not raw.startswith(_GZIP) or len(raw) < 10:
        return []
    flags, place = raw[3], 10
    if flags & 4:
        place += 2 + int.from_bytes(raw[10:12], "little")
    found = []
    if flags & 8:
        name, _, _ = raw[place : place + _PEEK].partition(b"\0")
        place += len(name) + 1
        if without_ending(decoded(name)) != without_ending(path.name):
            stem = without_ending(decoded(name))
            found = judge_text("name in the compressed file", stem, usual=True)
            found = found or [Finding("name in the compressed file", "differs", "note")]
    if flags & 16:
        comment, _, _ = raw[place : place + _PEEK].partition(b"\0")
        found += judge_text("comment in the compressed file", decoded(comment))
    return found


def _nifti(raw: bytes, start: bytes, order: str) -> list[Finding]:
    """Free text, extensions and what lies around the voxels (nifti1.h, nifti2.h)."""
    size = len(start)
    fields = (nib.nifti1 if size == 348 else nib.nifti2).header_dtype.newbyteorder(order)
    header: Any = np.frombuffer(start, fields)[0]
    found: list[Finding] = []
    for field in _NIFTI_TEXTS:
        if field not in (fields.names or ()):
            continue
        text, _, rest = bytes(header[field]).partition(b"\0")
        found += judge_text(f"header field {field}", decoded(text))
        if any(rest):
            found.append(
                Finding(f"header field {field}", "bytes after the end of its text", "note")
            )
    offset = int(header["vox_offset"]) or size + 4
    dims = [int(n) for n in header["dim"]]
    count = int(np.prod([max(n, 1) for n in dims[1 : dims[0] + 1]], dtype=object))
    end = offset + count * int(header["bitpix"]) // 8
    data, more = _unpacked(raw, end + _MOST_AFTER)
    found += _nifti_extensions(data, size, offset, order)
    spare = len(data) - end + more
    if spare > 0:
        found.append(Finding("end of file", f"{spare} bytes after the image", "may identify"))
    return found


def _nifti_extensions(data: bytes, size: int, start: int, order: str) -> list[Finding]:
    """What lies between the header and the voxels (nifti1.h, "extended header")."""
    found = []
    place = size + 4
    while place + 8 <= start and data[size : size + 1] != b"\x00":
        length, code = (int(n) for n in np.frombuffer(data[place : place + 8], f"{order}i4"))
        if not 8 <= length <= start - place:
            break
        name = _NIFTI_EXTENSIONS.get(code, f"code {code}")
        # A DICOM extension is a whole header; whatever else may hold anything.
        sure = code == 2 or is_name(decoded(data[place + 8 : place + length]))
        found.append(
            Finding(
                "header extension",
                f"{name}, {length - 8} bytes",
                "identifies" if sure else "may identify",
            )
        )
        place += length
    if place < start and any(data[place:start]):
        found.append(Finding("before the voxels", "bytes that are no extension", "may identify"))
    return found


def _mgh(raw: bytes, start: bytes) -> list[Finding]:
    """Unused bytes of the header, and the tags after the voxels."""
    found = []
    if any(start[_MGH_USED:]):
        found.append(Finding("header", "bytes in its unused part", "may identify"))
    *sizes, code = struct.unpack(">5i", start[4:24])
    count = int(np.prod([max(n, 1) for n in sizes], dtype=object))
    end = _MGH_HEADER + count * _MGH_BYTES.get(code, 4)
    data, more = _unpacked(raw, end + _MOST_AFTER)
    return found + _mgh_tags(data, end + _MGH_PARAMETERS, more)


def _mgh_tags(data: bytes, place: int, more: int) -> list[Finding]:
    found: list[Finding] = []
    while place + 4 <= len(data):
        (tag,) = struct.unpack_from(">i", data, place)
        width = 0 if tag in _MGH_BARE else 4 if tag == _MGH_SHORT else 8
        body = place + 4 + width
        length = int.from_bytes(data[place + 4 : body], "big") - (tag == _MGH_SHORT)
        known = tag in _MGH_QUOTING or tag in _MGH_NUMBERS or tag in _MGH_BARE
        if not known or (width and not 0 <= length <= len(data) - body):
            break
        content = data[body : body + max(length, 0)]
        if tag in _MGH_QUOTING:
            what = f"{_MGH_QUOTING[tag]}, {length} bytes"
            sure = is_name(decoded(content))
            found.append(Finding("tag", what, "identifies" if sure else "may identify"))
        elif any(is_name(decoded(run)) for run in _PRINTABLE.findall(content)):
            found.append(Finding(f"tag {tag}", "looks like a person's name", "identifies"))
        place = body + max(length, 0)
    return found + _after(data, place, more)


def _nrrd(raw: bytes) -> list[Finding]:
    """Comments, key/value pairs and free fields of the header, and bytes after the data."""
    newline = b"\r\n" if raw.split(b"\n", 1)[0].endswith(b"\r") else b"\n"
    head, blank, body = raw.partition(newline * 2)
    found: list[Finding] = []
    fields: list[tuple[str, str]] = []
    for number, line in enumerate(head.split(newline)[1:], start=2):
        text = decoded(line)
        key, mark, value = text.partition(":=")
        if text.startswith("#"):
            found += [] if _NRRD_USUAL.match(text) else judge_text(f"comment, line {number}", text)
        elif mark and ": " not in key:
            found += _nrrd_pair(key.strip(), value)
        else:
            key, _, value = text.partition(":")
            fields.append((key.strip().lower(), value.strip()))
    for field, value in fields:
        if field in _NRRD_NAMES:
            found += judge_text(f"header field {field}", value, usual=True)
        elif field not in _NRRD_FIELDS:
            known = field if field == "content" else "of another name"
            found += judge_text(f"header field {known}", value)
    known_fields = dict(fields)
    n_bytes = _nrrd_bytes(known_fields)
    if blank and n_bytes is not None and not {"data file", "datafile"} & set(known_fields):
        data, more = _unpacked(body, n_bytes + _MOST_AFTER)
        found += _after(data, n_bytes, more)
    return found


def _nrrd_pair(key: str, value: str) -> list[Finding]:
    """A key/value pair; converters write DICOM attributes as ``DICOM_0010_0010_PatientName``."""
    where = f"header key {key}" if not judge_text("", key, usual=True) else "a header key"
    severity = keyword_severity(re.split(r"[^A-Za-z]", key)[-1])
    if severity and value.strip():
        return [Finding(where, "is filled in", severity)]
    return judge_text(where, value, usual=key.startswith("DWMRI_") or key == "modality")


def _nrrd_bytes(fields: dict[str, str]) -> int | None:
    """Bytes of the voxels; None where the header does not say."""
    kind = fields.get("type", "").lower().removesuffix("_t")
    bits = re.fullmatch(r"u?int(8|16|32|64)", kind)
    if bits:
        each = int(bits[1]) // 8
    elif "char" in kind:
        each = 1
    elif "short" in kind:
        each = 2
    elif "long" in kind or kind == "double":
        each = 8
    else:
        each = 4
    try:
        return each * int(np.prod([int(n) for n in fields["sizes"].split()], dtype=object))
    except (KeyError, ValueError):
        return None
