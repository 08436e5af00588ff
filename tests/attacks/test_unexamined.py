"""Which patterns name which files."""

from __future__ import annotations

import pytest

from faceblind.attacks.unexamined import is_named


@pytest.mark.parametrize(
    ("path", "pattern", "named"),
    [
        ("sub-1/anat/a.mif", "*.mif", True),
        ("sub-1/anat/a.MIF", "*.mif", False),
        ("sourcedata/sub-1/1.dcm", "sourcedata", True),
        ("sourcedata/sub-1/1.dcm", "sourcedata/", True),
        ("sourcedata/sub-1/1.dcm", "sourcedata/*", True),
        ("sub-1/sourcedata.txt", "sourcedata", False),
        ("sub-1/anat/a.mif", "./sub-1/anat", True),
        ("sub-1/anat/a.mif", "sub-?/anat/*.mif", True),
        ("sub-1/anat/a.mif", "anat/*.mif", False),
        ("a.mif", "**/*.mif", True),
        ("a.mif", "", False),
    ],
)
def test_patterns(path, pattern, named):
    assert is_named(path, pattern) is named
