"""Synthetic people are known by their dataset's description, and by nothing else."""

from __future__ import annotations

import json

import pytest

from faceblind.workflows.study_material import IN_SILICO, all_synthetic, note_of, preset_of


def described(folder, text):
    folder.mkdir(exist_ok=True)
    (folder / "dataset_description.json").write_text(text, encoding="utf-8")
    return folder


def test_the_name_of_the_dataset_says_that_its_people_are_synthetic(tmp_path):
    assert note_of(described(tmp_path / "a", '{"Name": "Synthetic volunteers"}')) == IN_SILICO
    assert note_of(described(tmp_path / "b", '\ufeff{"Name": "synthetic"}')) == IN_SILICO
    assert note_of(described(tmp_path / "c", '{"Name": "Heads"}')) == ""


@pytest.mark.parametrize("text", ["", "[]", "{}", '"synthetic"', '{"Name": null}'])
def test_what_is_no_description_says_nothing(tmp_path, text):
    assert note_of(described(tmp_path, text)) == ""


def test_no_description_says_nothing(tmp_path):
    assert note_of(tmp_path) == ""


def test_all_files_must_lie_in_the_dataset_itself(tmp_path):
    root = described(tmp_path / "people", '{"Name": "Synthetic volunteers"}')
    real = tmp_path / "real.nii.gz"
    real.touch()
    inside = [root / "scans" / "sub-1_T1w.nii.gz", root / "photos" / "a.png"]
    assert all_synthetic(root, inside)
    assert not all_synthetic(root, [*inside, real])
    (root / "link.nii.gz").symlink_to(real)
    assert not all_synthetic(root, [*inside, root / "link.nii.gz"])
    assert not all_synthetic(root, [root / ".." / "real.nii.gz"])
    # Nothing but the description tells it, wherever the files lie.
    assert not all_synthetic(described(tmp_path / "others", '{"Name": "Heads"}'), [])


def test_the_preset_is_read_from_the_cohort(tmp_path):
    preset = {"name": "plain", "version": 3, "fingerprint": "ab12", "more": 1}
    (tmp_path / "cohort.json").write_text(json.dumps({"preset": preset}))
    assert preset_of(tmp_path) == {
        "preset": {"name": "plain", "version": "3", "fingerprint": "ab12"}
    }


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"preset": 1}', '{"preset": {"name": "a"}}'])
def test_a_cohort_without_a_whole_preset_tells_none(tmp_path, text):
    (tmp_path / "cohort.json").write_text(text)
    assert preset_of(tmp_path) == {}
    assert preset_of(tmp_path / "absent") == {}
