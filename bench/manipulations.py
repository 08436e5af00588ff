"""Ways to hide a face, good and bad: the labelled set of `bench/audit.py`.

Each takes an intact scan and gives what a tool of that kind would leave. All work in the template
frame of the intact scan's own alignment, as tools that register do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from faceblind.geometry.points import thin
from faceblind.head.alignment import Alignment, align
from faceblind.head.segmentation import find_head
from faceblind.head.skin import find_skin
from faceblind.head.template import load_template
from faceblind.scan import Scan

GRID_MM = 1.0
LOW, HIGH = np.array([-95.0, -40.0, -140.0]), np.array([95.0, 150.0, 90.0])
"""Box of the average head in template mm."""


@dataclass(frozen=True)
class Average:
    """The average front of several heads, as tools that replace faces carry one.

    Parameters
    ----------
    values : (I, J, K) float32 ndarray
        0 in air and 1 in tissue, on a grid of `GRID_MM` from `LOW`.
    """

    values: NDArray[np.float32]

    def at(self, place: NDArray[np.floating]) -> NDArray[np.float32]:
        """Values at (N, 3) template mm; air outside the box."""
        index = ((place - LOW) / GRID_MM).T
        found: NDArray[np.float32] = ndimage.map_coordinates(self.values, index, order=1)
        return found


def average_of(scans: Sequence[Scan]) -> Average:
    """Bend every head onto the mean of their shapes and average: a face that is nobody's.

    Not faceblind's own template: the mean of a few people keeps what they share.
    """
    template = load_template()
    found = []
    for scan in scans:
        plain = scan.canonical()
        head = find_head(plain)
        alignment = align(find_skin(plain, head), plain)
        shaped = (
            alignment.fitted() @ alignment.scan_to_template[:3, :3].T
            + alignment.scan_to_template[:3, 3]
        )
        found.append((plain, head, alignment, shaped - template.points))
    common = np.mean([moved for *_, moved in found], axis=0)
    axes = [np.arange(a, b, GRID_MM) for a, b in zip(LOW, HIGH, strict=True)]
    place = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
    shape, place = place.shape[:3], place.reshape(-1, 3)
    few = thin(template.points, 6.0)
    distance, near = cKDTree(template.points[few] + common[few]).query(place, k=6, workers=2)
    weight = 1.0 / (distance + 3.0) ** 2
    weight /= weight.sum(axis=1, keepdims=True)
    total = np.zeros(len(place))
    for plain, head, alignment, moved in found:
        step = (moved - common)[few][near]
        own = place + (weight[..., None] * step).sum(axis=1)
        back = np.linalg.inv(plain.affine) @ np.linalg.inv(alignment.scan_to_template)
        index = own @ back[:3, :3].T + back[:3, 3]
        values = ndimage.map_coordinates(
            plain.voxels.astype(np.float32), index.T, order=1, cval=head.air_level
        )
        total += (values - head.air_level) / (head.tissue_level - head.air_level)
    return Average((total / len(found)).reshape(shape).astype(np.float32))


@dataclass(frozen=True)
class Subject:
    """An intact scan and what the manipulations need to know about it.

    Parameters
    ----------
    scan : Scan
        With axes in RAS order, float32.
    depth : (I, J, K) ndarray
        mm under the skin, negative in the air.
    place : (I, J, K, 3) ndarray
        Template mm of every voxel.
    air, tissue : float
        Levels.
    noise : float
        Spread of the air.
    rng : Generator
    stranger : Average or None
        What an average face is pasted from.
    """

    scan: Scan
    depth: NDArray[np.float32]
    place: NDArray[np.float32]
    air: float
    tissue: float
    noise: float
    rng: np.random.Generator
    stranger: Average | None = None

    @property
    def face(self) -> NDArray[np.bool_]:
        """The face from brow to chin and from ear to ear, with the air in front of it."""
        x, y, z = np.moveaxis(self.place, -1, 0)
        return (y > 18) & (z < 48) & (z > -105) & (np.abs(x) < 80)

    def with_voxels(self, voxels: NDArray[np.floating]) -> Scan:
        """The scan with other intensities, rounded as files are."""
        limit = np.iinfo(np.int16)
        whole = np.rint(np.clip(voxels, limit.min, limit.max)).astype(np.int16)
        return Scan(whole, self.scan.affine, self.scan.modality)

    def without(self, mask: NDArray[np.bool_], noisy: bool = False) -> Scan:
        """Air under `mask`: exact zeros, or the scan's own noise."""
        voxels = self.scan.voxels.copy()
        voxels[mask] = 0.0
        if noisy:
            count = int(mask.sum())
            pair = self.rng.normal(0, self.noise / 0.655, (2, count))
            voxels[mask] = np.hypot(*pair)
        return self.with_voxels(voxels)


