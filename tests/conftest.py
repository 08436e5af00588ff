"""Fixtures shared by all tests."""

# ruff: noqa: E402 - one thread of linear algebra, before numpy is imported
from __future__ import annotations

from faceblind.system.threads import one_algebra_thread

one_algebra_thread()

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from faceblind.attacks import evidence
from faceblind.geometry.icp import fit_affine
from faceblind.head import own_head
from faceblind.head.alignment import Alignment
from faceblind.head.skin import find_skin
from faceblind.head.template import REGIONS, load_template
from faceblind.head.whole_head import Head
from faceblind.identification.match import Scores
from faceblind.protect import cut_choice, same_space
from faceblind.scan import Scan
from faceblind.volunteers.people.shape import sample_person
from faceblind.volunteers.presets import preset
from faceblind.volunteers.raster import fill
from faceblind.volunteers.scanner.simulate import ScanTruth, simulate

ROOT = Path(__file__).resolve().parents[1]


@lru_cache
def load_script(path: str) -> ModuleType:
    """A script that is no part of the package, such as ``bench/evidence.py``, as a module.

    It is registered under its bare name: dataclasses look their module up, and other scripts of
    its folder import it by that name.
    """
    file = ROOT / path
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def script() -> Callable[[str], ModuleType]:
    """Loads a script of ``bench/`` or ``tools/``, see `load_script`."""
    return load_script


_remembered = load_script("tests/remembered.py")
_browser = load_script("tests/browser.py")
_studies = load_script("tests/studies.py")
command, four_people = _studies.command, _studies.four_people
small_plain = _studies.small_plain
studied, studied_with_sface = _studies.studied, _studies.studied_with_sface
_playwright, _chromium, browser = (
    _browser._playwright, _browser._chromium, _browser.browser,
)  # fmt: skip


_fakes = load_script("tests/recognition/services/fake_services.py")


@pytest.fixture
def azure() -> Iterator[Any]:
    """A local server that answers as Azure Face does."""
    pytest.importorskip("azure.ai.vision.face", reason="needs the extra azure")
    with _fakes.serving(_fakes.FakeAzure()) as fake:
        yield fake


@pytest.fixture
def compreface() -> Iterator[Any]:
    """A local server that answers as CompreFace does."""
    with _fakes.serving(_fakes.FakeCompreFace()) as fake:
        yield fake


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real and independent test data that only developers and CI have."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip("needs the developers' data folder ../shared, which users do not have")
    return folder


