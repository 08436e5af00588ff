"""A T1-weighted scan of a volunteer: pose, field of view, tissue signal, coil and noise."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from faceblind.head.model import HeadModel
from faceblind.head.template import Template, load_template
from faceblind.scan import Scan
from faceblind.volunteers.anatomy import Anatomy, Tissue, load_anatomy
from faceblind.volunteers.photograph import rotation
from faceblind.volunteers.raster import fill, warp
from faceblind.volunteers.shape import Person, generator

# Proton density (water = 1), T1 and T2* in ms at 1.5 T, rounded from Stanisz et al. 2005 (Magn
# Reson Med 54:507), de Bazelaire et al. 2004 (Radiology 230:652) and Rooney et al. 2007 (Magn
# Reson Med 57:308). Fat and marrow are lowered to what the echo catches of them. Air,
# cortical bone and teeth give next to nothing.
RELAXATION: dict[Tissue, tuple[float, float, float]] = {
    Tissue.AIR: (0.0, 1000.0, 1.0),
    Tissue.SKIN: (0.72, 880.0, 18.0),
    Tissue.FAT: (0.66, 300.0, 40.0),
    Tissue.MUSCLE: (0.78, 980.0, 28.0),
    Tissue.BONE: (0.12, 900.0, 1.5),
    Tissue.MARROW: (0.46, 380.0, 22.0),
    Tissue.CSF: (1.00, 4200.0, 400.0),
    Tissue.GREY: (0.82, 1080.0, 60.0),
    Tissue.WHITE: (0.71, 640.0, 55.0),
    Tissue.VITREOUS: (1.00, 4000.0, 300.0),
    Tissue.MUCOSA: (0.85, 1000.0, 35.0),
}

_SKIN_MM = 1.6
_NODE = 8


@dataclass(frozen=True)
class ScannerSettings:
    """A 3-D inversion-prepared gradient echo (MPRAGE) and how people lie in it.

    Attributes
    ----------
    spacing_mm : float
        Isotropic voxel size.
    matrix_mm : tuple of float
        Field of view along right, anterior and superior in mm.
    tr_ms, ti_ms, te_ms : float
        Repetition time, inversion time, echo time.
    noise : float
        Standard deviation of each channel's noise, of white matter's signal.
    shading : float
        Spread of the coil sensitivity over the head.
    tilt_sd, tilt_limit : float
        Rotation about each axis in degrees: spread and greatest.
    """

    spacing_mm: float = 1.0
    matrix_mm: tuple[float, float, float] = (184.0, 240.0, 248.0)
    tr_ms: float = 2300.0
    ti_ms: float = 1000.0
    te_ms: float = 3.0
    noise: float = 0.04
    shading: float = 0.30
    tilt_sd: float = 5.0
    tilt_limit: float = 15.0


@dataclass(frozen=True, eq=False)
class ScanTruth:
    """What is known of a simulated scan.

    Attributes
    ----------
    scan : Scan
        int16 voxels.
    brain, face : (I, J, K) bool ndarray
        True masks on the same grid; they do not overlap.
    landmarks : dict of str to (3,) ndarray
        On the skin, RAS+ mm of the scan.
    pose : (4, 4) float64 ndarray
        Template frame to RAS+ mm of the scan (rigid).
    """

    scan: Scan
    brain: NDArray[np.bool_]
    face: NDArray[np.bool_]
    landmarks: dict[str, NDArray[np.float64]]
    pose: NDArray[np.float64]


def inversion_echo(density: float, t1: float, t2_star: float, settings: ScannerSettings) -> float:
    """Magnitude of an inversion-prepared echo, times in ms.

    ``density |1 - 2 exp(-TI/T1) + exp(-TR/T1)| exp(-TE/T2*)``: full inversion, read-out pulses
    too small to disturb the recovery (Mugler & Brookeman 1990, Magn Reson Med 15:152).
    """
    recovered = 1 - 2 * np.exp(-settings.ti_ms / t1) + np.exp(-settings.tr_ms / t1)
    return float(density * abs(recovered) * np.exp(-settings.te_ms / t2_star))


def tissue_signals(settings: ScannerSettings) -> NDArray[np.float64]:
    """(len(Tissue),) signals; white matter is 1."""
    values = np.array([inversion_echo(*RELAXATION[t], settings) for t in Tissue])
    return values / values[Tissue.WHITE]


@lru_cache(maxsize=1)
def _controls() -> NDArray[np.int64]:
    """Vertices of the outer skin that steer the warp: landmarks and an even spread."""
    template = load_template()
    chosen = sorted(set(template.landmark_index.values()))
    points = template.points.astype(np.float64)
    nearest = cdist(points, points[chosen]).min(axis=1)
    while len(chosen) < 160:
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, np.linalg.norm(points - points[chosen[-1]], axis=1))
    return np.array(chosen)


def _spline(
    source: NDArray[np.float64], target: NDArray[np.float64], at: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Map (N, 3) points by the smoothest warp from source to target (C, 3).

    Biharmonic spline with kernel r (Bookstein 1989 in three dimensions); a small ridge lets
    control points give way by fractions of a millimetre.
    """
    count = len(source)
    kernel = cdist(source, source) - 4.0 * np.eye(count)
    ones = np.column_stack([np.ones(count), source])
    system = np.block([[kernel, ones], [ones.T, np.zeros((4, 4))]])
    weights = np.linalg.solve(system, np.vstack([target, np.zeros((4, 3))]))
    return (
        cdist(at, source) @ weights[:count]
        + np.column_stack([np.ones(len(at)), at]) @ weights[count:]
    )