def prepare(
    scan: Scan, seed: int = 0, stranger: Average | None = None
) -> tuple[Subject, Alignment]:
    """Find out what the manipulations need."""
    scan = scan.canonical()
    scan = Scan(scan.voxels.astype(np.float32), scan.affine, scan.modality)
    head = find_head(scan)
    alignment = align(find_skin(scan, head), scan)
    ijk = np.indices(scan.shape).reshape(3, -1).T
    world = scan.world(ijk)
    working = np.linalg.inv(head.affine)
    index = world @ working[:3, :3].T + working[:3, 3]
    step = np.sqrt((head.affine[:3, :3] ** 2).sum(axis=0))
    signed = ndimage.distance_transform_edt(head.mask, step)
    signed -= ndimage.distance_transform_edt(~head.mask, step)
    # Half a voxel, by which the distance to the next centre differs from that to the border.
    signed -= 0.5 * np.sign(signed) * float(step.mean())
    depth = ndimage.map_coordinates(
        signed.astype(np.float32), index.T, order=1, mode="nearest"
    ).reshape(scan.shape)
    affine = alignment.scan_to_template
    place = (world @ affine[:3, :3].T + affine[:3, 3]).reshape(*scan.shape, 3)
    subject = Subject(
        scan,
        depth.astype(np.float32),
        place.astype(np.float32),
        head.air_level,
        head.tissue_level,
        head.air_noise,
        np.random.default_rng(seed),
        stranger,
    )
    return subject, alignment


def intact(subject: Subject) -> Scan:
    """Nothing done."""
    return subject.with_voxels(subject.scan.voxels)


def plane_cut(subject: Subject) -> Scan:
    """Everything before an upright plane through the outer corners of the eyes."""
    return subject.without(subject.place[..., 1] > 58)


def quickshear(subject: Subject) -> Scan:
    """Everything before and below a slanted plane under the forehead."""
    _, y, z = np.moveaxis(subject.place, -1, 0)
    return subject.without((y - 62) - 0.75 * (z - 28) > 0)


def template_mask(subject: Subject) -> Scan:
    """A mask in template space from the brow down to the chin; ears, temples and brow stay."""
    x, y, z = np.moveaxis(subject.place, -1, 0)
    return subject.without((y > 45 + 0.006 * x * x) & (z < 20) & (z > -115), noisy=False)


def slab(subject: Subject) -> Scan:
    """A slab of one grey value that hugs the face, 5 mm into the skin and 6 mm out of it."""
    voxels = subject.scan.voxels.copy()
    voxels[subject.face & (subject.depth > -6) & (subject.depth < 5)] = round(0.8 * subject.tissue)
    return subject.with_voxels(voxels)


def noisy_slab(subject: Subject) -> Scan:
    """The same slab with noise in it."""
    voxels = subject.scan.voxels.copy()
    mask = subject.face & (subject.depth > -6) & (subject.depth < 5)
    noise = subject.rng.normal(0, 0.5 * subject.noise, int(mask.sum()))
    voxels[mask] = 0.8 * subject.tissue + noise
    return subject.with_voxels(voxels)


def hug(mm: float) -> Callable[[Subject], Scan]:
    """Air instead of the outermost `mm` of the face."""

    def eroded(subject: Subject) -> Scan:
        return subject.without(subject.face & (subject.depth < mm), noisy=True)

    return eroded


def blur(sigma_mm: float) -> Callable[[Subject], Scan]:
    """The face blurred."""

    def blurred(subject: Subject) -> Scan:
        voxels = subject.scan.voxels.copy()
        soft = ndimage.gaussian_filter(voxels, sigma_mm / subject.scan.spacing)
        mask = subject.face & (subject.depth < 25)
        voxels[mask] = soft[mask]
        return subject.with_voxels(voxels)

    return blurred


def zeroed(subject: Subject) -> Scan:
    """All of the face to a depth of 3 cm set to nought; the ears stay."""
    return subject.without(subject.face & (subject.depth < 30))


