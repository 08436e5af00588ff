"""Files that are copied: byte for byte, and only what they seem to be."""

from __future__ import annotations

import gzip

import pytest

from faceblind.errors import ScanError
from faceblind.workflows.bids.copies import keep_rows, stage_copy
from faceblind.workflows.bids.plan import Copy


def test_bytes_stay(tmp_path, write):
    write(tmp_path, {"in/a.tsv": "a\tb\r\n\u00e4\t2\r\n"})
    record = stage_copy(Copy(tmp_path / "in/a.tsv", "sub-1/a.tsv"), tmp_path / "out")
    assert (tmp_path / "out/sub-1/a.tsv").read_bytes() == (tmp_path / "in/a.tsv").read_bytes()
    assert (record.path, record.role, record.size) == ("sub-1/a.tsv", "copy", 11)
    image = stage_copy(Copy(tmp_path / "in/a.tsv", "b.nii", True), tmp_path / "out")
    assert image.role == "unprotected"


def test_a_recording_may_be_compressed_text(tmp_path):
    path = tmp_path / "sub-1_physio.tsv.gz"
    path.write_bytes(gzip.compress(b"1\t2\n3\t4\n"))
    assert stage_copy(Copy(path, path.name), tmp_path / "out").size == path.stat().st_size
    path.write_bytes(gzip.compress(b"\x5c\x01\x00\x00" + bytes(400)))
    with pytest.raises(ScanError, match="not copied"):
        stage_copy(Copy(path, path.name), tmp_path / "out")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x5c\x01\x00\x00" + bytes(400), "named like text, but it is"),
        (b"/annex/objects/MD5E-s9--1", "datalad get"),
        (b"version https://git-lfs.github.com/spec/v1", "datalad get"),
    ],
)
def test_what_is_not_what_it_seems_is_refused(tmp_path, write, content, said):
    write(tmp_path, {"a.tsv": content})
    with pytest.raises(ScanError, match=said):
        stage_copy(Copy(tmp_path / "a.tsv", "a.tsv"), tmp_path / "out")


def test_links(tmp_path, write):
    write(tmp_path, {"annex/key": "a\tb\n"})
    (tmp_path / "a.tsv").symlink_to("annex/key")
    stage_copy(Copy(tmp_path / "a.tsv", "a.tsv"), tmp_path / "out")
    assert not (tmp_path / "out/a.tsv").is_symlink()
    (tmp_path / "b.tsv").symlink_to("annex/gone")
    with pytest.raises(ScanError, match=r"b\.tsv: is a link to a missing file"):
        stage_copy(Copy(tmp_path / "b.tsv", "b.tsv"), tmp_path / "out")


def test_rows_of_what_is_not_there():
    text = "age\tparticipant_id\n3\tsub-1\n4\tsub-2\n"
    kept = keep_rows(text, "participant_id", {"sub-2"}.__contains__)
    assert kept == "age\tparticipant_id\n4\tsub-2\n"
    assert keep_rows(text, "participant_id", {"sub-1", "sub-2"}.__contains__) == text
    assert keep_rows(text, "other", {"sub-2"}.__contains__) == text
    assert keep_rows("", "other", set().__contains__) == ""


def test_a_table_of_scans_loses_those_that_are_not_there(tmp_path, write):
    rows = "age\tfilename\n3\tanat/a.nii\n4\tanat/b.nii\n"
    write(tmp_path, {"sub-1_scans.tsv": rows})
    copy = Copy(tmp_path / "sub-1_scans.tsv", "sub-1/sub-1_scans.tsv")
    stage_copy(copy, tmp_path / "out", {"sub-1/anat/b.nii"})
    assert (tmp_path / "out" / copy.inside).read_text() == "age\tfilename\n3\tanat/a.nii\n"
    # A table without that column, which only mentions it, stays whole.
    other = "age\tnote\n3\tno filename\n"
    write(tmp_path, {"sub-1_scans.tsv": other})
    stage_copy(copy, tmp_path / "out", {"sub-1/anat/b.nii"})
    assert (tmp_path / "out" / copy.inside).read_text() == other
