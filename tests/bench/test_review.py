"""The review benchmark's queue and its record."""

from __future__ import annotations

from dataclasses import asdict

import pytest


@pytest.fixture
def review(script):
    script("bench/evidence.py")
    script("bench/review_app.py")
    return script("bench/review.py")


def test_a_queue_names_the_same_scans_again_each_with_its_original(review, tmp_path):
    originals, protected = tmp_path / "scans", tmp_path / "defaced"
    for person in ("sub-1", "sub-2"):
        for root in (originals, protected):
            path = root / person / "anat" / f"{person}_T1w.nii.gz"
            path.parent.mkdir(parents=True)
            path.write_text(f"{root.name} {person}")
    (protected / review.MARKER).write_text("{}")
    raw, out = review.queue_of(5, originals, protected, tmp_path / "queue")
    found = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.nii.gz"))
    assert found == [f"sub-{n:04}/anat/sub-{n:04}_T1w.nii.gz" for n in range(5)]
    assert (out / found[2]).read_text() == "defaced sub-1"
    assert (raw / found[3]).read_text() == "scans sub-2"
    assert (out / review.MARKER).read_text() == "{}"


def test_the_record_counts_waits_over_a_second(review, script):
    evidence = script("bench/evidence.py")
    short = review.Session(101, False, 1.5, 0.3, 4.0, [0.2, 0.4, 1.5], [2.0], 1, 0, 7.25)
    long = review.Session(1000, False, 1.6, 0.4, 4.1, [0.3], [], 0, 2, 6.0)
    every = review.Session(21, True, 1.7, 0.5, 4.2, [0.6], [5.0], 0, 0, 6.5)
    record = review.record([short, long, every], 7.2)
    made = {"schema": 1} | asdict(record) | {"commit": "c", "date": "2026-01-01", "machine": "m"}
    evidence.check(made)
    rows = record.tables[0].rows
    assert rows[3][:2] == ("queue of 101: key to next scan drawn", 3)
    assert rows[3][2:] == (0.4, 1.39, 1.5, "1")
    assert rows[5][0] == "queue of 1,000: command to address"
    assert [row[0] for row in rows[9:]] == [
        "queue of 21, all voxels: key to next scan drawn",
        "queue of 21, all voxels: scan drawn to the next drawn behind it, one more fetched",
    ]
    assert (
        "every 7.2 s: 500 scans in an hour. 1 of 5 waits were longer than 1 s; 1"
        in (record.notes[0])
    )
    assert "2 scans could not be shown" in record.notes[0]
    assert "7.2, 6.0, 6.5 processes" in record.notes[1]
