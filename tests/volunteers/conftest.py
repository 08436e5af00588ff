import pytest

from faceblind.volunteers.mri import ScannerSettings
from faceblind.volunteers.photograph import CameraSettings

COARSE = ScannerSettings(spacing_mm=3.0)
SMALL = CameraSettings(width=192, height=240, supersampling=1.0)


@pytest.fixture(scope="session")
def coarse():
    return COARSE


@pytest.fixture(scope="session")
def small():
    return SMALL
