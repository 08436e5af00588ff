"""The public tree against the manifest."""

from __future__ import annotations

from faceblind.workflows.bids.sweep import sweep


def test_whatever_differs_is_named(run, tmp_path):
    run()
    out = tmp_path / "out"
    assert sweep(out, content=True) == []
    scan = out / "sub-2/anat/sub-2_desc-defaced_T1w.nii.gz"
    content = scan.read_bytes()
    scan.write_bytes(content[::-1])
    assert sweep(out, content=False) == []
    changed = "sub-2/anat/sub-2_desc-defaced_T1w.nii.gz: has changed since it passed its audit"
    assert sweep(out, content=True) == [changed]
    scan.write_bytes(content + b"x")
    assert sweep(out, content=False) == [changed]
    scan.unlink()
    (out / "sub-1" / "anat").mkdir()
    (out / "sub-1" / "anat" / "sub-1_T1w.nii.gz").write_text("a face")
    (out / "linked").symlink_to(tmp_path / "raw")
    (out / "private" / "anything").write_text("is private")
    assert sweep(out, content=True) == [
        "linked: lies in the public tree and did not come from this tool",
        "sub-1/anat/sub-1_T1w.nii.gz: lies in the public tree and did not come from this tool",
        "sub-2/anat/sub-2_desc-defaced_T1w.nii.gz: is missing; run it again",
    ]
    # A run for one participant looks at its own folder and at what lies beside all of them.
    assert sweep(out, content=False, participants={"sub-2"}) == [
        "linked: lies in the public tree and did not come from this tool",
        "sub-2/anat/sub-2_desc-defaced_T1w.nii.gz: is missing; run it again",
    ]
