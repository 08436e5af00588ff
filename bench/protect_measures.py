"""What `bench/protect.py` counts in one scan."""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

import faceblind
from brain_tools import PROGRAMS, dice
from faceblind.errors import FaceblindError
from faceblind.face.pipeline import ReconstructedHead, reconstruct_head, render_face
from faceblind.geometry.grid import from_scan, regrid
from faceblind.geometry.triangles import face_normals
from faceblind.head.brain_cover import template_fields
from faceblind.head.segmentation import find_head
from faceblind.head.session import heads_of_session
from faceblind.head.template import REGIONS
from faceblind.head.whole_head import Head, find_whole_head
from faceblind.identification.match import Scores
from faceblind.identification.metrics import expected_ranks, mate_indices
from faceblind.identification.result import StudyResult
from faceblind.protect.cut_fit import CutFit
from faceblind.protect.deface import deface
from faceblind.protect.placement import hung, one_size, place, placement_of
from faceblind.protect.protected_scan import ProtectedScan
from faceblind.protect.reface import reface
from faceblind.protect.region import face_region
from faceblind.recognition.detection import detect_faces
from faceblind.scan import Scan
from faceblind.volunteers.people.shape import PeopleSettings, sample_person
from faceblind.volunteers.scanner.protocols import PROTOCOLS
from faceblind.volunteers.scanner.settings import ScannerSettings
from faceblind.volunteers.scanner.simulate import scan_session
from faceblind.workflows.peers import find_module

LOOKED_AT = ("face", "brow", "eyes", "nose", "mouth", "chin", "cheeks", "ears")
THRESHOLD = 0.9
"""Of YuNet, OpenCV's default."""
FRONT_MM = 15.0
"""Template mm: a frontal plane before the ears."""
COMMON_MM = np.array([0.0, 20.0, 0.0])
COMMON_LOW_MM = (-110.0, -130.0, -150.0)
COMMON_SHAPE = (222, 262, 282)
"""Where the average head lies, and the field of view around it."""
PADDED_VOXELS = 3
"""By which a field of view is enlarged to see how well a tool repeats itself."""


def person_of(path: Path) -> str:
    """The ``sub-`` label in a file's name."""
    return path.name.split("_")[0]


def truth_of(people: Path, scan: Path) -> Path:
    """True brain of a volunteer's scan."""
    return people / "truth" / person_of(scan) / "T1w" / "brain.nii.gz"


def hits(result: StudyResult) -> str:
    """Rank-1 and rank-5 hits."""
    return f"{result.rank1.hits:g}, {result.rank5.hits:g}"


def mean_rank(scores: Scores) -> float:
    """Mean place of the true person as a share of the gallery: 0 always first, 0.5 by chance."""
    mates = mate_indices(scores.probe_persons, scores.gallery_persons)
    ranks = expected_ranks(scores.values, mates)
    ranks = ranks[np.isfinite(ranks)]
    return float((ranks - 1).mean() / max(len(scores.gallery_persons) - 1, 1))


def changed_brain(before: Path, after: Path, truth: Path) -> int:
    """Voxels of the true brain that differ in the stored numbers."""
    first, second = faceblind.load(before), faceblind.load(after)
    brain = faceblind.load(truth).volume() > 0
    return int((brain & (first.stored.raw != second.stored.raw)).sum())


def write_brain(scan: Path, target: Path) -> Path:
    """The average brain where it lies in a scan, for tools that need a mask."""
    image = faceblind.load(scan)
    faceblind.save(Scan(brain_of(image).astype(np.uint8), image.affine), target)
    return target


def brain_of(scan: Scan) -> NDArray[np.bool_]:
    """(I, J, K) the average brain where it lies in a scan."""
    affine = place(find_whole_head(scan).alignment).scan_to_template @ scan.affine
    return np.asarray(template_fields().on_grid("brain", affine, scan.shape) > 0)


