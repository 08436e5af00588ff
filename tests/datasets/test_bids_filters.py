"""Which participants, sessions and series are wanted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from faceblind.datasets.bids_filters import Wanted, read_filter_file
from faceblind.datasets.bids_index import BidsFile
from faceblind.datasets.bids_names import parse_name
from faceblind.errors import TableError


def file(ending: str, datatype: str = "anat") -> BidsFile:
    name = f"sub-1_{ending}"
    return BidsFile(Path(name), name, parse_name(name), datatype)


def test_participants():
    known = ["sub-01", "sub-02", "sub-03"]
    assert Wanted().of_participants(known) == set(known)
    assert Wanted(("01", "sub-02")).of_participants(known) == {"sub-01", "sub-02"}
    assert Wanted(excluded=("sub-02",)).of_participants(known) == {"sub-01", "sub-03"}
    with pytest.raises(TableError, match="sub-1: no such participant"):
        Wanted(("1",)).of_participants(known)
    with pytest.raises(TableError, match="no participant is left"):
        Wanted(("01",), excluded=("01",)).of_participants(known)


def test_sessions():
    wanted = Wanted(sessions=("ses-1",))
    assert [wanted.has_session(one) for one in ("ses-1", "ses-2", None)] == [True, False, True]
    assert Wanted().has_session("ses-2")


def test_queries_speak_of_their_suffix_only(tmp_path):
    path = tmp_path / "filter.json"
    path.write_text(
        json.dumps(
            {
                "t1w": {"run": [1, 2], "acquisition": None},
                "t2w": {"datatype": "anat", "suffix": "T2w", "session": "*"},
            }
        )
    )
    wanted = Wanted(queries=read_filter_file(path))
    assert wanted.has(file("run-01_T1w.nii.gz"))
    assert wanted.has(file("run-01_T1w.json"))
    assert not wanted.has(file("run-3_T1w.nii.gz"))
    assert not wanted.has(file("acq-x_run-1_T1w.nii.gz"))
    assert not wanted.has(file("T2w.nii.gz"))
    assert wanted.has(file("ses-9_T2w.nii.gz"))
    assert wanted.has(file("FLAIR.nii.gz"))


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "not readable"), ("[]", "expected an object"), ('{"t1w": {"colour": 1}}', "'colour'")],
)
def test_wrong_filter_files(tmp_path, text, said):
    path = tmp_path / "filter.json"
    path.write_text(text)
    with pytest.raises(TableError, match=said):
        read_filter_file(path)
