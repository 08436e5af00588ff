from __future__ import annotations

import pytest

from faceblind.report.bids_words import group_names, group_notices
from faceblind.report.write import write_report
from faceblind.workflows.bids.group import GroupReport
from faceblind.workflows.bids.manifest import ScanRecord


@pytest.fixture
def group(audit_of):
    absent = ScanRecord("sub-hidden/anat/a.nii", "b.nii", "fail", "nose remains")
    return GroupReport(audit_of(), ("sub-foreign.nii: lies in the public tree",), (absent,), 2)


def test_numbers_for_everybody_and_names_for_the_owner(group, tmp_path):
    page = write_report(group, tmp_path, n_jobs=1, show_progress=False)
    shared = page.read_text(encoding="utf-8")
    own = (tmp_path / "private" / "report.html").read_text(encoding="utf-8")
    for notice in ("1 scans of the dataset are not public", "2 sessions are not finished"):
        assert notice in shared
        assert notice in own
    for name in ("sub-hidden", "sub-foreign"):
        assert name not in shared
        assert name in own
    assert "4 of 8 scans" in shared


def test_an_audit_by_itself_has_nothing_to_add(audit_of):
    assert group_notices(audit_of()) == ()
    assert group_names(audit_of()) == ()


def test_a_whole_output_has_nothing_to_say(audit_of):
    whole = GroupReport(audit_of(), (), (), 0)
    assert group_notices(whole) == ()
    assert group_names(whole) == ()
