"""Which pictures of whom stand on private pages."""

from __future__ import annotations

import csv
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from faceblind.attacks.verdict import Verdict
from faceblind.errors import why
from faceblind.face.cameras import DEFAULT_CAMERAS, DEFAULT_LIGHTS
from faceblind.report.page import Album, Picture, Text
from faceblind.report.pictures import TILE, jpeg, jpeg_address, scan_strip, thumbnail
from faceblind.system.workers import run_many
from faceblind.workflows.audit_report import AuditReport

logger = logging.getLogger(__name__)

MOST_SCANS = 200
"""Scans with pictures on one page, those that did not pass first: some 10 MB."""
LEGEND = (
    "Each strip: the skin from the front and from the person's right, then a sagittal, a coronal "
    "and an axial slice (left is left). Nothing is aligned or filled in."
)
_ORDER = {"fail": 0, "unsure": 1, "pass": 2}
_Item = tuple[Path, Path | None]
_Strip = bytes | str
"""A picture, or why there is none."""


def scan_albums(
    report: AuditReport, *, n_jobs: int = -1, show_progress: bool = True
) -> tuple[Text | Album, ...]:
    """Scans before and after protection, the most suspicious first.

    Parameters
    ----------
    report : AuditReport
        Its files are read again.
    n_jobs : int
        Processes; -1 for all processors.
    show_progress : bool

    Returns
    -------
    tuple of Text and Album
        What the pictures show and how many scans are left out, then the pictures.
    """
    if not report.files:
        return ()
    both = list(zip(report.verdicts, report.files, strict=True))
    both.sort(key=lambda one: (_ORDER.get(one[0].status, 3), -_score(one[0])))
    chosen = both[:MOST_SCANS]
    outcomes = run_many(
        _strips,
        [files for _, files in chosen],
        n_jobs=n_jobs,
        label="Pictures",
        name=_name,
        show_progress=show_progress,
    )
    albums = [
        _album(verdict, outcome.value or (None, str(outcome.error)))
        for (verdict, _), outcome in zip(chosen, outcomes, strict=True)
    ]
    notes = [Text(LEGEND)]
    if len(both) > len(chosen):
        left = len(both) - len(chosen)
        notes.append(Text(f"{left} scans that come later in this order are left out."))
    return (*notes, *albums)


def _score(verdict: Verdict) -> float:
    return verdict.findings.score if verdict.findings else 0.0


def _name(files: _Item) -> str:
    return str(files[0])


def _strips(files: _Item) -> tuple[_Strip | None, _Strip]:
    """Pictures before and after, or why there is none; None where there is no file."""
    after, before = files
    return (_strip(before) if before else None), _strip(after)


def _strip(path: Path) -> _Strip:
    try:
        return scan_strip(path)
    except OSError as error:
        return error.strerror or "the file cannot be read"
    except (ValueError, MemoryError) as error:
        return why(error).rpartition(": ")[2]


def _album(verdict: Verdict, strips: tuple[_Strip | None, _Strip]) -> Album:
    names = ("before", "after") if strips[0] else ("", "as audited")
    pictures = tuple(
        Picture(name, jpeg_address(strip))
        for name, strip in zip(names, strips, strict=True)
        if isinstance(strip, bytes)
    )
    texts = [reason.text for reason in verdict.reasons]
    for name, strip in zip(("before", "after"), strips, strict=True):
        # The verdict of a scan that could not be read says so already.
        if isinstance(strip, str) and not any(strip in text for text in texts):
            texts.append(f"no picture of the scan {name} protection: {strip}")
    note = "; ".join(texts)
    return Album(verdict.path, note, verdict.status, pictures)


def photograph_flags(private: Path) -> dict[str, str]:
    """Remarks on each person's photographs, from ``private/photographs.tsv``; empty without it.

    Parameters
    ----------
    private : Path
        The private folder of a study.
    """
    found: dict[str, list[str]] = {}
    for row in _rows(private):
        flags = "" if row["flags"] == "n/a" else row["flags"]
        if flags:
            found.setdefault(row["participant_id"], []).append(f"{row['view']}: {flags}")
    return {person: "; ".join(texts) for person, texts in found.items()}


def people_albums(private: Path, persons: Sequence[str]) -> tuple[Album, ...]:
    """A photograph beside renders of the scan, where a study saved its faces.

    Parameters
    ----------
    private : Path
        The private folder of a study.
    persons : sequence of str
    """
    photographs: dict[str, Path] = {}
    for row in _rows(private):
        photographs.setdefault(row["participant_id"], Path(row["file"]))
    albums = []
    for person in persons[:MOST_SCANS]:
        sheet = private / "faces" / person / "as-is.png"
        if not sheet.is_file():
            continue
        found = [Picture("render of the scan", _sheet_views(sheet))]
        if photograph := _photograph(photographs.get(person)):
            found.insert(0, photograph)
        albums.append(Album(person, "", "", tuple(found)))
    return tuple(albums)


def _photograph(path: Path | None) -> Picture | None:
    try:
        return Picture("photograph", jpeg_address(thumbnail(path))) if path else None
    except (OSError, ValueError):
        logger.warning("A photograph for the private report could not be read.")
        return None


def _sheet_views(sheet: Path) -> str:
    """The front and both sides of a sheet of renders (a row per camera, a column per light)."""
    with Image.open(sheet) as opened:
        pixels = np.asarray(opened.convert("L"))
    height, width = pixels.shape[0] // len(DEFAULT_CAMERAS), pixels.shape[1] // len(DEFAULT_LIGHTS)
    order = [1, 0, 2]
    views = [pixels[k * height : (k + 1) * height, :width] for k in order]
    strip = Image.fromarray(np.concatenate(views, axis=1))
    strip.thumbnail((len(views) * TILE, TILE))
    return jpeg_address(jpeg(np.asarray(strip)))


def _rows(private: Path) -> list[dict[str, str]]:
    table = private / "photographs.tsv"
    if not table.is_file():
        return []
    with table.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))
