import pytest

from faceblind.volunteers.photographs.camera import CameraSettings
from faceblind.volunteers.scanner.settings import ScannerSettings

COARSE = ScannerSettings(spacing_mm=3.0)
SMALL = CameraSettings(width=192, height=240, supersampling=1.0)


@pytest.fixture(scope="session")
def coarse():
    return COARSE


@pytest.fixture(scope="session")
def small():
    return SMALL
