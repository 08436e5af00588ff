"""Fields of a kind of image: kept where they can say nothing else."""

from __future__ import annotations

import pytest

from faceblind.datasets.sidecar_fields import required_fields


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("TaskName", "rest"), ("NumberShots", [80, 80]), ("BackgroundSuppression", True),
        ("ArterialSpinLabelingType", "PCASL"), ("TracerName", "[11C]PIB"), ("TimeZero", "13:04:42"),
        ("TracerRadionuclide", "F18"), ("InjectedRadioactivityUnits", "MBq"),
        ("ReconMethodName", "3D-OSEM-PSF"), ("ReconMethodParameterLabels", ["subsets", "zoom"]),
        ("AttenuationCorrection", "[137Cs]transmission scan-based"),
        ("AcquisitionMode", "list mode"),
        ("IntendedFor", ["bids::sub-1/func/sub-1_task-a_bold.nii.gz"]), ("M0Type", "Separate"),
    ],
)  # fmt: skip
def test_usual_values_stay(key, value):
    assert required_fields({key: value}) == {key: value}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("TaskName", "resting of Jane Doe"), ("NumberShots", "160 for Doe"),
        ("TracerName", "J. Doe"),
        ("TimeZero", "1980-01-02T13:04:42"), ("ReconMethodName", "Doe's method"),
        ("AttenuationCorrection", "CT of 19800102"), ("InjectedRadioactivity", ["81", 3]),
        ("IntendedFor", "data/Doe/x.nii"), ("PatientName", "Doe"), ("Units", {"a": 1}),
    ],
)  # fmt: skip
def test_all_else_goes(key, value):
    assert required_fields({key: value}) == {}