@pytest.fixture
def slurm(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A real SLURM of one node, which ends with the test; commands of this process find it."""
    if not all(map(shutil.which, ("slurmctld", "slurmd", "munged", "sbatch"))):
        pytest.skip("needs SLURM (Debian's slurm-wlm) on this machine")
    if os.geteuid() != 0:
        pytest.skip("only root can start a SLURM")
    script = ROOT / "tools" / "slurm_here.sh"
    # Several processes of one test run may each have their own.
    place = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    monkeypatch.setenv("SLURM_HERE_PORT", str(26817 + 2 * place))
    # Sockets have short names.
    with tempfile.TemporaryDirectory(prefix="slurm") as home:
        started = subprocess.run(
            [script, "start", home], capture_output=True, text=True, check=False, timeout=60
        )
        if started.returncode:
            pytest.skip(f"SLURM does not start here: {started.stderr.strip()}")
        monkeypatch.setenv("SLURM_CONF", f"{home}/slurm.conf")
        try:
            yield
        finally:
            subprocess.run([script, "stop", home], check=False)
            time.sleep(0.5)


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
    from faceblind.geometry.subdivision import subdivision
    from faceblind.geometry.triangles import boundary_edges, vertex_normals
    from faceblind.head.skin import Skin
    from faceblind.head.template import load_template
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


SPACING = 2.0
NOISE = 12.0


@dataclass(frozen=True, eq=False)
class Phantom:
    """A scan, what is true of it, and the head that a perfect alignment finds.

    Compared by identity, so that what is made of it can be kept with `functools.lru_cache`.
    """

    scan: Scan
    brain: NDArray[np.bool_]
    head: Head


@pytest.fixture(scope="session")
def phantom() -> Callable[..., Phantom]:
    """Factory of heads: ``phantom(seed=..., turn=..., fat=..., ...)``."""
    return _phantom


@lru_cache(maxsize=16)
def _phantom(
    seed: int = 1,
    spread: float = 1.0,
    turn: tuple[float, float, float] = (4.0, -6.0, 3.0),
    shift: tuple[float, float, float] = (3.0, -5.0, 8.0),
    fat: float = 900.0,
    cover_mm: float = 12.0,
    air: float = 100.0,
    noise: float = NOISE,
    volumes: int = 1,
) -> Phantom:
    template = load_template()
    rng = np.random.default_rng(seed)
    shape = np.clip(rng.normal(0, spread, len(template.modes)), -2, 2)
    to_scan = np.eye(4)
    to_scan[:3, :3] = Rotation.from_euler("zyx", turn, degrees=True).as_matrix()
    to_scan[:3, 3] = shift
    pose = np.linalg.inv(to_scan)
    points = template.shape(shape) @ to_scan[:3, :3].T + to_scan[:3, 3]
    low = points.min(axis=0) - 14
    size = tuple(int(n) for n in np.ceil((points.max(axis=0) + 14 - low) / SPACING))
    affine = np.diag([SPACING] * 3 + [1.0])
    affine[:3, 3] = low
    closed, faces = template.closed(points)
    covered = fill((closed - low) / SPACING, faces, size)
    inside = covered > 0.5
    depth = ndimage.distance_transform_edt(inside, SPACING)
    ijk = np.stack(np.meshgrid(*map(np.arange, size), indexing="ij"), axis=-1)
    place = (ijk * SPACING + low) @ pose[:3, :3].T + pose[:3, 3]
    _, y, z = np.moveaxis(place, -1, 0)
    floor = 38 - 0.6 * np.clip(20 - y, 0, 60)
    skull = inside & (z > floor) & (depth > 5)
    brain = skull & (depth > cover_mm) & (z > floor + 10)
    signal = np.full(size, 420.0)
    signal[depth < 5] = fat
    signal[skull] = 160.0
    signal[brain] = 600.0
    clean = air + covered * (signal - air)
    stack = [clean + rng.normal(0, noise, size) if noise else clean for _ in range(volumes)]
    voxels = np.rint(np.stack(stack, axis=-1) if volumes > 1 else stack[0]).astype(np.int16)
    scan = Scan(np.asfortranarray(voxels), affine, "T1w", f"phantom {seed}")
    skin = find_skin(scan)
    fitted = fit_affine(template.shape(shape), template.points) @ pose
    full = dict.fromkeys(REGIONS, 1.0)
    alignment = Alignment(fitted, pose, shape, 0.5, 1.0, full, dict(full), template)
    return Phantom(scan, brain, Head(skin, alignment))


def toy_scores(values: object, probes: list[str], gallery: list[str]) -> Scores:
    """Scores of a made-up recogniser, five photographs and 81 renders each."""
    return Scores(
        values=np.array(values, dtype=float).reshape(len(probes), len(gallery)),
        probe_persons=np.array(probes, dtype=str),
        gallery_persons=np.array(gallery, dtype=str),
        direction="photo-to-scan",
        matching="centred",
        fusion="mean",
        recogniser="toy-0000",
        probe_pictures=np.full(len(probes), 5),
        gallery_pictures=np.full(len(gallery), 81),
    )


@pytest.fixture(scope="session")
def make_scores() -> Callable[[object, list[str], list[str]], Scores]:
    """`toy_scores`."""
    return toy_scores


@pytest.fixture(scope="session")
def article_scores() -> Scores:
    """84 persons: 70 on top, 10 third, 4 twentieth."""
    values = np.zeros((84, 84))
    for i in range(84):
        better = 0 if i < 70 else 2 if i < 80 else 19
        values[i, (i + 1 + np.arange(better)) % 84] = 2
        values[i, i] = 1
    labels = [f"sub-{i:03d}" for i in range(84)]
    return toy_scores(values, labels, labels)


@pytest.fixture(scope="session", autouse=True)
def _searches_are_remembered() -> Iterator[None]:
    """Tests of one scan share the searches for its dim face, its brain, its cut and its space.

    Many tests protect one phantom, each in files of its own.
    """
    with pytest.MonkeyPatch.context() as patch:
        search = _remembered.RememberedDimHeads()
        patch.setattr(own_head, "find_dim_head", search)
        patch.setattr(evidence, "find_dim_head", search)
        for user, name in (
            (cut_choice, "find_head"),
            (cut_choice, "find_brain_pose"),
            (cut_choice, "fit_cut"),
            (same_space, "look_around"),
        ):
            patch.setattr(user, name, _remembered.Remembered(getattr(user, name)))
        yield


@pytest.fixture(scope="session")
def dim() -> ScanTruth:
    """An old volunteer in a head-and-neck array, whose head no threshold finds."""
    chosen = preset("head_neck_array_elderly")
    return simulate(sample_person(31, 0, chosen.people), chosen.scanner)


@pytest.fixture(scope="session")
def dim_faceless(dim: ScanTruth) -> Scan:
    """The same; the whole front of the head is air drawn from the air before it."""
    voxels = np.array(dim.scan.voxels)
    index = np.stack(np.meshgrid(*map(np.arange, voxels.shape), indexing="ij"), axis=-1)
    places = (index @ dim.scan.affine[:3, :3].T + dim.scan.affine[:3, 3]) - dim.pose[:3, 3]
    _, y, z = np.moveaxis(places @ dim.pose[:3, :3], -1, 0)
    gone = (y > 30.0) & (z < 25.0)
    air = voxels[(y > 115.0) & (z < 25.0)]
    voxels[gone] = np.random.default_rng(0).choice(air, int(gone.sum()))
    return replace(dim.scan, voxels=voxels, stored=None)
