"""File names taken apart."""

from __future__ import annotations

import pytest

from faceblind.datasets.bids_names import bare_label, parse_name
from faceblind.errors import TableError


def test_a_name_is_taken_apart():
    name = parse_name("sub-01_ses-a_acq-x_run-2_T1w.nii.gz")
    assert name.entities == (("sub", "01"), ("ses", "a"), ("acq", "x"), ("run", "2"))
    assert (name.suffix, name.extension) == ("T1w", ".nii.gz")
    assert (name.get("run"), name.get("echo")) == ("2", None)


@pytest.mark.parametrize(
    "name",
    ["T1w.nii.gz", "sub-01.nii.gz", "sub-01_run-1_run-2_T1w.nii", "01_T1w.nii", "sub-0_1_T1w.nii"],
)
def test_what_is_none_of_bids(name):
    assert parse_name(name) is None


def test_desc_comes_last():
    name = parse_name("sub-01_echo-1_part-mag_MEGRE.nii.gz")
    assert name.described("defaced") == "sub-01_echo-1_part-mag_desc-defaced_MEGRE.nii.gz"


def test_labels_with_and_without_their_key():
    assert [bare_label(text, "sub") for text in ("01", "sub-01", " sub-01 ")] == ["01"] * 3
    with pytest.raises(TableError, match="no label of BIDS"):
        bare_label("a/b", "sub")
