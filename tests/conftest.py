"""Fixtures shared by all tests."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real and independent test data that only developers and CI have."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip("needs the developers' data folder ../shared, which users do not have")
    return folder


@dataclass(frozen=True)
class PlacedHead:
    """A head of known shape in a known place, as if its skin had been found in a scan.

    Parameters
    ----------
    skin : faceblind.head.skin.Skin
        In scan mm.
    scan : faceblind.scan.Scan
        Empty; only its field of view counts.
    coefficients : (K,) ndarray
        True shape.
    place : (4, 4) ndarray
        True rigid pose, template mm to scan mm.
    """

    skin: Any
    scan: Any
    coefficients: NDArray[np.float64]
    place: NDArray[np.float64]

    def errors(self, alignment: Any) -> dict[str, float]:
        """Distance of each landmark from the truth, mm."""
        template = alignment.template
        points = template.shape(self.coefficients).astype(float)
        points = points @ self.place[:3, :3].T + self.place[:3, 3]
        found = alignment.landmarks()
        return {
            name: float(np.linalg.norm(found[name] - points[index]))
            for name, index in template.landmark_index.items()
        }


LOW, HIGH = (-120.0, -140.0, -100.0), (120.0, 140.0, 160.0)


def place_head(
    coefficients: NDArray[np.float64] | None = None,
    place: NDArray[np.float64] | None = None,
    *,
    low: tuple[float, float, float] = LOW,
    high: tuple[float, float, float] = HIGH,
    noise_mm: float = 0.0,
    dense: bool = False,
    change: Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.floating]]
    | None = None,
) -> PlacedHead:
    """The template's surface in some shape as skin, without any voxels.

    Parameters
    ----------
    coefficients : (K,) ndarray, optional
        Shape; the average head if absent.
    place : (4, 4) ndarray, optional
        Template mm to scan mm.
    low, high : tuple of float
        Field of view in template mm. Skin outside is flattened onto its border and marked as cap.
    noise_mm : float
        Spread of the noise on every vertex.
    dense : bool
        Subdivide once, for the mesh of a 1 mm scan.
    change : callable, optional
        Of points and normals (both (P, 3), template frame), gives other points.
    """
    from faceblind.face.subdivide import subdivision
    from faceblind.head.skin import Skin
    from faceblind.head.template import boundary_edges, load_template, vertex_normals
    from faceblind.scan import Scan

    template = load_template()
    coefficients = np.zeros(len(template.modes)) if coefficients is None else coefficients
    place = np.eye(4) if place is None else place
    points, faces = template.closed(template.shape(coefficients))
    edge = np.zeros(len(points), bool)
    edge[[*np.unique(boundary_edges(template.faces)), -1]] = True
    if dense:
        weights, faces = subdivision(len(points), faces)
        points, edge = weights @ points, weights @ edge.astype(np.float32) > 0.3
    if change is not None:
        points = change(points, vertex_normals(points, faces))
    inside = np.clip(points, low, high)
    edge |= (inside != points).any(axis=1)
    points = inside + np.random.default_rng(0).normal(0, noise_mm, points.shape)
    points = (points @ place[:3, :3].T + place[:3, 3]).astype(np.float32)
    voxel = np.diag([2.0, 2.0, 2.0, 1.0])
    voxel[:3, 3] = low
    shape = np.ceil(np.subtract(high, low) / 2).astype(int) + 1
    skin = Skin(points, faces, vertex_normals(points, faces), edge)
    return PlacedHead(skin, Scan(np.zeros(shape, np.uint8), place @ voxel), coefficients, place)


@pytest.fixture(scope="session")
def head() -> Callable[..., PlacedHead]:
    """Makes heads of known shape and place, see `place_head`."""
    return place_head


def run_command(*args: object) -> SimpleNamespace:
    """Run faceblind's command line in this process: exit code, standard output and error."""
    from typer.testing import CliRunner

    from faceblind.cli.main import app

    logger = logging.getLogger("faceblind")
    before = logger.handlers[:], logger.propagate, logger.level
    try:
        result = CliRunner().invoke(app, [str(arg) for arg in args])
    finally:
        logger.handlers[:], logger.propagate = before[:2]
        logger.setLevel(before[2])
    return SimpleNamespace(code=result.exit_code, out=result.stdout, err=result.stderr)


@pytest.fixture(scope="session")
def command() -> Callable[..., SimpleNamespace]:
    """Runs the command line, see `run_command`."""
    return run_command


@pytest.fixture(scope="session")
def four_people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four synthetic volunteers in coarse scans and small photographs, made by the command line."""
    from faceblind.volunteers import presets
    from faceblind.volunteers.camera import CameraSettings
    from faceblind.volunteers.scanner import ScannerSettings

    root = tmp_path_factory.mktemp("four") / "people"
    small = replace(
        presets.preset("plain"),
        scanner=ScannerSettings(spacing_mm=2.0),
        camera=CameraSettings(width=240, height=300, supersampling=1.0),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(presets._PRESETS, "plain", small)
        done = run_command("volunteers", root, "-n", 4, "--seed", 7, "-j", 1)
    assert done.code == 0, done.err
    return root


@dataclass(frozen=True)
class Studied:
    """A finished study: the folder and what the command line said."""

    people: Path
    out: Path
    done: SimpleNamespace


@pytest.fixture(scope="session")
def studied(four_people: Path, tmp_path_factory: pytest.TempPathFactory) -> Studied:
    """The study of the four volunteers with default options. Copy it before changing anything."""
    out = tmp_path_factory.mktemp("studied") / "out"
    done = run_command("study", four_people / "scans", four_people / "photos.tsv", out, "-j", 1)
    return Studied(four_people, out, done)
