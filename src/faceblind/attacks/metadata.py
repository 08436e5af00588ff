"""Attack 8: what the files say in words: names, dates, identifiers, and bytes that nobody shows.

Findings name the place and the kind, never the content, so that a verdict can be shown.
"""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import nibabel as nib
import numpy as np

from faceblind.errors import ScanError

Severity = Literal["identifies", "may identify", "note"]

_TEXT_FIELDS = ("data_type", "db_name", "descrip", "aux_file", "intent_name")
_EXTENSIONS = {2: "DICOM", 4: "AFNI", 6: "comment", 44: "MRS"}
_DATE = re.compile(
    r"(?<!\d)(?:(?:19|20)\d{2}[-/.]?(?:0[1-9]|1[0-2])[-/.]?(?:0[1-9]|[12]\d|3[01])"
    r"|(?:0?[1-9]|[12]\d|3[01])[-/.](?:0?[1-9]|1[0-2])[-/.](?:19|20)\d{2})(?!\d)"
)
_DICOM_NAME = re.compile(r"[A-Za-z'-]{2,}\^[A-Za-z'-]*")
_LONG_NUMBER = re.compile(r"(?<![\d.])\d{7,}(?![\d.])")
_NAMES = re.compile(r"\b(?:name|patient|mrn|birth|dob)\b", re.IGNORECASE)

_IDENTIFYING = {
    "PatientName", "PatientID", "PatientBirthDate", "PatientAddress", "OtherPatientIDs",
    "OtherPatientNames", "PatientTelephoneNumbers", "AccessionNumber", "ReferringPhysicianName",
    "PerformingPhysicianName", "OperatorsName", "RequestingPhysician",
}  # fmt: skip
_PERHAPS = {
    "AcquisitionDateTime", "AcquisitionDate", "StudyDate", "SeriesDate", "ContentDate",
    "InstanceCreationDate", "StudyTime", "InstitutionName", "InstitutionAddress", "StationName",
    "DeviceSerialNumber", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID",
    "StudyID", "ProcedureStepDescription", "PatientComments", "ImageComments",
}  # fmt: skip
"""Keys of sidecars, named as in DICOM PS3.6; PS3.15 table E.1-1 removes or replaces each."""


@dataclass(frozen=True)
class Finding:
    """Something said in words.

    Parameters
    ----------
    where : str
        Header field, extension, sidecar key, file name or end of file.
    what : str
        Kind of content; never the content itself.
    severity : {"identifies", "may identify", "note"}
    """

    where: str
    what: str
    severity: Severity

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def find_metadata(path: str | Path) -> tuple[Finding, ...]:
    """Everything in a NIfTI file, its name and its sidecar that may point to a person.

    Parameters
    ----------
    path : path
        A ``.nii`` or ``.nii.gz`` file.

    Raises
    ------
    ScanError
        If the file cannot be read.
    """
    path = Path(path)
    found = [*_text("file name", _stem(path), usual=True), *_header(path), *_sidecar(path)]
    return tuple(found)


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").removesuffix(".nii")


def _text(where: str, text: str, usual: bool = False) -> list[Finding]:
    """What a free text holds; `usual` texts are expected and no finding by themselves."""
    text = text.strip()
    if not text:
        return []
    if _DICOM_NAME.search(text):
        return [Finding(where, "looks like a person's name", "identifies")]
    if _DATE.search(text):
        return [Finding(where, "holds a date", "may identify")]
    if _NAMES.search(text) and not usual:
        return [Finding(where, "speaks of a person", "may identify")]
    if _LONG_NUMBER.search(text):
        return [Finding(where, "holds a long number", "may identify")]
    return [] if usual else [Finding(where, "holds free text", "note")]


def _header(path: Path) -> list[Finding]:
    try:
        raw = path.read_bytes()
        data = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except (OSError, EOFError, gzip.BadGzipFile) as error:
        raise ScanError(f"{path}: cannot be read; fetch the file again") from error
    size = int(np.frombuffer(data[:4], "<i4")[0]) if len(data) >= 4 else 0
    order = "<" if size in (348, 540) else ">"
    size = size if order == "<" else int(np.frombuffer(data[:4], ">i4")[0])
    if size not in (348, 540) or len(data) < size:
        return [Finding("header", "of a format whose texts are not examined", "note")]
    fields = (nib.nifti1 if size == 348 else nib.nifti2).header_dtype.newbyteorder(order)
    header: Any = np.frombuffer(data[:size], fields)[0]
    found: list[Finding] = []
    for field in _TEXT_FIELDS:
        if field in (fields.names or ()):
            text = bytes(header[field]).split(b"\x00")[0].decode("latin-1")
            found += _text(f"header field {field}", text)
            if bytes(header[field]).rstrip(b"\x00").count(b"\x00"):
                found.append(
                    Finding(f"header field {field}", "bytes after the end of its text", "note")
                )
    start = int(header["vox_offset"]) or size + 4
    found += _extensions(data, size, start, order)
    dims = [int(n) for n in header["dim"]]
    count = int(np.prod([max(n, 1) for n in dims[1 : dims[0] + 1]], dtype=object))
    spare = len(data) - start - count * int(header["bitpix"]) // 8
    if spare > 0:
        found.append(Finding("end of file", f"{spare} bytes after the image", "may identify"))
    return found


def _extensions(data: bytes, size: int, start: int, order: str) -> list[Finding]:
    """What lies between the header and the voxels (nifti1.h, "extended header")."""
    found = []
    place = size + 4
    while place + 8 <= start and data[size : size + 1] != b"\x00":
        length, code = (int(n) for n in np.frombuffer(data[place : place + 8], f"{order}i4"))
        if not 8 <= length <= start - place:
            break
        name = _EXTENSIONS.get(code, f"code {code}")
        text = data[place + 8 : place + length].decode("latin-1")
        # A DICOM extension is a whole header; whatever else may hold anything.
        sure = code == 2 or bool(_DICOM_NAME.search(text))
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


def _sidecar(path: Path) -> list[Finding]:
    file = path.with_name(f"{_stem(path)}.json")
    if not file.is_file():
        return []
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return [Finding("sidecar", "cannot be read", "note")]
    if not isinstance(content, dict):
        return [Finding("sidecar", "is not a JSON object", "note")]
    found = []
    for key, value in content.items():
        if value in ("", None, "n/a", []):
            continue
        if key in _IDENTIFYING:
            found.append(Finding(f"sidecar key {key}", "is filled in", "identifies"))
        elif key in _PERHAPS:
            found.append(Finding(f"sidecar key {key}", "is filled in", "may identify"))
        elif isinstance(value, str) and _DICOM_NAME.search(value):
            found.append(Finding(f"sidecar key {key}", "looks like a person's name", "identifies"))
    return found
