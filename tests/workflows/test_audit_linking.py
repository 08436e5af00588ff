"""Which scans are searched in which, and what becomes of those that cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from faceblind.datasets.census import ScanFile
from faceblind.datasets.photographs import PhotoRow
from faceblind.errors import PhotographError, ScanError
from faceblind.head.template import load_template
from faceblind.identification.scan_match import ScanFeatures
from faceblind.identification.surface_match import Shape, kept_vertices
from faceblind.recognition.registry import get_recogniser
from faceblind.system.workers import run_many
from faceblind.workflows import audit_linking

PEOPLE = [f"sub-{k:02}" for k in range(12)]


def vectors(person: str, noise: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(int(person[4:]))
    other = np.random.default_rng(100 + int(person[4:]))
    vector = rng.normal(size=(1, 16)) + noise * other.normal(size=(1, 16))
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def features_of(person: str) -> ScanFeatures:
    template = load_template()
    chosen = kept_vertices()
    rng = np.random.default_rng(int(person[4:]))
    points = template.shape(rng.normal(size=len(template.modes)))[chosen].astype(np.float32)
    return ScanFeatures(vectors(person), Shape(points, np.ones(len(points), np.float32)))


def file_of(person: str, session: str = "1") -> ScanFile:
    return ScanFile(Path(f"{person}_ses-{session}_T1w.nii"), person, session, "T1w")


@pytest.fixture
def run(monkeypatch):
    def original(path, recogniser, cache=None):
        person = path.name[:6]
        if person == PEOPLE[3]:
            raise ScanError(f"{path}: the file is truncated")
        return features_of(person)

    class Photo:
        def __init__(self, person):
            self.vectors = vectors(person, 0.2)

    def photograph(path, settings, cache=None):
        if "blank" in path.name:
            raise PhotographError(f"{path}: no face found")
        return Photo(path.name[:6])

    monkeypatch.setattr(audit_linking, "features_of_scan", original)
    monkeypatch.setattr(audit_linking, "photo_embeddings", photograph)
    return lambda work, items, **options: run_many(work, items, show_progress=False, **options)


def row(person: str, what: str = "front") -> PhotoRow:
    return PhotoRow(Path(f"{person}_{what}.jpg"), person, "front", "yes")


def test_everybody_is_searched_once_among_each(run):
    # One person has three visits, the others one: they stand beside each of the three.
    scans = {file_of(p): {v: features_of(p) for v in ("as-is", "completed")} for p in PEOPLE}
    scans |= {file_of(PEOPLE[0], s): {"completed": features_of(PEOPLE[0])} for s in "23"}
    rows = [*map(row, PEOPLE[:11]), row(PEOPLE[0], "blank"), row(PEOPLE[11], "blank")]
    found = audit_linking.link_scans(scans, [file_of(p) for p in PEOPLE], rows, "sface", run)
    assert get_recogniser("sface").name == "sface"
    for file in scans:
        against = [link.against for link in found.links[file.path]]
        assert len(against) == len(set(against)), file
        if file.participant_id not in (PEOPLE[3], PEOPLE[11]):
            assert sorted(against) == ["originals", "photographs"]
            assert all(link.rank == 1 for link in found.links[file.path])
    assert len(found.links) == 14
    # Who has another picture is no failure.
    assert [line.split(":")[0] for line in found.unusable] == [PEOPLE[3], PEOPLE[11]]


def test_turns_hold_one_scan_of_each_person():
    files = [file_of("sub-00", s) for s in "123"] + [file_of("sub-01", s) for s in "12"]
    sessions = [[f.session for f in turn] for turn in audit_linking.turns(files)]
    assert sessions == [["1", "1"], ["2", "2"], ["3", "2"]]
    assert audit_linking.turns([]) == []
