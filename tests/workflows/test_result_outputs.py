from __future__ import annotations

from faceblind.identification.match import Scores
from faceblind.identification.result import evaluate
from faceblind.workflows.result_outputs import write_result


def test_tables_have_their_columns_when_nobody_was_enrolled(tmp_path):
    private = tmp_path / "private"
    private.mkdir()
    nobody = Scores.empty("scan-to-scan", "centred", "stub")
    result = evaluate(nobody, ["sub-1"], {"sub-1": "no face"})
    write_result(tmp_path, private, result)
    assert (tmp_path / "cmc.tsv").read_text().splitlines()[0] == "rank\trate\tchance"
    assert (private / "ranks.tsv").read_text().splitlines()[1].startswith("sub-1\t")
    assert "sub-1" not in (tmp_path / "summary.json").read_text()
