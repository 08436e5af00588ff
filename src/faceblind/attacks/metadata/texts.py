"""What a text from a file gives away, said without quoting it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Severity = Literal["identifies", "may identify", "note"]

_DATE = re.compile(
    r"(?<!\d)(?:(?:19|20)\d{2}[-/.]?(?:0[1-9]|1[0-2])[-/.]?(?:0[1-9]|[12]\d|3[01])"
    r"|(?:0?[1-9]|[12]\d|3[01])[-/.](?:0?[1-9]|1[0-2])[-/.](?:19|20)\d{2})(?!\d)"
)
# A single letter is a name in scripts beyond Latin only: ``x^2`` is none.
_DICOM_NAME = re.compile(r"(?:[^\W\d_]|['-]){2,}\^|[^\W\d_\x00-\xff]\^")
_LONG_NUMBER = re.compile(r"(?<![\d.])\d{7,}(?![\d.])")
_WORDS = re.compile(r"\b(?:name|patient|mrn|birth|dob)\b", re.IGNORECASE)

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


@dataclass(frozen=True)
class Finding:
    """Something said in words.

    Parameters
    ----------
    where : str
        Header field, extension, tag, sidecar key, file name or end of file.
    what : str
        Kind of content; never the content itself.
    severity : {"identifies", "may identify", "note"}
    """

    where: str
    what: str
    severity: Severity

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def decoded(raw: bytes) -> str:
    """Bytes as text: UTF-8 where they are that, else Latin-1, which takes anything."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def is_name(text: str) -> bool:
    """Whether a text holds a person's name as DICOM writes it (``family^given``)."""
    return bool(_DICOM_NAME.search(text))


def judge_text(where: str, text: str, usual: bool = False) -> list[Finding]:
    """What a free text holds.

    Parameters
    ----------
    where : str
        Where it stands.
    text : str
    usual : bool
        A text is expected there and no finding by itself.
    """
    text = text.strip().strip("\0")
    if not text:
        return []
    if is_name(text):
        return [Finding(where, "looks like a person's name", "identifies")]
    if _DATE.search(text):
        return [Finding(where, "holds a date", "may identify")]
    if _WORDS.search(text) and not usual:
        return [Finding(where, "speaks of a person", "may identify")]
    if _LONG_NUMBER.search(text):
        return [Finding(where, "holds a long number", "may identify")]
    return [] if usual else [Finding(where, "holds free text", "note")]


def keyword_severity(key: str) -> Severity | None:
    """How much the value of an attribute tells of a person; None where it tells nothing by itself.

    Parameters
    ----------
    key : str
        Named as in DICOM PS3.6, such as ``PatientName``; PS3.15 table E.1-1 removes or replaces
        each that is known here.
    """
    if key in _IDENTIFYING:
        return "identifies"
    return "may identify" if key in _PERHAPS else None