def simulate(person: Person, settings: ScannerSettings | None = None) -> ScanTruth:
    """Scan one person, lying still with closed eyes.

    Parameters
    ----------
    person : Person
        Who.
    settings : ScannerSettings, optional
        How.

    Returns
    -------
    ScanTruth
        The scan and its truth.
    """
    settings = settings or ScannerSettings()
    rng = generator(person.seed, person.index, 2)
    model, template, anatomy = HeadModel.load(), load_template(), load_anatomy()
    skin = model.outer_skin(person.points(model.closed_eyes)).astype(np.float64)
    pose = _pose(rng, settings, skin)
    posed = skin @ pose[:3, :3].T + pose[:3, 3]
    affine, shape = _field_of_view(rng, settings, posed)
    closed, faces = template.closed(posed)
    inverse = np.linalg.inv(affine)
    covered = fill(closed @ inverse[:3, :3].T + inverse[:3, 3], faces, shape)
    field = _pull_back(posed, template, anatomy, affine, shape)
    step = float(_NODE)
    signals = tissue_signals(settings)
    inner = warp(anatomy.signal(signals), field, step, covered, 0.0)
    brain = warp(anatomy.brain, field, step, covered, 0.0) > 0.5
    face = warp(anatomy.face, field, step, covered, 0.0) > 0.5
    face &= ~brain & (covered > 0.5)
    inner = _skin_layer(inner, covered, signals[Tissue.SKIN], settings.spacing_mm)
    voxels = _acquire(inner * covered, settings, rng)
    scan = Scan(voxels, affine, modality="T1w", source=None)
    landmarks = {name: posed[v] for name, v in template.landmark_index.items()}
    return _store_as(ScanTruth(scan, brain & (covered > 0.5), face, landmarks, pose), rng)


def _pose(
    rng: np.random.Generator, settings: ScannerSettings, skin: NDArray[np.float64]
) -> NDArray[np.float64]:
    tilt = np.clip(rng.normal(0, settings.tilt_sd, 3), -settings.tilt_limit, settings.tilt_limit)
    # Lying on a head rest tucks the chin a little.
    yaw, pitch, roll = tilt + np.array([0, -3.0, 0])
    turn = rotation(float(yaw), float(np.clip(pitch, -15, 15)), float(roll))
    centre = (skin.max(axis=0) + skin.min(axis=0)) / 2
    pose = np.eye(4)
    pose[:3, :3] = turn
    pose[:3, 3] = rng.normal(0, (4, 8, 10)) - turn @ centre
    return pose


def _field_of_view(
    rng: np.random.Generator, settings: ScannerSettings, posed: NDArray[np.float64]
) -> tuple[NDArray[np.float64], tuple[int, int, int]]:
    """Grid affine (RAS+ axes) and shape; sometimes it cuts the vertex, the ears or the chin."""
    spacing = settings.spacing_mm
    shape = tuple(round(m / spacing) for m in settings.matrix_mm)
    extent = np.array(shape) * spacing
    head = posed[posed[:, 2] > posed[:, 2].max() - 215]
    low, high = head.min(axis=0), head.max(axis=0)
    origin = (low + high) / 2 - extent / 2 + rng.normal(0, (3, 4, 0))
    # The nose is kept inside; what is short is cut off at the back.
    origin[1] = max(origin[1], high[1] + rng.uniform(4, 14) - extent[1])
    top = rng.uniform(4, 24) if rng.random() > 0.08 else rng.uniform(-10, -2)
    bottom = posed[:, 2].min() + rng.uniform(14, 34)
    length = min(extent[2], high[2] + top - bottom)
    slices = int(length / spacing)
    origin[2] = high[2] + top - slices * spacing
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = origin + spacing / 2
    return affine, (shape[0], shape[1], slices)


