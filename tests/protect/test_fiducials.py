"""Nasion and ears of a head of known shape in a known place."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from faceblind.protect.fiducials import fiducials
from faceblind.scan import Scan


def test_points_are_voxel_indices_of_the_scan() -> None:
    affine = np.array(
        [[0.0, -2.0, 0.0, 90.0], [0.0, 0.0, 1.5, -100.0], [1.0, 0.0, 0.0, -80.0], [0, 0, 0, 1.0]]
    )
    wanted = {"NAS": [60.0, 45.0, 120.3], "LPA": [40.5, 80.0, 70.0], "RPA": [41.0, 10.0, 71.0]}
    names = {"NAS": "nasion", "LPA": "preauricular_left", "RPA": "preauricular_right"}
    places = {names[key]: affine[:3, :3] @ index + affine[:3, 3] for key, index in wanted.items()}
    found: Any = SimpleNamespace(landmarks=lambda: {**places, "pronasale": np.zeros(3)})
    scan = Scan(np.zeros((100, 90, 140), np.uint8), affine)
    assert fiducials(scan, found) == wanted


def test_left_is_left_in_a_head(phantom: Any) -> None:
    made = phantom(seed=1)
    found = fiducials(made.scan, made.head.alignment)
    world = {key: made.scan.world(np.array([index]))[0] for key, index in found.items()}
    assert world["LPA"][0] < world["NAS"][0] < world["RPA"][0]
    assert world["NAS"][1] > max(world["LPA"][1], world["RPA"][1]) + 50.0
    landmarks = made.head.alignment.landmarks()
    # Rounded to a tenth of a voxel of 2 mm.
    assert np.abs(world["NAS"] - landmarks["nasion"]).max() <= 0.1001
