"""A head that is rejected, protected again by the real workflow, and accepted, in a browser."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from review_parts import Folders

from faceblind.formats import load
from faceblind.system.outputs import MARKER

NAMES = ("sub-01/anat/sub-01_T1w.nii.gz", "sub-02/anat/sub-02_T1w.nii.gz")
REDONE_MS = 600_000


@pytest.fixture
def heads(tmp_path, shared):
    """Two real heads of 2 mm whose protection did nothing."""
    folders = Folders(tmp_path / "raw", tmp_path / "out")
    for name, scan in zip(NAMES, ("ixi012", "ixi015"), strict=True):
        for root in (folders.originals, folders.protected):
            (root / name).parent.mkdir(parents=True)
            shutil.copy(shared / "scans" / f"{scan}_T1w_2mm.nii.gz", root / name)
            (root / name).chmod(0o644)
    (folders.protected / MARKER).write_text('{"tool": "faceblind", "verb": "deface"}')
    return folders


@pytest.mark.slow
def test_a_rejected_head_leaves_at_once_and_comes_back_refaced(heads, served, visit):
    first = heads.protected / NAMES[0]
    tab = visit(served(heads))
    tab.shown(0)
    bare = tab.pixels("skin-after")
    tab.page.keyboard.press("r")
    tab.shown(1)
    assert not first.exists()
    assert (heads.protected / NAMES[1]).is_file()
    tab.page.select_option("#filter", "all")
    tab.page.click("#queue button:has-text('sub-01')")
    tab.shown(0)
    assert "rejected; kept in the private folder" in tab.page.inner_text("#state")
    tab.page.keyboard.press("d")
    tab.page.check("input[name=method][value=reface]")
    tab.page.click("#redo-start")
    tab.page.wait_for_selector("#queue button:has-text('sub-01'):has-text('protected again')")
    tab.page.click("#queue button:has-text('sub-01')")
    tab.page.wait_for_selector("#said:text('was protected again.'), #said.error", timeout=REDONE_MS)
    tab.shown(0)
    assert tab.page.get_attribute("#said", "class") == ""
    state = tab.page.inner_text("#state")
    assert state == "undecided, protected again; kept in the private folder"
    assert tab.page.inner_text("#verdict").startswith("Audit: ")
    assert tab.page.inner_text("#verdict") != "Audit: not audited"
    assert (tab.pixels("skin-after") != bare).any(axis=2).mean() > 0.01
    assert not first.exists()
    tab.page.keyboard.press("a")
    tab.page.wait_for_selector("#progress:text('1 of 2 decided')")
    before, after = load(heads.originals / NAMES[0]), load(first)
    assert 0.02 < np.mean(before.voxels != after.voxels) < 0.9
    sidecar = json.loads(first.with_name("sub-01_T1w.json").read_text())
    assert "reface" in json.dumps(sidecar)
    assert tab.said == []
