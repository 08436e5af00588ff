"""Two records of what the command line makes are equal, or every difference is named."""

from __future__ import annotations

import copy
import json

import pytest

RECORD = {
    "results": {
        "audit/scans": {
            "status": 3,
            "a.nii.gz": {"status": "fail", "score": 0.93, "text": ["brow remains"]},
            "b.nii.gz": {"status": "unsure", "score": None, "text": ["no head"]},
        },
        "deface/scans/a.nii.gz": {"status": 0, "sha256": {"a.nii.gz": "12ab"}},
        "deface/scans/b.nii.gz": {"status": 1, "text": ["error: scans/b.nii.gz: no head"]},
        "study": {"status": 0, "figures": {"rank1": {"hits": 7}}, "ranks": "77"},
    },
    "cpu_seconds": {"audit/scans": 9.0, "deface/scans/a.nii.gz": 3.0, "deface/scans/b.nii.gz": 4.0},
}


@pytest.fixture(scope="module")
def tool(script):
    return script("tools/fingerprint.py")


@pytest.fixture
def compared(tool, tmp_path, capsys):
    """Exit code and printed lines for a record and a changed one."""

    def compare(change, *words):
        after = copy.deepcopy(RECORD)
        change(after["results"])
        paths = [tmp_path / "before.json", tmp_path / "after.json"]
        for path, record in zip(paths, (RECORD, after), strict=True):
            path.write_text(json.dumps(record), encoding="utf-8")
        code = tool.main(["compare", *map(str, paths), *words])
        return code, [line for line in capsys.readouterr().out.splitlines() if line]

    return compare


def test_equal_records_differ_in_nothing(compared):
    code, lines = compared(lambda after: None)
    assert code == 0
    assert lines == [
        "audit: 9 -> 9 CPU s",
        "deface: 7 -> 7 CPU s",
        "0 differences, 3 common steps",
    ]


@pytest.mark.parametrize(
    ("keys", "value", "line"),
    [
        (("deface/scans/a.nii.gz", "sha256", "a.nii.gz"), "34cd",
         "deface/scans/a.nii.gz > sha256 > a.nii.gz: 12ab -> 34cd"),
        (("deface/scans/b.nii.gz", "status"), 0, "deface/scans/b.nii.gz > status: 1 -> 0"),
        (("study", "figures", "rank1", "hits"), 8, "study > figures > rank1 > hits: 7 -> 8"),
        (("study", "ranks"), "78", "study > ranks: 77 -> 78"),
        (("audit/scans", "a.nii.gz", "status"), "pass",
         "audit/scans > a.nii.gz > status: fail -> pass"),
        (("audit/scans", "a.nii.gz", "score"), 0.95,
         "audit/scans > a.nii.gz > score: 0.93 -> 0.95"),
        (("audit/scans", "b.nii.gz", "score"), 0.0, "audit/scans > b.nii.gz > score: None -> 0.0"),
    ],
)  # fmt: skip
def test_each_difference_is_named(compared, keys, value, line):
    def change(after):
        *way, last = keys
        for key in way:
            after = after[key]
        after[last] = value

    code, lines = compared(change)
    assert code == 1
    assert lines[0] == line
    assert lines[-1].startswith("1 differences")


def test_scores_may_differ_by_the_tolerance_and_no_more(compared):
    def change(after):
        after["audit/scans"]["a.nii.gz"]["score"] = 0.936

    assert compared(change)[0] == 0
    code, lines = compared(change, "--score-tolerance", "0.005")
    assert code == 1
    assert lines[0] == "audit/scans > a.nii.gz > score: 0.93 -> 0.936"


def test_words_count_unless_they_are_ignored(compared):
    def change(after):
        after["audit/scans"]["a.nii.gz"]["text"] = ["the brow is left"]
        after["deface/scans/b.nii.gz"]["text"] = ["error: scans/b.nii.gz: nobody"]

    code, lines = compared(change)
    assert code == 1
    assert lines[-1].startswith("2 differences")
    assert compared(change, "--ignore-text")[0] == 0


def test_what_one_record_lacks_is_a_difference_unless_only_the_common_count(compared):
    def change(after):
        del after["study"]

    code, lines = compared(change)
    assert code == 1
    assert "study > ranks: 77 -> (absent)" in lines
    assert compared(change, "--common")[0] == 0


def test_a_digest_is_of_the_content_not_of_its_packing(tool, tmp_path):
    import gzip

    paths = [tmp_path / name for name in ("plain.nii", "fast.nii.gz", "small.nii.gz")]
    paths[0].write_bytes(b"voxels" * 100)
    for path, level in zip(paths[1:], (1, 9), strict=True):
        path.write_bytes(gzip.compress(b"voxels" * 100, level))
    found = tool.digests(tmp_path, "*.nii*")
    assert list(found) == ["fast.nii.gz", "plain.nii", "small.nii.gz"]
    assert len(set(found.values())) == 1
    paths[0].write_bytes(b"voxels" * 99 + b"voxelz")
    assert tool.digests(tmp_path, "*.nii")["plain.nii"] != found["plain.nii"]