def dimmed(subject: Subject) -> Scan:
    """The face divided by 50: dark to the eye, whole to a computer."""
    voxels = subject.scan.voxels.copy()
    mask = subject.face & (subject.depth < 30)
    voxels[mask] /= 50.0
    return subject.with_voxels(voxels)


def ears_removed(subject: Subject) -> Scan:
    """Only the ears removed."""
    x, y, z = np.moveaxis(subject.place, -1, 0)
    here = (np.abs(x) > 62) & (np.abs(y + 15) < 35) & (np.abs(z) < 40)
    return subject.without(here, noisy=True)


def wrapped_nose(subject: Subject) -> Scan:
    """The face removed, and its nose left behind the head, where wrap-around had put it."""
    voxels = subject.without(subject.face & (subject.depth < 30), noisy=True).voxels.copy()
    x, y, z = np.moveaxis(subject.place, -1, 0)
    nose = (np.abs(x) < 25) & (y > 82) & (z > -50) & (z < 15)
    rows = np.flatnonzero(nose.any(axis=(0, 2)))
    piece = subject.scan.voxels[:, rows[0] :, :] * nose[:, rows[0] :, :]
    target = voxels[:, : piece.shape[1], :]
    target[piece > 0] = piece[piece > 0].astype(voxels.dtype)
    return subject.with_voxels(voxels.astype(np.float32))


def unknown_face(subject: Subject) -> Scan:
    """Face and ears replaced by an average that is not faceblind's, its seam feathered over 6 mm.

    Brightness is matched and noise is added, as mri_reface describes its way.
    """
    if subject.stranger is None:
        raise ValueError("an average face is needed; give prepare one")
    x, y, z = np.moveaxis(subject.place, -1, 0)
    ears = (np.abs(x) > 62) & (np.abs(y + 12) < 38) & (np.abs(z) < 45)
    here = subject.face & ((subject.depth < 22) | (y > 60)) | ears & (subject.depth < 12)
    blend = ndimage.gaussian_filter(here.astype(np.float32), 2.0 / subject.scan.spacing)
    new = subject.stranger.at(subject.place.reshape(-1, 3)).reshape(here.shape)
    tissue, theirs = here & (subject.depth > 3), 1.0
    if tissue.any():
        ours = float(np.median(subject.scan.voxels[tissue])) - subject.air
        theirs = ours / max(float(np.median(new[tissue])), 0.1)
    pair = subject.rng.normal(0, subject.noise / 0.655, (2, *here.shape)).astype(np.float32)
    new = np.hypot(np.maximum(new, 0) * theirs + pair[0], pair[1]) + max(
        subject.air - 1.25 * subject.noise / 0.655, 0.0
    )
    voxels = (1 - blend) * subject.scan.voxels + blend * new
    return subject.with_voxels(voxels)


def companion(subject: Subject) -> Scan:
    """Another contrast of the same session, in which fluid is bright; nobody hid the face."""
    level = (subject.scan.voxels - subject.air) / (subject.tissue - subject.air)
    head = subject.depth > 0
    turned = np.where(head & (level > 0.15), np.clip(1.6 - level, 0.15, 2.0), level)
    return subject.with_voxels(turned * (subject.tissue - subject.air) + subject.air)


@dataclass(frozen=True)
class Method:
    """One way to hide a face.

    Parameters
    ----------
    name : str
    apply : callable
        Subject to Scan.
    tuning : bool
        Whether thresholds may be chosen on it; the others are held out.
    """

    name: str
    apply: Callable[[Subject], Scan]
    tuning: bool


METHODS = (
    Method("intact", intact, True),
    Method("plane cut", plane_cut, True),
    Method("slab", slab, True),
    Method("hug 4 mm", hug(4.0), True),
    Method("blur 4 mm", blur(4.0), True),
    Method("face zeroed", zeroed, True),
    Method("quickshear", quickshear, False),
    Method("template mask", template_mask, False),
    Method("noisy slab", noisy_slab, False),
    Method("hug 2 mm", hug(2.0), False),
    Method("hug 6 mm", hug(6.0), False),
    Method("blur 2 mm", blur(2.0), False),
    Method("blur 6 mm", blur(6.0), False),
    Method("blur 8 mm", blur(8.0), True),
    Method("dimmed", dimmed, True),
    Method("ears removed", ears_removed, False),
    Method("wrapped nose", wrapped_nose, True),
    Method("unknown face", unknown_face, True),
)