def _pull_back(
    posed: NDArray[np.float64],
    template: Template,
    anatomy: Anatomy,
    affine: NDArray[np.float64],
    shape: tuple[int, int, int],
) -> NDArray[np.float32]:
    """(3, U, V, W) index into the anatomy at every eighth voxel."""
    control = _controls()
    nodes = [np.arange(0, n + _NODE, _NODE) for n in shape]
    grid = np.stack([g.ravel() for g in np.meshgrid(*nodes, indexing="ij")], axis=1)
    place = grid @ affine[:3, :3].T + affine[:3, 3]
    average = template.points.astype(np.float64)[control]
    mapped = _spline(posed[control], average, place)
    inverse = np.linalg.inv(anatomy.affine)
    index = mapped @ inverse[:3, :3].T + inverse[:3, 3]
    return index.T.reshape(3, *(len(n) for n in nodes)).astype(np.float32)


def _blur(volume: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Gaussian blur of a volume, sigma in voxels."""
    reach = 2 * int(np.ceil(2.5 * sigma)) + 1
    kernel = cv2.getGaussianKernel(reach, sigma, cv2.CV_32F)
    size = volume.shape
    rows = cv2.sepFilter2D(
        volume.reshape(size[0], -1), -1, np.ones(1, np.float32), kernel,
        borderType=cv2.BORDER_REPLICATE,
    ).reshape(size)  # fmt: skip
    return np.stack(
        [cv2.sepFilter2D(r, -1, kernel, kernel, borderType=cv2.BORDER_REPLICATE) for r in rows]
    )


def _skin_layer(
    inner: NDArray[np.float32], covered: NDArray[np.float32], skin: float, spacing: float
) -> NDArray[np.float32]:
    """Lay skin of even thickness over what lies inside."""
    # Blurred coverage is the normal distribution of depth: 0.5 on the surface.
    sigma = 1.2
    level = _blur(covered, sigma / spacing)
    edge, soft = 0.909, 0.05
    share = np.clip((edge + soft - level) / (2 * soft), 0, 1) * (covered > 0)
    return inner + share * (np.float32(skin) - inner)


def _acquire(
    signal: NDArray[np.float32], settings: ScannerSettings, rng: np.random.Generator
) -> NDArray[np.int16]:
    """Point spread, coil sensitivity, Rician noise (Gudbjartsson & Patz 1995), integers."""
    signal = _blur(signal, 0.45)
    shape = signal.shape
    axes = [np.linspace(-1, 1, n, dtype=np.float32) for n in shape]
    sensitivity = np.ones(shape, np.float32)
    shade = settings.shading * rng.uniform(0.5, 1.3)
    slope = rng.normal(0, 0.3, 3)
    curve = rng.uniform(0.2, 0.9, 3)
    for k in range(3):
        along = shade * (slope[k] * axes[k] + curve[k] * (axes[k] ** 2 - 0.4))
        sensitivity += along.reshape([-1 if a == k else 1 for a in range(3)])
    # A head coil ends at the neck, where signal fades.
    fade = np.clip((axes[2] + 1.25) / 0.55, 0.25, 1).astype(np.float32)
    sensitivity *= fade
    signal *= np.maximum(sensitivity, 0.15)
    sigma = np.float32(settings.noise * rng.uniform(0.7, 1.4))
    real = rng.standard_normal(shape, np.float32)
    imaginary = rng.standard_normal(shape, np.float32)
    real *= sigma
    imaginary *= sigma
    real += signal
    np.hypot(real, imaginary, out=real)
    scale = rng.uniform(350, 900)
    real *= np.float32(scale)
    return np.rint(np.minimum(real, 32000)).astype(np.int16)


_STORAGE = (("RAS", (0, 1, 2), (1, 1, 1)), ("LPS", (0, 1, 2), (-1, -1, 1)),
            ("PIR", (1, 2, 0), (-1, -1, 1)), ("LAS", (0, 1, 2), (-1, 1, 1)))  # fmt: skip


def _store_as(truth: ScanTruth, rng: np.random.Generator) -> ScanTruth:
    """Reorder voxels the way one of the usual scanners stores them; the world stays put."""
    _, order, signs = _STORAGE[int(rng.integers(len(_STORAGE)))]
    affine = truth.scan.affine
    shape = truth.scan.shape
    matrix = np.zeros((4, 4))
    matrix[3, 3] = 1
    for new, (old, sign) in enumerate(zip(order, signs, strict=True)):
        matrix[old, new] = sign
        matrix[old, 3] = shape[old] - 1 if sign < 0 else 0

    def reorder(volume: NDArray) -> NDArray:
        flipped = volume.transpose(order)
        return np.ascontiguousarray(flipped[tuple(slice(None, None, s) for s in signs)])

    scan = Scan(reorder(truth.scan.voxels), affine @ matrix, truth.scan.modality, truth.scan.source)
    return ScanTruth(scan, reorder(truth.brain), reorder(truth.face), truth.landmarks, truth.pose)
