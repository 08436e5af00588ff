"""The league table: real programs on small made-up scans, with recognition of a known strength."""

from __future__ import annotations

import csv
import json
import stat
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import faceblind
from faceblind.errors import FaceblindError, OutputError
from faceblind.formats import load, save
from faceblind.head.template import load_template
from faceblind.identification.scan_match import ScanFeatures
from faceblind.identification.surface_match import Shape, kept_vertices
from faceblind.scan import Scan
from faceblind.system.tables import write_tsv
from faceblind.volunteers.cohort import Cohort
from faceblind.workflows.peers import MissingPeer, Peer

module = import_module("faceblind.workflows.benchmark")
searching = import_module("faceblind.workflows.benchmark_search")

PEOPLE = tuple(f"sub-{k:04d}" for k in range(1, 7))
QUIET = {"n_jobs": 1, "show_progress": False, "recognisers": ["sface"]}
PROGRAM = """
import array, gzip, struct, sys
kind, source, target, log = sys.argv[1:5]
with open(log, "a") as file:
    file.write(kind + "\\n")
if kind == "broken" and "sub-0002" in source:
    sys.exit(source + ": no face")
content = gzip.decompress(open(source, "rb").read())
start = int(struct.unpack_from("<f", content, 108)[0])
voxels = array.array("h", content[start:])
for at in range(512):
    i, j, k = at % 8, at // 8 % 8, at // 64
    if kind == "cut" and j >= 6:
        voxels[at] = 0
    if kind == "harm" and (i, j, k) == (1, 1, 1):
        voxels[at] += 40
open(target, "wb").write(gzip.compress(content[:start] + voxels.tobytes()))
"""
"""Reads and writes NIfTI by hand: importing a library would take most of the tests' time."""


def cohort_in(root: Path, n: int) -> Cohort:
    """Scans whose front holds a number of its person, and a brain at the back."""
    for k, person in enumerate(PEOPLE[:n]):
        for series in ("T1w", "FLAIR"):
            voxels = np.full((8, 8, 8), 100, np.int16)
            voxels[4, 7, 4] = 500 + k
            brain = np.zeros((8, 8, 8), np.uint8)
            brain[:3, :3, :3] = 1
            scan = root / "scans" / person / "anat" / f"{person}_{series}.nii.gz"
            mask = root / "truth" / person / series / "brain.nii.gz"
            for path, content in ((scan, voxels), (mask, brain)):
                path.parent.mkdir(parents=True, exist_ok=True)
                save(Scan(content, np.diag([8.0, 8.0, 8.0, 1.0])), path, overwrite=True)
    rows = []
    for person in PEOPLE[:n]:
        (root / f"{person}.jpg").write_bytes(b"picture")
        rows.append({"file": f"{person}.jpg", "participant_id": person, "view": "front",
                     "consent": "yes"})  # fmt: skip
    write_tsv(root / "photos.tsv", rows)
    return Cohort(root, root / "scans", root / "photos.tsv", PEOPLE[:n], n, 0)


def vector(number: int) -> np.ndarray:
    one = np.zeros(16, np.float32)
    one[number] = 1
    return one[None]


def seen(path: Path, recognisers, variants, cache=None):
    """A recogniser that reads the number, and sees one person in all scans without one."""
    number = int(load(path).volume()[4, 7, 4])
    shape = Shape(load_template().points[kept_vertices()], np.ones(len(kept_vertices())))
    found = ScanFeatures(vector(number - 500 if number >= 500 else 15), shape)
    return {(r, v): found for r in recognisers for v in variants}


@pytest.fixture
def log(tmp_path, monkeypatch):
    """Stands in for the cohort, recognition and faceblind's own methods; counts program runs."""
    program, log = tmp_path / "tool.py", tmp_path / "log.txt"
    program.write_text(PROGRAM)
    log.touch()

    def peer(kind: str, name: str) -> Peer:
        words = (sys.executable, str(program), kind, "{source}", "{target}", str(log))
        return Peer(name, words, "1.0", "ab" * 32)

    photographs = {person: vector(k) for k, person in enumerate(PEOPLE)}
    monkeypatch.setattr(
        module, "make_volunteers", lambda root, n, *args, **options: cohort_in(root, n)
    )
    monkeypatch.setattr(module, "own_methods", lambda: (peer("cut", "deface"),))
    others = (peer("harm", "harmful"), peer("broken", "broken")), (MissingPeer("gone", "buy it"),)
    monkeypatch.setattr(module, "find_peers", lambda given: others)
    monkeypatch.setattr(searching, "all_features_of_scan", seen)
    monkeypatch.setattr(searching, "photo_features", lambda *args: (photographs, {}, []))
    return log


def found(result, method: str, search: str) -> tuple[float, int]:
    rate = result.strongest(method, search).result.rank1
    return round(rate.hits, 6), rate.n


