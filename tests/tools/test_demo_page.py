"""The demo's page shows people, protected scans, verdicts and both studies."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from faceblind.formats import save
from faceblind.report.html import render_page
from faceblind.scan import Scan
from faceblind.system.outputs import prepare_output, private_dir
from faceblind.system.tables import write_json, write_tsv
from faceblind.workflows.result_outputs import write_result

PERSON = "sub-0001"
PATH = f"{PERSON}/anat/{PERSON}_T1w.nii.gz"


@pytest.fixture
def made(tmp_path, script):
    """What the commands of ``make demo`` leave, of few people."""
    examples = script("bench/example_results.py")
    for name, strength in (("study", 0.5), ("study-refaced", 0.0)):
        root = prepare_output(tmp_path / f"{name}-4", "study")
        write_result(root, private_dir(root / "private"), examples.study(25, strength))
    face = tmp_path / "study-4" / "private" / "faces" / PERSON
    face.mkdir(parents=True)
    Image.new("L", (90, 90)).save(face / "as-is.png")
    Image.new("RGB", (90, 90)).save(tmp_path / "p.jpg")
    row = {"participant_id": PERSON, "file": tmp_path / "p.jpg", "view": "front", "flags": ""}
    for name in ("study-4", "study-refaced-4"):
        write_tsv(tmp_path / name / "private" / "photographs.tsv", [row])
    voxels = np.random.default_rng(0).random((20, 20, 20)).astype(np.float32)
    for folder in ("volunteers-4/scans", "defaced-4", "refaced-4"):
        path = tmp_path / folder / PATH
        path.parent.mkdir(parents=True)
        save(Scan(voxels, np.diag([6.0, 6, 6, 1])), path)
    for method, status in (("defaced", "pass"), ("refaced", "unsure")):
        private = tmp_path / f"audit-{method}-4" / "private"
        private.mkdir(parents=True)
        verdict = {"path": PATH, "status": status, "score": 0.125, "reasons": [f"why {method}"]}
        other = {"path": "sub-0002/x.nii.gz", "status": "pass", "score": None, "reasons": []}
        write_json(private / "audit.json", [verdict, *([other] if method == "defaced" else [])])
    return tmp_path


def test_everything_stands_on_one_page(made, script):
    tool = script("tools/demo_page.py")
    page = tool.demo_page(tool.Demo(made, 4))
    parts = {section.title: section.blocks for section in page.sections}
    (album,) = [block for block in parts["People"] if block.kind == "album"]
    assert [picture.caption for picture in album.pictures] == [
        "photograph", "render of the scan", "scan", "defaced (audit: pass)",
        "refaced (audit: unsure)",
    ]  # fmt: skip
    (studies,) = parts["The same people before and after"]
    rows = {row[0].text: row[1:] for row in studies.rows}
    summary = json.loads((made / "study-4" / "summary.json").read_text())
    first = rows["found at the first guess"]
    assert first[0].value == summary["rank1"]["rate"]
    assert first[0].value > first[1].value + 0.5
    assert first[2].text == "70 of 84 (83 %, 74–90 %)"
    (verdicts,) = parts["Verdicts of the audit"]
    assert [cell.text for cell in verdicts.rows[0]] == [
        PATH, "pass", "0.12", "why defaced", "unsure", "0.12", "why refaced",
    ]  # fmt: skip
    assert verdicts.rows[1][4].text == "not protected"
    assert page.answer.sentence.startswith("Before protection: 25 of 26 people")
    assert "; after reface: " in page.answer.sentence
    assert studies.columns[1:3] == ("before protection", "after reface")
    text = render_page(page)
    assert text.count("data:image/jpeg") == 5
    assert "In-silico" in text
