from __future__ import annotations

from pathlib import Path

import pytest

from faceblind.datasets.names import mask_path, participant_label
from faceblind.errors import TableError


@pytest.mark.parametrize("text", ["01", "sub-01", "  sub-01 "])
def test_one_label_for_both_spellings(text: str) -> None:
    assert participant_label(text) == "sub-01"


@pytest.mark.parametrize("text", ["", "  ", "sub-", "n/a", "sub-n/a"])
def test_a_missing_label_is_refused(text: str) -> None:
    with pytest.raises(TableError, match="is empty"):
        participant_label(text)


@pytest.mark.parametrize("text", ["../x", "a/b", "a b", "-a", ".hidden", "a\\b", "<i>"])
def test_what_does_not_belong_in_a_file_name_is_refused(text: str) -> None:
    with pytest.raises(TableError, match="may hold letters"):
        participant_label(text)


@pytest.mark.parametrize(
    ("name", "suffix", "expected"),
    [
        ("sub-01_T1w.nii.gz", "T1w", "sub-01_mod-T1w_defacemask.nii.gz"),
        ("sub-01_run-2_FLAIR.nii", "FLAIR", "sub-01_run-2_mod-FLAIR_defacemask.nii.gz"),
        ("head.mgz", None, "head_defacemask.nii.gz"),
        ("T1w.nii.gz", "T1w", "T1w_defacemask.nii.gz"),
    ],
)
def test_masks_are_named_as_in_bids(name: str, suffix: str | None, expected: str) -> None:
    assert mask_path(Path("out") / name, suffix) == Path("out") / expected
