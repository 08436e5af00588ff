"""Scans of a volunteer: several series of one head, with everything that is true of them."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace

import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray

from faceblind.errors import FaceblindError
from faceblind.geometry.triangles import boundary_edges
from faceblind.head.template import load_template
from faceblind.scan import Scan
from faceblind.volunteers.people.head_model import HeadModel
from faceblind.volunteers.people.posture import bend_neck, supine
from faceblind.volunteers.people.shape import Person, generator
from faceblind.volunteers.raster import fill
from faceblind.volunteers.scanner import artefacts, ct
from faceblind.volunteers.scanner.anatomy import (
    BRAIN,
    EARS,
    FACE,
    FLUID,
    Anatomy,
    personal_anatomy,
    without_teeth,
)
from faceblind.volunteers.scanner.array_coil import array_coil
from faceblind.volunteers.scanner.clinic import Traits, draw_traits
from faceblind.volunteers.scanner.clinic_acquire import Session, acquire
from faceblind.volunteers.scanner.field_of_view import (
    FieldOfView,
    head_pose,
    place,
    small_motion,
    tipped,
)
from faceblind.volunteers.scanner.protocols import PROTOCOLS, Protocol
from faceblind.volunteers.scanner.settings import ScannerSettings
from faceblind.volunteers.scanner.signal import tissue_signals
from faceblind.volunteers.scanner.susceptibility import dephasing
from faceblind.volunteers.scanner.tissue import Tissue
from faceblind.volunteers.scanner.trunk import Trunk
from faceblind.volunteers.scanner.uniform import first_of_second, readouts
from faceblind.volunteers.scanner.warping import pull, pull_back

_HEAD_STREAM = 2
_SERIES_STREAM = 1000


@dataclass(frozen=True, eq=False)
class ScanTruth:
    """What is known of a simulated scan.

    Attributes
    ----------
    scan : Scan
        int16 voxels.
    brain, face, ears, fluid : (I, J, K) bool ndarray
        True masks on the same grid; they do not overlap. The brain includes its sulci and
        ventricles, `fluid` is what lies between it and the dura.
    landmarks : dict of str to (3,) ndarray
        On the skin, RAS+ mm of the scan.
    pose : (4, 4) float64 ndarray
        Template frame to RAS+ mm of the scan (rigid).
    to_first : (4, 4) float64 ndarray
        RAS+ mm of the scan to those of the session's first series (rigid): how the head lay then.
    protocol : Protocol
        What was scanned.
    """

    scan: Scan
    brain: NDArray[np.bool_]
    face: NDArray[np.bool_]
    ears: NDArray[np.bool_]
    fluid: NDArray[np.bool_]
    landmarks: dict[str, NDArray[np.float64]]
    pose: NDArray[np.float64]
    to_first: NDArray[np.float64]
    protocol: Protocol


@dataclass(frozen=True, eq=False)
class _Head:
    """What all series of a session share: the head in the template frame."""

    skin: NDArray[np.float64]
    faces: NDArray[np.int32]
    anatomy: Anatomy
    metal: artefacts.Metal
    traits: Traits
    session: Session | None = None


def simulate(person: Person, settings: ScannerSettings | None = None) -> ScanTruth:
    """Scan one person with the protocol "T1w", lying still with closed eyes.

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
    return scan_session(person, ("T1w",), settings)["T1w"]


def scan_session(
    person: Person, protocols: Sequence[str] = ("T1w",), settings: ScannerSettings | None = None
) -> dict[str, ScanTruth]:
    """Scan one person with several protocols; the head moves a little between them.

    Parameters
    ----------
    person : Person
        Who; the same person always gives the same scans.
    protocols : sequence of str
        Names in `faceblind.volunteers.scanner.protocols.PROTOCOLS`, in the order of scanning. A
        series depends on its own protocol and on whether it comes first, not on the others.
    settings : ScannerSettings, optional
        How.

    Returns
    -------
    dict of str to ScanTruth
        By protocol, in order. Each series has its own grid; `ScanTruth.to_first` joins them.

    Raises
    ------
    FaceblindError
        If a protocol is unknown.
    """
    settings = settings or ScannerSettings()
    unknown = [name for name in protocols if name not in PROTOCOLS]
    if unknown:
        raise FaceblindError(f"{unknown[0]}: no such protocol; choose from {', '.join(PROTOCOLS)}")
    rng = generator(person.seed, person.index, _HEAD_STREAM)
    head = _head(person, settings, rng)
    pose = tipped(head_pose(rng, settings, head.skin), head.traits.pitch_deg)
    if settings.clinic is not None:
        coil = None
        if head.traits.coil_ratio:
            coil = array_coil(apply_affine(pose, head.skin), head.traits.coil_ratio)
        head = replace(head, session=Session(settings, head.traits, coil))
    result: dict[str, ScanTruth] = {}
    for number, name in enumerate(protocols):
        stream = _SERIES_STREAM + zlib.crc32(name.encode())
        draws = generator(person.seed, person.index, stream)
        motion = small_motion(draws, settings)
        if number == 0:
            motion = np.eye(4)
        result[name] = _series(head, PROTOCOLS[name], settings, pose, motion, draws)
    return result


