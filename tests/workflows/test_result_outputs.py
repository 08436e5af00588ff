from __future__ import annotations

import json

import numpy as np

from faceblind.identification.interpretation import Traits, interpret
from faceblind.identification.match import Scores
from faceblind.identification.result import evaluate
from faceblind.workflows.result_outputs import BEYOND, write_result


def test_tables_have_their_columns_when_nobody_was_enrolled(tmp_path):
    private = tmp_path / "private"
    private.mkdir()
    nobody = Scores.empty("scan-to-scan", "centred", "stub")
    result = evaluate(nobody, ["sub-1"], {"sub-1": "no face"})
    write_result(tmp_path, private, result)
    assert (tmp_path / "cmc.tsv").read_text().splitlines()[0] == "rank\trate\tchance"
    assert (private / "ranks.tsv").read_text().splitlines()[1].startswith("sub-1\t")
    assert "sub-1" not in (tmp_path / "summary.json").read_text()


def test_tables_beyond_the_gallery_come_and_go_with_the_people(tmp_path, make_scores):
    private = tmp_path / "private"
    private.mkdir()
    rng = np.random.default_rng(0)
    people = [f"sub-{i:03d}" for i in range(100)]
    scores = make_scores(rng.normal(size=(100, 100)) + 4 * np.eye(100), people, people)
    traits = {person: Traits(50.0, "FM"[i % 2]) for i, person in enumerate(people)}
    result = interpret(evaluate(scores), scores, traits)
    write_result(tmp_path, private, result)
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["open_set"]["dir_at_fpir"][0]["dir"]["n"] == 100
    assert summary["gallery_scaling"]["rank1_in_larger_galleries"][0]["gallery_size"] == 1000
    assert {trait["trait"] for trait in summary["subgroups"]} == {"age", "sex"}
    assert 40 <= summary["prior_knowledge"]["median_gallery"] <= 60
    rows = {name: (tmp_path / name).read_text().splitlines() for name in BEYOND}
    assert rows["open_set.tsv"][0].startswith("threshold\tfpir\tfpir_low\tfpir_high\tdir")
    assert len(rows["open_set.tsv"]) == 1 + 7
    assert rows["gallery_scaling.tsv"][0] == "gallery\trank\tby\trate\tlow\thigh"
    assert len(rows["gallery_scaling.tsv"]) == 1 + 3 * 12 + 2 * 6
    assert [row.split("\t")[:2] for row in rows["subgroups.tsv"][1:]] == [
        ["age", "40-59"], ["sex", "F"], ["sex", "M"],
    ]  # fmt: skip
    public = [path for path in tmp_path.iterdir() if path.is_file()]
    assert len(public) == 5
    assert not any("sub-0" in path.read_text() for path in public)
    few = make_scores(np.eye(5), people[:5], people[:5])
    write_result(tmp_path, private, interpret(evaluate(few), few, traits))
    assert {path.name for path in tmp_path.iterdir()} == {"private", "cmc.tsv", "summary.json"}
    assert "open_set" not in json.loads((tmp_path / "summary.json").read_text())