def protect_one_session(seed: int, index: int) -> list[dict[str, object]]:
    """Protect two series of one person by both methods; a row for each."""
    rng = np.random.default_rng((seed, index))
    ages = (3, 17) if index % 5 == 0 else (18, 89)
    person = sample_person(seed, index, PeopleSettings(ages=ages))
    settings = ScannerSettings(
        tilt_sd=10.0, tilt_limit=30.0, vertex_cut=0.2, ears_cut=0.2, chin_cut=0.2, nose_cut=0.1,
        wrap=0.1, session_mm=2.0, session_deg=1.5,
    )  # fmt: skip
    names = list(PROTOCOLS)
    first = names[index % len(names)]
    other = str(rng.choice([name for name in names if name != first]))
    truths = list(scan_session(person, (first, other), settings).values())
    rows = []
    # CT and MR have no common scanner: each speaks for itself.
    alone = "CT" in (first, other)
    heads = (
        [heads_of_session([truth.scan])[0] for truth in truths]
        if alone
        else heads_of_session([truth.scan for truth in truths])
    )
    for truth, head in zip(truths, heads, strict=True):
        row = {"seed": seed, "index": index, "age": person.age, "protocol": truth.protocol.name}
        for method, work in (("deface", deface), ("reface", reface)):
            if isinstance(head, FaceblindError):
                rows.append({**row, "method": method, "harm": 0, "error": str(head)})
                continue
            done = work(truth.scan, head=head)
            changed = done.scan.voxels != truth.scan.voxels
            harm = int((changed & truth.brain).sum())
            inside = int((done.region.mask & truth.brain).sum())
            rows.append({**row, "method": method, "harm": max(harm, inside), "error": None})
    return rows


def boundary(path: Path, peel_mm: float) -> Scan:
    """The solid that is left of a defaced scan once the fill and `peel_mm` below it are taken off.

    All that it shows of the face is the surface where original voxels end. About 2 mm, 0 in air.
    """
    scan = faceblind.load(path)
    head = find_whole_head(scan)
    cut = deface(scan, head=head).region.cut
    mask = find_head(scan).mask
    grid = regrid(from_scan(scan), np.full(3, 2.0))
    solid = ndimage.binary_fill_holes(mask)
    inside = ndimage.distance_transform_edt(solid, grid.spacing)
    depth = ndimage.gaussian_filter(
        inside - ndimage.distance_transform_edt(~solid, grid.spacing), 0.7
    )
    index = np.linalg.inv(cut.affine) @ grid.affine
    taken = ndimage.affine_transform(
        cut.values, index[:3, :3], index[:3, 3], mask.shape, order=1, mode="nearest"
    )
    return _solid(np.minimum(depth, -peel_mm - taken), grid.affine)


def cut_alone(path: Path) -> Scan:
    """The average head, cut by the sizes and lifts of another's cut: all that a boundary says."""
    scan = faceblind.load(path)
    head = find_whole_head(scan)
    placement = place(head.alignment)
    lift = face_region(scan, head.skin, head.alignment, placement).fit.lift_mm
    mine, average = (placement_of(s, np.eye(3), COMMON_MM) for s in (placement.scales, np.ones(3)))
    # Moved as a whole, a cut is the same cut.
    fit = CutFit(hung(average.scan_to_template, one_size(mine.scales), np.eye(3)), lift)
    frame = np.eye(4)
    frame[:3, 3] = COMMON_LOW_MM
    empty = Scan(np.zeros(COMMON_SHAPE, np.uint8), frame)
    cut = face_region(empty, head.skin, head.alignment, mine, fit=fit).cut
    depth = template_fields().on_grid(
        "depth", average.scan_to_template @ cut.affine, cut.values.shape
    )
    return _solid(np.minimum(depth, -cut.values), cut.affine)


def _solid(depth: NDArray[np.floating], affine: NDArray[np.float64]) -> Scan:
    """A scan of what lies deeper than 0 mm: one level, its rim 2 mm wide, a little noise."""
    values = 100.0 * np.clip(depth / 2.0 + 0.5, 0.0, 1.0)
    values += np.abs(np.random.default_rng(0).normal(0.0, 1.0, values.shape))
    return Scan(values.astype(np.float32), affine)


def without_front(path: Path) -> Scan:
    """A defaced scan without anything in front of the ears, forehead and brain included.

    Whoever is still linked is linked by the back of the head, which no protection can take.
    """
    return behind_ears(deface(faceblind.load(path)))


def behind_ears(done: ProtectedScan) -> Scan:
    """What lies behind `FRONT_MM` of a defaced scan."""
    scan, affine = done.scan, done.placement.scan_to_template @ done.scan.affine
    i, j, k = np.meshgrid(*(np.arange(n) for n in scan.shape), indexing="ij", sparse=True)
    forward = affine[1, 0] * i + affine[1, 1] * j + affine[1, 2] * k + affine[1, 3]
    voxels = np.array(scan.volume(0))
    voxels[forward > FRONT_MM] = np.median(voxels[:3])
    return Scan(voxels, scan.affine)