def _head(person: Person, settings: ScannerSettings, rng: np.random.Generator) -> _Head:
    model = HeadModel.load()
    template = load_template()
    traits = draw_traits(person, settings.clinic)
    points = person.points(model.closed_eyes | traits.expression)
    if settings.supine_mm > 0:
        points = supine(points, settings.supine_mm, person.age, person.weight)
    if traits.pitch_deg:
        points = bend_neck(points, traits.pitch_deg)
    skin = model.outer_skin(points).astype(np.float64)
    stomion = template.landmarks["stomion"]
    metal = artefacts.draw_metal(rng, settings, stomion)
    if traits.metal_mm and settings.dental_mm:
        metal = artefacts.with_bridge(metal, settings, stomion, traits)
    anatomy = personal_anatomy(person)
    if traits.edentulous:
        anatomy = without_teeth(anatomy)
    return _Head(skin, template.faces, anatomy, metal, traits)


def _series(
    head: _Head,
    protocol: Protocol,
    settings: ScannerSettings,
    pose: NDArray[np.float64],
    motion: NDArray[np.float64],
    rng: np.random.Generator,
) -> ScanTruth:
    template = load_template()
    place_of = np.asarray(motion @ pose, np.float64)
    posed = apply_affine(place_of, head.skin)
    landmarks = {name: posed[v] for name, v in template.landmark_index.items()}
    view = place(
        protocol, settings, posed, landmarks, place_of[:3, :3], rng, head.traits.shoulders_mm
    )
    uniform = bool(settings.clinic and settings.clinic.uniform and protocol.echoes)
    early, drawn = protocol, protocol
    if uniform:
        early, drawn = readouts(protocol)
    # Both images of MP2RAGE are taken at once: all that is drawn by chance is the same in them.
    again = deepcopy(rng)
    volume, zones = _tissue_picture(head, posed, drawn, settings, view, rng)
    metal = np.empty((0, 3))
    if len(head.metal.places):
        offset = head.metal.places - template.landmarks["stomion"]
        metal = landmarks["stomion"] + offset @ place_of[:3, :3].T
    zones = zones[:, : view.shape[1], view.parts // 2 :: view.parts]
    affine = view.affine
    if protocol.modality == "CT":
        voxels = _expose(volume, view, metal, head.metal.sizes, settings, rng)
    else:
        harm = (view.fine_affine, landmarks, metal, head.metal.sizes, drawn, settings)
        artefacts.lose_signal(volume, *harm, rng)
        if head.session is None:
            voxels = _acquire(volume, view, protocol, settings, rng)
        else:
            first = None
            if uniform:
                first, _ = _tissue_picture(head, posed, early, settings, view, again)
                first *= first_of_second(protocol)
                artefacts.lose_signal(first, *harm, again)
            done = acquire(volume, zones, view, protocol, head.session, landmarks, rng, first)
            voxels, affine, zones = done.voxels, done.affine, done.zones
    truth = ScanTruth(
        Scan(voxels, affine, modality=protocol.suffix, source=None),
        zones == BRAIN, zones == FACE, zones == EARS, zones == FLUID, landmarks, place_of,
        _inverse(motion), protocol,
    )  # fmt: skip
    return _store_as(truth, protocol.orders[int(rng.integers(len(protocol.orders)))])


def _tissue_picture(
    head: _Head,
    posed: NDArray[np.float64],
    protocol: Protocol,
    settings: ScannerSettings,
    view: FieldOfView,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Ideal signal on the fine grid (CT: HU + 1000, so that air is 0), and the zones."""
    template = load_template()
    inverse = _inverse(view.fine_affine)
    points, faces = template.closed(posed.astype(np.float32))
    covered = fill(apply_affine(inverse, points), faces, view.fine_shape)
    body = _body(head, posed, covered, view)
    values = tissue_signals(protocol)
    fatty = [Tissue.FAT, Tissue.MARROW]
    if protocol.modality == "CT":
        values = values + 1000
        fatty = []
    table = np.stack([values, np.zeros_like(values)])
    table[1, fatty] = values[fatty]
    table[0, fatty] = 0
    field = pull_back(posed, _inverse(head.anatomy.affine), view.fine_affine, view.fine_shape)
    spacing = np.sqrt((view.fine_affine[:3, :3] ** 2).sum(axis=0))
    left = dephasing(protocol, settings, float(spacing[2]) * view.parts)
    water, fat, zones = pull(field, covered, head.anatomy, table, left)
    zones[covered <= 0.5] = 0
    if body is not None:
        covered = body.join(water, fat, zones, covered, table)
    skin = _skin_share(covered, spacing)
    water += skin * (np.float32(values[Tissue.SKIN]) - water)
    water *= covered
    direction = 1.0 if rng.random() < 0.5 else -1.0
    if not fatty:
        return water, zones
    fat -= skin * fat
    fat *= covered
    return artefacts.mix_fat(water, fat, protocol, settings, direction), zones


def _body(
    head: _Head, posed: NDArray[np.float64], covered: NDArray[np.float32], view: FieldOfView
) -> Trunk | None:
    """What is in view below the head model's neck, or None."""
    if head.session is None:
        return None
    rim = np.unique(boundary_edges(head.faces))
    return Trunk.of(view.fine_affine, covered.shape, posed[rim])


def _inverse(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.linalg.inv(matrix), np.float64)


def _skin_share(covered: NDArray[np.float32], spacing: NDArray[np.float64]) -> NDArray[np.float32]:
    """Where skin of even thickness lies over what is inside, 0 to 1."""
    # Blurred coverage is the normal distribution of depth: 0.5 on the surface.
    sigma = 1.2 / spacing
    level = artefacts.blur(covered, (float(sigma[0]), float(sigma[1]), float(sigma[2])))
    edge, soft = 0.909, 0.05
    level -= edge + soft
    level *= -1 / (2 * soft)
    np.clip(level, 0, 1, out=level)
    level *= covered > 0
    return level


def _acquire(
    volume: NDArray[np.float32],
    view: FieldOfView,
    protocol: Protocol,
    settings: ScannerSettings,
    rng: np.random.Generator,
) -> NDArray[np.int16]:
    """Slices, point spread, motion, aliasing, coil, ghosts, noise."""
    volume = artefacts.join_slices(volume, view)
    sigma = settings.blur / 2.355
    through = sigma if view.parts == 1 else 0.0
    volume = artefacts.blur(volume, (sigma, sigma, through))
    spacing = np.sqrt((view.affine[:3, :3] ** 2).sum(axis=0))
    volume = artefacts.move(volume, settings, spacing, rng.standard_normal(3).astype(np.float32))
    np.abs(volume, out=volume)
    volume = artefacts.fold(volume, view.wrapped)
    artefacts.receive(volume, settings, rng)
    artefacts.ghost(volume, settings, rng.random(2).astype(np.float32))
    noise = settings.noise * protocol.noise * rng.uniform(0.7, 1.4)
    return artefacts.detect(volume, noise, rng.uniform(350, 900), rng)


def _expose(
    volume: NDArray[np.float32],
    view: FieldOfView,
    metal: NDArray[np.float64],
    sizes: NDArray[np.float64],
    settings: ScannerSettings,
    rng: np.random.Generator,
) -> NDArray[np.int16]:
    volume = artefacts.blur(volume, settings.blur / 2.355)
    volume -= 1000
    ct.add_streaks(volume, view.affine, metal, sizes, settings, rng)
    spacing = np.sqrt((view.affine[:3, :3] ** 2).sum(axis=0))
    return ct.reconstruct(volume, spacing, settings, rng)


_STORAGE = {
    "RAS": ((0, 1, 2), (1, 1, 1)), "LPS": ((0, 1, 2), (-1, -1, 1)),
    "PIR": ((1, 2, 0), (-1, -1, 1)), "LAS": ((0, 1, 2), (-1, 1, 1)),
}  # fmt: skip


def _store_as(truth: ScanTruth, order_name: str) -> ScanTruth:
    """Reorder voxels the way one of the usual scanners stores them; the world stays put."""
    order, signs = _STORAGE[order_name]
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
    return ScanTruth(
        scan, reorder(truth.brain), reorder(truth.face), reorder(truth.ears),
        reorder(truth.fluid), truth.landmarks,
        truth.pose, truth.to_first, truth.protocol,
    )  # fmt: skip
