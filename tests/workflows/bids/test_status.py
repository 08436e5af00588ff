"""Where a run stands."""

from __future__ import annotations

import pytest

from faceblind.datasets.bids_filters import Wanted
from faceblind.errors import OutputError
from faceblind.workflows.bids import session
from faceblind.workflows.bids.status import run_status


def test_counts_and_estimate(run, tmp_path):
    with pytest.raises(OutputError, match="holds no run"):
        run_status(tmp_path / "out")
    run(steps="protect")
    assert run_status(tmp_path / "out").left == 3
    run(steps="audit", wanted=Wanted(("2",)))
    with session.claim(tmp_path / "out/private/claims/x"):
        found = run_status(tmp_path / "out")
    assert found.sessions == {"protected": 2, "failed": 1}
    assert found.scans == {"protected": 3, "pass": 1, "fail": 1}
    assert (found.left, found.running) == (2, 1)
    assert found.left_s == pytest.approx(2 * found.seconds)
    assert [scan.source for scan in found.absent] == ["sub-2/anat/sub-2_rec-shows_T2w.nii.gz"]
    assert run_status(tmp_path / "out").left_s is None