def faces_found(scan: Path) -> int:
    """Renders (of 81) in which YuNet finds a face at its default threshold."""
    try:
        return faces_shown(reconstruct_head(faceblind.load(scan)))
    except FaceblindError:
        return 0


def faces_shown(head: ReconstructedHead) -> int:
    """The same of a head."""
    images = render_face(head.as_is).images
    pictures = images.reshape(-1, *images.shape[2:])
    return sum(
        any(found.score >= THRESHOLD for found in detect_faces(np.repeat(p[..., None], 3, axis=2)))
        for p in pictures
    )


def skin_left(path: Path) -> dict[str, float]:
    """Original skin that defacing leaves, mm2 by region of the face."""
    scan = faceblind.load(path)
    head = find_whole_head(scan)
    return skin_outside(scan, head, deface(scan, head=head).region.mask)


def skin_outside(scan: Scan, head: Head, mask: NDArray[np.bool_]) -> dict[str, float]:
    """Skin of a head outside a region, mm2 by region of the face."""
    skin = head.skin
    fitted = head.alignment.fitted()
    region = head.alignment.template.regions[cKDTree(fitted).query(skin.points)[1]]
    index = np.rint(scan.index(skin.points - 0.5 * skin.normals)).astype(int)
    index = np.clip(index, 0, np.array(scan.shape) - 1)
    stays = ~mask[tuple(index.T)] & ~skin.edge
    area = 0.5 * np.linalg.norm(face_normals(skin.points.astype(np.float64), skin.faces), axis=1)
    kept = stays[skin.faces].all(axis=1)
    label = region[skin.faces[:, 0]]
    return {name: float(area[kept & (label == REGIONS.index(name))].sum()) for name in LOOKED_AT}


def tissues(values: NDArray[np.floating], classes: int = 3) -> NDArray[np.int64]:
    """(N,) class of each value by k-means (Lloyd 1982), darkest first."""
    means = np.quantile(values, (np.arange(classes) + 0.5) / classes)
    for _ in range(100):
        label = np.searchsorted((means[1:] + means[:-1]) / 2, values)
        count = np.maximum(np.bincount(label, minlength=classes), 1)
        new = np.bincount(label, values, classes) / count
        if np.abs(new - means).max() < 1e-6 * np.ptp(values):
            break
        means = np.sort(new)
    return np.searchsorted((means[1:] + means[:-1]) / 2, values)


def independent_brain(scan: Scan, tool: str) -> NDArray[np.bool_] | None:
    """The brain by one of `brain_tools.PROGRAMS`, or None where it is not on the search path."""
    home = find_module(tool)
    if home is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        image, mask = Path(folder) / "a.nii.gz", Path(folder) / "mask.nii.gz"
        faceblind.save(replace(scan, source=None), image)
        command = [home[0], "-c", PROGRAMS[tool], str(image), str(mask)]
        subprocess.run(command, check=True, capture_output=True)
        found = faceblind.load(mask)
    # deepbet stores its mask in canonical axes.
    index = np.indices(scan.shape).reshape(3, -1).T
    back = np.rint(found.index(scan.world(index))).astype(int)
    return np.asarray(found.volume()[tuple(back.T)] > 0).reshape(scan.shape)


def spared_brain(path: Path, tool: str) -> str:
    """Cells of a table row: changed voxels of an independent brain mask, by method; its volume."""
    before = faceblind.load(path)
    brain = independent_brain(before, tool)
    if brain is None:
        raise FaceblindError(f"{tool} is not on the search path")
    head = find_whole_head(before)
    cells = []
    for work in (deface, reface):
        done = work(before, head=head)
        changed = (done.scan.voxels != before.voxels).reshape(*before.shape, -1).any(axis=3)
        apart = ndimage.distance_transform_edt(~brain, before.spacing)[done.region.mask].min()
        cells.append(f"{int((changed & brain).sum())} | {apart:.1f}")
    return f"{brain.sum() * np.prod(before.spacing) / 1e3:.0f} | " + " | ".join(cells)