def test_each_method_is_attacked_and_measured(log, tmp_path):
    result = faceblind.benchmark(tmp_path / "out", 6, **QUIET)
    runs = {one.name: one for one in result.methods}
    assert list(runs) == ["intact", "deface", "harmful", "broken"]
    assert found(result, "intact", "photo-to-scan") == (6, 6)
    assert found(result, "intact", "protected-to-protected") == (6, 6)
    assert result.strongest("intact", "original-to-protected") is None
    for search in ("photo-to-scan", "original-to-protected", "protected-to-protected"):
        assert found(result, "deface", search) == (1, 6)  # guessing
        assert found(result, "broken", search) == (5, 5)
    assert (runs["deface"].brain_voxels, runs["deface"].brain_scans) == (0, 0)
    assert (runs["harmful"].brain_voxels, runs["harmful"].brain_scans) == (12, 12)
    assert (runs["broken"].failed, runs["broken"].protected) == (2, 10)
    assert runs["deface"].wall_s > 0
    assert runs["deface"].peak_mb > 10
    assert result.ranked()[0].name == "deface"
    assert result.missing == (MissingPeer("gone", "buy it"),)


def test_files_agree_and_name_nobody_in_public(log, tmp_path):
    out = tmp_path / "out"
    result = faceblind.benchmark(out, 4, **QUIET)
    faceblind.write_report(result, out)
    public = [path for path in out.iterdir() if path.is_file()]
    assert {path.name for path in public} == {
        ".faceblind.json", "league.csv", "league.json", "league.md", "report.html",
    }  # fmt: skip
    for path in public:
        text = path.read_text(encoding="utf-8")
        assert "sub-" not in text, path.name
        assert str(tmp_path) not in text, path.name
    with (out / "league.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["source"] for row in rows} == {"in silico", "published"}
    best = [r for r in rows if (r["method"], r["search"]) == ("deface", "photo-to-scan")]
    assert {r["matching"] for r in best} == {"centred", "nearest"}
    assert [r["rank1"] for r in best] == ["0.25", "0.25"]
    reface = [r for r in rows if r["method"] == "mri_reface" and r["people"] == "182"]
    assert reface[0]["rank1_published"] == "8 %"
    assert reface[0]["rank1"] == ""
    written = json.loads((out / "league.json").read_text())
    assert written["league"][0]["method"] == "deface"
    assert written["not_run"] == [{"method": "gone", "why": "buy it"}]
    assert "| broken | 1.0 | 3 of 3" in (out / "league.md").read_text()
    private = out / "private"
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert "sub-0002_T1w.nii.gz" in (private / "failures.tsv").read_text()
    assert "sub-0001" in (private / "report.html").read_text(encoding="utf-8")
    assert (private / "ranks.tsv").read_text().count("\n") == 1 + sum(
        len(one.result.ranks) for one in result.attacks
    )


def test_a_second_run_protects_only_what_failed(log, tmp_path):
    first = faceblind.benchmark(tmp_path / "out", 4, **QUIET)
    assert log.read_text().split().count("cut") == 8
    (tmp_path / "out/private/protected/deface/sub-0003_T1w.nii.gz").write_bytes(b"spoilt")
    again = faceblind.benchmark(tmp_path / "out", 4, **QUIET)
    kinds = log.read_text().split()
    assert (kinds.count("cut"), kinds.count("harm"), kinds.count("broken")) == (9, 8, 10)
    assert [a.result.rank1 for a in first.attacks] == [a.result.rank1 for a in again.attacks]


def test_a_tool_that_always_fails_stays_in_the_table(log, tmp_path, monkeypatch):
    nothing = Peer("nothing", (sys.executable, "-c", "{source}{target}"), "2")
    monkeypatch.setattr(module, "find_peers", lambda given: ((nothing,), ()))
    result = faceblind.benchmark(tmp_path / "out", 4, **QUIET)
    assert result.methods[-1].failed == 8
    assert result.strongest("nothing", "photo-to-scan") is None
    assert result.ranked()[-1].name in ("nothing", "intact")
    row = next(row for row in result.rows() if row["method"] == "nothing")
    assert (row["protected"], row["failed"]) == (0, 8)
    assert (
        "| nothing | 2 | n/a | n/a | n/a | 8 of 8 | n/a | n/a | n/a |"
        in (tmp_path / "out" / "league.md").read_text()
    )


def test_results_show_themselves_without_names(log, tmp_path):
    result = faceblind.benchmark(tmp_path / "out", 4, **QUIET)
    assert repr(result).startswith("BenchmarkResult(4 synthetic people, 4 methods, ")
    assert "sub-" not in repr(result)
    assert "sub-" not in repr(result.methods)
    assert "sub-" not in repr(result.attacks)


def test_what_cannot_be_used_is_refused(log, tmp_path):
    with pytest.raises(FaceblindError, match="4 people or more, got 3"):
        faceblind.benchmark(tmp_path / "out", 3, **QUIET)
    with pytest.raises(FaceblindError, match="no recogniser 'x'"):
        faceblind.benchmark(tmp_path / "out", 4, recognisers=["x"])
    with pytest.raises(FaceblindError, match="a face"):
        faceblind.benchmark(tmp_path / "out", 4, variants=())
    assert not (tmp_path / "out").exists()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").touch()
    with pytest.raises(OutputError, match="holds other files"):
        faceblind.benchmark(tmp_path / "full", 4, **QUIET)


def test_faceblinds_own_methods_are_programs(phantom, tmp_path):
    source, target = tmp_path / "sub-1_T1w.nii.gz", tmp_path / "b.nii.gz"
    save(phantom().scan, source)
    deface = module.own_methods()[0]
    assert deface.run(source, target).failure == ""
    assert (load(source).volume() != load(target).volume()).sum() > 1000
    assert len(deface.digest) == 64
