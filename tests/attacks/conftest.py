"""One synthetic volunteer, scanned at 2 mm, and its own protection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from faceblind.scan import Scan
from faceblind.volunteers.people.shape import sample_person
from faceblind.volunteers.scanner.settings import ScannerSettings
from faceblind.volunteers.scanner.simulate import simulate


@pytest.fixture(scope="session")
def hide(script):
    """The bench's ways to hide a face."""
    return script("bench/manipulations.py")


@pytest.fixture(scope="session")
def volunteer() -> Scan:
    """An intact scan."""
    return simulate(sample_person(21, 0), ScannerSettings(spacing_mm=2.0)).scan


@pytest.fixture(scope="session")
def subject(hide, volunteer):
    """What the manipulations of the bench need."""
    return hide.prepare(volunteer)[0]


@pytest.fixture(scope="session")
def placed(volunteer):
    """The head found in the intact scan, in the same millimetres as `subject`."""
    from faceblind.head.alignment import align
    from faceblind.head.skin import find_skin

    return align(find_skin(volunteer), volunteer)


@dataclass(frozen=True)
class Defaced:
    """A protected scan, and what is seen in it."""

    done: Any
    located: Any


@pytest.fixture(scope="session")
def defaced(volunteer) -> Defaced:
    """The volunteer without the face."""
    from faceblind.attacks.locate import locate_head
    from faceblind.protect.deface import deface

    done = deface(volunteer)
    return Defaced(done, locate_head(done.scan))


@pytest.fixture(scope="session")
def refaced(volunteer):
    """The volunteer with the average face."""
    from faceblind.protect.reface import reface

    return reface(volunteer)