def extracted_brain(scan: Scan) -> NDArray[np.bool_]:
    """A brain by thresholds alone, which sees the face if anything does.

    Otsu's level on the whole volume (the part that protection changes), erosion by 4 mm, the
    largest piece nearest the middle of the head, dilation, holes filled.
    """
    from skimage.filters import threshold_otsu

    volume = ndimage.gaussian_filter(scan.volume(0).astype(np.float32), 1.0 / scan.spacing)
    inside = volume > threshold_otsu(volume)
    depth = ndimage.distance_transform_edt(inside, scan.spacing)
    labels, count = ndimage.label(depth > 4.0)
    if not count:
        return inside
    sizes = np.bincount(labels.ravel())[1:]
    largest = labels == 1 + int(sizes.argmax())
    grown = ndimage.distance_transform_edt(~largest, scan.spacing) < 4.0
    return np.asarray(ndimage.binary_fill_holes(grown & inside))


def compare_downstream(path: Path, method: str, tool: str) -> str:
    """Cells of a table row: brain mask, tissues, volume change, registration shift.

    With ``"padded"``, the scan is compared with itself in a field of view that is larger by
    `PADDED_VOXELS`: how well the tool repeats itself where nothing of the head has changed.
    """
    before = faceblind.load(path)
    extra = PADDED_VOXELS if method == "padded" else 0
    if extra:
        after = padded(before, extra)
    else:
        after = (deface if method == "deface" else reface)(before).scan
    same = (slice(extra, None),) * 3
    masks = [independent_brain(scan, tool) for scan in (before, after)]
    if masks[0] is None or masks[1] is None:
        brain = brain_of(before)
        masks = [extracted_brain(before) & brain, extracted_brain(after)[same] & brain]
    else:
        masks[1] = masks[1][same]
    values = [before.volume(0), after.volume(0)[same]]
    classes = [np.full(before.shape, -1) for _ in range(2)]
    for volume, mask, found in zip(values, masks, classes, strict=True):
        found[mask] = tissues(volume[mask].astype(np.float64))
    parts = [dice(classes[0] == k, classes[1] == k) for k in range(3)]
    change = 100 * abs(int(masks[1].sum()) / max(int(masks[0].sum()), 1) - 1)
    overlap = dice(masks[0], masks[1])
    shift = None if extra else registration_shift(before, after)
    told = "-" if shift is None else f"{shift:.2f}"
    return f"{overlap:.4f} | {', '.join(f'{p:.4f}' for p in parts)} | {change:.2f} | {told}"


def padded(scan: Scan, voxels: int) -> Scan:
    """The same scan with its outermost slices repeated before the first voxel of each axis."""
    affine = scan.affine.copy()
    affine[:3, 3] -= affine[:3, :3].sum(axis=1) * voxels
    return Scan(np.pad(scan.volume(0), ((voxels, 0),) * 3, mode="edge"), affine)


def registration_shift(before: Scan, after: Scan) -> float | None:
    """Mean distance (mm) within the head by which protection moves a rigid registration.

    Both are registered to one target: the original turned by a known small motion. None without
    SimpleITK.
    """
    try:
        import SimpleITK as sitk  # noqa: N813
    except ImportError:
        return None

    def image(scan: Scan) -> sitk.Image:
        canonical = scan.canonical()
        made = sitk.GetImageFromArray(canonical.volume(0).astype(np.float32).transpose(2, 1, 0))
        made.SetSpacing(canonical.spacing.tolist())
        return made

    fixed = image(before)
    centre = np.array(fixed.GetSize()) * np.array(fixed.GetSpacing()) / 2
    motion = sitk.Euler3DTransform(centre.tolist(), 0.05, -0.03, 0.04, (3.0, -2.0, 4.0))
    moved = sitk.Resample(fixed, fixed, motion, sitk.sitkLinear, 0.0)
    fits = []
    for scan in (before, after):
        method = sitk.ImageRegistrationMethod()
        method.SetMetricAsMattesMutualInformation(50)
        method.SetMetricSamplingStrategy(method.REGULAR)
        method.SetMetricSamplingPercentage(0.05)
        method.SetInterpolator(sitk.sitkLinear)
        method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-4, 200)
        method.SetOptimizerScalesFromPhysicalShift()
        method.SetShrinkFactorsPerLevel([4, 2])
        method.SetSmoothingSigmasPerLevel([2, 1])
        method.SetInitialTransform(sitk.Euler3DTransform(centre.tolist()), inPlace=False)
        fits.append(method.Execute(image(scan), moved))
    offsets = np.array(np.meshgrid(*[(-60.0, 0.0, 60.0)] * 3)).reshape(3, -1).T + centre
    apart = [
        np.linalg.norm(np.subtract(*(fit.TransformPoint(p.tolist()) for fit in fits)))
        for p in offsets
    ]
    return float(np.mean(apart))
