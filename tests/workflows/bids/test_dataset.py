"""Descriptions of datasets."""

from __future__ import annotations

import json

import pytest

from faceblind.errors import ScanError
from faceblind.workflows.bids.dataset import CONTAINER, read_description


def test_what_others_did_before_stays(run, dataset, tmp_path, monkeypatch):
    monkeypatch.setenv(CONTAINER, "docker:faceblind:1.0")
    before = {"Name": "Raw", "BIDSVersion": "1.9.0", "GeneratedBy": [{"Name": "dcm2bids"}]}
    (dataset / "dataset_description.json").write_text(json.dumps(before))
    run(layout="publish")
    after = json.loads((tmp_path / "out" / "dataset_description.json").read_text())
    assert [one["Name"] for one in after["GeneratedBy"]] == ["dcm2bids", "faceblind"]
    assert after["GeneratedBy"][1]["Container"] == {"Type": "docker", "Tag": "faceblind:1.0"}
    assert after["BIDSVersion"] == "1.9.0"


def test_a_derivative_names_its_source_by_its_doi(run, dataset, tmp_path):
    before = {"Name": "Raw", "BIDSVersion": "1.9.0", "DatasetDOI": "doi:10.1/x", "License": "CC0"}
    (dataset / "dataset_description.json").write_text(json.dumps(before))
    run()
    after = json.loads((tmp_path / "out" / "dataset_description.json").read_text())
    assert after["SourceDatasets"] == [{"DOI": "doi:10.1/x"}]
    assert after["License"] == "CC0"


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_description_that_cannot_be_read_ends_the_run(run, dataset, tmp_path, text):
    (dataset / "dataset_description.json").write_text(text)
    with pytest.raises(ScanError, match=r"dataset_description\.json"):
        run()
    assert not (tmp_path / "out").exists()
    (dataset / "dataset_description.json").unlink()
    assert read_description(dataset) == {}
